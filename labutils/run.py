"""Execute notebooks as a newcomer would: a fresh kernel, in the notebook's folder, top to bottom, stopping at an error.

Owns their time and peak memory, their stored form, and the command `run`. Comparing outputs is nbval's.
"""

from __future__ import annotations

import argparse
import copy
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labutils import offline, places
from labutils.suite import CELL_SECONDS, environment

if TYPE_CHECKING:
    from nbformat import NotebookNode

INTERVAL = 0.1  # seconds between two looks


class PeakMemory(threading.Thread):
    """Watches a process tree until `stop()` returns its peak in MB.

    Sums resident memory, so pages that processes share count more than once. On Linux the first process's own
    high-water mark (VmHWM in /proc/PID/status) catches a peak between two looks.
    """

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.pid, self.peak, self.over = pid, 0, threading.Event()

    def run(self) -> None:
        """Look until told to stop, or until the process is gone."""
        import psutil

        while not self.over.is_set():
            try:
                root = psutil.Process(self.pid)
                tree = [root, *root.children(recursive=True)]
            except psutil.Error:
                return
            self.peak = max(self.peak, sum(map(_resident, tree)), self._high_water())
            self.over.wait(INTERVAL)

    def _high_water(self) -> int:
        try:
            found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        except OSError:
            return 0
        return int(found[1]) * 1024 if found else 0

    def stop(self) -> float:
        """End the watch; the peak in MB."""
        self.over.set()
        self.join()
        return self.peak / 1e6


def _resident(process: object) -> int:
    import psutil

    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
WIDGET = "application/vnd.jupyter.widget-view+json"  # without a kernel a sentence about an error would be shown for it
DROPPED = ("execution", "ExecuteTime", "collapsed", "scrolled", "trusted")  # what front ends leave in a cell


def forgotten(notebook: NotebookNode) -> NotebookNode:
    """A copy without outputs and counts: what is there after a run then comes from this run."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def cleaned(notebook: NotebookNode) -> NotebookNode:
    """A copy as it is stored: counts 1..n, one kernel name, no widgets but their text, no timing, no micro version."""
    notebook = copy.deepcopy(notebook)
    language = {"name": "python", "version": "{}.{}".format(*sys.version_info), "file_extension": ".py"}
    notebook.metadata = type(notebook)({"kernelspec": KERNEL, "language_info": language})
    for cell in notebook.cells:
        for name in DROPPED:
            cell.metadata.pop(name, None)
    for count, cell in enumerate(code_cells(notebook), start=1):
        cell.execution_count = count
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
            output.get("data", {}).pop(WIDGET, None)
    return notebook


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that run, in order; the number of one in the notebook is its place here, from 1."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def save(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook whole or not at all."""
    import nbformat

    places.write(path, nbformat.writes(notebook) + "\n")


def write_html(notebook: NotebookNode, path: Path) -> None:
    """One notebook as a page that needs no kernel."""
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter(template_name="lab").from_notebook_node(notebook)
    path.parent.mkdir(parents=True, exist_ok=True)
    places.write(path, page)


HTML = places.ROOT / "build" / "html"


@dataclass(frozen=True)
class Result:
    """One notebook's execution."""

    notebook: Path
    seconds: float
    peak_mb: float  # of the kernel and its child processes together
    error: str = ""  # "cell 3: ValueError: ..."; empty when every cell ran


def find(names: Sequence[str]) -> list[Path]:
    """Notebooks by path or number prefix ("03"); all of them, in order, without a name. Raises FileNotFoundError where
    there is none of that name.
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

    `html` is a folder for one page each, or None. With `store`, a notebook that ran to its end is saved in place,
    cleaned; else files are left alone. `tell` is given each result as soon as it is there.
    """
    results = []
    for path in paths:
        notebook, result = execute(path)
        if html:
            write_html(notebook, html / f"{path.stem}.html")
        if store and not result.error:
            save(cleaned(notebook), path)
        results.append(result)
        tell(result)
    return results


def execute(path: Path) -> tuple[NotebookNode, Result]:
    """Run one notebook; the notebook as far as it came, and how it went."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, DeadKernelError

    notebook = forgotten(nbformat.read(path, as_version=4))
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

    def tell(result: Result) -> None:
        row = f"{result.notebook.name:<32} {result.seconds / 60:7.2f} {result.peak_mb:8.0f}  {result.error or 'ok'}"
        print(row, flush=True)

    return 1 if any(result.error for result in run(paths, HTML, asked.store, tell)) else 0


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
