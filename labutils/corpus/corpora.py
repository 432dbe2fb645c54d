"""Open corpora by name, each one call, and the published composition of the Pile."""

from typing import NamedTuple

# Where each is on the hub, how large it is, under which licence, whom to cite. Each is one
# call, `load_dataset(hub_id, config, split="train", streaming=True)`, and has its text in the column "text".
#
# Ids, sizes and licences are those of the data sets' cards and papers.


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
        "17 of the Pile's 22 sets (all: 825 GiB)",
        "other: without Books3, BookCorpus2, OpenSubtitles, YTSubtitles, OpenWebText2",
        "Gao et al. 2020, The Pile: An 800GB Dataset of Diverse Text, arXiv 2101.00027",
    ),
    "common-pile": Corpus(
        "common-pile/comma_v0.1_training_dataset",
        None,
        "464 billion tokens",
        "open licences and public domain, stated per document",
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


# The published composition of the Pile, as numbers to compare a corpus of one's own with.
#
# Gao et al. 2020, "The Pile: An 800GB Dataset of Diverse Text for Language Modeling", arXiv:2101.00027, Table 1. The
# raw size is what was collected, before anything is repeated; the weight is the share of the bytes that a model is
# trained on, epochs repeated. The sizes are not measured here: most of the Pile can no longer be had.


class Component(NamedTuple):
    """A row of the table."""

    name: str
    gib: float  # raw size in GiB (2**30 bytes)
    weight: float  # per cent of the bytes of one epoch of the whole
    epochs: float  # how often a model sees it meanwhile


COMPONENTS = (
    Component("Pile-CC", 227.12, 18.11, 1.0),
    Component("PubMed Central", 90.27, 14.40, 2.0),
    Component("Books3", 100.96, 12.07, 1.5),
    Component("OpenWebText2", 62.77, 10.01, 2.0),
    Component("ArXiv", 56.21, 8.96, 2.0),
    Component("Github", 95.16, 7.59, 1.0),
    Component("FreeLaw", 51.15, 6.12, 1.5),
    Component("Stack Exchange", 32.20, 5.13, 2.0),
    Component("USPTO Backgrounds", 22.90, 3.65, 2.0),
    Component("PubMed Abstracts", 19.26, 3.07, 2.0),
    Component("Gutenberg (PG-19)", 10.88, 2.17, 2.5),
    Component("OpenSubtitles", 12.98, 1.55, 1.5),
    Component("Wikipedia (en)", 6.38, 1.53, 3.0),
    Component("DM Mathematics", 7.75, 1.24, 2.0),
    Component("Ubuntu IRC", 5.52, 0.88, 2.0),
    Component("BookCorpus2", 6.30, 0.75, 1.5),
    Component("EuroParl", 4.59, 0.73, 2.0),
    Component("HackerNews", 3.90, 0.62, 2.0),
    Component("YoutubeSubtitles", 3.73, 0.60, 2.0),
    Component("PhilPapers", 2.38, 0.38, 2.0),
    Component("NIH ExPorter", 1.89, 0.30, 2.0),
    Component("Enron Emails", 0.88, 0.14, 2.0),
)
