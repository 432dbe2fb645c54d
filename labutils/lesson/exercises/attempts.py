"""What a learner has tried so far: one small JSON file, so that a restarted kernel, or another one, goes on from it.

Read and changed under a lock that the system frees when a process dies; written beside and swapped in, so that a kill
or a full disk leaves the old file whole. A file that cannot be read is set aside under another name, never written
over. Where nothing can be saved, this process remembers, and says so. Which exercises there are is not known here.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from labutils import places

PATIENCE = 5.0  # seconds to wait for another kernel, which needs milliseconds


@dataclass(frozen=True)
class Entry:
    """What is kept of one exercise."""

    tries: int = 0  # answers that were checked, right ones included
    right: bool = False  # once right stays right
    hints: int = 0  # hints seen
    asked: int = 0  # calls of solution()
    seen: bool = False  # whether the solution was shown before an answer was right


class Kept(NamedTuple):
    """An entry as it now is, and why it could not be saved; empty where it was."""

    entry: Entry
    problem: str = ""


unsaved: dict[str, Entry] = {}  # of this process, where nothing can be written


def path() -> Path:
    """The file: `progress.json` in the cache folder, which `LABUTILS_HOME` moves."""
    return places.cache() / "progress.json"


def read() -> dict[str, Entry]:
    """All entries by the exercise's name; empty where there are none or they cannot be read."""
    if not path().exists():
        return dict(unsaved)
    try:
        with _locked():
            found = _load()
    except (OSError, Timeout):  # a folder that may be read only
        found = _peek()
    return {name: _entry(kept) for name, kept in found.items()} | unsaved


def change(name: str, step: Callable[[Entry], Entry]) -> Kept:
    """Read one exercise's entry, change it by `step`, and save it; other entries stay as they are."""
    try:
        path().parent.mkdir(parents=True, exist_ok=True)
        with _locked():
            kept = _load()
            entry = step(unsaved.get(name, _entry(kept.get(name, {}))))
            _write({**kept, name: {**kept.get(name, {}), **asdict(entry)}})
        unsaved.pop(name, None)
        return Kept(entry)
    except (OSError, Timeout) as error:
        unsaved[name] = step(unsaved.get(name) or _entry(_peek().get(name, {})))
        return Kept(unsaved[name], f"progress could not be saved: {type(error).__name__}")


@contextmanager
def _locked() -> Iterator[None]:
    with FileLock(path().with_name(f"{path().name}.lock"), timeout=PATIENCE):
        yield


def _load() -> dict[str, dict]:
    """The file as it is; one that cannot be read is set aside first. Only under the lock."""
    try:
        return _parse(path().read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:
        number = 1
        while (aside := path().with_name(f"progress.broken-{number}.json")).exists():
            number += 1
        path().rename(aside)
        return {}


def _peek() -> dict[str, dict]:
    """The file without the lock, where that is not to be had; empty where it cannot be read."""
    try:
        return _parse(path().read_bytes())
    except (OSError, ValueError):
        return {}


def _parse(data: bytes) -> dict[str, dict]:
    """Raises ValueError for anything but an object of entries."""
    try:
        found = json.loads(data)
        for kept in found.values():
            _entry(kept)
    except (AttributeError, TypeError, RecursionError) as error:
        raise ValueError(f"not an object of entries: {error}") from None
    return found


def _entry(kept: dict) -> Entry:
    """An entry from what the file holds; keys that a later version may have added are passed over."""
    known = {key: kept[key] for key in kept.keys() & Entry.__dataclass_fields__.keys()}
    for key, value in known.items():
        if type(value) is not type(getattr(Entry, key)):
            raise ValueError(f"{key}: {value!r:.40}")
    return Entry(**known)


def _write(kept: dict[str, dict]) -> None:
    """Only under the lock, so parts that lie about are those of processes that died."""
    for part in path().parent.glob(f".{path().name}.*.part"):
        part.unlink(missing_ok=True)
    places.write(path(), json.dumps(kept, indent=1, sort_keys=True))
