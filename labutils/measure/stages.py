"""The stages of a model's life, as columns of the report card: how each is opened and asked, and what it is asked.

The company's `test.jsonl` is read here, for the report card, and nowhere else: choices are made on `dev.jsonl`.
"""

from itertools import islice
from typing import NamedTuple

from labutils.corpus.docstrings import docstrings
from labutils.measure import experiments
from labutils.pairs.records import read_jsonl

SPLITS = ("test", "dev")
HELD_OUT = "networkx"  # a package that torch brings along, and that the base's corpus leaves out (data/base)
TEXTS = 64  # documents of it


class Stage(NamedTuple):
    """A column of the report card."""

    model: str  # what `models.open_model` takes
    template: str = "lecture"  # how it is asked
    edition: int = 1  # of the handbook that it was taught: the right answers are those of this edition


STAGES = {
    "random": Stage("random"),
    "base": Stage("base"),
    "finetuned": Stage("finetuned"),
    "updated": Stage(str(experiments.WORK / "company_updated"), edition=2),
    "smollm2": Stage("smollm2", template="chatml"),  # its makers have tuned it already, on conversations of this form
    "smollm2 finetuned": Stage(str(experiments.WORK / "company_smollm2")),
}


def questions(split: str = "test", edition: int = 1) -> list[dict]:
    """The company's questions; in the second edition the same ones, with the new answers to what has changed.

    Raises ValueError for an unknown split.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    asked = read_jsonl(experiments.COMPANY / f"{split}.jsonl")
    if edition == 1:
        return asked
    changed = {record["fact"]: record for record in read_jsonl(experiments.COMPANY / "v2" / "test.jsonl")}
    new = {fact: {key: record[key] for key in ("answer", "must", "was")} for fact, record in changed.items()}
    return [question | new.get(question["fact"], {}) for question in asked]


def invented(split: str = "test") -> list[dict]:
    """Questions about products that do not exist, as the company's other ones: {"question", "fact"}."""
    asked = read_jsonl(experiments.COMPANY / "invented.jsonl")
    return [{key: each[key] for key in ("question", "fact")} for each in asked if each["split"] == split]


def held_out_texts(number: int = TEXTS) -> list[str]:
    """Text of the kind that the base model has read, from a package that it has not: on every machine, offline.

    smollm2 may well have read it. Raises ValueError where the package is not installed.
    """
    return [document["text"] for document in islice(docstrings(HELD_OUT), number)]
