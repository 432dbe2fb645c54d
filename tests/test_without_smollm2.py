"""Notebooks where the hub model is not on the machine: they need only what is bundled, and little memory."""

import pytest

from labutils import places, run

MOST = 1700  # MB, with all cells run; 02 takes 1,620 to 1,651 on a processor with AMX
QUICK = {"04_finetuning"}  # trains most; the others are in the slow group
PATHS = sorted(places.NOTEBOOKS.glob("*.ipynb"))


@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.stem, marks=() if path.stem in QUICK else pytest.mark.slow) for path in PATHS]
)
def test_a_notebook_runs_without_the_hub_model(path, tmp_path, monkeypatch):
    monkeypatch.setenv("LABUTILS_HOME", str(tmp_path))
    notebook, result = run.execute(path)
    assert result.error == ""
    assert result.peak_mb <= MOST
    if path.stem == "04_finetuning":
        shown = "\n".join(str(o.get("data", o)) for cell in notebook.cells for o in cell.get("outputs", []))
        assert "base: 6,917,376 weights" in shown
