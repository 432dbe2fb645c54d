"""Runs that lose their memory, their disk or their process: a clear line, the last good model, the same end."""

import json
import os
import platform
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from labutils import places
from labutils.model import checkpoints, models, training
from labutils.model.training import Recipe, finetune

pytestmark = pytest.mark.skipif(os.name == "nt", reason="limits of a process and kill -9 are POSIX")
RECIPE = Recipe(epochs=6, batch=3, learning_rate=5e-3, save_steps=1)  # 18 steps, and a save behind nearly each
CHILD = """
import json, os, resource, signal, sys, time
import torch
from labutils.model import models, training

torch.set_num_threads(1)
model, examples, out, task = sys.argv[1:]
recipe = training.Recipe(**json.loads(sys.stdin.read()))
opened, examples = models.open_model(model), json.load(open(examples))
whole = {}

def freeze():
    print("now", flush=True)
    time.sleep(600)

def tell(progress):
    whole.update({key: value.clone() for key, value in opened.model.state_dict().items()})
    if task == "memory" and progress.step == 5:  # what is there and 10 MB, too little for a long batch
        there = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (there + 10_000_000, -1))
    if task == "disk" and progress.step == 5:  # no file may be larger than 20 kB from here on
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, -1))
    print(progress.step, flush=True)

if task == "inside optimizer":  # the model of step 7 is written, its optimizer is not
    own = torch.save
    torch.save = lambda what, where, **how: freeze() if "checkpoint-7" in str(where) else own(what, where, **how)
if task == "inside model":  # nothing but half of the weights
    import safetensors.torch
    from transformers import PreTrainedModel
    own_save = PreTrainedModel.save_pretrained
    def half(self, folder, **how):
        own_save(self, folder, **how)
        if "checkpoint-7" in str(folder):
            os.truncate(os.path.join(folder, "model.safetensors"), 1000)
            freeze()
    PreTrainedModel.save_pretrained = half
try:
    training.finetune(opened, examples, recipe, out=out, resume=os.path.exists(out), on_progress=tell)
except Exception as error:
    resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
    kept = all(torch.equal(value.to(whole[key].dtype), whole[key]) for key, value in opened.model.state_dict().items())
    slopes = any(weight.grad is not None for weight in opened.model.parameters())
    print(json.dumps([type(error).__name__, str(error), kept, opened.model.training or slopes]), flush=True)
"""


@pytest.fixture(scope="module")
def whole(start, bird_examples, tmp_path_factory) -> bytes:
    """The weights at the end of a run that nothing happened to."""
    out = tmp_path_factory.mktemp("whole") / "run"
    finetune(models.open_model(start), bird_examples, RECIPE, out=out)
    return final(out)


def final(out: Path) -> bytes:
    return (out / "model" / "model.safetensors").read_bytes()


def child(start: Path, examples: list[dict], out: Path, task: str, recipe: Recipe = RECIPE) -> subprocess.Popen:
    (out.parent / "examples.json").write_text(json.dumps(examples))
    argv = [sys.executable, "-c", CHILD, start, out.parent / "examples.json", out, task]
    started = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=places.ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "MALLOC_ARENA_MAX": "2"},
    )
    started.stdin.write(json.dumps(training.asdict(recipe)))
    started.stdin.close()
    return started


def go_on(start: Path, examples: list[dict], out: Path) -> training.Run:
    return finetune(models.open_model(start), examples, RECIPE, out=out, resume=True)


@pytest.mark.parametrize("part", ["optimizer", "model"])
def test_killed_inside_a_save_it_goes_on_from_the_one_before(start, whole, bird_examples, tmp_path, part):
    out = tmp_path / "run"
    with child(start, bird_examples, out, f"inside {part}") as running:
        assert any(line == "now\n" for line in running.stdout)
        running.kill()
    assert (out / "checkpoint-7").is_dir() and not (out / "checkpoint-7" / checkpoints.COMPLETE).exists()
    run = go_on(start, bird_examples, out)
    assert run.history[0].step == 7
    assert final(out) == whole


@pytest.mark.slow
def test_killed_again_and_again_at_random_moments(start, whole, bird_examples, tmp_path):
    """Until it is through: eight kills at moments drawn by lot, most of which fall into or beside a save."""
    out, chance, kills, reached = tmp_path / "run", random.Random(0), 0, []
    while not checkpoints.finished(out) and kills < 8:
        with child(start, bird_examples, out, "none") as running:
            first = running.stdout.readline().strip()
            assert first, running.stderr.read()
            reached.append(int(first))
            time.sleep(chance.uniform(0, 0.15))
            running.send_signal(signal.SIGKILL)
        kills += 1
    assert kills >= 3 and reached == sorted(reached), "each run goes on from where the killed one was, or a step before"
    if not checkpoints.finished(out):
        go_on(start, bird_examples, out)
    assert final(out) == whole


def test_a_full_disk_ends_it_with_a_line_and_the_last_checkpoint(start, whole, bird_examples, tmp_path):
    out = tmp_path / "run"
    with child(start, bird_examples, out, "disk") as running:
        lines = running.stdout.read().splitlines()
    kind, said, kept, unfit = json.loads(lines[-1])
    assert kind == "OSError" and kept and not unfit
    assert said.startswith(f"the checkpoint of step 5 could not be saved in {out}, where ")
    assert "MB are free (" in said and said.endswith("or from the beginning where there is none yet")
    assert (out / "checkpoint-4" / checkpoints.COMPLETE).exists()
    run = go_on(start, bird_examples, out)
    assert run.history[0].step == 5
    assert final(out) == whole


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits a process's memory reliably")
def test_without_memory_it_ends_with_a_line_and_the_weights_of_the_step_before(start, tmp_path):
    long = [{"input_ids": [5 + i % 300] * 900, "labels": [5 + i % 300] * 900} for i in range(64)]
    short = [{"input_ids": [5, 6, 7], "labels": [5, 6, 7]} for _ in range(64)]
    out = tmp_path / "run"
    examples = [row for pair in zip(short, long, strict=True) for row in pair]
    with child(start, examples, out, "memory", Recipe(steps=30, batch=64, save_steps=1)) as running:
        lines = running.stdout.read().splitlines()
    kind, said, kept, unfit = json.loads(lines[-1])
    assert kind == "MemoryError", said
    assert kept and not unfit
    assert "with 64 examples of up to 900 tokens: take a smaller batch or shorter examples, or close other" in said
    assert any((path / checkpoints.COMPLETE).exists() for path in out.glob("checkpoint-*"))


def test_the_trained_model_finds_no_room(start, bird_examples, tmp_path, monkeypatch):
    def full(opened, path):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match=r"the trained model could not be saved in .*28"):
        patch.setattr(training, "save", full)
        finetune(models.open_model(start), bird_examples, RECIPE, out=tmp_path / "run")
    assert [now.step for now in go_on(start, bird_examples, tmp_path / "run").history] == [18]


def test_other_errors_of_a_step_come_through():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"), checkpoints.room_in_memory(1, 2, 3):
        torch.ones(2, 3) @ torch.ones(2, 3)
    with pytest.raises(ValueError, match="other things"), checkpoints.room_on_disk("it", Path()):
        raise ValueError("other things")


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory"), RuntimeError("std::bad_alloc")]
)
def test_every_way_to_say_that_memory_is_out(error):
    line = r"no memory for step 3, with 2 examples of up to 9 tokens: take a smaller batch, or"
    with pytest.raises(MemoryError, match=line), checkpoints.room_in_memory(3, 2, 9):
        raise error


def test_an_interrupt_leaves_a_model_that_answers(fresh, bird_examples):
    """Inside a step, as in a notebook whose run was begun without a folder."""
    opened = fresh()

    def interrupt(progress):
        if progress.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(opened, bird_examples, RECIPE, on_progress=interrupt)
    assert not opened.model.training and all(weight.grad is None for weight in opened.model.parameters())


def test_the_command_says_how_to_go_on(start, birds, tmp_path):
    (tmp_path / "birds.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in birds))
    argv = [sys.executable, "-m", "labutils", "finetune", tmp_path / "birds.jsonl", "--model", start]
    argv += ["--out", tmp_path / "run", "--steps", "2000", "--batch", "4", "--save-steps", "5"]
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}  # a shell's background jobs are deaf
    with subprocess.Popen(list(map(str, argv)), cwd=places.ROOT, stderr=subprocess.PIPE, text=True, **heard) as running:
        said = ""
        while "step 7/" not in said:
            said += running.stderr.readline()
        running.send_signal(signal.SIGINT)
        said = running.stderr.read()
    assert running.returncode == 130
    assert f"{tmp_path / 'run'} keeps the newest checkpoint, if there was one: the same command with --resume" in said
    assert "Traceback" not in said


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library keeps its memory in other ways")
def test_memory_freed_between_pieces_in_use_is_given_back():
    import psutil

    pieces = [bytes([1]) * 100_000 for _ in range(2000)]
    used = pieces[::20]
    del pieces
    before = psutil.Process().memory_info().rss
    checkpoints.give_memory_back()
    assert psutil.Process().memory_info().rss < before - 100e6 and len(used) == 100


def test_another_c_library(monkeypatch):
    monkeypatch.setattr(checkpoints.ctypes, "CDLL", lambda name: object())
    checkpoints.give_memory_back()
