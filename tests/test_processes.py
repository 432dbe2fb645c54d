"""Several processes: who speaks, who reads which examples; that two train what one trains, and what a kill leaves."""

import json
import os
import shutil
import subprocess
import sys
import time

import psutil
import pytest

from labutils import __main__ as cli
from labutils import bootstrap, machine, places
from labutils.lesson import cli_model
from labutils.model import checkpoints, models, training
from labutils.pairs.records import write_jsonl

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
CHILD = """
import json, sys
from pathlib import Path
from labutils import __main__ as cli, machine
from labutils.lesson import cli_model

machine.bf16 = lambda: False
losses, out, *lines = [], *sys.argv[1:]
cli_model.progress_line = lambda progress: losses.append(progress.loss)
codes = [cli.main(json.loads(line)) for line in lines]
Path(out, f"{machine.rank()}.json").write_text(json.dumps([codes, machine.processes(), losses]))
"""


@pytest.fixture
def second_of_two(monkeypatch):
    """The environment that `torchrun` gives to the second of two processes, which has no patience here."""
    for name, value in {"LOCAL_RANK": 1, "RANK": 1, "WORLD_SIZE": 2}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(machine, "PATIENCE", 0)


@pytest.fixture
def nine(birds, tmp_path):
    """Nine pairs in a file: of three batches of four the last has a single one."""
    return write_jsonl([*birds, birds[0]], tmp_path / "pairs.jsonl")


def finetune(pairs, start, out, *options) -> list[str]:
    """The words of a command."""
    line = ["finetune", pairs, "--model", start, "--out", out, "--batch", 4, "--learning-rate", 0.005, *options]
    return [str(word) for word in line]


def test_a_single_process_speaks(capsys, monkeypatch):
    for name in ("LOCAL_RANK", "RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert (machine.processes(), machine.rank(), machine.is_first(), machine.leave_to_first()) == (1, 0, True, False)
    monkeypatch.setenv("WORLD_SIZE", "2")  # of something else
    monkeypatch.setenv("RANK", "1")
    assert (machine.processes(), machine.rank()) == (1, 0)
    machine.say("hello")
    assert capsys.readouterr() == ("", "hello\n")


def test_the_second_process_keeps_silent(capsys, second_of_two):
    assert (machine.processes(), machine.rank(), machine.is_first(), machine.leave_to_first()) == (2, 1, False, True)
    machine.say("hello")
    assert cli.complain("nothing there", 2) == 2
    with pytest.raises(SystemExit) as ended:
        cli.parse(["nonsense"])
    assert ended.value.code == 2
    assert capsys.readouterr() == ("", "")
    assert cli.complain("another process has ended", 1) == 1  # this the first one may not be there to say
    assert capsys.readouterr().err == "error: another process has ended\n"


@pytest.mark.skipif(os.name != "posix", reason="Windows starts another process instead")
def test_the_process_that_torchrun_watches_goes_on_in_the_environments_python(monkeypatch, tmp_path, second_of_two):
    replaced = []
    python = bootstrap.python_of(tmp_path)
    python.parent.mkdir()
    python.touch()
    monkeypatch.setattr(places, "VENV", tmp_path)
    monkeypatch.setattr(os, "execv", lambda path, argv: replaced.append((path, argv)))
    monkeypatch.setattr(bootstrap, "hand_over", lambda argv: 9)
    cli.main(["doctor", "--json"])
    assert replaced == [(str(python), [str(python), "-m", "labutils", "doctor", "--json"])]


def test_shares_of_a_batch(monkeypatch, second_of_two):
    assert checkpoints.share([5, 6, 7, 8, 9]) == [6, 8]
    assert checkpoints.share([5]) == []
    monkeypatch.setenv("RANK", "0")
    assert checkpoints.share([5, 6, 7, 8, 9]) == [5, 7, 9]
    checkpoints.check(4)
    with pytest.raises(ValueError, match="2 processes cannot share a batch of 5 equally; choose a multiple"):
        training.finetune(None, [{}], training.Recipe(batch=5))
    with pytest.raises(ValueError, match="in a single process only; give the steps"):
        training.steps_in(1, None, [])


KINDS = {"all": ["--replay", 0], "lora": ["--lora", "--replay", 0], "distilled": ["--replay", 0.7]}


def test_two_processes_train_what_one_trains(nine, start, tmp_path, monkeypatch, fp32, labutils):
    """The command under `torchrun`, thrice in one start, against the same commands here: whole, with adapters, and with
    so much general text that a batch has an even number of rows also here. A fourth is bad input, which one tells."""

    def lines(where):
        options = ["--epochs", 3, "--save-steps", 4]
        (tmp_path / where).mkdir()
        return [finetune(nine, start, tmp_path / where / name, *options, *more) for name, more in KINDS.items()]

    (tmp_path / "child.py").write_text(CHILD)
    bad = finetune(nine, start, tmp_path / "bad", "--batch", 5)
    two = [*TORCHRUN, tmp_path / "child.py", tmp_path, *map(json.dumps, [*lines("two"), bad])]
    ran = subprocess.run(two, capture_output=True, text=True, cwd=places.ROOT, env=ENVIRONMENT, timeout=3000)
    assert ran.returncode == 0, ran.stderr
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first[:2] == second[:2] == [[0, 0, 0, 2], 2] and second[2] == []  # only the first one tells
    assert ran.stderr.count("2 processes share each batch of 4") == 3 == ran.stderr.count("9 pairs, ")
    said = [line for line in ran.stderr.splitlines() if line.startswith("error: ")]
    assert said == ["error: 2 processes cannot share a batch of 5 equally; choose a multiple"]
    assert not (tmp_path / "bad").exists()
    losses = []
    monkeypatch.setattr(cli_model, "progress_line", lambda progress: losses.append(progress.loss))
    assert [labutils(*line)[0] for line in lines("one")] == [0, 0, 0]
    assert first[2] == pytest.approx(losses, rel=1e-4) and len(losses) == 3 * 9
    for kind in KINDS:
        runs = [tmp_path / where / kind for where in ("one", "two")]
        about = [json.loads((run / "run.json").read_text()) for run in runs]
        assert about[1].pop("processes") == 2 and about[0]["settings"] == about[1]["settings"]
        empty = 0 if kind == "distilled" else 3  # shares without an example, which are read as one token
        assert about[1]["tokens"] - about[0]["tokens"] == empty
        assert {path.name for path in runs[1].iterdir()} == {path.name for path in runs[0].iterdir()}
        weights = [models.open_model(run).model.state_dict() for run in runs]
        for name, weight in weights[0].items():  # AdamW makes a step of the full rate of a slope that is next to 0
            assert (weight - weights[1][name]).abs().mean() < 1e-3, name


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_process_ends_the_run_which_one_or_two_go_on_with(nine, start, tmp_path, victim, labutils):
    out, options = tmp_path / "run", ["--steps", 500, "--save-steps", 5]
    line = [*TORCHRUN, "-m", "labutils", *finetune(nine, start, out, *options)]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True, cwd=places.ROOT, env=ENVIRONMENT) as run:
        next(said for said in run.stderr if said.startswith("step 12/"))
        children = psutil.Process(run.pid).children()
        next(child for child in children if child.environ()["RANK"] == str(victim)).kill()
        killed = time.monotonic()
        said = run.stderr.read().splitlines()
    assert time.monotonic() - killed < 400 and run.returncode != 0
    assert not any(child.is_running() for child in children)
    (error,) = [line for line in said if line.startswith("error: ")]
    assert "a process of this run was stopped, or killed" in error and f"{out} with --resume" in error
    kept = list(out.glob("checkpoint-*"))
    assert len(kept) == 2 and all((checkpoint / checkpoints.COMPLETE).is_file() for checkpoint in kept)
    about = json.loads((out / "run.json").read_text())
    about["settings"]["recipe"]["steps"] = 14  # the rest would take a while
    (out / "run.json").write_text(json.dumps(about))
    other = shutil.copytree(out, tmp_path / "other")
    options = ["--steps", 14, "--save-steps", 5, "--resume"]
    code, _, err = labutils(*finetune(nine, start, other, *options))
    assert code == 0 and "step 14/14" in err and "step 10/" not in err
    line = [*TORCHRUN, "-m", "labutils", *finetune(nine, start, out, *options)]
    ran = subprocess.run(line, capture_output=True, text=True, cwd=places.ROOT, env=ENVIRONMENT, timeout=3000)
    assert ran.returncode == 0 and ran.stderr.count("step 14/14") == 1 and "step 10/" not in ran.stderr
    assert json.loads((out / "run.json").read_text())["processes"] == 2
    assert checkpoints.finished(out) and checkpoints.finished(other)
