"""A run's folder: what is whole, what is refused, and that a killed run goes on to the very bytes it would have had."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import trainer_utils

from labutils import places
from labutils.model import checkpoints, models, training
from labutils.model.training import Recipe, finetune

RECIPE = Recipe(epochs=6, batch=3, learning_rate=5e-3, save_steps=5)  # 3 steps an epoch, 18 in all
KILLED_AT = 13  # the newest checkpoint is in the middle of the fourth epoch
CHILD = """
import json, sys, time
import torch
from labutils.model import models, training

torch.set_num_threads(1)
model, examples, out, killed_at = sys.argv[1:]

def tell(progress):
    print(progress.step, flush=True)
    if progress.step == int(killed_at):
        time.sleep(600)

recipe = training.Recipe(**json.loads(sys.stdin.read()))
training.finetune(models.open_model(model), json.load(open(examples)), recipe, out=out, on_progress=tell)
"""


class Stopped(Exception):
    """What a test stops a run with."""


def stop_at(step: int):
    def tell(progress):
        if progress.step == step:
            raise Stopped

    return tell


def final(out: Path) -> bytes:
    return (out / "model" / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def whole(start, bird_examples, tmp_path_factory) -> Path:
    """The folder of a run that nobody stopped."""
    out = tmp_path_factory.mktemp("whole") / "run"
    finetune(models.open_model(start), bird_examples, RECIPE, out=out)
    return out


@pytest.fixture(scope="module")
def killed(start, bird_examples, tmp_path_factory) -> Path:
    """The folder of a run that was killed in the middle. Copy it."""
    folder = tmp_path_factory.mktemp("killed")
    (folder / "examples.json").write_text(json.dumps(bird_examples))
    argv = [sys.executable, "-c", CHILD, start, folder / "examples.json", folder / "run", str(KILLED_AT)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=places.ROOT, env=environment
    ) as child:
        child.stdin.write(json.dumps(training.asdict(RECIPE)))
        child.stdin.close()
        steps = [next(child.stdout).strip() for _ in range(KILLED_AT)]
        child.kill()
    assert steps == [str(step) for step in range(1, KILLED_AT + 1)]
    return folder / "run"


@pytest.fixture
def half_way(killed, tmp_path) -> Path:
    """This test's own copy of the killed run."""
    return Path(shutil.copytree(killed, tmp_path / "run"))


def test_a_killed_run_goes_on_to_the_same_bytes(start, whole, half_way, bird_examples):
    assert sorted(path.name for path in half_way.iterdir()) == ["checkpoint-10", "checkpoint-5", "run.json"]
    run = finetune(models.open_model(start), bird_examples, RECIPE, out=half_way, resume=True)
    assert [progress.step for progress in run.history] == list(range(11, 19))
    assert final(half_way) == final(whole)
    assert sorted(path.name for path in half_way.iterdir()) == ["model", "run.json"]


def test_a_broken_newest_checkpoint_is_passed_over_and_removed(start, whole, half_way, bird_examples):
    newest = half_way / "checkpoint-10"
    (newest / checkpoints.COMPLETE).unlink()
    (newest / "model.safetensors").write_bytes((newest / "model.safetensors").read_bytes()[:1000])
    steps = []
    finetune(
        models.open_model(start),
        bird_examples,
        RECIPE,
        out=half_way,
        resume=True,
        on_progress=lambda progress: steps.append((progress.step, newest.exists())),
    )
    assert steps[0] == (6, False)
    assert final(half_way) == final(whole)


def test_without_a_whole_checkpoint_it_starts_from_the_beginning(start, whole, half_way, bird_examples):
    for checkpoint in half_way.glob("checkpoint-*"):
        (checkpoint / checkpoints.COMPLETE).unlink()
    run = finetune(models.open_model(start), bird_examples, RECIPE, out=half_way, resume=True)
    assert run.history[0].step == 1
    assert final(half_way) == final(whole)


@pytest.mark.parametrize("stopped_at", [2, 6, 18])
def test_a_stopped_run_goes_on_to_the_same_bytes(start, whole, bird_examples, tmp_path, stopped_at):
    out = tmp_path / "run"
    with pytest.raises(Stopped):
        finetune(models.open_model(start), bird_examples, RECIPE, out=out, on_progress=stop_at(stopped_at))
    assert not checkpoints.finished(out)
    run = finetune(models.open_model(start), bird_examples, RECIPE, out=out, resume=True)
    assert run.history[0].step == stopped_at // 5 * 5 + 1 and run.history[-1].step == 18
    assert final(out) == final(whole)


def test_a_run_stopped_while_its_model_is_saved_goes_on(start, whole, bird_examples, tmp_path, monkeypatch):
    def break_off(opened, path):
        raise Stopped

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(training, "save", break_off)
        finetune(models.open_model(start), bird_examples, RECIPE, out=tmp_path)
    run = finetune(models.open_model(start), bird_examples, RECIPE, out=tmp_path, resume=True)
    assert (run.history[-1].step, run.history[-1].steps) == (18, 18)
    assert final(tmp_path) == final(whole)


def test_resuming_what_was_never_begun_begins(start, whole, bird_examples, tmp_path):
    finetune(models.open_model(start), bird_examples, RECIPE, out=tmp_path / "new" / "run", resume=True)
    assert final(tmp_path / "new" / "run") == final(whole)


def test_the_saved_model_is_the_trained_one(start, bird_examples, tmp_path):
    opened = models.open_model(start)
    finetune(opened, bird_examples, Recipe(steps=2), out=tmp_path)
    again = models.open_model(tmp_path).model.state_dict()
    assert all(torch.equal(value.bfloat16().float(), again[key]) for key, value in opened.model.state_dict().items())


def test_what_run_json_says(whole, bird_examples, fresh):
    about = json.loads((whole / "run.json").read_text())
    settings = about.pop("settings")
    assert about == {
        "finished": True,
        "seconds": about["seconds"],
        "tokens": 6 * sum(len(example["input_ids"]) for example in bird_examples),
    }
    assert settings["recipe"] == training.asdict(RECIPE)
    assert (settings["examples"], settings["weights"]) == (8, models.weights(fresh().model))


def test_resume_with_another_recipe_or_other_data_is_refused(start, half_way, bird_examples):
    before = sorted(half_way.rglob("*"))
    other_recipe = training.Recipe(**training.asdict(RECIPE) | {"seed": 1})
    other_data = [*bird_examples[:-1], {"input_ids": [5, 6], "labels": [5, 6]}]
    for examples, recipe in [(bird_examples, other_recipe), (other_data, RECIPE), (bird_examples[::-1], RECIPE)]:
        with pytest.raises(ValueError, match=r"was begun with \{.*\}, got \{.*\}; resume needs the same"):
            finetune(models.open_model(start), examples, recipe, out=half_way, resume=True)
    assert sorted(half_way.rglob("*")) == before


def test_a_run_whose_settings_had_older_names_goes_on(start, half_way, bird_examples):
    text = (half_way / "run.json").read_text()
    older = text.replace('"eval_steps"', '"look_every"').replace('"save_steps"', '"keep_every"')
    assert older != text
    (half_way / "run.json").write_text(older)
    finetune(models.open_model(start), bird_examples, RECIPE, out=half_way, resume=True)
    assert json.loads((half_way / "run.json").read_text())["finished"]


def test_resume_with_a_model_of_another_size_is_refused(half_way, tokenizer, bird_examples):
    other = models.create(tokenizer, width=64, layers=1)
    with pytest.raises(ValueError, match="resume needs the same"):
        finetune(other, bird_examples, RECIPE, out=half_way, resume=True)


def test_an_unfinished_run_is_not_overwritten(start, half_way, bird_examples):
    before = sorted(half_way.rglob("*"))
    with pytest.raises(ValueError, match=r"holds an unfinished run; go on with it \(resume\), or choose another"):
        finetune(models.open_model(start), bird_examples, RECIPE, out=half_way)
    assert sorted(half_way.rglob("*")) == before


@pytest.mark.parametrize("resume", [True, False])
def test_a_finished_run_is_not_overwritten(start, whole, bird_examples, resume):
    before = final(whole)
    with pytest.raises(ValueError, match=r"holds a finished run; its model is .*model\. Choose another folder"):
        finetune(models.open_model(start), bird_examples, RECIPE, out=whole, resume=resume)
    assert final(whole) == before


@pytest.mark.parametrize("resume", [True, False])
def test_a_folder_that_holds_no_run_is_refused(tmp_path, resume):
    (tmp_path / "diary.txt").write_text("mine")
    for out in (tmp_path, tmp_path / "diary.txt"):
        with pytest.raises(ValueError, match="is not empty and holds no run; choose another folder"):
            checkpoints.begin(out, {}, resume)
    assert (tmp_path / "diary.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]


def test_an_empty_folder_is_begun(tmp_path):
    assert checkpoints.begin(tmp_path, {"seed": 1}, resume=False) is None
    assert json.loads((tmp_path / "run.json").read_text()) == {"settings": {"seed": 1}, "finished": False}
    assert not checkpoints.finished(tmp_path)
    checkpoints.finish(tmp_path, {"seconds": 3})
    assert checkpoints.finished(tmp_path)


def test_the_newest_whole_checkpoint_counts_by_number(tmp_path):
    checkpoints.begin(tmp_path, {}, resume=False)
    for step in (900, 1000, 1100):
        (tmp_path / f"checkpoint-{step}").mkdir()
    for step in (1000, 900):
        (tmp_path / f"checkpoint-{step}" / checkpoints.COMPLETE).touch()
    assert checkpoints.begin(tmp_path, {}, resume=True) == tmp_path / "checkpoint-1000"
    assert sorted(path.name for path in tmp_path.glob("checkpoint-*")) == ["checkpoint-1000", "checkpoint-900"]


def test_no_folder_is_no_finished_run(tmp_path):
    assert not checkpoints.finished(tmp_path / "nowhere")


def test_at_most_two_checkpoints_are_kept_and_none_of_the_last_step(start, bird_examples, tmp_path):
    seen = set()

    def look(progress):
        seen.add(tuple(sorted(path.name for path in tmp_path.glob("checkpoint-*"))))

    finetune(models.open_model(start), bird_examples, Recipe(steps=4, save_steps=1), out=tmp_path, on_progress=look)
    assert seen == {(), ("checkpoint-1",), ("checkpoint-1", "checkpoint-2"), ("checkpoint-2", "checkpoint-3")}


def test_checkpoints_are_kept_without_a_word(start, bird_examples, tmp_path, capfd, monkeypatch):
    """Neither progress bars, nor a warning when two checkpoints are saved within a second."""
    warned = []
    monkeypatch.setattr(trainer_utils.logger, "warning_once", warned.append)
    finetune(models.open_model(start), bird_examples, Recipe(steps=4, save_steps=1), out=tmp_path)
    out, err = capfd.readouterr()
    assert out == "" and "Writing model" not in err
    assert warned == []
