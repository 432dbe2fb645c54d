"""Execute notebooks as a newcomer would: a fresh kernel, in the notebook's folder, top to bottom, stopping at an error.

Owns the execution, its time, and the command `run`. Leaves out the stored form (`stored`), the watch on memory
(`peak`), the network block (`offline`) and comparing outputs (nbval does).
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labutils import offline, places, stored
from labutils.peak import PeakMemory
from labutils.suite import CELL_SECONDS, environment

if TYPE_CHECKING:
    from nbformat import NotebookNode

HTML = places.ROOT / "build" / "html"


@dataclass(frozen=True)
class Result:
    """One notebook's execution."""

    notebook: Path
    seconds: float
    peak_mb: float  # of the kernel and its child processes together
    error: str = ""  # "cell 3: ValueError: ..."; empty when every cell ran


def find(names: Sequence[str]) -> list[Path]:
    """Notebooks by path or number prefix ("03"); all of them, in order, without a name.

    Raises:
        FileNotFoundError: no notebook of that name.
    """
    everything = sorted(places.NOTEBOOKS.glob("*.ipynb"))
    return [notebook for name in names for notebook in _matching(name, everything)] if names else everything


def run(
    paths: Sequence[Path],
    html: Path | None = None,
    store: bool = False,
    tell: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Execute notebooks one after the other, each in a fresh kernel of this Python.

    Args:
        paths: the notebooks; their files are left alone unless `store` is set.
        html: a folder for one page each, or None.
        store: save a notebook that ran to its end in place, cleaned.
        tell: is given each result as soon as it is there.
    """
    results = []
    for path in paths:
        notebook, result = execute(path)
        if html:
            stored.write_html(notebook, html / f"{path.stem}.html")
        if store and not result.error:
            stored.save(stored.cleaned(notebook), path)
        results.append(result)
        tell(result)
    return results


def execute(path: Path) -> tuple[NotebookNode, Result]:
    """Run one notebook; the notebook as far as it came, and how it went."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, DeadKernelError

    notebook = stored.forgotten(nbformat.read(path, as_version=4))
    watches, reached = [], []

    def begin(**_: object) -> None:
        watches.append(PeakMemory(client.km.provisioner.pid))
        watches[0].start()

    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],  # or each kernel warns that its loopback connection is not encrypted
        resources={"metadata": {"path": str(path.parent.resolve())}},
        on_notebook_start=begin,
        on_cell_execute=lambda cell, cell_index: reached.append(cell_index),
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
    )
    error, started = "", time.monotonic()
    try:
        client.execute(env=environment())
    except (CellControlSignal, DeadKernelError) as problem:
        error = f"cell {len(reached)}: {_named(problem)}"
    peak = watches[0].stop() if watches else 0.0
    return notebook, Result(path, time.monotonic() - started, peak, error)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command `run`."""
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="path or number such as 03; all without one")
    parser.add_argument("--store", action="store_true", help="save the executed notebooks in place, cleaned")
    parser.add_argument("--offline", action="store_true", help="with the network blocked")


def main(asked: argparse.Namespace) -> int:
    """The command `run`: a table as it grows; 1 if any notebook failed."""
    paths = find(asked.notebooks)
    if asked.offline:
        argv = [sys.executable, "-m", "labutils", "run", *["--store"] * asked.store, *map(str, paths)]
        return subprocess.run(offline.command(argv)).returncode
    print(f"{'notebook':<32} {'minutes':>7} {'peak MB':>8}  result", flush=True)
    return 1 if any(result.error for result in run(paths, HTML, asked.store, _print_row)) else 0


def _print_row(result: Result) -> None:
    row = f"{result.notebook.name:<32} {result.seconds / 60:7.2f} {result.peak_mb:8.0f}  {result.error or 'ok'}"
    print(row, flush=True)


def _matching(name: str, everything: list[Path]) -> list[Path]:
    if re.fullmatch(r"\d+", name):
        found = [notebook for notebook in everything if notebook.name.startswith(name)]
    else:
        found = [Path(name)] if Path(name).is_file() else []
    if not found:
        there = ", ".join(notebook.name for notebook in everything) or "none"
        raise FileNotFoundError(f"no notebook {name!r}; in notebooks/: {there}")
    return found


def _named(problem: Exception) -> str:
    """An error in one line: its name and the first line of what it says."""
    name = getattr(problem, "ename", type(problem).__name__)
    said = getattr(problem, "evalue", str(problem)).strip().splitlines()
    return f"{name}: {said[0]}" if said else name
