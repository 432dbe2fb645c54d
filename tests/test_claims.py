"""The lecture's claims: boxes in notebooks, and the table that is made of them."""

import json

import pytest

from labutils import places
from labutils.lesson import claims


def test_a_box_shows_what_was_measured_and_keeps_it():
    box = claims.boxes({7: ("`base`: 18 of 20 <b>", "holds; mostly")})
    assert "<code>base</code>: 18 of 20 &lt;b&gt;" in box.data
    assert claims.CLAIMS[7] in box.data and "holds; mostly" in box.data
    assert box.metadata == {
        "claims": [{"claim": 7, "measured": "`base`: 18 of 20 <b>", "so": "holds; mostly", "notebook": "", "cell": 0}]
    }


@pytest.mark.parametrize("found", [{19: ("1", "holds")}, {1: ("1", "it holds")}])
def test_an_unknown_claim_or_conclusion_is_refused(found):
    with pytest.raises(ValueError, match="expected a claim from 1 to 18"):
        claims.boxes(found)


def test_the_table_is_made_from_what_is_stored(tmp_path):
    output = {"output_type": "execute_result", "metadata": {"text/html": claims.boxes({3: ("2|1", "open")}).metadata}}
    cells = [{"cell_type": "markdown"}, *({"cell_type": "code", "outputs": each} for each in ([], [output]))]
    (tmp_path / "02_reading.ipynb").write_text(json.dumps({"cells": cells}))
    assert [found.cell for found in claims.stored(tmp_path)] == [2]
    lines = claims.page(tmp_path).splitlines()
    assert f"| 3 | {claims.CLAIMS[3]} | 2\\|1 | open | [02](../notebooks/02_reading.ipynb), cell 2 |" in lines
    assert sum(line.endswith("| open: not measured |  |") for line in lines) == 17


def test_every_claim_is_measured_and_the_page_says_what_the_notebooks_say():
    assert {found.claim for found in claims.stored()} == set(claims.CLAIMS)
    assert claims.PAGE.read_text(encoding="utf-8") == claims.page(places.NOTEBOOKS)
