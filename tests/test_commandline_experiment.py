"""The command `experiment`: which result it makes, point by point where there are some, what it prints and refuses."""

import json
import os
from itertools import chain, repeat
from types import SimpleNamespace

import pytest

from labutils.lesson.cli_measure import names
from labutils.measure import experiments, prompted
from labutils.measure.grid import merging, plans, points, recording
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
        ("experiment amount --minutes 5", "--minutes must be above 0, and needs --seed"),
        ("experiment amount --seed 9 --minutes 0", "--minutes must be above 0"),
        ("experiment amount --seed 1", "seed 1 of 'ten' is recorded already; take one that is new, such as 101"),
        ("experiment amount --seed 9 --points none", "amount repeats no 'none' with other seeds; it repeats ten"),
        ("experiment amount --seed 9", "'ten' is not recorded with the settings, the model and the data that are here"),
        ("experiment amount --seed 9 --list", "--seed does nothing beside --list"),
        ("experiment amount --seed 9 --limit 1", "--limit does nothing beside --seed"),
        ("experiment amount --seed 9 --merge x", "--seed does nothing beside --merge"),
        ("experiment amount --points ten --out x", "--out needs --seed or --merge"),
        ("experiment company_smollm2 --out x", "company_smollm2 is one result; only amount, "),
        ("experiment amount --merge nowhere", "no file or folder nowhere"),
        ("experiment company_smollm2 --seed 9", "company_smollm2 is one result; only amount, "),
        ("experiment company_smollm2 --list", "company_smollm2 is one result; only amount, "),
        ("experiment company_smollm2 --points ten", "company_smollm2 is one result; only amount, "),
    ],
)
def test_what_is_refused(refused, amount, line, words):
    refused(line, words)
    assert amount[0] == []


def own_run(line: dict, seed: int = 100, **changes) -> str:
    """A recorded run of `amount` as another machine writes it, with another seed and these changes."""
    return json.dumps(merging.slim(line | {"seed": seed}) | changes)


@pytest.fixture
def class_folder(tmp_path):
    """What a class hands in: ten files that are right, and every kind that is not; the runs that are right."""
    kept = [line for line in recording.read_record("amount") if line["point"] == "100 pairs"]
    (folder := tmp_path / "stick" / "row 1").mkdir(parents=True)
    newer = {"judged": kept[0]["judged"] | {"newer": "01"}}  # a score that was not recorded
    right = {seed: own_run(kept[seed % 5] | newer, seed) for seed in range(100, 110)}
    for seed, line in right.items():
        (folder / f"amount-seed-{seed}.jsonl").write_text(f"{line}\n")
    line, losses = kept[0], kept[0]["losses"]
    loss = losses["answer_loss"]
    wrong = {
        "cut": right[100][:-9],
        "empty": "",
        "list": "[" * 200_000,
        "bytes": b"\xff\xfe\x00",
        "predictions": json.dumps({"01 documents": {"said": "3,000", "day": "2026-01-01"}}),
        "other": own_run(line, point="six"),
        "settings": own_run(line, settings=line["settings"] | {"pairs": 99}),
        "unknown": own_run(line, settings=line["settings"] | {"new": 1}),
        "model": own_run(line, made_of="0" * 16),
        "recorded": own_run(line, 4),
        "negative": own_run(line, -1),
        "half": own_run(line, seed="0.5"),
        "signs": own_run(line, judged=line["judged"] | {"stops": "2" * len(line["judged"]["stops"])}),
        "short": own_run(line, judged=line["judged"] | {"stops": "1"}),
        "nan": own_run(line, losses=losses | {"answer_loss": loss | {"values": [float("nan"), *loss["values"][1:]]}}),
        "size": own_run(line, losses=losses | {"answer_loss": loss | {"sizes": [0, *loss["sizes"][1:]]}}),
        "big": own_run(line, losses=losses | {"answer_loss": loss | {"values": [10**999, *loss["values"][1:]]}}),
        "other size": own_run(line, losses=losses | {"answer_loss": loss | {"sizes": [99, *loss["sizes"][1:]]}}),
        "items": own_run(line, losses=losses | {"answer_loss": loss | {"items": loss["items"][::-1]}}),
        "silent": own_run(line, judged=line["judged"] | {"stops": "-" * len(line["judged"]["stops"])}),
        "minutes": own_run(line, about={"minutes": float("nan")}),
        "endless": own_run(line, about={"minutes": float("inf")}),
        "before": own_run(line, about={"minutes": -1}),
        "twice": right[109],
        "half wrong": f"{own_run(line, 111)}\n{own_run(line, 112, point=[])}",
        "huge": " " * (merging.MOST_BYTES + 1),
    }
    for name, text in wrong.items():
        (folder / f"{name}.jsonl").write_bytes(text if isinstance(text, bytes) else text.encode())
    (folder / "folder.jsonl").mkdir()
    if hasattr(os, "mkfifo"):  # not on Windows
        (folder / "link.jsonl").symlink_to(folder / "amount-seed-100.jsonl")
        os.mkfifo(folder / "pipe.jsonl")
    return tmp_path / "stick"


def test_the_runs_of_a_class_are_merged_and_all_else_is_refused_in_a_line_each(labutils, class_folder, tmp_path):
    code, out, err = labutils("experiment", "amount", "--merge", class_folder, "--out", tmp_path / "merged.jsonl")
    right = {f"row 1/amount-seed-{seed}.jsonl" for seed in range(100, 110)}
    others = {path.relative_to(class_folder).as_posix() for path in class_folder.rglob("*.jsonl")} - right
    lines = err.splitlines()
    assert code == 0 and len(lines) == len(others)
    assert {line.removeprefix("left out: ").partition(":")[0] for line in lines} == others
    for words in (
        "has other settings than here (pairs)",
        "(unknown ones)",
        "another model or other data",
        "is recorded",
    ):
        assert sum(words in line for line in lines) == 1, words
    assert sum("has other scores or questions" in line for line in lines) == 3
    assert sum("a run takes 0 minutes or more" in line for line in lines) == 3
    merged = merging.merge("amount", tmp_path / "merged.jsonl")
    assert merged.refused == [] and [run.seed for run in merged.results["100 pairs"]] == [*range(100, 110)]
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["100", "pairs"] and rows[1] == ["score", "recorded", "merged", "n"]
    assert rows[2][-3:] == ["5", "or", "10"]
    (tmp_path / "none").mkdir()
    assert labutils("experiment", "amount", "--merge", tmp_path / "none")[0] == 2


def test_a_run_with_a_seed_of_ones_own_goes_on_where_it_stopped(labutils, amount, tmp_path, monkeypatch):
    made, plan = amount
    plan["twenty"] = Point(Settings(pairs=20), (0, 1))
    for each in ("none", "ten", "twenty"):
        recording.append_line("amount", recording.make(plan[each].settings, 0, None) | {"point": each})
    made.clear()
    ticks = chain([0, 1, 60, 61], repeat(0))  # in the first run, one result takes 59 seconds
    monkeypatch.setattr(merging, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    out = tmp_path / "mine.jsonl"
    code, said, err = labutils("experiment", "amount", "--seed", 9, "--minutes", 1.5, "--out", out)
    assert (code, made, said) == (0, [(10, 9)], f"{out}: 1 runs with seed 9. Hand in this file\n")
    assert "Yes." not in out.read_text(), "answers stay at home"
    assert labutils("experiment", "amount", "--seed", 9, "--minutes", 5, "--out", out)[0] == 0
    assert made == [(10, 9), (20, 9)] and len(out.read_text().splitlines()) == 2
    before = out.read_text()
    code, _, err = labutils("experiment", "amount", "--seed", 8, "--out", out)
    assert code == 2 and "holds seed 9, not 8" in err and out.read_text() == before
    out.write_text("my diary")
    code, _, err = labutils("experiment", "amount", "--seed", 9, "--out", out)
    assert code == 2 and "line 1 is no run" in err and out.read_text() == "my diary"


def test_every_recorded_run_could_be_one_of_a_class():
    """Also where each seed draws other facts, so that its loss is of other items."""
    for name in plans.PLANS:
        record = merging.today(name)
        lines = [line for line in recording.read_record(name) if line["point"] in record]
        assert [line["seed"] for line in lines if merging.form(line) != merging.form(record[line["point"]])] == []
