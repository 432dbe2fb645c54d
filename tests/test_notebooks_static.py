"""The stored notebooks keep the rules, and every rule sees what breaks it."""

import copy
from pathlib import Path

import nbformat
import notebook_rules as rules
import pytest
from nbformat import NotebookNode

from labutils import places
from labutils.lesson import checks

NOTEBOOKS = sorted(places.NOTEBOOKS.glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_keeps_the_rules(path: Path):
    assert rules.complaints(nbformat.read(path, as_version=4), path.name) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_errors_are_sentences_from_the_first_cell_on(path: Path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert "explain_errors()" in cells[0].source


def test_no_two_notebooks_have_one_number():
    numbers = [path.name[:2] for path in NOTEBOOKS]
    assert len(set(numbers)) == len(numbers)


def code(source: str, *outputs: NotebookNode, tag: str = "") -> NotebookNode:
    cell = nbformat.v4.new_code_cell(source, outputs=list(outputs))
    if tag:
        cell.metadata.tags = [tag]
    return cell


def check(*outputs: NotebookNode, source: str = "expect(1, 'x')") -> NotebookNode:
    cell = code(source, *outputs, tag=rules.CHECK)
    cell.metadata.jupyter = {"source_hidden": True}
    return cell


def stream(text: str, name: str = "stdout") -> NotebookNode:
    return nbformat.v4.new_output("stream", name=name, text=text)


def result(**data: str) -> NotebookNode:
    return nbformat.v4.new_output("display_data", {f"text/{kind}": text for kind, text in data.items()})


def error() -> NotebookNode:
    return nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=["ValueError: no"])


def small(*cells: NotebookNode, imports: str = "import os") -> NotebookNode:
    """A notebook in order: text, an import cell, these cells, counted."""
    text = nbformat.v4.new_markdown_cell("# A subject\nYour files go to `notebooks/work/`.")
    numbered = enumerate([text, code(imports), *cells])
    cells = [NotebookNode({**copy.deepcopy(cell), "id": f"cell-{number}"}) for number, cell in numbered]
    notebook = nbformat.v4.new_notebook(cells=cells)
    for count, cell in enumerate(notebook.cells[1:], start=1):
        cell.execution_count = count
    return notebook


def changed(change) -> NotebookNode:
    notebook = small(code("1"))
    change(notebook)
    return notebook


PLAIN = [code(f"x = {n}") for n in range(4)]
GOOD = {
    "plain": small(code("%matplotlib inline\n1 + 1", result(plain="2"))),
    "an expected error": small(code("1 / 0", error(), tag="raises-exception")),
    "15 lines": small(code("1", stream("x\n" * 10), result(plain="x\n" * 5))),
    "a table's plain text": small(code("1", result(plain="x\n" * 60, html="<table>"))),
    "20 lines and blank ones": small(code("x = 1\n\n" * 20)),
    "100 characters": small(code("x = '" + "y" * 94 + "'")),
    "40 cells where no check is folded": small(*[code("1")] * 39),
    "30 cells, checks and exercises": small(*[code("1")] * 29, *[check()] * 9, *[code("exercises.a.check(...)")] * 5),
    "one in three": small(code("1", tag=rules.IGNORED), code("assert True")),
    "a folded check behind what differs": small(code("1", tag=rules.IGNORED), check()),
    "words that only look alike": small(code("hf_hub_download = 'https://x.org/home/a'")),
}
BROKEN = {
    "valid": [changed(lambda nb: nb.cells[1].metadata.update(tags=["a,b"]))],
    "counted": [
        changed(lambda nb: nb.cells[1].update(execution_count=None)),
        changed(lambda nb: nb.cells[2].update(execution_count=7)),
    ],
    "no_errors": [small(code("1", error())), small(code("1", stream(f"{checks.NOT_SO}: expected 1.")))],
    "no_stderr": [small(code("1", stream("10%", "stderr")))],
    "no_warnings": [small(code("1", stream("FutureWarning: x"))), small(code("1", result(html="<b>UserWarning</b>")))],
    "no_places": [
        small(code("open('/home/ann/x')")),
        small(code("1", result(plain="'/root/x'"))),
        small(code("1", stream("C:\\Users\\ann"))),
        changed(lambda nb: nb.cells[0].update(source="see /tmp/x")),
        changed(lambda nb: nb.cells[0].update(source="see /work/x")),
    ],
    "short": [small(*[code("1")] * 40), small(*[code("1")] * 30, check())],
    "folded_checks": [
        small(code("expect(1, 'x')", tag=rules.CHECK)),
        small(check(stream("x"))),
        small(check(source="assert 1")),
        small(check(source="expected = 1")),
    ],
    "short_cells": [small(code("x = 1\n" * 21))],
    "short_lines": [small(code("x = 1\nx = '" + "y" * 95 + "'"))],
    "short_outputs": [
        small(code("1", stream("x\n" * 16))),
        small(code("1", result(plain="x\n" * 16))),
        small(code("1", stream("x\n" * 8), stream("y\n" * 8))),
    ],
    "light_outputs": [small(code("1", result(html="x" * 300_001)))],
    "few_ignored": [
        small(code("1", tag=rules.IGNORED), code("assert 1"), code("2", tag=rules.IGNORED), code("assert 2")),
        small(code("# NBVAL_SKIP\n1")),
        small(code("1", tag="nbval-skip")),
    ],
    "ignored_are_checked": [
        small(*PLAIN, code("1", tag=rules.IGNORED)),
        small(*PLAIN, code("1", tag=rules.IGNORED), code("2"), code("assert 1")),
        small(*PLAIN, *PLAIN, code("1", tag=rules.IGNORED), code("check(1)", tag=rules.IGNORED), code("assert 1")),
    ],
    "one_import_cell": [
        small(code("import sys")),
        small(imports="1"),
        small(code("def f():\n    from sys import path")),
    ],
    "no_stars": [small(imports="from os import *")],
    "no_attachments": [changed(lambda nb: nb.cells[0].update(attachments={"a.png": {"image/png": "eA=="}}))],
    "no_tokens": [small(code("t = 'hf_" + "a" * 20 + "'")), small(code("1", stream("hf_" + "B7" * 12)))],
}


@pytest.mark.parametrize("notebook", GOOD.values(), ids=GOOD)
def test_a_small_notebook_in_order(notebook):
    assert rules.complaints(notebook, "05_small.ipynb") == []


@pytest.mark.parametrize(
    ("rule", "notebook"),
    [pytest.param(rule, each, id=rule) for rule, notebooks in BROKEN.items() for each in notebooks],
)
def test_what_breaks_a_rule_is_seen_by_that_rule_alone(rule, notebook):
    complaining = [each.__name__ for each in rules.RULES if each(notebook, "05_small.ipynb")]
    assert complaining == [rule]


@pytest.mark.parametrize(
    "name", ["5_small.ipynb", "05-small.ipynb", "05_Small.ipynb", "small.ipynb", "05_small .ipynb"]
)
def test_a_name_out_of_order(name):
    assert rules.named_in_order(GOOD["plain"], name) != []


def test_every_rule_has_a_notebook_that_breaks_it():
    assert {rule.__name__ for rule in rules.RULES} == {*BROKEN, "named_in_order"}


def test_notebook_03_compares_more():
    notebook = small(code("1", tag=rules.IGNORED), code("assert True"), *PLAIN[:2])
    assert rules.few_ignored(notebook, "05_small.ipynb") == []
    assert rules.few_ignored(notebook, "03_pairs.ipynb") == ["1 of 5 code cells are not compared"]
    notebook = small(code("1", tag=rules.IGNORED), code("assert True"), *PLAIN[:3])
    assert rules.few_ignored(notebook, "03_pairs.ipynb") == []
