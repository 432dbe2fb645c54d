"""Several processes that train one model, each on its share of every batch: what they agree on, and what they do when
one of them is gone. In a single process everything here does nothing.
"""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from accelerate import PartialState
from torch import distributed
from transformers.utils import logging

from labutils import ranks

GONE = ("by peer", "broken pipe", "timed out", "timeout", "remote process exited")  # so gloo and NCCL name it


class Left(ConnectionError):
    """A process of the run has ended before its time, so the others cannot go on."""


@contextmanager
def together(out: str | Path | None) -> Iterator[None]:
    """Join the other processes for the length of a run.

    Raises Left, in one line that says how to go on, when one of them has ended: its connections break, or `torchrun`,
    which ends all when one has ended, sends the signal to stop.
    """
    if ranks.size() == 1:
        yield
        return
    PartialState(cpu=not torch.cuda.is_available())  # NCCL between GPUs, gloo between CPUs
    if not ranks.first():
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
    if ranks.size() == 1:
        return decide()
    found = [None, None]
    if ranks.first():
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
    if ranks.size() > 1:
        distributed.barrier()


def check(batch: int) -> None:
    """Raise ValueError for a batch that has no equal shares."""
    if batch % ranks.size():
        raise ValueError(f"{ranks.size()} processes cannot share a batch of {batch} equally; choose a multiple")


def share(rows: Sequence) -> Sequence:
    """This process's rows of a batch: every n-th, so that long ones are spread. Two of five: [0, 2, 4] and [1, 3]."""
    return rows[ranks.rank() :: ranks.size()]
