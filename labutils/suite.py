"""The suite behind the command `test`: style, tests, notebooks, package index; every step runs, then the sum.

Owns the steps, their order and their environment. Leaves out the set-up (`bootstrap`) and the network block
(`offline`). Needs the test extras.
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from labutils import machine, offline, places

GROUPS = ("tests", "notebooks", "index")
CELL_SECONDS = 3000  # ten times what the longest cell takes, so that a slow machine fails nothing
WORKERS = 4  # test files side by side, at most: each worker may hold a model and a browser
NO_TESTS = 5  # pytest's exit code where it found nothing to run


@dataclass(frozen=True)
class Step:
    """One command of the suite."""

    name: str
    argv: list[str]  # without the Python in front
    blocked: bool = False  # runs inside the network block
    may_be_empty: bool = False  # finding no test is no failure
    workers: int = 1  # that share the cores


def steps(slow: bool, only: str | None, notebooks: list[Path]) -> list[Step]:
    """The steps of a run, in order.

    Args:
        slow: with the group of slow tests.
        only: one of GROUPS, or None for all.
        notebooks: what the notebook step executes and compares; no such step without any.
    """
    pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
    marks = ("not index", "index") if slow else ("not slow and not index", "index and not slow")
    workers = min(machine.cores(), WORKERS)
    beside = ["-n", str(workers), "--dist", "loadfile"] if workers > 1 else []
    nbval = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout", str(CELL_SECONDS)]
    every = {
        "tests": [
            Step("style", ["-m", "ruff", "check", "."]),
            Step("layout", ["-m", "ruff", "format", "--check", "."]),
            Step("tests", [*pytest, "-rfEs", *beside, "-m", marks[0], "tests"], blocked=True, workers=workers),
        ],
        "notebooks": [Step("notebooks", [*pytest, *nbval, *map(str, notebooks)], blocked=True, may_be_empty=True)],
        "index": [Step("package index", [*pytest, "-m", marks[1], "tests"], may_be_empty=True)],
    }
    if not notebooks:
        del every["notebooks"]
    return [step for group, members in every.items() if only in (None, group) for step in members]


def environment(workers: int = 1) -> dict[str, str]:
    """This process's environment, without what would make a notebook behave differently from a newcomer's; and the
    word that nobody sits in front of it, so that nobody's predictions are in its outputs. Several workers take a share
    of the cores each.
    """
    dropped = {"MPLBACKEND", "HF_HUB_OFFLINE", "PYTHONHASHSEED"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    threads = {"OMP_NUM_THREADS": str(max(1, machine.cores() // workers))} if workers > 1 else {}
    return {**kept, **threads, "TOKENIZERS_PARALLELISM": "false", "LABUTILS_UNATTENDED": "1"}


def passes(step: Step, code: int) -> bool:
    """Whether an exit code is a success of this step."""
    return code == 0 or (code == NO_TESTS and step.may_be_empty)


def perform(step: Step) -> tuple[bool, float]:
    """Run one step with its output in the open; whether it passed, and its minutes."""
    argv = [sys.executable, *step.argv]
    print(f"\n== {step.name}", flush=True)
    started = time.monotonic()
    argv = offline.command(argv) if step.blocked else argv
    code = subprocess.run(argv, cwd=places.ROOT, env=environment(step.workers)).returncode
    return passes(step, code), (time.monotonic() - started) / 60


def add_options(parser: argparse.ArgumentParser) -> None:
    """The suite's options, for this module and for the command line."""
    parser.add_argument("--slow", action="store_true", help="with the slow group: long kill tests, research grids")
    parser.add_argument("--only", choices=GROUPS, help="one group of steps")


def main(argv: list[str] | None = None) -> int:
    """Run the suite and sum it up; 1 if any step failed."""
    parser = argparse.ArgumentParser(prog="python3 -m labutils test")
    add_options(parser)
    asked = parser.parse_args(argv)
    done = [(step, *perform(step)) for step in steps(asked.slow, asked.only, sorted(places.NOTEBOOKS.glob("*.ipynb")))]
    print("\n== summary")
    for step, passed, minutes in done:
        print(f"{step.name:<14} {minutes:5.1f} min  {'passed' if passed else 'FAILED'}")
    return 0 if all(passed for _, passed, _ in done) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
