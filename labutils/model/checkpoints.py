"""A training run beside its loop: its folder and checkpoints, the processes that share it, and what may go wrong."""

import ctypes
import json
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from accelerate import PartialState
from safetensors import SafetensorError
from torch import distributed
from transformers import TrainerCallback
from transformers.utils import logging

from labutils import machine, places

# Several processes that train one model, each on its share of every batch. In a single process nothing happens here.

GONE = ("by peer", "broken pipe", "timed out", "timeout", "remote process exited")  # so gloo and NCCL name it


class Left(ConnectionError):
    """A process of the run has ended before its time, so the others cannot go on."""


@contextmanager
def together(out: str | Path | None) -> Iterator[None]:
    """Join the other processes for the length of a run.

    Raises Left, which says how to go on, when one of them has ended: its connections break, or `torchrun`, which ends
    all when one has ended, sends the signal to stop.
    """
    if machine.processes() == 1:
        yield
        return
    PartialState(cpu=not torch.cuda.is_available())  # NCCL between GPUs, gloo between CPUs
    if not machine.is_first():
        logging.set_verbosity_error()
    kept = f"; go on from the newest checkpoint in {out} with --resume" if out else ""
    left = Left(f"a process of this run was stopped, or killed for want of memory, so the others end{kept}")

    def stop(*_) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # there is still a line to say
        raise left

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except RuntimeError as error:
        if not any(words in str(error).lower() for words in GONE):
            raise
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise left from error
    finally:
        if signal.getsignal(signal.SIGTERM) is stop:
            signal.signal(signal.SIGTERM, before)


def agreed(decide: Callable[[], object]) -> object:
    """What the first process decides, in all of them; an error that stops it stops all."""
    if machine.processes() == 1:
        return decide()
    found = [None, None]
    if machine.is_first():
        try:
            found[0] = decide()
        except Exception as error:
            found[1] = error
    distributed.broadcast_object_list(found)
    if found[1] is not None:
        raise found[1]
    return found[0]


def wait() -> None:
    """Wait until every process is here."""
    if machine.processes() > 1:
        distributed.barrier()


def check(batch: int) -> None:
    """Raise ValueError for a batch that has no equal shares."""
    if batch % machine.processes():
        raise ValueError(f"{machine.processes()} processes cannot share a batch of {batch} equally; choose a multiple")


def share(rows: Sequence) -> Sequence:
    """This process's rows of a batch: every n-th, so that long ones are spread. Two of five: [0, 2, 4] and [1, 3]."""
    return rows[machine.rank() :: machine.processes()]


# What happens to a run whose settings are right: no memory for a step, no room for a save. Errors say what to do.

# How torch, C++ and oneDNN say that there is no memory.
NO_MEMORY = ("can't allocate memory", "not enough memory", "bad_alloc", "out of memory", "create a primitive")


@contextmanager
def room_in_memory(step: int, rows: int, length: int) -> Iterator[None]:
    """Around a step of training on a batch of (rows, length). Raises MemoryError with what to do."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(sign in str(error) for sign in NO_MEMORY):
            raise
        wider = " or shorter examples" if length > 64 else ""
        raise MemoryError(
            f"no memory for step {step}, with {rows} examples of up to {length} tokens: take a smaller batch{wider}, "
            "or close other programs; the model has the weights of the step before"
        ) from error


def give_memory_back() -> None:
    """Return memory that was freed to the system, in some milliseconds: the GNU C library keeps what lies between
    pieces still in use, and a long training would grow by such holes. With another C library nothing happens.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def room_on_disk(what: str, out: Path) -> Iterator[None]:
    """Around a save into a run's folder. Raises OSError with what is left to go on from, for any error of a library."""
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        free = machine.free_disk(out) / 1e6
        short = next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]  # torch adds its call stack
        raise OSError(
            f"{what} could not be saved in {out}, where {free:,.0f} MB are free ({short}): make room and go on "
            "with resume from the newest whole checkpoint, or from the beginning where there is none yet"
        ) from error


def put_right(model: torch.nn.Module) -> None:
    """Leave a model ready for prompts, without gradients of a step that did not end."""
    model.zero_grad(set_to_none=True)
    model.eval()


# The folder of a training run.
#
#     out/run.json          settings, whether the run is finished, what it took
#     out/checkpoint-50/    what the Trainer saved after 50 steps; whole when it holds the file COMPLETE
#     out/model/            the trained model, once the run is finished
#     out/adapter/          its adapters alone, where it was tuned with some
#
# The Trainer writes a checkpoint in place, so a kill inside a save leaves a broken one; the mark is set behind the
# save.

COMPLETE = "COMPLETE"
KEPT = 2  # checkpoints, the newest
RENAMED = {"look_every": "eval_steps", "keep_every": "save_steps"}  # settings of a recipe


class Mark(TrainerCallback):
    """Marks a checkpoint as whole once the Trainer has saved it, and removes those before the last two: the Trainer
    would tell their age by the clock of the file system. After the last step the model is saved instead.
    """

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step >= state.max_steps:
            control.should_save = False

    def on_save(self, args, state, control, **kwargs):
        wait()
        if machine.is_first():
            (Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE).touch()
            for old in sorted(Path(args.output_dir).glob("checkpoint-*"), key=_step)[:-KEPT]:
                shutil.rmtree(old)


def begin(out: Path, settings: dict, resume: bool) -> Path | None:
    """Open a run's folder; the checkpoint to go on from, None to start from the beginning.

    Broken checkpoints are removed. Raises ValueError when the folder holds a run and `resume` is False, a finished
    run, or a run with other settings.
    """
    settings = json.loads(json.dumps(settings))
    if (out / "run.json").is_file():
        before = json.loads((out / "run.json").read_text(encoding="utf-8"))
        if before["finished"]:
            raise ValueError(f"{out} holds a finished run; its model is {out / 'model'}. Choose another folder")
        if not resume:
            raise ValueError(f"{out} holds an unfinished run; go on with it (resume), or choose another folder")
        kept = before["settings"]
        if "recipe" in kept:  # of an older run, with the names of today
            kept = kept | {"recipe": {RENAMED.get(name, name): value for name, value in kept["recipe"].items()}}
        if kept != settings:
            raise ValueError(f"{out} was begun with {before['settings']}, got {settings}; resume needs the same")
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} is not empty and holds no run; choose another folder")
    out.mkdir(parents=True, exist_ok=True)
    _write(out, {"settings": settings, "finished": False})
    for checkpoint in out.glob("checkpoint-*"):
        if not (checkpoint / COMPLETE).is_file():
            shutil.rmtree(checkpoint)
    return max(out.glob("checkpoint-*"), key=_step, default=None)


def finish(out: Path, about: dict) -> None:
    """Note that a run is finished, and what it took; remove its checkpoints, since the model is saved."""
    _write(out, json.loads((out / "run.json").read_text(encoding="utf-8")) | {"finished": True} | about)
    for checkpoint in out.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)


def finished(out: Path) -> bool:
    """Whether a folder holds a finished run."""
    about = out / "run.json"
    return about.is_file() and json.loads(about.read_text(encoding="utf-8"))["finished"]


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("checkpoint-"))


def _write(out: Path, content: dict) -> None:
    places.write(out / "run.json", json.dumps(content, indent=1))
