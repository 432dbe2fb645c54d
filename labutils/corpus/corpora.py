"""Open corpora by name: where each lies on a hub, how large it is, under which licence, whom to cite. Each is one call.

Ids, sizes and licences are those of the data sets' cards and papers. Numbers of documents: C4's stands on its card, the
Common Pile's on the hub (rounded), those of FineWeb-Edu and Wikipedia are what others counted; None: not found.
Documents come as `{"text", "meta"}`, the other columns in the meta; nothing is stored on disk.
"""

from typing import NamedTuple

from datasets import IterableDataset, load_dataset

from labutils.hub_errors import clearly, need_hub


class Corpus(NamedTuple):
    """An open corpus on a hub."""

    hub_id: str  # repository of the hub
    config: str | None  # which part of it
    size: str  # as its makers state it
    documents: int | None  # in the training split
    licence: str  # of the collection; the texts keep the rights they had
    citation: str
    text: str = "text"  # column of the text


CORPORA = {
    "c4": Corpus(
        "allenai/c4",
        "en",
        "305 GB packed",
        364_868_892,
        "ODC-By 1.0",
        "Raffel et al. 2020, Exploring the Limits of Transfer Learning, JMLR 21:140",
    ),
    "fineweb-edu": Corpus(
        "HuggingFaceFW/fineweb-edu",
        "sample-10BT",
        "10 billion tokens",
        9_672_101,
        "ODC-By 1.0",
        "Penedo et al. 2024, The FineWeb Datasets, arXiv 2406.17557",
    ),
    "fineweb": Corpus(
        "HuggingFaceFW/fineweb",
        "sample-10BT",
        "27.6 GB, 10 billion tokens",
        None,
        "ODC-By 1.0",
        "Penedo et al. 2024, The FineWeb Datasets, arXiv 2406.17557",
    ),
    "pile": Corpus(
        "monology/pile-uncopyrighted",
        None,
        "17 of the Pile's 22 sets (825 GiB)",
        None,
        "other: without Books3, BookCorpus2, OpenSubtitles, YTSubtitles, OpenWebText2",
        "Gao et al. 2020, The Pile: An 800GB Dataset of Diverse Text, arXiv 2101.00027",
    ),
    "common-pile": Corpus(
        "common-pile/comma_v0.1_training_dataset",
        None,
        "464 billion tokens",
        784_000_000,
        "open licences and public domain, stated a document",
        "Kandpal et al. 2025, The Common Pile v0.1, arXiv 2506.05209",
    ),
    "wikipedia": Corpus(
        "wikimedia/wikipedia",
        "20231101.en",
        "English, November 2023",
        6_407_814,
        "CC BY-SA 3.0 and GFDL",
        "Wikimedia Foundation, Wikimedia Downloads, dumps.wikimedia.org",
    ),
}


def table() -> list[dict]:
    """The corpora as rows, for `show.table`: the name to stream by, size, documents, licence, citation."""
    return [
        {
            "name": name,
            "on the hub": each.hub_id + (f" ({each.config})" if each.config else ""),
            "size": each.size,
            "documents": f"{each.documents:,}" if each.documents else "not stated",
            "licence": each.licence,
            "citation": each.citation,
        }
        for name, each in CORPORA.items()
    ]


def open_corpus(name: str) -> IterableDataset:
    """The training split of an open corpus as a stream of `{"text", "meta"}`; only what is read is downloaded.

    Raises ValueError for a name that is not in CORPORA or a corpus that the hub does not have (any more), and
    ConnectionError within two seconds when the hub does not answer.
    """
    if name not in CORPORA:
        raise ValueError(f"no open corpus named {name!r}; there are {', '.join(CORPORA)}")
    need_hub(f'{name} cannot be streamed; use what is here: stream("installed") or the path of a .jsonl file')
    corpus = CORPORA[name]
    rows = clearly(corpus.hub_id, lambda: load_dataset(corpus.hub_id, corpus.config, split="train", streaming=True))
    return rows.map(_document, fn_kwargs={"column": corpus.text}).select_columns(["text", "meta"])


def _document(row: dict, column: str) -> dict:
    """A row as a document. _document({"text": "Hi", "url": "x"}, "text") -> {"text": "Hi", "meta": {"url": "x"}}."""
    meta = row.get("meta")
    rest = {key: value for key, value in row.items() if key not in (column, "meta")}
    merged = {**rest, **meta} if isinstance(meta, dict) else rest
    return {"text": row[column], "meta": {key: _plain(value) for key, value in merged.items()}}


def _plain(value: object) -> object:
    """A time as text, as JSON has it; anything else as it is."""
    return value.isoformat() if hasattr(value, "isoformat") else value
