"""A larger model on the bundled tasks, prompted and then tuned: recorded, since both take longer than a notebook.

A record is made by `python -m labutils experiment NAME`, which can be stopped and started again. It holds answers, not
scores: those are computed when it is read, by the metrics as they then are.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from labutils.measure import experiments, tasks
from labutils.model import asking, encoding, models, training
from labutils.model.models import Opened
from labutils.model.training import Recipe
from labutils.pairs.records import pair, read_jsonl

SPLITS = ("dev", "test")


class Plan(NamedTuple):
    """One model on one bundled task: prompted, then tuned on some of its pairs, for each size and seed."""

    model: str
    task: str
    recipe: Recipe
    sizes: tuple[int, ...]  # pairs
    seeds: tuple[int, ...] = (0,)  # each draws the pairs, and their order
    least: int = 1  # steps at least: few pairs are seen more often
    limit: int = 60  # tokens of an answer


PLANS = {
    "support_smollm2": Plan(
        "smollm2", "support", Recipe(epochs=1, batch=16, learning_rate=4e-4), (100, 300, 1000), (0, 1, 2), least=28
    ),
    "emails_smollm2": Plan("smollm2", "emails", Recipe(epochs=3, batch=16, learning_rate=3e-4), (320,), limit=170),
}


def run(name: str, on_progress: Callable = lambda progress: None, folder: Path = tasks.FOLDER) -> dict:
    """Make a record, or go on with it; it is written after each of its parts, and returned. One that is of other pairs
    or questions is begun anew. `folder` is where the tasks lie.

    Raises ValueError for an unknown name, or a record that was begun with another recipe, ModelMissing where its model
    is not here.
    """
    plan = plan_of(name)
    settings = {"model": plan.model, "recipe": asdict(plan.recipe), "least": plan.least, "limit": plan.limit}
    try:
        record = recorded(name, folder)
        if record["settings"] != settings:
            raise ValueError(f"{name} was begun with {record['settings']}, now it is {settings}; remove its file first")
    except FileNotFoundError:
        record = {"experiment": name, "versions": experiments.versions(), "asked": digest(plan.task, folder)}
        record["settings"] = settings
        record["prompted"] = ask_prompted(models.open_model(plan.model), plan, folder)
        experiments.keep(name, record | {"runs": []})
    runs = record.setdefault("runs", [])
    for size, seed in [(size, seed) for seed in plan.seeds for size in plan.sizes]:
        if not any((each["pairs"], each["seed"]) == (size, seed) for each in runs):
            runs.append(_tuned(plan, size, seed, folder, on_progress))
            experiments.keep(name, record)
    return record


def ask_prompted(opened: Opened, plan: Plan, folder: Path = tasks.FOLDER) -> dict[str, list[str]]:
    """What a model that was not tuned replies to the questions of a task, by split; each part is asked for alone, and
    put where the task's pairs have it.
    """
    said = {}
    for split in SPLITS:
        asked, parts = questions(plan.task, split, folder), []
        for part, limit in tasks.PARTS[plan.task].items():
            text = tasks.prompt(plan.task, part, folder)
            prompts = [text.replace("{question}", question) for question in asked]
            replies = asking.generate(opened, prompts, limit=limit, batch=16)
            parts.append([tasks.replied(reply.text, plan.task) for reply in replies])
        said[split] = [tasks.put_together(plan.task, each) for each in zip(*parts, strict=True)]
    return said


def _tuned(plan: Plan, size: int, seed: int, folder: Path, on_progress: Callable) -> dict:
    opened, began = models.open_model(plan.model), time.perf_counter()
    examples = encoding.encode_all(chosen(plan, size, seed, folder), "lecture", opened.tokenizer).examples
    steps = max(plan.least, plan.recipe.total_steps(len(examples)))
    done = training.finetune(opened, examples, replace(plan.recipe, steps=steps, seed=seed), on_progress=on_progress)
    answers = {
        split: [r.text for r in asking.ask(opened, questions(plan.task, split, folder), limit=plan.limit)]
        for split in SPLITS
    }
    minutes = round((time.perf_counter() - began) / 60, 1)
    return {"pairs": size, "seed": seed, "steps": steps, "tokens": done.tokens, "minutes": minutes, **answers}


def chosen(plan: Plan, size: int, seed: int, folder: Path = tasks.FOLDER) -> list[dict]:
    """The pairs of a run: a random sample of `train`. Raises ValueError where there are fewer."""
    pairs = read_jsonl(folder / plan.task / "train.jsonl")
    if size > len(pairs):
        raise ValueError(f"{plan.task} has {len(pairs):,} pairs, {size:,} are wanted")
    return pd.DataFrame(pairs).sample(size, random_state=seed).to_dict("records")


def recorded(name: str, folder: Path = tasks.FOLDER) -> dict:
    """A record: "prompted" has the answers of each split, "runs" the runs, each with its "pairs", "seed" and answers.

    Raises ValueError for an unknown name, FileNotFoundError, naming the command, where there is no record or it is of
    other pairs, questions or prompts than those that ship now.
    """
    plan, path = plan_of(name), experiments.RECORDED / f"{name}.json"
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if record.get("asked") != digest(plan.task, folder):
        what = "the record is of other pairs or questions" if record else "no record"
        raise FileNotFoundError(f"{what} of {name}; make it with: python3 -m labutils experiment {name}")
    return record


def plan_of(name: str) -> Plan:
    """Raises ValueError for a record that nobody makes, naming those that there are."""
    if name not in PLANS:
        raise ValueError(f"no record {name!r}; there are {', '.join(PLANS)}")
    return PLANS[name]


def questions(task: str, split: str, folder: Path = tasks.FOLDER) -> list[str]:
    """The questions of a task's split, in order."""
    return [question for question, _ in map(pair, read_jsonl(folder / task / f"{split}.jsonl"))]


def digest(task: str, folder: Path = tasks.FOLDER) -> str:
    """What says that two records are of the same pairs, questions and prompts."""
    pairs = [list(map(pair, read_jsonl(folder / task / f"{name}.jsonl"))) for name in ("train", *SPLITS)]
    prompts = [tasks.prompt(task, part, folder) for part in tasks.PARTS[task]]
    return experiments.digest([pairs, prompts])
