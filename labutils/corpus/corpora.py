"""Open corpora by name: where each is on the hub, how large it is, under which licence, whom to cite. Each is one call,
`load_dataset(hub_id, config, split="train", streaming=True)`, and has its text in the column "text".

Ids, sizes and licences are those of the data sets' cards and papers.
"""

from typing import NamedTuple


class Corpus(NamedTuple):
    """An open corpus on a hub."""

    hub_id: str  # repository of the hub
    config: str | None  # which part of it
    size: str  # as its makers state it
    licence: str  # of the collection; the texts keep the rights they had
    citation: str


CORPORA = {
    "c4": Corpus(
        "allenai/c4",
        "en",
        "305 GB packed",
        "ODC-By 1.0",
        "Raffel et al. 2020, Exploring the Limits of Transfer Learning, JMLR 21:140",
    ),
    "fineweb-edu": Corpus(
        "HuggingFaceFW/fineweb-edu",
        "sample-10BT",
        "10 billion tokens",
        "ODC-By 1.0",
        "Penedo et al. 2024, The FineWeb Datasets, arXiv 2406.17557",
    ),
    "fineweb": Corpus(
        "HuggingFaceFW/fineweb",
        "sample-10BT",
        "27.6 GB, 10 billion tokens",
        "ODC-By 1.0",
        "Penedo et al. 2024, The FineWeb Datasets, arXiv 2406.17557",
    ),
    "pile": Corpus(
        "monology/pile-uncopyrighted",
        None,
        "17 of the Pile's 22 sets (825 GiB)",
        "other: without Books3, BookCorpus2, OpenSubtitles, YTSubtitles, OpenWebText2",
        "Gao et al. 2020, The Pile: An 800GB Dataset of Diverse Text, arXiv 2101.00027",
    ),
    "common-pile": Corpus(
        "common-pile/comma_v0.1_training_dataset",
        None,
        "464 billion tokens",
        "open licences and public domain, stated a document",
        "Kandpal et al. 2025, The Common Pile v0.1, arXiv 2506.05209",
    ),
    "wikipedia": Corpus(
        "wikimedia/wikipedia",
        "20231101.en",
        "English, November 2023",
        "CC BY-SA 3.0 and GFDL",
        "Wikimedia Foundation, Wikimedia Downloads, dumps.wikimedia.org",
    ),
}
