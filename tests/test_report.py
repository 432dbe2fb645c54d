"""The report card on tiny models: every score by hand, stages that are not here, the record, the command, the table."""

import json
import re

import pytest

from labutils.lesson import cli_measure
from labutils.measure import cards, experiments, held_out, report, scoring, stages
from labutils.measure.intervals import Mean
from labutils.measure.report import SCORES, Row
from labutils.measure.stages import STAGES, Stage, questions
from labutils.model import asking, models
from labutils.model.models import ModelMissing, open_model

REFUSAL = "I can only answer questions about birds."
TEXTS = ["The heron stands on one leg.", "The crane dances."]


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
    invented = [{"question": "The roc?", "fact": "invented: roc", "split": split} for split in stages.SPLITS]
    for name, records in {"test": asked, "dev": asked[:3], "v2/test": [changed], "invented": invented}.items():
        (company / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    base = models.save(fresh(), tmp_path / "base")
    monkeypatch.setattr(experiments, "COMPANY", company)
    monkeypatch.setattr(experiments, "RECORDED", tmp_path / "recorded")
    monkeypatch.setattr(models, "BUNDLED", {"base": base, "finetuned": bird_folder})
    monkeypatch.setitem(STAGES, "updated", Stage(str(tmp_path / "updated"), edition=2))
    monkeypatch.setitem(STAGES, "smollm2 finetuned", Stage(str(tmp_path / "tuned")))
    monkeypatch.setattr(held_out, "documents", lambda: TEXTS)
    return tmp_path


def values(rows: list[Row]) -> dict[tuple[str, str], float]:
    return {(row.stage, row.score): row.value for row in rows}


def test_a_card_is_what_asking_and_measuring_give(bird_folder, asked, fp32):
    opened = open_model(bird_folder)
    card = cards.measure(opened, asked, TEXTS)
    replies = asking.ask(opened, [question["question"] for question in asked])
    assert (card.answers, card.judged) == ([reply.text for reply in replies], scoring.judge(replies, asked))
    losses = held_out.answer_loss(opened, asked[:8]), held_out.bits_per_byte(opened, TEXTS)
    assert card.losses == dict(zip(("answer_loss", "bits_per_byte"), losses, strict=True))
    found = card.scores()
    assert tuple(found) == SCORES
    assert found["fact_hits"] == found["exact"] == scoring.share([True] * 8)
    assert found["refuses_off_topic"] == scoring.share([False]) and found["refuses_real"] == scoring.share([False] * 9)
    assert found["answer_loss"] == losses[0].score() and (found["answer_loss"].n, found["bits_per_byte"].n) == (8, 2)
    off = cards.measure(opened, [{"question": "What is the weather?", "fact": "off-topic: weather"}])
    assert set(off.scores()) == {"format", "stops", "refuses_off_topic"}, "what nothing can be measured on is left out"
    with pytest.raises(ValueError, match="no questions to ask"):
        cards.measure(opened, [])


def test_two_cards_question_by_question_and_a_card_survives_json(fresh, bird_folder, asked):
    before, after = cards.measure(fresh(), asked, TEXTS), cards.measure(open_model(bird_folder), asked, TEXTS)
    for score in SCORES:
        assert cards.difference(after, after, score)[:3] == (0, 0, 0)
        expected = after.scores()[score].value - before.scores()[score].value
        assert cards.difference(before, after, score).value == pytest.approx(expected)
    assert cards.difference(before, after, "fact_hits") == Mean(1, 1, 1, 8)
    assert cards.difference(before, after, "answer_loss").high < 0
    others = cards.measure(fresh(), [*asked[:7], asked[9], asked[8], asked[7]])
    with pytest.raises(ValueError, match="fact_hits: the two models were not asked the same questions"):
        cards.difference(before, others, "fact_hits")
    with pytest.raises(KeyError):
        cards.difference(before, others, "bits_per_byte")
    plain = json.loads(json.dumps(after.plain()))
    again = cards.from_plain(plain)
    assert (again.answers, again.judged) == (after.answers, after.judged) and list(plain["scores"]) == list(SCORES)
    for name, score in again.scores().items():
        assert (
            tuple(score) == pytest.approx(tuple(after.scores()[name]), abs=1e-3) and plain["scores"][name][3] == score.n
        )


def test_stages_that_are_not_here_are_left_out(course, bird_folder, asked):
    told = []
    rows = report.of_stages(tell=told.append)
    assert list(dict.fromkeys(row.stage for row in rows)) == ["random", "base", "finetuned"]
    assert [line.partition(":")[0] for line in told] == list(STAGES)
    assert told[3] == "updated: left out, its model is not here and there is no record of it"
    assert values(rows)["finetuned", "fact_hits"] == 1 and values(rows)["base", "fact_hits"] == 0
    assert {row.n for row in rows if row.score == "fact_hits"} == {8} and not any(row.recorded for row in rows)
    assert all(row.low <= row.value <= row.high for row in rows) and not (course / "recorded").exists()
    open_one = report.report({"<mine>": open_model(bird_folder)}, asked, TEXTS)
    assert [(row.stage, row.score) for row in open_one] == [("<mine>", name) for name in SCORES]


def test_the_record_stands_in_for_what_is_not_here(course, bird_folder, monkeypatch):
    first = report.of_stages({"finetuned": STAGES["finetuned"]}, record=True)
    live = report.of_stages({"base": STAGES["base"]}, record=True)
    assert [path.name for path in (course / "recorded").iterdir()] == ["report.json"]
    record = json.loads((course / "recorded" / "report.json").read_text())
    assert list(record["stages"]) == ["base", "finetuned"] and record["split"] == "test"
    assert record["stages"]["base"]["model"] == "base" and "torch" in record["stages"]["base"]
    assert str(course) not in json.dumps(record)
    monkeypatch.setitem(models.BUNDLED, "finetuned", course / "gone")
    told = []
    rows = report.of_stages(tell=told.append)
    assert [row for row in rows if row.recorded] == [row._replace(recorded=True) for row in first]
    assert told[2] == "finetuned: as recorded, its model is not here"
    assert cards.difference(report.recorded()["base"], report.recorded()["finetuned"], "exact") == Mean(1, 1, 1, 8)
    monkeypatch.setattr(models, "open_model", None)
    shown = report.of_stages({"base": STAGES["base"]}, live=False, tell=told.append)
    assert shown == [row._replace(recorded=True) for row in live] and told[-1] == "base: as recorded"
    path = course / "company" / "test.jsonl"
    path.write_text(path.read_text().replace("heron", "hen"))
    assert report.recorded() == {}, "a record of other questions does not count"


def test_dev_is_neither_recorded_nor_filled_up_from_the_record(course):
    report.of_stages({"base": STAGES["base"]}, record=True)
    models.BUNDLED["base"] = course / "gone"
    rows = report.of_stages({"finetuned": STAGES["finetuned"]}, "dev")
    assert {row.n for row in rows if row.score == "fact_hits"} == {3}
    with pytest.raises(ModelMissing):
        report.of_stages({"base": STAGES["base"]}, "dev")
    with pytest.raises(ValueError, match="only the test questions and these stages are recorded: random, base, "):
        report.of_stages(None, "dev", record=True)
    with pytest.raises(ValueError, match="only the test questions and these stages"):
        report.of_stages({"mine": Stage("base")}, record=True)
    with pytest.raises(ValueError, match="split must be one of test, dev, got 'train'"):
        report.of_stages(None, "train")


def test_a_stage_asked_for_is_here_or_recorded_or_an_error(course, monkeypatch):
    monkeypatch.setattr(cards, "measure", None)  # told before anything is measured
    for stages_, live, words in [
        ({"updated": STAGES["updated"]}, True, "updated"),
        ({"smollm2": STAGES["smollm2"]}, True, "fetch smollm2"),
        (None, False, "nothing to report: no model and no record of random, base"),
        ({"base": STAGES["base"], "mine": Stage("nowhere")}, True, "no model 'nowhere'"),
    ]:
        with pytest.raises(ModelMissing, match=words):
            report.of_stages(stages_, live=live)


def test_the_updated_stage_is_asked_for_the_second_edition(course, bird_folder, asked):
    new = questions("test", 2)
    assert [question["question"] for question in new] == [question["question"] for question in asked]
    assert [i for i, pair in enumerate(zip(new, asked, strict=True)) if pair[0] != pair[1]] == [1]
    assert (new[1]["answer"], new[1]["must"], new[1]["was"]) == ("It is nine.", "nine", "two")
    rows = report.of_stages({"old facts": Stage(str(bird_folder), edition=2)})
    assert values(rows)["old facts", "fact_hits"] == 7 / 8


def test_a_record_that_broke_off_leaves_the_old_one(course, monkeypatch):
    report.of_stages({"base": STAGES["base"]}, record=True)
    before = (course / "recorded" / "report.json").read_bytes()
    monkeypatch.setattr(experiments.json, "dumps", lambda *a, **how: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        experiments.keep("report", {})
    assert (course / "recorded" / "report.json").read_bytes() == before
    assert len(list((course / "recorded").iterdir())) == 1


def test_the_command(labutils, course, bird_folder):
    (course / "texts.jsonl").write_text('{"text": "The heron stands."}\n' * 5)
    code, out, err = labutils("report", "--model", "base", bird_folder, "--held-out", course / "texts.jsonl", "--json")
    found = json.loads(out)
    assert code == 0 and [set(row) for row in found] == [{"stage", "score", "value", "low", "high", "n"}] * 18
    assert [row["score"] for row in found[:9]] == list(SCORES) == list(cli_measure.FORMS)
    assert [row["stage"] for row in found[::9]] == ["base", str(bird_folder)]
    assert [row["value"] for row in found if row["score"] == "fact_hits"] == [0, 1]
    assert [row["n"] for row in found if row["score"] == "bits_per_byte"] == [5, 5]
    assert [line.partition(":")[0] for line in err.splitlines()] == ["base", str(bird_folder)]


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


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ("--model nowhere", "no model 'nowhere'"),
        ("--model company", "company holds no model"),
        ("--model smollm2", "python3 -m labutils fetch smollm2"),
        ("--split train", "invalid choice: 'train'"),
        ("--model base nowhere --record", "only the test questions and these stages are recorded"),
        ("--held-out nowhere.jsonl", "no such file: nowhere.jsonl"),
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
    Row("smollm2 finetuned", "made_up", 3, 2, 4, 5, True),
]


def test_the_cells_of_a_table_and_its_notes():
    larger = "smollm2 finetuned (recorded)"
    bits = "held-out text, bits a byte (less is better)"
    assert cli_measure.cells(ROWS) == [
        {"score": "facts right", "base": "0% (0 to 3)", larger: "91% (86 to 95)", "n": "148 or 1,480"},
        {"score": bits, "base": "1.27 (1.20 to 1.35)", larger: "-", "n": "64"},
        {"score": "made_up", "base": "-", larger: "3.00 (2.00 to 4.00)", "n": "5"},
    ]
    assert cli_measure.cells([]) == [] and len(cli_measure.notes(ROWS[:1])) == 1
    words = ["In brackets", "marked recorded", "already tuned to follow instructions", "may have been trained on"]
    assert all(word in note for note, word in zip(cli_measure.notes(ROWS[:3]), words, strict=True))
