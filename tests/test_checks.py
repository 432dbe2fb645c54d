"""Checks that speak in a sentence, and kernels that do; what fails for nbval fails still."""

import os
import subprocess
import sys
from contextlib import nullcontext

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from labutils import places
from labutils.lesson import checks

FIRST = "from labutils.lesson import checks\nchecks.explain_errors()"
MAKES = "rows = 1\n{row for row in range(9)}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((True, "x"), ""),
        ((np.bool_(True), "x"), ""),
        ((False, "more than 4 pairs"), "Not as the text says: expected more than 4 pairs.\n"),
        ((0, "a", 3, "It is cut."), "Not as the text says: expected a, got 3. It is cut.\n"),
        ((None, "a", "x" * 300), f"Not as the text says: expected a, got {'x' * 200} ....\n"),
    ],
)
def test_an_expectation_is_silent_or_a_sentence(given, said, capsys):
    checks.expect(*given)
    assert capsys.readouterr().out == said


def test_a_condition_that_is_no_condition_is_a_sentence(capsys):
    checks.expect(np.array([True, False]), "all of them")
    assert "neither true nor false (ValueError)" in capsys.readouterr().out


def test_outside_a_kernel_nothing_happens():
    checks.explain_errors()


def executed(tmp_path, *sources: str, session: bool = False, on: bool = False) -> nbformat.NotebookNode:
    """Cells run in a kernel behind the first, until one fails, or `on`; with `session` it is started as JupyterLab
    does.
    """
    cells = [nbformat.v4.new_code_cell(source) for source in (FIRST, *sources)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbformat.write(notebook, tmp_path / "05_small.ipynb")
    environment = os.environ | ({"JPY_SESSION_NAME": str(tmp_path / "05_small.ipynb")} if session else {})
    client = NotebookClient(notebook, kernel_name="python3", extra_arguments=["--log-level=ERROR"], allow_errors=on)
    with nullcontext() if on else pytest.raises(CellExecutionError):
        client.execute(env=environment)
    return notebook


def shown(notebook: nbformat.NotebookNode, number: int) -> str:
    """What a cell shows, in one string; an error is its name alone."""
    return "".join(output.get("text", output.get("ename", "")) for output in notebook.cells[number].outputs)


def test_a_missing_name_an_interrupt_and_other_errors(tmp_path):
    found = shown(executed(tmp_path, "rows", "2"), 1)
    assert found.startswith("`rows` is not there yet: run the cells above first (menu Run, Run All Above Selected Cell")
    assert found.count("\n") == 1
    found = shown(executed(tmp_path, "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)"), 1)
    assert found == checks.STOPPED + "\n"
    assert shown(executed(tmp_path, "1 / 0"), 1) == "ZeroDivisionError"
    assert shown(executed(tmp_path, "int('x')"), 1) == "ValueError", "not refused by labutils"
    inside = "from labutils.measure.intervals import share\nshare([True, 'x'])"
    assert shown(executed(tmp_path, inside), 1) in ("TypeError", "ValueError"), "a fault inside labutils"
    found = shown(executed(tmp_path, "from labutils.pairs import own\nown.read('nowhere.csv')"), 1)
    assert found.startswith("FileNotFoundError: no file nowhere.csv in ") and found.count("\n") == 1
    assert shown(executed(tmp_path, "import ast\nexec('missing', {})"), 1) == "NameError"


def test_what_a_stopped_cell_leaves_undone_is_a_sentence_until_it_has_run(tmp_path):
    stops = "made = {}\nif not globals().get('again'):\n    raise KeyboardInterrupt\nmade['x'] = 1"
    needs = "made['x']"
    ran = executed(
        tmp_path,
        "made = {}",
        "checks.expect(made['x'], 'x')",
        needs,
        stops,
        needs,
        "again = True",
        stops,
        needs,
        on=True,
    )
    assert shown(ran, 2).startswith("KeyError: 'x'. This check needs what the cells above make")
    assert shown(ran, 3) == "KeyError", "a fault of one's own"
    assert shown(ran, 4) == checks.STOPPED + "\n"
    assert "run the cell that begins with `made = {}` to its end" in shown(ran, 5)
    assert ran.cells[8].outputs[0]["data"]["text/plain"] == "1"
    ran = executed(tmp_path, stops, "int('x')", "again = True", stops, "made['y']", on=True)
    assert (shown(ran, 2), shown(ran, 5)) == ("ValueError", "KeyError"), "faults of one's own"


@pytest.mark.parametrize(
    ("line", "said"),
    [("rows", "run the cell that begins with `rows = 1`"), ("row", "no cell of this notebook makes it")],
)
def test_a_kernel_that_knows_its_notebook_names_the_cell(tmp_path, line, said):
    assert said in shown(executed(tmp_path, line, MAKES, session=True), 1)


def compared(tmp_path, notebook: nbformat.NotebookNode) -> str:
    """What strict nbval says of a notebook as it is stored."""
    for count, cell in enumerate(notebook.cells, start=1):
        cell.execution_count = count
    nbformat.write(notebook, tmp_path / "05_small.ipynb")
    argv = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env", "05_small.ipynb"]
    environment = os.environ | {"PYTHONPATH": str(places.ROOT)}
    done = subprocess.run([sys.executable, *argv], cwd=tmp_path, env=environment, capture_output=True, text=True)
    return done.stdout


@pytest.mark.parametrize("failing", ["rows", "checks.expect(False, 'x')", "raise KeyboardInterrupt"])
def test_strict_nbval_sees_every_sentence(tmp_path, failing):
    cells = [nbformat.v4.new_code_cell(source) for source in (FIRST, failing)]
    assert "1 failed, 1 passed" in compared(tmp_path, nbformat.v4.new_notebook(cells=cells))
