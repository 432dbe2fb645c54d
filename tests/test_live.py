"""The progress line of a run: what it says on the way and at the end, and that it renews itself instead of growing."""

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from labutils.lesson import live
from labutils.model.training import Progress


def at(step: int) -> Progress:
    return Progress(step, steps=20, loss=1.25, held_out=None, tokens_per_second=1234.5, seconds_left=61.2)


@pytest.fixture
def page(monkeypatch):
    """Every state of the one output that a run has in a notebook."""
    states = []

    class Handle:
        def update(self, shown):
            states.append(shown.data)

    monkeypatch.setattr(live, "display", lambda shown, display_id: Handle())
    return states


def test_what_it_tells_and_when(page, monkeypatch):
    live.progress(seconds=0)(at(3))
    assert "step 3 of 20 · loss 1.250 · 1,234 tokens a second · 1:01 left" in page[0]
    tell = live.progress(seconds=60)
    for step in range(1, 21):
        tell(at(step))
    assert len(page) == 3, "between two renewals it is quiet"
    assert "step 20 of 20 · done" in page[-1] and "loss" not in page[-1]
    made, handle = [], type("H", (), {"update": print})
    monkeypatch.setattr(live, "display", lambda shown, display_id: made.append(shown) or handle)
    tell = live.progress(seconds=0)
    tell(at(20))
    tell(at(1))
    assert len(made) == 2, "a second run has a line of its own"


def test_a_run_that_ends_early_is_said_to_have_ended(page, monkeypatch):
    ended = []
    monkeypatch.setattr(live, "_after_cell", ended.append)
    tell = live.progress(seconds=60)
    for step in range(1, 8):
        tell(at(step))
    ended.pop()()
    assert "step 7 of 20 · ended here" in page[-1] and "left" not in page[-1] and "loss" not in page[-1]
    tell(at(20))
    ended.pop()()
    assert "done" in page[-1]


def test_an_interrupted_cell_ends_its_line():
    cell = (
        "import os, signal, time\nfrom labutils.lesson import live\nfrom labutils.model.training import Progress\n"
        "tell = live.progress()\nfor step in range(1, 9):\n"
        "    tell(Progress(step, steps=20, loss=1.0, held_out=None, tokens_per_second=1.0, seconds_left=9.0))\n"
        "os.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    with pytest.raises(CellExecutionError):
        NotebookClient(notebook, kernel_name="python3", extra_arguments=["--log-level=ERROR"]).execute()
    assert "step 8 of 20 · ended here" in notebook.cells[0].outputs[0].data["text/html"]


@pytest.mark.parametrize(
    ("takes", "later", "due"), [(0, 0.9, False), (0, 1.0, True), (2, 17.9, False), (2, 18.0, True)]
)
def test_a_picture_takes_a_tenth_of_the_time(monkeypatch, takes, later, due):
    now = [100.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    pace = live.Pace(seconds=1.0)
    assert pace.due()
    with pace.spent():
        now[0] += takes
    now[0] += later
    assert pace.due() == due
