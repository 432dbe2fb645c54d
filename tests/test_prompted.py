"""The recorded answers of a larger model, made by a tiny one: prompted, tuned, stopped in between, read again."""

import copy
import json

import pytest

from labutils.measure import experiments, prompted, tasks
from labutils.measure.prompted import Plan
from labutils.model import asking, models
from labutils.model.fetching import ModelMissing
from labutils.model.training import Recipe
from labutils.pairs.records import write_jsonl


@pytest.fixture
def folder(fresh, tmp_path, monkeypatch):
    """A task "support" of four messages, and a plan "tiny" for it; runs and records lie in this test's own folder."""
    here = tmp_path / "tasks" / "support"
    here.mkdir(parents=True)
    turns = [("system", "Sort."), ("user", "Which one is swan?"), ("assistant", "one"), ("user", "{question}")]
    write_jsonl(({"role": role, "content": said} for role, said in turns), here / "prompt.jsonl")
    rows = [
        {"input": f"What is the number of {bird}?", "output": f"queue: {queue}\nkeywords: number, {bird}"}
        for bird, queue in (("plover", "one"), ("heron", "two"), ("finch", "one"), ("crane", "two"))
    ]
    for split, part in {"train": rows, "dev": rows[:3], "test": rows[1:]}.items():
        write_jsonl(part, here / f"{split}.jsonl")
    model = str(models.save(fresh(), tmp_path / "start"))
    recipe = Recipe(steps=80, batch=4, learning_rate=5e-3, keep_every=1000)
    monkeypatch.setattr(prompted, "PLANS", {"tiny": Plan(model, "support", recipe, limit=50)})
    monkeypatch.setattr(experiments, "RECORDED", tmp_path / "recorded")
    monkeypatch.setattr(experiments, "WORK", tmp_path / "work")
    return tmp_path / "tasks"


@pytest.fixture
def record(folder):
    return prompted.run("tiny", folder=folder)


def test_a_record_holds_what_was_answered_prompted_and_tuned(record, folder):
    answers = prompted.recorded("tiny", folder)
    assert answers == record["answers"]
    assert {stage: {split: len(said) for split, said in splits.items()} for stage, splits in answers.items()} == {
        stage: {"dev": 3, "test": 3} for stage in prompted.STAGES
    }
    assert set(record["versions"]) == {"torch", "transformers", "python"} and record["run"]["finished"]


TURNS = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}<bot>"
TEXT = "Sort.\n\nQuestion:\nWhich one is swan?\n\nAnswer:\none\n\nQuestion:\n{question}\n\nAnswer:\n{answer}"


@pytest.mark.parametrize(
    ("own", "template"),
    [(TURNS, "<user>Sort.\n\nWhich one is swan?<assistant>one<user>{question}<bot>{answer}"), (None, TEXT)],
)
def test_a_model_is_asked_as_its_makers_tuned_it(fresh, folder, own, template):
    opened = fresh()
    tokenizer = copy.deepcopy(opened.tokenizer)
    tokenizer.chat_template = own
    assert prompted.chat(opened._replace(tokenizer=tokenizer), "support", folder) == template


def test_the_prompt_is_what_is_asked(fresh, folder, monkeypatch):
    """What stands in for the model says what it was asked, and how."""
    opened, plan = fresh(), prompted.PLANS["tiny"]

    def echo(opened, questions, *, template, limit):
        return [asking.Reply(f"{template} {limit} {question}", True) for question in questions]

    monkeypatch.setattr(asking, "ask", echo)
    said = prompted.ask_prompted(opened, plan, folder)
    assert list(said) == ["dev", "test"] and len(said["dev"]) == 3
    assert said["dev"][0] == f"{prompted.chat(opened, 'support', folder)} 50 What is the number of plover?"


def test_it_is_judged_when_it_is_read(record, folder):
    judged = prompted.judged("tiny", "test", folder)
    assert tasks.lift(judged["prompted"], judged["tuned"])["queue"].value > 0.5, "these messages were tuned on"
    assert judged["tuned"].expected == ["two", "one", "two"]


def test_a_stopped_run_is_taken_up(folder, monkeypatch):
    class Stopped(Exception):
        pass

    def stop(progress):
        if progress.step == 40:
            raise Stopped

    plan = prompted.PLANS["tiny"]
    recipe = Recipe(steps=80, batch=4, learning_rate=5e-3, keep_every=20)
    monkeypatch.setitem(prompted.PLANS, "tiny", plan._replace(recipe=recipe))
    with pytest.raises(Stopped):
        prompted.run("tiny", stop, folder)
    with pytest.raises(FileNotFoundError, match="no record of tiny; make it with"):
        prompted.recorded("tiny", folder)
    steps = []
    prompted.run("tiny", lambda progress: steps.append(progress.step), folder)
    assert steps[0] > 20 and steps[-1] == 80
    again = []
    prompted.run("tiny", again.append, folder)
    assert again == [], "a finished run is not trained again"


@pytest.mark.parametrize(("file", "key"), [("dev.jsonl", "input"), ("prompt.jsonl", "content")])
def test_a_record_of_other_questions_is_not_shown(record, folder, file, key):
    path = folder / "support" / file
    path.write_text(path.read_text().replace(f'"{key}": "', f'"{key}": "Well, '))
    with pytest.raises(FileNotFoundError, match="of other questions of tiny; make it with"):
        prompted.recorded("tiny", folder)


def test_unknown_names_and_missing_models(folder, monkeypatch, no_hub):
    for call in (prompted.run, prompted.recorded):
        with pytest.raises(ValueError, match="no record 'huge'; there are tiny"):
            call("huge")
    monkeypatch.setitem(prompted.PLANS, "tiny", prompted.PLANS["tiny"]._replace(model="smollm2"))
    with pytest.raises(ModelMissing):
        prompted.run("tiny", folder=folder)


def test_records_that_ship_are_of_the_questions_that_ship():
    for name in prompted.PLANS:
        if (path := experiments.RECORDED / f"{name}.json").is_file():
            assert json.loads(path.read_text())["answers"] == prompted.recorded(name)
