"""The stages of a model's life, as columns of the report card: how each is opened and asked, and what it is asked.

The company's `test.jsonl` is read here, for the report card, and nowhere else: choices are made on `dev.jsonl`.
"""

from typing import NamedTuple

from labutils.measure import experiments
from labutils.pairs.records import read_jsonl

SPLITS = ("test", "dev")


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
