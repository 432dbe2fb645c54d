"""The folder of a run: runs that are killed, or lose their memory or disk, go on to the same bytes; what is refused."""

import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from transformers import trainer_utils

from labutils import places
from labutils.lesson import cli_model
from labutils.model import checkpoints, models, training
from labutils.model.training import Recipe, finetune
from labutils.pairs.records import write_jsonl

posix = pytest.mark.skipif(os.name == "nt", reason="limits of a process and kill -9 are POSIX")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits a process's memory reliably")
RECIPE = Recipe(epochs=6, batch=3, learning_rate=5e-3, save_steps=5)  # 3 steps an epoch, 18 in all
CHILD = """
import json, os, resource, signal, sys, time
import torch
from transformers import PreTrainedModel
from labutils.model import models, training

torch.set_num_threads(1)
model, examples, out, task = sys.argv[1:]
recipe = training.Recipe(**json.loads(sys.stdin.read()))
opened, examples = models.open_model(model), json.load(open(examples))
whole = {}

def tell(progress):
    whole.update({key: value.clone() for key, value in opened.model.state_dict().items()})
    if task == "memory" and progress.step == 5:  # what is there and 10 MB, too little for a long batch
        there = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (there + 10_000_000, -1))
    if task == "disk" and progress.step == 10:  # no file may be larger than 20 kB from here on
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, -1))
    print(progress.step, flush=True)

def half(self, folder, save=PreTrainedModel.save_pretrained, **how):
    save(self, folder, **how)
    if "checkpoint-15" in str(folder):  # nothing but half of the weights
        os.truncate(os.path.join(folder, "model.safetensors"), 1000)
        print("now", flush=True)
        time.sleep(600)

if task == "inside a save":
    PreTrainedModel.save_pretrained = half
try:
    training.finetune(opened, examples, recipe, out=out, resume=os.path.exists(out), on_progress=tell)
except Exception as error:
    resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
    kept = all(torch.equal(value.to(whole[key].dtype), whole[key]) for key, value in opened.model.state_dict().items())
    slopes = any(weight.grad is not None for weight in opened.model.parameters())
    print(json.dumps([type(error).__name__, str(error), kept, opened.model.training or slopes]), flush=True)
"""


class Stopped(Exception):
    """What a test stops a run with."""


def stop_at(step: int, error: type[BaseException] = Stopped):
    def tell(progress):
        if progress.step == step:
            raise error

    return tell


def final(out: Path) -> bytes:
    return (out / "model" / "model.safetensors").read_bytes()


def names(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir())


@pytest.fixture(scope="module")
def begin(start, bird_examples):
    """A function that begins a run, or goes on with one."""
    return lambda out, recipe=RECIPE, **how: finetune(models.open_model(start), bird_examples, recipe, out=out, **how)


@pytest.fixture(scope="module")
def whole(begin, tmp_path_factory) -> Path:
    """The folder of a run that nothing happened to."""
    begin(out := tmp_path_factory.mktemp("whole") / "run")
    return out


@pytest.fixture(scope="module")
def child(start, bird_examples):
    """A function that begins a run in a process of its own, to which something happens."""

    def begin(out: Path, task: str, recipe: Recipe = RECIPE, examples: list[dict] = bird_examples) -> subprocess.Popen:
        (out.parent / "examples.json").write_text(json.dumps(examples))
        argv = [sys.executable, "-c", CHILD, start, out.parent / "examples.json", out, task]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "MALLOC_ARENA_MAX": "2"}
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        started = subprocess.Popen(argv, text=True, cwd=places.ROOT, env=environment, **pipes)
        started.stdin.write(json.dumps(training.asdict(recipe)))
        started.stdin.close()
        return started

    return begin


@pytest.fixture(scope="module")
def killed(child, tmp_path_factory) -> Path:
    """The folder of a run that was killed while it saved step 15. Copy it."""
    out = tmp_path_factory.mktemp("killed") / "run"
    with child(out, "inside a save") as running:
        assert any(line == "now\n" for line in running.stdout)
        running.kill()
    return out


@pytest.fixture
def half_way(killed, tmp_path) -> Path:
    """This test's own copy of the killed run."""
    return Path(shutil.copytree(killed, tmp_path / "run"))


@posix
def test_killed_inside_a_save_it_goes_on_from_the_one_before_to_the_same_bytes(begin, whole, half_way):
    assert names(half_way) == ["checkpoint-10", "checkpoint-15", "checkpoint-5", "run.json"]
    assert not (half_way / "checkpoint-15" / checkpoints.COMPLETE).exists()
    seen = []

    def look(progress):
        seen.append((progress.step, (half_way / "checkpoint-15").exists()))

    run = begin(half_way, resume=True, on_progress=look)
    assert [progress.step for progress in run.history] == list(range(11, 19)) and seen[0] == (11, False)
    assert final(half_way) == final(whole) and names(half_way) == ["model", "run.json"]


@posix
@pytest.mark.slow
def test_killed_again_and_again_at_random_moments(begin, child, whole, tmp_path):
    """Until it is through: eight kills at random moments, most of which fall into or beside a save."""
    out, chance, kills, reached = tmp_path / "run", random.Random(0), 0, []
    recipe = Recipe(**training.asdict(RECIPE) | {"save_steps": 1})
    while not checkpoints.finished(out) and kills < 8:
        with child(out, "none", recipe) as running:
            first = running.stdout.readline().strip()
            assert first, running.stderr.read()
            reached.append(int(first))
            time.sleep(chance.uniform(0, 0.15))
            running.send_signal(signal.SIGKILL)
        kills += 1
    assert kills >= 3 and reached == sorted(reached), "each run goes on from where the killed one was, or a step before"
    if not checkpoints.finished(out):
        begin(out, recipe, resume=True)
    assert final(out) == final(whole)


@posix
def test_a_full_disk_ends_it_with_a_line_and_the_last_checkpoint(begin, child, whole, tmp_path):
    out = tmp_path / "run"
    with child(out, "disk") as running:
        lines = running.stdout.read().splitlines()
    kind, said, kept, unfit = json.loads(lines[-1])
    assert kind == "OSError" and kept and not unfit
    assert said.startswith(f"the checkpoint of step 10 could not be saved in {out}, where ")
    assert "MB are free (" in said and said.endswith("or from the beginning where there is none yet")
    assert begin(out, resume=True).history[0].step == 6 and final(out) == final(whole)


@linux
def test_without_memory_it_ends_with_a_line_and_the_weights_of_the_step_before(child, tmp_path):
    long = [{"input_ids": [5 + i % 300] * 900, "labels": [5 + i % 300] * 900} for i in range(16)]
    short = [{"input_ids": [5, 6, 7], "labels": [5, 6, 7]} for _ in range(16)]
    out, examples = tmp_path / "run", [row for pair in zip(short, long, strict=True) for row in pair]
    with child(out, "memory", Recipe(steps=30, batch=16, save_steps=1), examples) as running:
        lines = running.stdout.read().splitlines()
    kind, said, kept, unfit = json.loads(lines[-1])
    assert kind == "MemoryError", said
    assert kept and not unfit
    assert "with 16 examples of up to 900 tokens: take a smaller batch or shorter examples, or close other" in said
    assert any((path / checkpoints.COMPLETE).exists() for path in out.glob("checkpoint-*"))


@pytest.mark.parametrize("stopped_at", [2, 18])
def test_a_stopped_run_goes_on_to_the_same_bytes(begin, whole, tmp_path, stopped_at):
    out = tmp_path / "run"
    with pytest.raises(Stopped):
        begin(out, on_progress=stop_at(stopped_at))
    assert not checkpoints.finished(out)
    run = begin(out, resume=True)
    assert run.history[0].step == stopped_at // 5 * 5 + 1 and run.history[-1].step == 18
    assert final(out) == final(whole)


def test_a_run_stopped_while_its_model_is_saved_goes_on(begin, whole, half_way, bird_examples, monkeypatch):
    def full(opened, path):
        raise OSError(28, "No space left on device")

    text = (half_way / "run.json").read_text()  # begun when settings had older names
    older = text.replace('"eval_steps"', '"look_every"').replace('"save_steps"', '"keep_every"')
    assert older != text
    (half_way / "run.json").write_text(older)
    with monkeypatch.context() as patch, pytest.raises(OSError, match=r"the trained model could not be saved in .*28"):
        patch.setattr(training, "save", full)
        begin(half_way, resume=True)
    run = begin(half_way, resume=True)
    assert (run.history[-1].step, run.history[-1].steps) == (18, 18) and final(half_way) == final(whole)
    about = json.loads((whole / "run.json").read_text())
    settings = about.pop("settings")
    assert set(about) == {"finished", "seconds", "tokens"} and about["finished"]
    assert about["tokens"] == 6 * sum(len(example["input_ids"]) for example in bird_examples)
    assert settings["recipe"] == training.asdict(RECIPE) and settings["examples"] == 8


def test_resume_with_another_recipe_model_or_other_data_is_refused(start, half_way, bird_examples, tokenizer):
    before, opened = sorted(half_way.rglob("*")), models.open_model(start)
    other = [*bird_examples[:-1], {"input_ids": [5, 6], "labels": [5, 6]}]
    for model, examples, recipe in [
        (opened, bird_examples, training.Recipe(**training.asdict(RECIPE) | {"seed": 1})),
        (opened, other, RECIPE),
        (opened, bird_examples[::-1], RECIPE),
        (models.create(tokenizer, width=64, layers=1), bird_examples, RECIPE),
    ]:
        with pytest.raises(ValueError, match=r"was begun with \{.*\}, got \{.*\}; resume needs the same"):
            finetune(model, examples, recipe, out=half_way, resume=True)
    with pytest.raises(ValueError, match=r"holds an unfinished run; go on with it \(resume\), or choose another"):
        finetune(opened, bird_examples, RECIPE, out=half_way)
    assert sorted(half_way.rglob("*")) == before


@pytest.mark.parametrize("resume", [True, False])
def test_what_is_no_run_that_can_be_gone_on_with_is_left_alone(begin, whole, tmp_path, resume):
    before = final(whole)
    with pytest.raises(ValueError, match=r"holds a finished run; its model is .*model\. Choose another folder"):
        begin(whole, resume=resume)
    assert final(whole) == before
    (tmp_path / "diary.txt").write_text("mine")
    for out in (tmp_path, tmp_path / "diary.txt"):
        with pytest.raises(ValueError, match="is not empty and holds no run; choose another folder"):
            checkpoints.begin(out, {}, resume)
    assert (tmp_path / "diary.txt").read_text() == "mine" and names(tmp_path) == ["diary.txt"]
    assert not checkpoints.finished(tmp_path / "new") and checkpoints.begin(tmp_path / "new", {"a": 1}, resume) is None
    assert json.loads((tmp_path / "new" / "run.json").read_text()) == {"settings": {"a": 1}, "finished": False}
    assert not checkpoints.finished(tmp_path / "new")


def test_the_newest_whole_checkpoint_counts_by_number(tmp_path):
    checkpoints.begin(tmp_path, {}, resume=False)
    for step in (900, 1000, 1100):
        (tmp_path / f"checkpoint-{step}").mkdir()
    for step in (1000, 900):
        (tmp_path / f"checkpoint-{step}" / checkpoints.COMPLETE).touch()
    assert checkpoints.begin(tmp_path, {}, resume=True) == tmp_path / "checkpoint-1000"
    assert names(tmp_path) == ["checkpoint-1000", "checkpoint-900", "run.json"]


def test_at_most_two_checkpoints_are_kept_without_a_word_and_none_of_the_last_step(begin, tmp_path, capfd, monkeypatch):
    """Neither progress bars, nor a warning when two checkpoints are saved within a second."""
    seen, warned = set(), []
    monkeypatch.setattr(trainer_utils.logger, "warning_once", warned.append)

    def look(progress):
        seen.add(tuple(sorted(path.name for path in tmp_path.glob("checkpoint-*"))))

    begin(tmp_path, Recipe(steps=4, save_steps=1), on_progress=look)
    assert seen == {(), ("checkpoint-1",), ("checkpoint-1", "checkpoint-2"), ("checkpoint-2", "checkpoint-3")}
    out, err = capfd.readouterr()
    assert out == "" and "Writing model" not in err and warned == []


def test_errors_of_a_step():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"), checkpoints.room_in_memory(1, 2, 3):
        torch.ones(2, 3) @ torch.ones(2, 3)
    with pytest.raises(ValueError, match="other things"), checkpoints.room_on_disk("it", Path()):
        raise ValueError("other things")
    line = r"no memory for step 3, with 2 examples of up to 9 tokens: take a smaller batch, or"
    for said in ("DefaultCPUAllocator: can't allocate memory", "std::bad_alloc", ""):
        with pytest.raises(MemoryError, match=line), checkpoints.room_in_memory(3, 2, 9):
            raise RuntimeError(said) if said else MemoryError


def test_an_interrupt_leaves_a_model_that_answers(fresh, bird_examples):
    """Inside a step, as in a notebook whose run was begun without a folder."""
    opened = fresh()
    with pytest.raises(KeyboardInterrupt):
        finetune(opened, bird_examples, RECIPE, on_progress=stop_at(2, KeyboardInterrupt))
    assert not opened.model.training and all(weight.grad is None for weight in opened.model.parameters())


def test_the_command_says_how_to_go_on(labutils, start, birds, tmp_path, monkeypatch):
    monkeypatch.setattr(cli_model, "progress_line", stop_at(3, KeyboardInterrupt))
    line = ["finetune", write_jsonl(birds, tmp_path / "birds.jsonl"), "--model", start, "--out", tmp_path / "run"]
    code, _, said = labutils(*line, "--steps", 5, "--batch", 4, "--save-steps", 2)
    assert code == 130 and "Traceback" not in said
    assert f"{tmp_path / 'run'} keeps the newest checkpoint, if there was one: the same command with --resume" in said


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library keeps its memory in other ways")
def test_memory_freed_between_pieces_in_use_is_given_back(monkeypatch):
    pieces = [bytes([1]) * 100_000 for _ in range(2000)]
    used = pieces[::20]
    del pieces
    before = psutil.Process().memory_info().rss
    checkpoints.give_memory_back()
    assert psutil.Process().memory_info().rss < before - 100e6 and len(used) == 100
    monkeypatch.setattr(checkpoints.ctypes, "CDLL", lambda name: object())
    checkpoints.give_memory_back()  # another C library
