"""The report card on tiny models: stages that are not here, the record, the command, the table."""

import json
import re

import pytest

from labutils.lesson import cli_measure
from labutils.measure import experiments, held_out, report
from labutils.measure.report import SCORES, STAGES, Row, Stage, questions
from labutils.model import models
from labutils.model.models import ModelMissing

REFUSAL = "I can only answer questions about birds."


@pytest.fixture(scope="module")
def asked(birds) -> list[dict]:
    """The tiny task as questions of fact, one that is unknown and one off-topic."""
    facts = [pair | {"fact": f"number {i}", "must": pair["answer"].split()[2][:-1]} for i, pair in enumerate(birds)]
    unknown = {"question": "What is the number of dodo?", "fact": "unknown", "answer": "It is not known."}
    return [*facts, unknown, {"question": "What is the weather?", "fact": "off-topic: weather", "answer": REFUSAL}]


@pytest.fixture
def course(asked, fresh, bird_folder, no_hub, tmp_path, monkeypatch):
    """The course's folders in this test's own: questions on birds, "base" untaught, "finetuned" taught, no others."""
    company = tmp_path / "company"
    (company / "v2").mkdir(parents=True)
    changed = asked[1] | {"answer": "It is nine.", "must": "nine", "was": "two", "question": "Another wording?"}
    invented = [{"question": "The roc?", "fact": "invented: roc", "split": split} for split in report.SPLITS]
    for name, records in {"test": asked, "dev": asked[:3], "v2/test": [changed], "invented": invented}.items():
        (company / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    base = models.save(fresh(), tmp_path / "base")
    monkeypatch.setattr(experiments, "COMPANY", company)
    monkeypatch.setattr(experiments, "RECORDED", tmp_path / "recorded")
    monkeypatch.setattr(models, "BUNDLED", {"base": base, "finetuned": bird_folder})
    monkeypatch.setitem(STAGES, "updated", Stage(str(tmp_path / "updated"), edition=2))
    monkeypatch.setitem(STAGES, "smollm2 finetuned", Stage(str(tmp_path / "tuned")))
    monkeypatch.setattr(held_out, "documents", lambda: ["The heron stands on one leg.", "The crane dances."])
    return tmp_path


def test_stages_that_are_not_here_are_left_out(course):
    told = []
    rows = report.of_stages(tell=told.append)
    assert list(dict.fromkeys(row.stage for row in rows)) == ["random", "base", "finetuned"]
    assert [line.partition(":")[0] for line in told] == list(STAGES)
    assert told[3] == "updated: left out, its model is not here and there is no record of it"
    assert [(row.stage, row.value, row.n) for row in rows if row.score == "fact_hits"][1:] == [
        ("base", 0, 8), ("finetuned", 1, 8)
    ]  # fmt: skip
    assert [row.score for row in rows[:9]] == list(SCORES) == list(cli_measure.FORMS)
    assert not (course / "recorded").exists()


def test_the_record_grows_stage_by_stage_and_stands_in_for_what_is_not_here(course, monkeypatch):
    first = report.of_stages({"finetuned": STAGES["finetuned"]}, record=True)
    report.of_stages({"base": STAGES["base"]}, record=True)
    assert [path.name for path in (course / "recorded").iterdir()] == ["report.json"]
    record = json.loads((course / "recorded" / "report.json").read_text())
    assert list(record["stages"]) == ["base", "finetuned"] and record["split"] == "test"
    assert record["stages"]["base"]["model"] == "base" and "torch" in record["stages"]["base"]
    assert str(course) not in json.dumps(record)
    monkeypatch.setitem(models.BUNDLED, "finetuned", course / "gone")
    told = []
    rows = report.of_stages(tell=told.append)
    assert [row.stage for row in rows if row.recorded] == ["finetuned"] * len(SCORES)
    assert [row._replace(recorded=False) for row in rows if row.recorded] == first
    assert told[2] == "finetuned: as recorded, its model is not here"
    told.clear()
    with monkeypatch.context() as closed:
        closed.setattr(models, "open_model", None)  # what is recorded is shown in a moment
        assert report.of_stages({"finetuned": STAGES["finetuned"]}, live=False) == [r for r in rows if r.recorded]
        report.of_stages(live=False, tell=told.append)
    assert told[:2] == ["random: left out, there is no record of it", "base: as recorded"]
    path = course / "company" / "test.jsonl"
    path.write_text(path.read_text().replace("heron", "hen"))
    assert report.recorded_scores() == {}, "a record of other questions does not count"
    report.of_stages({"base": STAGES["base"]}, record=True)
    assert list(report.recorded_scores()) == ["base"], "nor does it stay beside new scores"


def test_dev_is_neither_recorded_nor_filled_up_from_the_record(course):
    report.of_stages({"base": STAGES["base"]}, record=True)
    models.BUNDLED["base"] = course / "gone"
    rows = report.of_stages({"finetuned": STAGES["finetuned"]}, "dev")
    assert {row.n for row in rows if row.score == "fact_hits"} == {3}
    with pytest.raises(ModelMissing):
        report.of_stages({"base": STAGES["base"]}, "dev")
    for split, stages in (("dev", None), ("test", {"mine": Stage("base")})):
        with pytest.raises(ValueError, match="only the test questions and these stages are recorded: random, base, "):
            report.of_stages(stages, split, record=True)
    with pytest.raises(ValueError, match="split must be one of test, dev, got 'train'"):
        report.of_stages(None, "train")


def test_a_stage_asked_for_is_here_or_recorded_or_an_error(course, monkeypatch):
    with pytest.raises(ModelMissing, match="updated"):
        report.of_stages({"updated": STAGES["updated"]})
    with pytest.raises(ModelMissing, match="fetch smollm2"):
        report.of_stages({"smollm2": STAGES["smollm2"]})
    with pytest.raises(ModelMissing, match="nothing to report: no model and no record of random, base"):
        report.of_stages(live=False)
    monkeypatch.setattr(held_out, "measure", None)  # told before anything is measured
    with pytest.raises(ModelMissing, match="no model 'nowhere'"):
        report.of_stages({"base": STAGES["base"], "mine": Stage("nowhere")})


def test_the_updated_stage_is_asked_for_the_second_edition(course, bird_folder, asked):
    new = questions("test", 2)
    assert [question["question"] for question in new] == [question["question"] for question in asked]
    assert [i for i, pair in enumerate(zip(new, asked, strict=True)) if pair[0] != pair[1]] == [1]
    assert (new[1]["answer"], new[1]["must"], new[1]["was"]) == ("It is nine.", "nine", "two")
    rows = report.of_stages({"old facts": Stage(str(bird_folder), edition=2)})
    assert [row.value for row in rows if row.score == "fact_hits"] == [7 / 8]


def test_the_command(labutils, course, bird_folder):
    code, out, err = labutils("report", "--model", "base", bird_folder, "--json")
    assert code == 0
    found = json.loads(out)
    assert [set(row) for row in found] == [{"stage", "score", "value", "low", "high", "n"}] * 18
    assert [row["score"] for row in found[:9]] == list(SCORES)
    assert [row["stage"] for row in found[::9]] == ["base", str(bird_folder)]
    assert [row["value"] for row in found if row["score"] == "fact_hits"] == [0, 1]
    assert [line.partition(":")[0] for line in err.splitlines()] == ["base", str(bird_folder)]
    assert labutils("report", "--model", "base", "--model", bird_folder, "--json")[1] == out


def test_the_command_for_people(labutils, course, monkeypatch):
    report.of_stages({"finetuned": STAGES["finetuned"]}, record=True)
    monkeypatch.setitem(models.BUNDLED, "finetuned", course / "gone")
    code, out, err = labutils("report")
    lines = out.splitlines()
    assert code == 0 and len(err.splitlines()) == len(STAGES)
    assert "".join(lines[0].split()) == "scorerandombasefinetuned(recorded)n"
    assert re.split("  +", lines[1]) == ["facts right", "0% (0 to 32)", "0% (0 to 32)", "100% (68 to 100)", "8"]
    assert len({len(line) for line in lines[:10]}) == 1
    assert lines[11].startswith("In brackets") and lines[12].startswith("Columns marked recorded")
    rows = json.loads(labutils("report", "--json")[1])
    assert [row["stage"] for row in rows if row.get("recorded")] == ["finetuned"] * 9


def test_every_option_of_the_command_counts(labutils, course, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        report, "of_stages", lambda *a, **how: seen.append((*a, how)) or [Row("a", "exact", 1, 1, 1, 1)]
    )
    (tmp_path / "texts.jsonl").write_text('{"text": "One."}\n{"text": "Two."}\n')
    assert labutils("report")[0] == 0
    options = ["--model", "base", "x/y", "--split", "dev", "--template", "chatml", "--fp32", "--record"]
    assert labutils("report", *options, "--held-out", tmp_path / "texts.jsonl")[0] == 0
    for each in seen:
        each[2].pop("tell")
    assert seen == [
        (None, "test", {"texts": None, "fp32": False, "record": False}),
        (
            {"base": Stage("base"), "x/y": Stage("x/y", "chatml")},
            "dev",
            {"texts": ["One.", "Two."], "fp32": True, "record": True},
        ),
    ]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ("--model nowhere", "no model 'nowhere'"),
        ("--model company", "company holds no model"),
        ("--model updated", "updated"),
        ("--model smollm2", "python3 -m labutils fetch smollm2"),
        ("--model", "expected at least one argument"),
        ("--split train", "invalid choice: 'train'"),
        ("--split dev --record", "only the test questions and these stages are recorded"),
        ("--model base nowhere --record", "only the test questions and these stages are recorded"),
        ("--held-out nowhere.jsonl", "no such file: nowhere.jsonl"),
        ("--held-out company/test.jsonl", 'test.jsonl, line 1: expected an object with a string under "text"'),
        ("--held-out empty.jsonl --model base", "holds no text"),
        ("--model ./base --template x", "a template has {question} once"),
    ],
)
def test_a_refusal_is_one_line(refused, course, monkeypatch, argv, words):
    monkeypatch.chdir(course)
    (course / "empty.jsonl").write_text("")
    refused(f"report {argv}", words)
    assert not (course / "recorded").exists()


ROWS = [
    Row("base", "fact_hits", 0.0, 0.0, 0.026, 148),
    Row("base", "bits_per_byte", 1.274, 1.2, 1.351, 64),
    Row("smollm2 finetuned", "fact_hits", 0.914, 0.856, 0.95, 1480, True),
    Row("smollm2 finetuned", "answer_loss", 0.2, 0.1, 0.3, 148, True),
    Row("smollm2 finetuned", "made_up", 3, 2, 4, 5, True),
]


def test_the_cells_of_a_table():
    found = cli_measure.cells(ROWS)
    assert list(found[0]) == ["score", "base", "smollm2 finetuned (recorded)", "n"] and cli_measure.cells([]) == []
    assert [list(row.values()) for row in found] == [
        ["facts right", "0% (0 to 3)", "91% (86 to 95)", "148 or 1,480"],
        ["held-out text, bits a byte (less is better)", "1.27 (1.20 to 1.35)", "-", "64"],
        ["loss on right answers, nats a token (less is better)", "-", "0.20 (0.10 to 0.30)", "148"],
        ["made_up", "-", "3.00 (2.00 to 4.00)", "5"],
    ]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (ROWS[:1], ["In brackets"]),
        (ROWS[:3], ["In brackets", "marked recorded", "tuned to follow instructions", "may have been trained on"]),
        (ROWS[2:4], ["In brackets", "marked recorded", "already tuned", "tokens are others"]),
    ],
)
def test_notes_say_what_these_rows_need(rows, words):
    for note, word in zip(cli_measure.notes(rows), words, strict=True):
        assert word in note
