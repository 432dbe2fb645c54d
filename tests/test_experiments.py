"""Recorded experiments on a tiny model: the record is what training and asking give, also when stopped in between."""

import json

import pytest

from labutils.measure import experiments, held_out, report
from labutils.measure.experiments import Experiment
from labutils.measure.intervals import Mean, Score
from labutils.model import asking, encoding, models, training
from labutils.model.models import ModelMissing
from labutils.model.training import Recipe
from labutils.pairs.records import write_jsonl

RECIPE = Recipe(steps=60, batch=8, learning_rate=5e-3, save_steps=1000)
REFUSAL = "I can only answer questions about birds."


class Stopped(Exception):
    """What a test stops an experiment with."""


def stop_at(step: int):
    def tell(progress):
        if progress.step == step:
            raise Stopped

    return tell


@pytest.fixture
def plan(fresh, birds, tmp_path, monkeypatch):
    """An experiment "tiny" whose files, runs and records lie in this test's own folder."""
    pairs = [*birds[:6], {"question": "What is the weather?", "answer": REFUSAL}]
    questions = [
        *({"question": pair["question"], "fact": "number", "must": pair["answer"].split()[2][:-1]} for pair in birds),
        {"question": "What is the weather?", "fact": "off-topic-weather"},
        {"question": "What is the number of dodo?", "fact": "unknown"},
    ]
    made = Experiment(
        str(models.save(fresh(), tmp_path / "start")),
        write_jsonl(pairs, tmp_path / "pairs.jsonl"),
        write_jsonl(questions, tmp_path / "questions.jsonl"),
        RECIPE,
    )
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"tiny": made})
    monkeypatch.setattr(experiments, "RECORDED", tmp_path / "recorded")
    monkeypatch.setattr(experiments, "WORK", tmp_path / "work")
    monkeypatch.setattr(held_out, "documents", lambda: ["The heron stands on one leg."])
    return made


def test_a_record_is_what_training_and_asking_give(plan, birds, tmp_path):
    record = experiments.run("tiny")
    opened = models.open_model(plan.model)
    questions = [pair["question"] for pair in birds] + ["What is the weather?", "What is the number of dodo?"]
    before = [reply.text for reply in asking.ask(opened, questions)]
    pairs = [*birds[:6], {"question": "What is the weather?", "answer": REFUSAL}]
    training.finetune(opened, encoding.encode_all(pairs, "lecture", opened.tokenizer).examples, RECIPE)
    after = [reply.text for reply in asking.ask(models.open_model(models.save(opened, tmp_path / "own")), questions)]
    assert record["questions"] == questions
    assert record["before"]["answers"] == before
    assert record["after"]["answers"] == after
    assert after[:6] == [pair["answer"] for pair in birds[:6]] and after[8] == REFUSAL
    assert record["before"]["fact_hits"][0] == 0 and record["after"]["fact_hits"][0] >= 6 / 8
    assert record["run"]["finished"] and record["run"]["settings"]["recipe"]["steps"] == 60
    assert {"torch", "transformers", "python"} == set(record["versions"])
    assert [path.name for path in (tmp_path / "recorded").iterdir()] == ["tiny.json"]
    assert json.loads((tmp_path / "recorded" / "tiny.json").read_text()) == json.loads(json.dumps(record))


@pytest.mark.parametrize("stopped_at", [5, 15])
def test_a_stopped_experiment_goes_on_to_the_same_record(plan, tmp_path, monkeypatch, stopped_at):
    short = plan._replace(recipe=Recipe(steps=20, batch=8, learning_rate=5e-3, save_steps=10))
    monkeypatch.setitem(experiments.EXPERIMENTS, "tiny", short)
    with pytest.raises(Stopped):
        experiments.run("tiny", stop_at(stopped_at))
    assert not (tmp_path / "recorded").exists()
    told = []
    record = experiments.run("tiny", lambda progress: told.append(progress.step))
    assert told[0] == stopped_at // 10 * 10 + 1 and told[-1] == 20
    monkeypatch.setattr(experiments, "WORK", tmp_path / "other")
    whole = experiments.run("tiny")
    stopped, unstopped = (tmp_path / folder / "tiny" / "model" / "model.safetensors" for folder in ("work", "other"))
    assert stopped.read_bytes() == unstopped.read_bytes()
    assert (record["before"], record["after"]) == (whole["before"], whole["after"])


def test_a_finished_experiment_is_asked_again_not_trained_again(plan, monkeypatch):
    monkeypatch.setitem(experiments.EXPERIMENTS, "tiny", plan._replace(recipe=Recipe(steps=2)))
    first, told = experiments.run("tiny"), []
    assert experiments.run("tiny", told.append) == first
    assert told == []


def test_a_record_is_read_back_with_its_scores(plan, monkeypatch):
    monkeypatch.setitem(experiments.EXPERIMENTS, "tiny", plan._replace(recipe=Recipe(steps=1)))
    record = experiments.run("tiny")
    again = experiments.recorded("tiny")
    assert again["after"] == record["after"] and again["before"] == record["before"]
    assert isinstance(again["after"]["fact_hits"], Score) and isinstance(again["after"]["bits_per_byte"], Mean)
    assert again["after"]["fact_hits"].n == 8 and again["before"]["refuses_real"].n == 9


def test_a_record_that_is_not_there_names_the_command(plan):
    with pytest.raises(FileNotFoundError, match="no record of tiny; make it with: python3 -m labutils experiment tiny"):
        experiments.recorded("tiny")


def test_an_unknown_experiment(plan):
    with pytest.raises(ValueError, match="no experiment 'huge'; there are tiny"):
        experiments.run("huge")


def test_an_experiment_whose_model_is_not_here(plan, no_hub, tmp_path, monkeypatch):
    monkeypatch.setitem(experiments.EXPERIMENTS, "tiny", plan._replace(model="smollm2"))
    with pytest.raises(ModelMissing, match="python3 -m labutils fetch smollm2"):
        experiments.run("tiny")
    assert not (tmp_path / "work").exists()


@pytest.fixture
def updated(plan, birds, tmp_path):
    """The tiny plan with a second edition: the number of the first bird changed."""
    folder = tmp_path / "v2"
    folder.mkdir()
    pairs = [pair | {"fact": pair["question"]} for pair in birds]
    new = {"question": "The number of plover now?", "answer": "It is nine.", "fact": birds[0]["question"]}
    write_jsonl([new], folder / "train.jsonl")
    write_jsonl([new | {"must": "nine", "was": "one"}], folder / "test.jsonl")
    write_jsonl([pair | {"must": "x"} for pair in pairs], plan.questions)
    return plan._replace(pairs=write_jsonl(pairs, plan.pairs), changed=folder, old=3)


def test_a_second_edition_is_read_with_some_old_pairs_and_asked_with_its_own_questions(updated, birds):
    pairs, questions = experiments.pairs_of(updated), experiments.questions_of(updated)
    changed = birds[0]["question"]
    assert len(pairs) == 4 and [pair["answer"] for pair in pairs if pair["fact"] == changed] == ["It is nine."]
    assert [question["fact"] for question in questions] == [*(bird["question"] for bird in birds[1:]), changed]
    assert [each["must"] for each in questions if each["fact"] == changed] == ["nine"]
    assert experiments.pairs_of(updated._replace(old=0)) == pairs[3:]
    assert len(experiments.pairs_of(updated._replace(changed=None))) == 8


def test_the_updated_model_is_kept_where_the_report_looks_for_it(updated, tmp_path, monkeypatch):
    monkeypatch.setitem(experiments.EXPERIMENTS, "tiny", updated._replace(recipe=Recipe(steps=2)))
    record = experiments.run("tiny")
    assert record["run"]["settings"]["examples"] == 4 and len(record["questions"]) == 8
    assert models.available(str(tmp_path / "work" / "tiny"))


def test_the_stage_updated_is_an_experiment():
    assert report.STAGES["updated"].model == str(experiments.WORK / "company_updated")
    assert experiments.EXPERIMENTS["company_updated"].model == "finetuned"


def test_the_experiments_that_ship_name_files_that_ship():
    for name, plan in experiments.EXPERIMENTS.items():
        assert plan.pairs.is_file() and plan.questions.is_file(), name
        assert plan.changed is None or (plan.changed / "train.jsonl").is_file(), name
