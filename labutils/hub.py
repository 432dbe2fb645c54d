"""Data sets to a hub and back: push pairs with a card, pull them again.

Nothing is pushed unless it is asked for in so many words, and then as private. How errors read is for `hub_errors`;
what the records mean is for `pairs`.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import huggingface_hub
from datasets import Dataset, DatasetDict, load_dataset
from datasets.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
from huggingface_hub import CommitOperationAdd, HfApi

from labutils import machine
from labutils.hub_errors import HubError, clearly, need_hub, token


@dataclass(frozen=True)
class Card:
    """What the README of a data set says beyond its sizes."""

    title: str = "Question and answer pairs"
    licence: str = "unknown"  # an identifier of the hub, such as cc-by-4.0; "unknown" grants nobody anything
    language: str = "en"
    made: str = "Not stated."  # how the pairs were made, by whom, from what


class Push(NamedTuple):
    """What was pushed or, when `done` is False, what would be."""

    repo_id: str
    private: bool
    files: dict[str, int]  # path and size in bytes
    card: str
    done: bool

    def __repr__(self) -> str:
        state = "pushed to" if self.done else "NOT pushed (confirm=True does it) to"
        files = ", ".join(f"{path} ({size:,} bytes)" for path, size in self.files.items())
        return f"{state} {self.repo_id}, {'private' if self.private else 'PUBLIC'}: {files}"


def push(
    data: Sequence[dict] | DatasetDict,
    repo_id: str,
    *,
    private: bool = True,
    card: Card = Card(),
    confirm: bool = False,
) -> Push:
    """Push pairs to a hub as Parquet with a card, in one commit; without `confirm=True` only say what would be pushed.

    Records (list of dict) become the split "train". An existing repository is updated, and must be private when
    `private` is asked for. Raises ValueError for no records; HubError for no token, a name or a right that the hub
    does not accept, and a public repository where a private one is asked for; ConnectionError for no network.
    """
    parts = data if isinstance(data, DatasetDict) else DatasetDict(train=_dataset(data))
    if not any(len(part) for part in parts.values()):
        raise ValueError("no records to push; expected at least one")
    _same_columns(parts)
    files = {f"data/{name}.parquet": _parquet(part) for name, part in parts.items()}
    text = card_text(parts, card)
    files["README.md"] = text.encode()
    plan = Push(repo_id, private, {path: len(content) for path, content in files.items()}, text, confirm)
    if not confirm:
        return plan
    need_hub("check the network, or keep to files")
    if not token():
        raise HubError("no token; set HF_TOKEN to one that may write, or run `hf auth login`")
    return plan._replace(repo_id=clearly(repo_id, lambda: _commit(repo_id, files, private)))


def pull(repo_id: str) -> DatasetDict:
    """All splits of a data set from a hub.

    Raises HubError for a data set that is not there or that the token may not read, ConnectionError for no network.
    """
    need_hub("check the network, or read a file")
    token()
    with _quiet():
        return clearly(repo_id, lambda: load_dataset(repo_id, revision=_newest(repo_id)))


def card_text(parts: Mapping[str, Dataset], card: Card) -> str:
    """The README of a data set: front matter in YAML for the hub, then sizes and columns, and how it was made."""
    meta = huggingface_hub.DatasetCardData(
        language=card.language,
        license=card.licence,
        pretty_name=card.title,
        configs=[
            {
                "config_name": "default",
                "data_files": [{"split": name, "path": f"data/{name}.parquet"} for name in parts],
            }
        ],
    )
    sizes = "\n".join(f"| {name} | {len(part):,} |" for name, part in parts.items())
    columns = "\n".join(
        f"- `{name}`: {getattr(kind, 'dtype', type(kind).__name__)}"
        for name, kind in next(iter(parts.values())).features.items()
    )
    return (
        f"---\n{meta.to_yaml()}\n---\n\n# {card.title}\n\nLicence: {card.licence}\n\n"
        f"| split | records |\n|---|---|\n{sizes}\n\n## Columns\n\n{columns}\n\n## How it was made\n\n{card.made}\n"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars of datasets meanwhile; as before afterwards."""
    hidden = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not hidden:
            enable_progress_bars()


def _commit(repo_id: str, files: Mapping[str, bytes], private: bool) -> str:
    """Make the repository where there is none, and put all files into it at once; its full name."""
    api = HfApi(endpoint=machine.hub_endpoint())
    repo_id = api.create_repo(repo_id, repo_type="dataset", private=private, exist_ok=True).repo_id
    if private and not api.repo_info(repo_id, repo_type="dataset").private:
        raise HubError(f"{repo_id}: there already and public; take another name, or private=False to publish")
    additions = [CommitOperationAdd(path, content) for path, content in files.items()]
    api.create_commit(repo_id, additions, commit_message="Upload pairs", repo_type="dataset")
    return repo_id


def _newest(repo_id: str) -> str:
    """The revision that is there now; without one, `load_dataset` falls back on an old copy when it may not read."""
    return HfApi(endpoint=machine.hub_endpoint()).dataset_info(repo_id).sha


def _same_columns(parts: DatasetDict) -> None:
    """Raise ValueError for splits that no reader can load together."""
    first = next(iter(parts), None)
    for name, part in parts.items():
        if part.features != parts[first].features:
            raise ValueError(
                f"the splits {first!r} and {name!r} have different columns or types, {parts[first].features} and "
                f"{part.features}; expected the same in all"
            )


def _dataset(records: Sequence[dict]) -> Dataset:
    """Records as a table; a key that a record lacks is None in its row."""
    keys = list(dict.fromkeys(key for record in records for key in record))
    try:
        return Dataset.from_dict({key: [record.get(key) for record in records] for key in keys})
    except (ValueError, TypeError) as error:
        raise ValueError(f"the records make no table: {error}; expected one type of value under each key") from None


def _parquet(part: Dataset) -> bytes:
    buffer = io.BytesIO()
    with _quiet():
        part.to_parquet(buffer)
    return buffer.getvalue()
