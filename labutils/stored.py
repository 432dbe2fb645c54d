"""The form in which a notebook is stored, and its page.

Owns the cleaning, the whole-or-not-at-all write and the HTML. Leaves out execution (`run`).
"""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from labutils import places

if TYPE_CHECKING:
    from nbformat import NotebookNode

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
