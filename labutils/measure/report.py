"""The report card: every score at every stage of a model's life, with what was recorded where a model is not here.

The company's `test.jsonl` is read here and nowhere else: choices are made on `dev.jsonl`. The record is
`data/recorded/report.json`, made by `python3 -m labutils report --record`.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from labutils import machine
from labutils.measure import experiments, held_out
from labutils.measure.held_out import Card
from labutils.measure.intervals import Score
from labutils.model import models
from labutils.model.models import ModelMissing
from labutils.pairs.records import read_jsonl

SCORES = (
    "fact_hits", "exact", "format", "stops", "refuses_off_topic", "refuses_real", "abstains", "answer_loss",
    "bits_per_byte",
)  # fmt: skip
NAME = "report"
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


class Row(NamedTuple):
    """One score of one stage, with its 95 % interval; `n` questions, or texts."""

    stage: str
    score: str
    value: float
    low: float
    high: float
    n: int
    recorded: bool = False  # measured elsewhere, some time ago


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


def of_stages(
    stages: Mapping[str, Stage] | None = None,
    split: str = "test",
    *,
    texts: Sequence[str] | None = None,
    fp32: bool = False,
    live: bool = True,
    record: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> list[Row]:
    """The report card: a row for each score of each stage, those that are not here as recorded.

    `stages` are the columns: all of STAGES without it, and then those that are neither here nor recorded are left out.
    `split` is "test", or "dev" to choose by (nothing of it is recorded); `texts` are for bits per byte
    (`held_out.documents` without it), `fp32` takes losses without bfloat16. `live=False` shows what is recorded and
    measures nothing; `record` keeps what was measured beside stages recorded earlier on the same questions. `tell` gets
    a line as each stage is done.

    Raises ValueError for an unknown split, or a record of other questions or stages than the report card's own;
    ModelMissing where a stage that was asked for is neither here nor recorded, or none is.
    """
    if record and (split != "test" or set(stages or ()) - set(STAGES)):
        raise ValueError(f"only the test questions and these stages are recorded: {', '.join(STAGES)}")
    kept, chosen = recorded_scores() if split == "test" else {}, stages or STAGES
    recorded = {name for name, stage in chosen.items() if name in kept and stage == STAGES[name]}
    here = {name for name, stage in chosen.items() if live and models.available(stage.model)}
    if live and stages:
        for name in chosen.keys() - here - recorded:
            models.open_model(chosen[name].model)  # from a hub; if not, it says so now, and not in some minutes
            here.add(name)
    rows, measured = [], {}
    for name, stage in chosen.items():
        if name in here:
            began = time.perf_counter()
            texts = held_out.documents() if texts is None else texts
            asked = questions(split, stage.edition) + experiments.invented(
                experiments.COMPANY / "invented.jsonl", split
            )
            opened = models.open_model(stage.model)
            measured[name] = held_out.measure(opened, asked, texts, template=stage.template, fp32=fp32)
            rows += rows_of(name, measured[name].scores())
            tell(f"{name}: measured in {time.perf_counter() - began:.0f} s")
        elif name in recorded:
            rows += rows_of(name, kept[name], recorded=True)
            tell(f"{name}: as recorded" + (", its model is not here" if live else ""))
        else:
            tell(f"{name}: left out, {'its model is not here and ' if live else ''}there is no record of it")
    if not rows:
        raise ModelMissing(f"nothing to report: no model and no record of {', '.join(chosen)}")
    if record and measured:
        keep(measured, texts, fp32)
    return rows


def rows_of(stage: str, scores: Mapping[str, Score], recorded: bool = False) -> list[Row]:
    """The rows of a stage, in the order of SCORES."""
    return [Row(stage, name, *scores[name], recorded) for name in SCORES if name in scores]


def keep(measured: Mapping[str, Card], texts: Sequence[str], fp32: bool) -> Path:
    """Record cards of stages beside those that were recorded on the same questions; the path of the record."""
    about = experiments.versions() | {"texts": experiments.digest(list(texts))}
    about["losses"] = "float32" if fp32 or not machine.bf16() else "bfloat16"
    stages = _stages()
    for name, card in measured.items():
        model = Path(STAGES[name].model).name  # no path of this machine
        stages[name] = {**STAGES[name]._replace(model=model)._asdict(), **about, **card.plain()}
    order = {name: stages[name] for name in STAGES if name in stages}
    return experiments.keep(NAME, {"split": "test", "questions": _asked(), "stages": order})


def recorded_scores() -> dict[str, dict[str, Score]]:
    """The recorded scores of stages; none where the record is of other questions."""
    return {name: {score: Score(*four) for score, four in stage["scores"].items()} for name, stage in _stages().items()}


def _stages() -> dict[str, dict]:
    path = experiments.RECORDED / f"{NAME}.json"
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return record["stages"] if record.get("questions") == _asked() else {}


def _asked() -> str:
    """What says that two records are of the same questions and right answers."""
    return experiments.digest([questions("test", edition) for edition in (1, 2)])
