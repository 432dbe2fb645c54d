"""Notebook 04 where the hub model is not on the machine: it needs only what is bundled."""

import pytest

from labutils import places, run


@pytest.mark.timeout(900)
def test_04_runs_without_the_hub_model(tmp_path, monkeypatch):
    monkeypatch.setenv("LABUTILS_HOME", str(tmp_path))
    notebook, result = run.execute(places.NOTEBOOKS / "04_finetuning.ipynb")
    assert result.error == ""
    shown = "\n".join(str(o.get("data", o)) for cell in notebook.cells for o in cell.get("outputs", []))
    assert "base: 6,917,376 weights" in shown
    assert result.peak_mb * 1e6 < 1.5 * 2**30
