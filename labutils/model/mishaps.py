"""What happens to a run whose settings are right: no memory for a step, no room for a save. Errors say what to do."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from safetensors import SafetensorError

from labutils import machine

NO_MEMORY = ("can't allocate memory", "not enough memory", "bad_alloc", "out of memory")  # how torch and C++ say it


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
    """Return memory that was freed to the system, in some milliseconds.

    The GNU C library keeps what lies between pieces still in use, and a long training would grow by such holes. With
    another C library nothing happens.
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
        raise OSError(
            f"{what} could not be saved in {out}, where {free:,.0f} MB are free ({_short(error)}): make room and go on "
            "with resume from the newest whole checkpoint, or from the beginning where there is none yet"
        ) from error


def _short(error: Exception) -> str:
    """The first line of an error; torch prints its own call stack behind it."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def put_right(model: torch.nn.Module) -> None:
    """Leave a model ready for prompts, without gradients of a step that did not end."""
    model.zero_grad(set_to_none=True)
    model.eval()
