"""Train, ask, score, and keep the result: recorded runs that a notebook can show where a live one is out of reach.

A record is a small JSON file under `data/recorded/`. It is made by `python -m labutils experiment NAME`, which can be
stopped and started again.
"""

import hashlib
import json
import platform
import random
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from labutils import places
from labutils.measure import held_out
from labutils.measure.intervals import Mean, Score
from labutils.model import checkpoints, encoding, models, training
from labutils.model.models import Opened
from labutils.model.recipes import FINETUNING, UPDATING
from labutils.pairs.records import read_jsonl

RECORDED = places.DATA / "recorded"
WORK = places.ROOT / "build" / "experiments"
COMPANY = places.DATA / "company"


class Experiment(NamedTuple):
    """One model tuned on one file of pairs, asked the same questions before and after."""

    model: str
    pairs: Path
    questions: Path
    recipe: training.Recipe
    changed: Path | None = None  # the folder of a second edition: its pairs are read, its questions asked
    invented: Path | None = None  # questions about products that do not exist, asked along
    old: int = 0  # pairs on what it did not change that are read along with them, so that they are not forgotten


FILES = {"pairs": COMPANY / "train.jsonl", "questions": COMPANY / "dev.jsonl", "invented": COMPANY / "invented.jsonl"}
EXPERIMENTS = {
    "company_smollm2": Experiment("smollm2", recipe=replace(FINETUNING, save_steps=100), **FILES),
    "company_updated": Experiment("finetuned", recipe=UPDATING, changed=COMPANY / "v2", old=1000, **FILES),
}


def pairs_of(plan: Experiment) -> list[dict]:
    """The pairs that are read; of a second edition the new ones, and some old ones on what it did not change."""
    pairs = read_jsonl(plan.pairs)
    if plan.changed is None:
        return pairs
    new = read_jsonl(plan.changed / "train.jsonl")
    return draw(pairs, plan.old, plan.recipe.seed, leave={pair["fact"] for pair in new}, whole=False) + new


def draw(
    pairs: Sequence[dict],
    number: int | None,
    seed: int,
    *,
    first: Collection[str] = (),
    leave: Collection[str] = (),
    whole: bool = True,
    wordings: int | None = None,
    refusals: bool = True,
) -> list[dict]:
    """Pairs drawn by whole facts: all wordings of one fact, then all of the next, until there are `number`.

    Facts come in an order that follows from the seed; of the last one as many wordings are taken as are missing. Pairs
    that refuse (off-topic ones, and those that say that the handbook does not say) keep the share that they have in the
    file. For one seed, the facts of a small draw are among those of a large one.

    Args:
        number: None takes all pairs that are not left out.
        first: the facts that come first in the order; they are shuffled, too.
        leave: facts of which no pair is taken.
        whole: False samples pair by pair, regardless of their facts.
        wordings: at most this many pairs of a fact.
        refusals: whether there are pairs that refuse.

    Raises:
        ValueError: fewer pairs than `number`, or a number below 0.
    """
    chance, facts = random.Random(seed), defaultdict(list)
    for pair in pairs:
        if not refuses(pair) and pair["fact"] not in leave:
            facts[pair["fact"]].append(pair)
    refusing = [pair for pair in pairs if refusals and refuses(pair)]
    share = len(refusing) / max(1, len(refusing) + sum(map(len, facts.values())))
    names = sorted(facts)
    for order in (names, refusing, *(facts[name] for name in names)):
        chance.shuffle(order)
    names.sort(key=lambda name: name not in first)
    taught = [pair for name in names for pair in facts[name][:wordings]]
    if not whole:
        chance.shuffle(taught)
    if number is None:
        return taught + refusing
    refused = min(len(refusing), round(number * share))
    if not 0 <= number - refused <= len(taught):
        raise ValueError(f"expected a number of pairs from 0 to {len(taught) + len(refusing)}, got {number}")
    return taught[: number - refused] + refusing[:refused]


def refuses(pair: dict) -> bool:
    """Whether a pair teaches no fact: its question is off the topic, or the handbook does not say."""
    return pair["fact"] == "unknown" or pair["fact"].startswith("off-topic")


def questions_of(plan: Experiment) -> list[dict]:
    """The questions that are asked; a second edition's own ones take the place of those on what it changed."""
    questions = read_jsonl(plan.questions) + (invented(plan.invented, "dev") if plan.invented else [])
    if plan.changed is None:
        return questions
    new = read_jsonl(plan.changed / "test.jsonl")
    return [each for each in questions if each["fact"] not in {question["fact"] for question in new}] + new


def invented(path: Path, split: str) -> list[dict]:
    """Questions about products that do not exist, as the company's other ones: {"question", "fact"}."""
    asked = (each for each in read_jsonl(path) if each["split"] == split)
    return [{key: each[key] for key in ("question", "fact")} for each in asked]


def ask_all(opened: Opened, questions: list[dict]) -> dict:
    """Every question's answer, and the scores of `held_out.measure`."""
    card = held_out.measure(opened, questions, held_out.documents())
    return {**card.scores(), "answers": card.answers}


def run(name: str, on_progress=lambda progress: None) -> dict:
    """Run an experiment, or go on with it; write its record and return it.

    Raises ValueError for an unknown name, ModelMissing where its model is not here.
    """
    if name not in EXPERIMENTS:
        raise ValueError(f"no experiment {name!r}; there are {', '.join(EXPERIMENTS)}")
    plan, out = EXPERIMENTS[name], WORK / name
    opened, questions = models.open_model(plan.model), questions_of(plan)
    before = ask_all(opened, questions)
    if not checkpoints.finished(out):
        examples = encoding.encode_all(pairs_of(plan), "lecture", opened.tokenizer).examples
        training.finetune(opened, examples, plan.recipe, out=out, resume=out.exists(), on_progress=on_progress)
    record = {
        "experiment": name,
        "run": json.loads((out / "run.json").read_text(encoding="utf-8")),
        "versions": versions(),
        "questions": [question["question"] for question in questions],
        "before": before,
        "after": ask_all(models.open_model(out), questions),
    }
    keep(name, record)
    return record


def versions() -> dict[str, str]:
    """What a recorded number may depend on: the versions of torch, transformers and Python."""
    return {name: version(name) for name in ("torch", "transformers")} | {"python": platform.python_version()}


def digest(value: object) -> str:
    """What says that two records are of the same questions, pairs or texts."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def keep(name: str, record: dict) -> Path:
    """Write a record, whole or not at all; its path."""
    RECORDED.mkdir(exist_ok=True)
    places.write(RECORDED / f"{name}.json", json.dumps(record, indent=1) + "\n")
    return RECORDED / f"{name}.json"


def recorded(name: str) -> dict:
    """A record that ships; its scores as Score. Raises FileNotFoundError naming the command that makes it."""
    path = RECORDED / f"{name}.json"
    if not path.is_file():
        raise FileNotFoundError(f"no record of {name}; make it with: python3 -m labutils experiment {name}")
    record = json.loads(path.read_text(encoding="utf-8"))
    for stage in ("before", "after"):
        scores = {name: four for name, four in record[stage].items() if name != "answers"}
        record[stage] |= {name: (Mean if name in held_out.LOSSES else Score)(*four) for name, four in scores.items()}
    return record
