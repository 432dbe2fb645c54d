"""A larger model on the bundled tasks, prompted and then tuned: recorded, since both take longer than a notebook.

A record is made by `python -m labutils experiment NAME`, which can be stopped and started again. It holds answers, not
scores: those are computed when it is read, by the metrics as they then are.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from labutils.measure import experiments, tasks
from labutils.measure.tasks import Judged
from labutils.model import asking, checkpoints, encoding, models, training
from labutils.model.models import Opened
from labutils.pairs.records import pair, read_jsonl
from labutils.pairs.templates import ANSWER, QUESTION

SPLITS = ("dev", "test")
STAGES = ("prompted", "tuned")


class Plan(NamedTuple):
    """One model on one bundled task: asked with its prompt, tuned on its pairs, asked again."""

    model: str
    task: str
    recipe: training.Recipe = training.Recipe(epochs=3, keep_every=50)
    limit: int = 60  # tokens of an answer


PLANS = {
    "support_smollm2": Plan("smollm2", "support"),
    "emails_smollm2": Plan("smollm2", "emails", limit=170),
}


def run(name: str, on_progress: Callable = lambda progress: None, folder: Path = tasks.FOLDER) -> dict:
    """Make a record, or go on with it; write it and return it. `folder` is where the tasks lie.

    Raises ValueError for an unknown name, ModelMissing where its model is not here.
    """
    plan, out = plan_of(name), experiments.WORK / name
    opened = models.open_model(plan.model)
    answers = {"prompted": ask_prompted(opened, plan, folder)}
    if not checkpoints.finished(out):
        pairs = read_jsonl(folder / plan.task / "train.jsonl")
        examples = encoding.encode_all(pairs, "lecture", opened.tokenizer).examples
        training.finetune(opened, examples, plan.recipe, out=out, resume=out.exists(), on_progress=on_progress)
    tuned = models.open_model(out)
    answers["tuned"] = {split: _answers(tuned, plan, split, folder) for split in SPLITS}
    record = {
        "experiment": name,
        "run": json.loads((out / "run.json").read_text(encoding="utf-8")),
        "versions": experiments.versions(),
        "asked": digest(plan.task, folder),
        "answers": answers,
    }
    experiments.keep(name, record)
    return record


def ask_prompted(opened: Opened, plan: Plan, folder: Path = tasks.FOLDER) -> dict[str, list[str]]:
    """What a model that was not tuned says to every question of a task, asked with the task's prompt; by split."""
    template = chat(opened, plan.task, folder)
    return {split: _answers(opened, plan, split, folder, template) for split in SPLITS}


def chat(opened: Opened, task: str, folder: Path = tasks.FOLDER) -> str:
    """A task's prompt as a template for `asking.ask`: in the turns that a model's makers tuned it to, or as one text
    for a model whose tokenizer knows none.

    What explains the task stands above the first question, since some models refuse a turn of the system.
    """
    if not opened.tokenizer.chat_template:
        return tasks.prompt_text(task, QUESTION, folder) + ANSWER
    system, first, *others = tasks.prompt(task, folder)
    turns = [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *others]
    return opened.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True) + ANSWER


def _answers(opened: Opened, plan: Plan, split: str, folder: Path, template: str = "lecture") -> list[str]:
    asked = questions(plan.task, split, folder)
    return [reply.text for reply in asking.ask(opened, asked, template=template, limit=plan.limit)]


def recorded(name: str, folder: Path = tasks.FOLDER) -> dict[str, dict[str, list[str]]]:
    """The recorded answers, by stage and split: recorded("support_smollm2")["prompted"]["dev"].

    Raises ValueError for an unknown name, FileNotFoundError, naming the command, where there is no record or it is of
    other questions or another prompt than those that ship now.
    """
    plan, path = plan_of(name), experiments.RECORDED / f"{name}.json"
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if record.get("asked") != digest(plan.task, folder):
        what = "the record is of other questions" if record else "no record"
        raise FileNotFoundError(f"{what} of {name}; make it with: python3 -m labutils experiment {name}")
    return record["answers"]


def judged(name: str, split: str, folder: Path = tasks.FOLDER) -> dict[str, Judged]:
    """Both recorded stages, judged by the task's metrics. Raises as `recorded`."""
    plan = plan_of(name)
    records = read_jsonl(folder / plan.task / f"{split}.jsonl")
    return {stage: tasks.judge(plan.task, said[split], records) for stage, said in recorded(name, folder).items()}


def plan_of(name: str) -> Plan:
    """Raises ValueError for a record that nobody makes, naming those that there are."""
    if name not in PLANS:
        raise ValueError(f"no record {name!r}; there are {', '.join(PLANS)}")
    return PLANS[name]


def questions(task: str, split: str, folder: Path = tasks.FOLDER) -> list[str]:
    """The questions of a task's split, in order."""
    return [question for question, _ in map(pair, read_jsonl(folder / task / f"{split}.jsonl"))]


def digest(task: str, folder: Path = tasks.FOLDER) -> str:
    """What says that two records are of the same questions and the same prompt."""
    asked = [questions(task, split, folder) for split in SPLITS]
    return hashlib.sha256(json.dumps([asked, tasks.prompt(task, folder)]).encode()).hexdigest()[:16]
