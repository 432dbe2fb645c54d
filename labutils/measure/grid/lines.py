"""The record of an experiment: a JSON line for each result, kept as soon as it is there. What a result means, and which
ones are wanted, is not known here.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from labutils.measure import experiments
from labutils.pairs.records import write_jsonl


def path(name: str) -> Path:
    """Where an experiment is recorded."""
    return experiments.RECORDED / f"{name}.jsonl"


@contextmanager
def alone(name: str) -> Iterator[None]:
    """While this process, and no other, writes a record. Raises ValueError where another one does.

    The system frees the lock when a process dies.
    """
    experiments.WORK.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(experiments.WORK / f"{name}.lock", timeout=0):
            yield
    except Timeout:
        raise ValueError(f"{name} is being recorded by another process; wait until it has ended, or stop it") from None


def read(name: str) -> list[dict]:
    """All lines of a record in their order; none where there is no record.

    What stands behind the last end of a line was cut off in the middle of writing, and is passed over. Raises
    ValueError naming any other line that is no JSON object.
    """
    file, found = path(name), []
    whole = file.read_bytes().split(b"\n")[:-1] if file.is_file() else []
    for number, line in enumerate(whole, 1):
        try:
            found.append(dict(json.loads(line)))
        except (ValueError, TypeError):
            raise ValueError(f"{file}, line {number}: expected a JSON object, got {line[:60]!r}") from None
    return found


def append(name: str, line: dict) -> None:
    """One more line at the end; where that fails (a full disk, a kill), the record is what it was."""
    replace(name, [*read(name), line])


def replace(name: str, lines: Sequence[dict]) -> None:
    """The whole record anew, or, on any error, the old one as it was."""
    experiments.RECORDED.mkdir(parents=True, exist_ok=True)
    write_jsonl(lines, path(name))
