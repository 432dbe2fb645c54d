"""Which process of a run this is, where `torchrun` starts several: its rank, their number, and who speaks.

`torchrun` (https://docs.pytorch.org/docs/stable/elastic/run.html) says so in the environment of each. Standard library
only; what the processes do together is the business of `model.checkpoints`.
"""

from __future__ import annotations

import os
import sys
import time

PATIENCE = 50.0  # seconds that the others wait for the first process to say what is wrong


def size() -> int:
    """The number of processes that work together; 1 where nothing started several."""
    return int(os.environ.get("WORLD_SIZE", 1)) if "LOCAL_RANK" in os.environ else 1


def rank() -> int:
    """This process's place among them: 0 to size - 1."""
    return int(os.environ.get("RANK", 0)) if size() > 1 else 0


def first() -> bool:
    """Whether this is the process that speaks and writes for all."""
    return rank() == 0


def say(text: str) -> None:
    """A line on stderr, from the first process only."""
    if first():
        print(text, file=sys.stderr)


def leave_to_first() -> bool:
    """Whether another process says what every process has found out.

    `torchrun` ends all as soon as one has ended, so the others wait until the first has spoken.
    """
    if first():
        return False
    time.sleep(PATIENCE)
    return True
