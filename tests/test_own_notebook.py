"""Notebook 07 with a file of one's own in the place of the bundled one: every cell runs, the numbers are the file's."""

import csv
import itertools
import shutil

import nbformat
import pytest

from labutils import places, run

FILE = 'FILE = work / "support.csv"'
PLACES, THINGS, FEELINGS = (
    ("in the canteen", "at the gate", "on the ferry", "in room nine", "by the lake"),
    ("soup", "lamp", "ticket machine", "heating", "poster", "window"),
    {"broken": "repair", "excellent": "praise", "missing": "search", "too expensive": "complaint"},
)


@pytest.mark.slow
def test_a_csv_of_ones_own(tmp_path):
    with (tmp_path / "mine.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(("nr", "Ticket", "Category"))
        for nr, (place, thing, feeling) in enumerate(itertools.product(PLACES, THINGS, FEELINGS)):
            rows.writerow((nr, f'The {thing} {place}; it is "{feeling}".', FEELINGS[feeling]))
    found = executed(tmp_path, "mine.csv")
    assert "'Ticket' is the question, 'Category' the answer" in found
    assert "120 pairs" in found
    assert "labels: complaint, praise, repair, search" in found


def executed(folder, file: str) -> str:
    """The text of all outputs of a copy of the notebook in a folder, with its first line changed as the prose says."""
    path = folder / "07_own.ipynb"
    shutil.copy(next(places.NOTEBOOKS.glob("07_*.ipynb")), path)
    notebook = nbformat.read(path, as_version=4)
    cell = next(cell for cell in notebook.cells if cell.source.startswith(FILE))
    cell.source = cell.source.replace(FILE, f'FILE = "{file}"')
    nbformat.write(notebook, path)
    notebook, result = run.execute(path)
    assert result.error == ""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    said = (text for output in outputs for text in output.get("data", {"": output.get("text", "")}).values())
    return "\n".join(map(str, said))
