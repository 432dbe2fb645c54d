"""Recorded experiments on a tiny model: the record is what training and asking give, also when stopped in between."""

import pytest

from labutils.measure import experiments, held_out, report
from labutils.measure.experiments import Experiment
from labutils.measure.intervals import Mean, Score
from labutils.model import asking, models, training
from labutils.model.encoding import encode_all
from labutils.model.training import Recipe
from labutils.pairs.records import write_jsonl

RECIPE = Recipe(steps=60, batch=8, learning_rate=5e-3, save_steps=1000)
REFUSAL = "I can only answer questions about birds."
WEATHER = {"question": "What is the weather?", "answer": REFUSAL}


@pytest.fixture
def plan(start, birds, tmp_path, monkeypatch):
    """An experiment "tiny" whose files, runs and records lie in this test's own folder."""
    asked = [{"question": pair["question"], "fact": "number", "must": pair["answer"].split()[2][:-1]} for pair in birds]
    asked += [{"question": "What is the weather?", "fact": "off-topic-weather"}]
    asked += [{"question": "What is the number of dodo?", "fact": "unknown"}]
    pairs = write_jsonl([*birds[:6], WEATHER], tmp_path / "pairs.jsonl")
    made = Experiment(str(start), pairs, write_jsonl(asked, tmp_path / "questions.jsonl"), RECIPE)
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"tiny": made})
    monkeypatch.setattr(experiments, "RECORDED", tmp_path / "recorded")
    monkeypatch.setattr(experiments, "WORK", tmp_path / "work")
    monkeypatch.setattr(held_out, "documents", lambda: ["The heron stands on one leg."])
    return made


def test_a_record_is_what_training_and_asking_give(plan, birds, tmp_path):
    with pytest.raises(FileNotFoundError, match="no record of tiny; make it with: python3 -m labutils experiment tiny"):
        experiments.recorded("tiny")
    record, told = experiments.run("tiny"), []
    opened = models.open_model(plan.model)
    questions = [pair["question"] for pair in birds] + [WEATHER["question"], "What is the number of dodo?"]
    before = [reply.text for reply in asking.ask(opened, questions)]
    training.finetune(opened, encode_all([*birds[:6], WEATHER], "lecture", opened.tokenizer).examples, RECIPE)
    after = [reply.text for reply in asking.ask(models.open_model(models.save(opened, tmp_path / "own")), questions)]
    assert (record["questions"], record["before"]["answers"], record["after"]["answers"]) == (questions, before, after)
    assert after[:6] == [pair["answer"] for pair in birds[:6]] and after[8] == REFUSAL
    assert record["before"]["fact_hits"][0] == 0 and record["after"]["fact_hits"][0] >= 6 / 8
    assert record["run"]["finished"] and record["run"]["settings"]["recipe"]["steps"] == 60
    assert {"torch", "transformers", "python"} == set(record["versions"])
    assert [path.name for path in (tmp_path / "recorded").iterdir()] == ["tiny.json"]
    again = experiments.recorded("tiny")
    assert again["after"] == record["after"] and again["before"] == record["before"]
    assert isinstance(again["after"]["fact_hits"], Score) and isinstance(again["after"]["bits_per_byte"], Mean)
    assert again["after"]["fact_hits"].n == 8 and again["before"]["refuses_real"].n == 9
    assert experiments.run("tiny", told.append) == record and told == [], "asked again, not trained again"


def test_a_stopped_experiment_goes_on_to_the_same_record(plan, tmp_path, monkeypatch):
    def stop(progress):
        if progress.step == 15:
            raise InterruptedError

    short = plan._replace(recipe=Recipe(steps=20, batch=8, learning_rate=5e-3, save_steps=10))
    monkeypatch.setitem(experiments.EXPERIMENTS, "tiny", short)
    with pytest.raises(InterruptedError):
        experiments.run("tiny", stop)
    assert not (tmp_path / "recorded").exists()
    told = []
    record = experiments.run("tiny", lambda progress: told.append(progress.step))
    assert told == list(range(11, 21))
    monkeypatch.setattr(experiments, "WORK", tmp_path / "other")
    whole = experiments.run("tiny")
    stopped, unstopped = (tmp_path / folder / "tiny" / "model" / "model.safetensors" for folder in ("work", "other"))
    assert stopped.read_bytes() == unstopped.read_bytes()
    assert (record["before"], record["after"]) == (whole["before"], whole["after"])
    with pytest.raises(ValueError, match="no experiment 'huge'; there are tiny"):
        experiments.run("huge")


def test_a_second_edition_is_read_with_some_old_pairs_and_asked_with_its_own_questions(plan, birds, tmp_path):
    """The number of the first bird changed."""
    (folder := tmp_path / "v2").mkdir()
    pairs = [pair | {"fact": pair["question"]} for pair in birds]
    new = {"question": "The number of plover now?", "answer": "It is nine.", "fact": birds[0]["question"]}
    write_jsonl([new], folder / "train.jsonl")
    write_jsonl([new | {"must": "nine", "was": "one"}], folder / "test.jsonl")
    write_jsonl([pair | {"must": "x"} for pair in pairs], plan.questions)
    updated = plan._replace(pairs=write_jsonl(pairs, plan.pairs), changed=folder, old=3)
    pairs, questions = experiments.pairs_of(updated), experiments.questions_of(updated)
    changed = birds[0]["question"]
    assert len(pairs) == 4 and [pair["answer"] for pair in pairs if pair["fact"] == changed] == ["It is nine."]
    assert [question["fact"] for question in questions] == [*(bird["question"] for bird in birds[1:]), changed]
    assert [each["must"] for each in questions if each["fact"] == changed] == ["nine"]
    assert experiments.pairs_of(updated._replace(old=0)) == pairs[3:]
    assert len(experiments.pairs_of(updated._replace(changed=None))) == 8


def test_the_experiments_that_ship_name_files_that_ship():
    assert report.STAGES["updated"].model == str(experiments.WORK / "company_updated")
    for name, plan in experiments.EXPERIMENTS.items():
        assert plan.pairs.is_file() and plan.questions.is_file(), name
        assert plan.changed is None or (plan.changed / "train.jsonl").is_file(), name
