"""The command `experiment`: which result it makes, point by point where there are some, what it prints and refuses."""

import pytest

from labutils.lesson.cli_measure import names
from labutils.measure import experiments, prompted
from labutils.measure.grid import plans, points, recording
from labutils.measure.grid.plans import PLANS, Point, Settings
from labutils.measure.grid.points import Result
from labutils.measure.held_out import Card
from labutils.model import models, training
from labutils.model.models import ModelMissing
from labutils.pairs.records import write_jsonl


@pytest.fixture
def own_folders(tmp_path, monkeypatch):
    """Records and runs lie in this test's own folder."""
    monkeypatch.setattr(experiments, "RECORDED", tmp_path / "recorded")
    monkeypatch.setattr(experiments, "WORK", tmp_path / "work")


@pytest.fixture
def amount(own_folders, monkeypatch):
    """The experiment "amount" with three results that take no time; those that were made, in order."""
    made = []

    def run(settings, seed, on_progress):
        if settings.model == "smollm2":
            raise ModelMissing("smollm2 is not on this machine")
        made.append((settings.pairs, seed))
        return Result(seed, Card(["Yes."], {"stops": [True]}, {}), {"minutes": 1.25})

    few = {"amount": {"none": Point(Settings(pairs=0), (0,)), "ten": Point(Settings(pairs=10), (0, 1))}}
    for module in (plans, recording):
        monkeypatch.setattr(module, "PLANS", few)
    monkeypatch.setattr(points, "run", run)
    monkeypatch.setattr(points, "made_of", lambda model, again=False: model)
    return made, few["amount"]


def test_an_experiment_of_one_result(labutils, own_folders, birds, fresh, tmp_path, monkeypatch):
    questions = [{"question": birds[0]["question"], "fact": "number", "must": "one"}]
    questions.append({"question": "What is the weather?", "fact": "off-topic-weather"})
    plan = experiments.Experiment(
        str(models.save(fresh(), tmp_path / "start")),
        write_jsonl(birds, tmp_path / "pairs.jsonl"),
        write_jsonl(questions, tmp_path / "questions.jsonl"),
        training.Recipe(steps=2),
    )
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"tiny": plan})
    code, out, err = labutils("experiment", "tiny")
    assert code == 0
    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == ["fact_hits", "refuses_off_topic", "refuses_real", "stops"]
    zero = "0% (0% to 79%, n = 1)"
    assert lines[0] == f"{'fact_hits':<18} before {zero}   after {zero}"
    assert "step 2/2" in err
    assert (tmp_path / "recorded" / "tiny.json").is_file()


def test_a_prompted_model(labutils, own_folders, monkeypatch):
    asked = []
    monkeypatch.setattr(prompted, "run", lambda name, tell: asked.append(name))
    name = next(iter(prompted.PLANS))
    assert labutils("experiment", name) == (0, f"{experiments.RECORDED / name}.json\n", "")
    assert asked == [name]


def test_an_experiment_of_points(labutils, amount):
    made, _ = amount
    code, out, err = labutils("experiment", "amount", "--list")
    rows = [line.split() for line in out.splitlines()]
    assert (code, err, made) == (0, "", [])
    assert rows == [["point", "seeds", "(missing)", "minutes"], ["none", "(0)", "0.0"], ["ten", "(0)", "(1)", "0.0"]]
    code, out, err = labutils("experiment", "amount", "--points", "ten, none", "--limit", 2)
    assert (code, made) == (0, [(0, 0), (10, 0)])
    assert err == "none, seed 0: 1.2 minutes\nten, seed 0: 1.2 minutes\n"
    assert [line.split() for line in out.splitlines()][2] == ["ten", "0", "(1)", "1.2"]
    code, out, err = labutils("experiment", "amount")
    assert (code, made[2:]) == (0, [(10, 1)]) and out.splitlines()[2].split() == ["ten", "0", "1", "2.5"]
    assert len(recording.read_record("amount")) == 3


def test_what_could_not_be_made_is_told(labutils, amount):
    _, plan = amount
    plan["larger"] = Point(Settings(model="smollm2", pairs=0), (0,))
    code, _, err = labutils("experiment", "amount", "--points", "larger")
    assert code == 1 and err == "larger, seed 0: left out, smollm2 is not on this machine\n"
    assert labutils("experiment", "amount", "--points", "none")[0] == 0


def test_every_name_is_one_of_a_kind():
    assert len(set(names())) == len(names()) and set(PLANS) < set(names())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("experiment", "required: NAME"),
        ("experiment huge", "no experiment 'huge'; there are company_smollm2, "),
        ("experiment amount --points ten,six", "amount has no point 'six'; it has none, ten"),
        ("experiment amount --limit 0", "--limit must be at least 1, got 0"),
        ("experiment amount --limit x", "invalid int value: 'x'"),
        ("experiment company_smollm2 --list", "company_smollm2 is one result; only amount, "),
        ("experiment company_smollm2 --points ten", "company_smollm2 is one result; only amount, "),
    ],
)
def test_what_is_refused(refused, amount, line, words):
    refused(line, words)
    assert amount[0] == []
