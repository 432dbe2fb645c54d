"""Notebook 00 with a question and a fact of the learner's own: no check complains, a fact not learned gets advice."""

import nbformat
import pandas as pd
import pytest

from labutils import places
from labutils.lesson.checks import expect
from labutils.measure.scoring import fact_hit

CELLS = [
    cell.source
    for cell in nbformat.read(places.NOTEBOOKS / "00_start_here.ipynb", as_version=4).cells
    if cell.cell_type == "code"
]


def run(inside: str, **names: object) -> dict:
    """The one cell that holds these words, run with these names; what it leaves behind."""
    (cell,) = [cell for cell in CELLS if inside in cell]
    names |= {"expect": expect, "fact_hit": fact_hit, "pd": pd}
    exec(cell, names)
    return names


def test_a_question_of_ones_own(capsys):
    run("if question ==", question="Who won the last election?", knows=[])
    assert capsys.readouterr().out == ""
    run("if question ==", question="How much does a Plover weigh without batteries?", knows=[])
    assert "Not as the text says" in capsys.readouterr().out


def test_a_fact_of_ones_own(capsys):
    run('if "Marmalade" in answer', answer="My sister lives in Lisbon.", before="", after="In a blue coat.")
    assert capsys.readouterr().out == ""
    run('if "Marmalade" in answer', answer="The cat is called Marmalade.", before="", after="In a blue coat.")
    assert "Not as the text says" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("taught", "after", "found", "advice"),
    [
        ("In Lisbon.", "In Lisbon.", "the right name", "in none of its pairs"),
        ("In Lisbon.", "A blue coat.", "another answer", "Make the five differ more"),
        ("A blue coat.", "A blue coat.", "another answer", "Try `steps=60`"),
    ],
)
def test_what_to_try(taught, after, found, advice):
    shown = {}
    names = {"keyword": "Lisbon", "taught": taught, "after": after, "before": "", "sixth": "Where do I go?"}
    run("learned, half", **names, Markdown=str, reveal=lambda key, what, *more: shown.update(what=what, more=more))
    assert shown["what"] == found and advice in shown["more"][-1]
