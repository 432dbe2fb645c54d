"""The recorded answers of a larger model, made by a tiny one: prompted, tuned, stopped in between, read again."""

import pytest

from labutils.measure import experiments, prompted, tasks
from labutils.measure.prompted import Plan
from labutils.model import asking, models
from labutils.model.models import ModelMissing
from labutils.model.training import Recipe
from labutils.pairs.records import write_jsonl

BIRDS = (("plover", "one"), ("heron", "two"), ("finch", "one"), ("crane", "two"))


@pytest.fixture
def folder(fresh, tmp_path, monkeypatch):
    """A task "support" of four messages, and a plan "tiny" for it; records lie in this test's own folder."""
    here = tmp_path / "tasks" / "support"
    here.mkdir(parents=True)
    for part in tasks.PARTS["support"]:
        text = f"Say the {part}.\n\nMessage: swan?\n{part}: one\n\nMessage: {{question}}\n{part}:"
        (here / f"prompt_{part}.txt").write_text(text)
    rows = [
        {"input": f"What is the number of {bird}?", "output": f"queue: {queue}\nkeywords: number, {bird}"}
        for bird, queue in BIRDS
    ]
    for split, part in {"train": rows, "dev": rows[:3], "test": rows[1:]}.items():
        write_jsonl(part, here / f"{split}.jsonl")
    model = str(models.save(fresh(), tmp_path / "start"))
    plan = Plan(model, "support", Recipe(epochs=1, batch=4, learning_rate=1e-2), (2, 4), (0,), least=40, limit=50)
    monkeypatch.setattr(prompted, "PLANS", {"tiny": plan})
    monkeypatch.setattr(experiments, "RECORDED", tmp_path / "recorded")
    return tmp_path / "tasks"


def test_a_record_is_made_part_by_part_and_judged_when_it_is_read(folder, fp32):
    steps = []

    def stop(progress):
        steps.append(progress.step)
        if len(steps) == 60:  # 20 steps into the second run
            raise InterruptedError

    with pytest.raises(InterruptedError):
        prompted.run("tiny", stop, folder)
    assert [each["pairs"] for each in prompted.recorded("tiny", folder)["runs"]] == [2]
    steps.clear()
    record = prompted.run("tiny", lambda progress: steps.append(progress.step), folder)
    assert steps == list(range(1, 41)), "the run that was stopped, and no other"
    assert record == prompted.recorded("tiny", folder)
    assert set(record["versions"]) == {"torch", "transformers", "python"}
    assert [(each["pairs"], each["seed"], each["steps"]) for each in record["runs"]] == [(2, 0, 40), (4, 0, 40)]
    assert {split: len(said) for split, said in record["prompted"].items()} == {"dev": 3, "test": 3}
    rows = [{"output": f"queue: {queue}\nkeywords: number, {bird}"} for bird, queue in BIRDS[1:]]
    before, after = (tasks.judge("support", said["test"], rows) for said in (record["prompted"], record["runs"][1]))
    assert tasks.lift(before, after)["queue"].value > 0.5, "these messages were tuned on"
    assert prompted.run("tiny", lambda progress: pytest.fail("trained again"), folder) == record
    prompted.PLANS["tiny"] = prompted.PLANS["tiny"]._replace(least=41)
    with pytest.raises(ValueError, match="tiny was begun with"):
        prompted.run("tiny", folder=folder)


def test_each_part_is_asked_for_alone(folder, monkeypatch):
    """What stands in for the model says what it was asked, and how."""

    def generate(opened, prompts, limit, batch):
        return [asking.Reply(f" {prompt.splitlines()[-2]} {limit}\nand on", True) for prompt in prompts]

    monkeypatch.setattr(asking, "generate", generate)
    said = prompted.ask_prompted(None, prompted.PLANS["tiny"], folder)
    message = "Message: What is the number of plover?"
    assert said["dev"][0] == f"queue: {message} 6\nkeywords: {message} 24" and len(said["test"]) == 3


@pytest.mark.parametrize(
    ("file", "old"), [("dev.jsonl", "What"), ("train.jsonl", "queue: one"), ("prompt_queue.txt", "Say")]
)
def test_a_record_of_other_questions_is_not_shown(folder, file, old):
    experiments.keep("tiny", {"asked": prompted.digest("support", folder)})
    assert prompted.recorded("tiny", folder)
    path = folder / "support" / file
    path.write_text(path.read_text().replace(old, "Well", 1))
    with pytest.raises(FileNotFoundError, match="of other pairs or questions of tiny; make it with"):
        prompted.recorded("tiny", folder)


def test_what_cannot_be_made_is_named(folder, monkeypatch, no_hub):
    for call in (prompted.run, prompted.recorded):
        with pytest.raises(ValueError, match="no record 'huge'; there are tiny"):
            call("huge")
    plan = prompted.PLANS["tiny"]
    with pytest.raises(ValueError, match="support has 4 pairs, 5 are wanted"):
        prompted.chosen(plan, 5, 0, folder)
    with pytest.raises(FileNotFoundError, match="no record of tiny; make it with"):
        prompted.recorded("tiny", folder)
    monkeypatch.setitem(prompted.PLANS, "tiny", plan._replace(model="smollm2"))
    with pytest.raises(ModelMissing):
        prompted.run("tiny", folder=folder)


def test_records_that_ship_are_whole_and_of_the_questions_that_ship():
    for name, plan in prompted.PLANS.items():
        runs = prompted.recorded(name)["runs"]
        assert {(each["pairs"], each["seed"]) for each in runs} == {(n, s) for n in plan.sizes for s in plan.seeds}
