"""Every exercise: the starter runs unedited, the solution is right, each typical mistake is told what it is.

Cells are run as a notebook runs them, with the names that notebooks import.
"""

import ast
import json
import math
import os
import random
import re
import subprocess
import symtable
import sys
import tomllib
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from xml.etree import ElementTree

import nbformat
import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.model_selection import GroupShuffleSplit

from labutils import places
from labutils.corpus.quality import drop
from labutils.lesson import exercises, show
from labutils.lesson.exercises import EXERCISES, Exercise, Result
from labutils.lesson.exercises import exercise as core
from labutils.lesson.exercises.exercise import NOT_ATTEMPTED, NOT_YET, NOTEBOOKS, RIGHT, read_progress

NAMES = {
    "exercises": exercises, "random": random, "re": re, "json": json, "drop": drop, "math": math, "Counter": Counter,
    "pd": pd, "binomtest": binomtest, "GroupShuffleSplit": GroupShuffleSplit,
}  # fmt: skip
CHECKED = re.compile(r"\bexercises\.(\w+)\.check\(")
SEEDS = [0, 1, 2, "ann"]
HOSTILE = "<script>alert(1)</script> `</code><img src=x onerror=y>` \x1b[31m \u202e </div>\n&lt;"


@pytest.fixture(autouse=True)
def own_progress(monkeypatch, tmp_path):
    """A learner who has done nothing so far."""
    monkeypatch.setenv("LABUTILS_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(core.PROGRESS, "unsaved", {})


def evaluated(cell: str, what) -> object:
    """A cell is run but for its last line, which checks; then `what` of that line is worth this."""
    names, tree = dict(NAMES), ast.parse(cell)
    call = tree.body.pop().value
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(what(call)), "cell", "eval"), names)


def answer_of(cell: str) -> tuple:
    """What a cell hands in to its check."""
    return evaluated(cell, lambda call: ast.Tuple(call.args, ast.Load(), lineno=1, col_offset=0))


def run(cell: str) -> Result:
    """The value of a cell, as a notebook shows it."""
    return evaluated(cell, lambda call: call)


each = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)


@each
def test_the_starter_runs_unedited_and_the_solution_is_right(exercise):
    first, second = run(exercise.starter_cell()), run(exercise.starter_cell())
    assert first.state == NOT_ATTEMPTED
    assert (repr(first), first._repr_html_()) == (repr(second), second._repr_html_())
    assert [exercise.check(*dots).state for dots in [(), (...,), (..., ...), ([...],)]] == [NOT_ATTEMPTED] * 4
    assert not core.PROGRESS.path().exists()
    result = run(exercise.solution_cell())
    assert result.state == RIGHT
    assert len(result.message) > 20, "a right answer says what it is good for"
    assert read_progress()[exercise.name].right


@each
def test_typical_mistakes_are_told_apart(exercise):
    wrong = exercise.wrong()
    assert len({what for what, _, _ in wrong}) == len(wrong) >= 3
    said = {}
    for what, answer, says in wrong:
        result = exercise.check(answer)
        assert result.state == NOT_YET, what
        assert says and says in result.message, what
        assert "could not be read" not in result.message, what
        assert result.message not in said, f"{what} is told the same as {said.get(result.message)}"
        said[result.message] = what


@each
@pytest.mark.parametrize("seed", SEEDS)
def test_a_graded_version_is_another_one(exercise, seed):
    graded = exercise.variant(seed)
    assert graded.markdown() == exercise.variant(seed).markdown() != exercise.markdown()
    assert run(graded.starter_cell()).state == NOT_ATTEMPTED
    assert run(graded.solution_cell()).right
    practised = graded.check(*answer_of(exercise.solution_cell()))
    assert practised.state == NOT_YET
    assert "could not be read" not in practised.message
    for what, answer, _ in graded.wrong():
        assert graded.check(answer).state == NOT_YET, what
    assert read_progress() == {}, "what is graded is not practised"


@each
def test_seeds_give_many_versions(exercise):
    assert len({exercise.variant(seed).markdown() for seed in range(40)}) >= 20


def test_versions_and_messages_are_the_same_in_every_process():
    told = """
from labutils.lesson.exercises import EXERCISES
for exercise in EXERCISES:
    for version in (exercise, exercise.variant(5)):
        print(version.markdown(), version.solution_cell(), version.given())
        print([version._judged(wrong.answer) for wrong in version.wrong()])
"""
    argv = [sys.executable, "-c", told]
    environments = [{**os.environ, "PYTHONHASHSEED": seed} for seed in ("1", "2")]
    processes = [subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True) for env in environments]
    one, other = (process.communicate()[0] for process in processes)
    assert len(one) > 20_000
    assert one == other


def fails(*_):
    raise RuntimeError("do not look at me")


Raises = type("Raises", (), dict.fromkeys(("__eq__", "__len__", "__bool__"), fails) | {"__hash__": None})
ITSELF: list = []
ITSELF.append(ITSELF)
ODD = {
    "None": None, "no text": "", "a text": "x", "bytes": b"x", "0": 0, "-1": -1, "large": 10**400, "nan": float("nan"),
    "inf": float("inf"), "True": True, "no list": [], "no tuple": (), "a dict": {"train": 1, "test": 2}, "a set": {1},
    "lists": [[], []], "itself": ITSELF, "an object": object(), "an array": np.zeros((2, 2)), "nothing": np.array([]),
    "a series": pd.Series(["a", "b"]), "a frame": pd.DataFrame({"a": [1]}), "a generator": (i for i in "ab"),
    "a class": int, "a range": range(6), "a module": json, "an error": ValueError("x"), "None twice": [None, None],
    "six None": [None] * 6, "texts": ["x"] * 6, "empty dicts": [{}] * 6, "two dicts": ({}, {}), "it raises": Raises(),
    "raising parts": [Raises(), Raises()], "gives a text": lambda text: "x", "gives a number": lambda text: 3,
    "gives a list": lambda text: [[1], [2]], "gives wide places": lambda text: [(-5, 10**9)],
    "gives floats": lambda text: [(0.5, 1)], "takes two": lambda one, other: one, "raises": lambda text: 1 / 0,
    "gives what raises": lambda text: Raises(), "gives itself": lambda text: ITSELF, "complex": 1j,
}  # fmt: skip


@each
def test_no_answer_ends_in_a_traceback(exercise):
    silent = replace(exercise, seed="odd")  # a graded version writes no progress
    for odd, answer in ODD.items():
        result = silent.check(answer)
        assert result.state == silent.check(answer, answer).state == NOT_YET, odd
        assert "rais" in odd or "could not be read" not in result.message, odd
        assert "<script" not in result._repr_html_()


@each
def test_an_exercise_is_fit_to_be_read(exercise):
    cells, text = [exercise.starter_cell(), exercise.solution_cell()], exercise.markdown()
    told = [str(exercise.check(wrong.answer)) for wrong in exercise.wrong()]
    words = " ".join([text, *exercise.hints, *cells, *told])
    assert len(exercise.hints) >= 2
    assert "!" not in words and "THIS" not in words
    places = {"{question}", "{answer}"} | ({"{first}", "{second}"} if exercise.name == "next_word" else set())
    assert set(re.findall(r"\{[a-z_]\w*(?::[^{} ]*)?\}", words)) <= places, "other values are filled in"
    assert max(len(cell.splitlines()) for cell in cells) <= 20
    assert all(len(line) <= 120 for line in text.splitlines() if " " in line and line[:1] not in "{->")


def test_every_exercise_has_its_name_and_its_place():
    assert [getattr(exercises, name) for name in core.TEXTS] == list(EXERCISES), "as in the data, none without a module"
    assert [exercise.name for exercise in EXERCISES] == list(core.TEXTS)
    assert len({exercise.title for exercise in EXERCISES}) == len(EXERCISES)
    assert list(dict.fromkeys(exercise.subject for exercise in EXERCISES)) == list(NOTEBOOKS)
    assert sorted(NOTEBOOKS.values()) == [path.stem for path in sorted(places.NOTEBOOKS.glob("0[1-8]*.ipynb"))]
    for subject in NOTEBOOKS:
        sizes = [exercise.size for exercise in EXERCISES if exercise.subject == subject]
        assert 3 <= len(sizes) <= 5
        assert sizes == sorted(sizes, key=core.SIZES.index), "small, medium, open"
        assert set(sizes) == set(core.SIZES)


def test_an_installed_package_holds_the_words():
    declared = tomllib.loads((places.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert declared["package-data"]["labutils.lesson.exercises"] == ["*.toml"]


def test_values_are_filled_in_and_nothing_else(tmp_path):
    text, values = "{n:,} of {all}: {share:.0%}, {}, {0}, {no}, {n: x", {"n": 1200, "all": "{n}", "share": 0.256}
    assert core.filled(text, values) == "1,200 of {n}: 26%, {}, {0}, {no}, {n: x"
    (tmp_path / "09.toml").write_text("[a]\nb = c")
    with pytest.raises(ValueError, match=r"09\.toml is no TOML: .*line 2"):
        core.read_words(tmp_path / "09.toml")


def shown(source: str) -> tuple[str, set[str], set[str]]:
    """The text of a piece of HTML, its tags, their attributes; every tag is closed in order."""
    parts = list(ElementTree.fromstring(f"<i>{source}</i>").iter())
    text = "".join(parts[0].itertext())
    return text, {part.tag for part in parts[1:]}, {name for part in parts for name in part.attrib}


@pytest.mark.parametrize(
    ("state", "head"), [(NOT_ATTEMPTED, "○ not attempted:"), (NOT_YET, "△ not yet, because"), (RIGHT, "✓ right:")]
)
def test_a_result_is_an_icon_and_words_and_no_text_gets_out_of_it(state, head):
    text, tags, attributes = shown(Result(state, HOSTILE, HOSTILE)._repr_html_())
    assert tags <= {"div", "b", "code"}
    assert attributes == {"style"}
    assert text.count("<script>alert(1)</script>") == 2
    assert "\x1b" not in text and "\u202e" not in text
    assert shown(Result(state, "x")._repr_html_())[0] == repr(Result(state, "x")) == f"{head} x"
    assert repr(Result(state, "x", "not saved")) == f"{head} x (not saved)"
    assert len(Result(state, "<" * 10**6)._repr_html_()) < 10_000


def made(**changes) -> Exercise:
    """A tiny exercise: say 7."""
    fields = {
        "name": "seven", "title": "Seven", "subject": "numbers", "size": "small", "question": "Say 7 to THIS.",
        "starter": "mine = ...", "answer": "mine", "judge": lambda answer: "it is" if answer == 7 else 1 / 0,
        "hints": ("More than `<6>`.", "Less than 8."), "solved": 'mine = 7  # "<7>"', "wrong": lambda: [],
        "vary": lambda draw: made(), "data": lambda kept=[[7]]: kept,
    }  # fmt: skip
    return Exercise(**(fields | changes))


def text_of(html) -> str:
    return shown(html.data)[0]


def test_hints_come_one_after_the_other_and_a_graded_version_tells_nothing():
    graded = made().variant(3)
    assert [text_of(told)[:26] for told in (graded.hint(), graded.solution())] == ["→ this is a graded version"] * 2
    assert graded.starter_cell() == "mine = ...\nexercises.seven.variant(3).check(mine)"
    assert "exercises.seven.variant(3)" in graded.markdown()
    assert graded.check(7).right
    assert read_progress() == {}
    first, second = "→ hint 1 of 2: More than <6>.", "→ hint 2 of 2: Less than 8."
    assert [text_of(made().hint()) for _ in range(3)] == [first, first + second, first + second]
    assert read_progress()["seven"].hints == 2


@pytest.mark.parametrize(("tries", "asked", "seen"), [([6], 1, True), ([], 2, True), ([7], 1, False), ([], 1, None)])
def test_the_solution_is_shown_after_a_try_or_when_asked_for_twice(tries, asked, seen):
    """Where it is looked at after a right answer, that is not held against anybody."""
    for answer in tries:
        made().check(answer)
    told = [text_of(made().solution()) for _ in range(asked)]
    if seen is None:
        assert told[-1].startswith("→ try it first")
    else:
        assert told[-1] == '→ one solution:mine = 7  # "<7>"\nexercises.seven.check(mine)'
    assert read_progress()["seven"].seen is bool(seen)


def test_what_an_exercise_is_and_keeps(tmp_path):
    assert repr(made()) == "exercises.seven: check(answer), hint(), solution()"
    made().given()[0].append(8)
    assert made().given() == [[7]], "data is given afresh"
    said = "your answer could not be read (ZeroDivisionError); has it the form that the starter shows?"
    for answer, result in ((6, Result(NOT_YET, said)), (7, Result(RIGHT, "it is")), (6, Result(NOT_YET, said))):
        assert made().check(answer) == result
    assert (read_progress()["seven"].tries, read_progress()["seven"].right) == (3, True), "once right stays right"


def test_a_check_goes_on_where_nothing_can_be_saved(tmp_path):
    (tmp_path / "cache").write_text("a file, no folder")
    result = made().check(7)
    assert result.right
    assert result.note.startswith("progress could not be saved")
    assert result.note in shown(result._repr_html_())[0]


def test_paragraphs_are_wrapped_and_nothing_else():
    long = "word " * 40
    kept = f"```\n{long}\n\n{long}\n```\n\n| {long} |\n|---|\n| {long} |"
    assert core.wrapped(f"{long}\n\n{kept}\n\n> {long.strip()}") == (
        f"{' '.join(['word'] * 23)}\n{' '.join(['word'] * 17)}\n\n{kept}\n\n> {long.strip()}"
    )


def test_progress_has_a_row_a_notebook_and_in_one_a_row_an_exercise():
    exercises.question_only.hint()
    exercises.question_only.check("Customer:\n{question}\n\nTidewren:\n")
    exercises.which_stop.check([0, 3])
    for _ in range(2):
        exercises.whole_set.solution()
    for exercise in EXERCISES[:5]:
        core.change_progress(exercise.name, lambda entry: replace(entry, tries=1, right=True))
    rows = exercises.progress()
    assert [row["notebook"] for row in rows] == list(NOTEBOOKS.values())
    assert (rows[0]["exercises"], rows[0]["right"], rows[0]["next"]) == ("✓ ✓ ✓ ✓ ✓", "5 of 5", "all done")
    assert list(rows[2].values()) == [
        *("03_finetuning_data", "what it is tuned on", "✓ △ ○ ○ ○", "1 of 5", "Which rows teach it to stop? (small)")
    ]
    assert {row["exercises"] for row in [rows[1], *rows[3:]]} == {"○ ○ ○ ○ ○", "○ ○ ○"}
    assert "1 of 5" in show.table(rows).data
    for about in ("09", 3, "", "what it is tuned on"):
        with pytest.raises(ValueError, match=f"01_pretraining_data, .* got {about!r}"):
            exercises.progress(about)
    rows = exercises.progress("03")
    assert rows == exercises.progress("03_finetuning_data")
    assert [row["exercise"] for row in rows] == [e.title for e in EXERCISES if e.subject == "what it is tuned on"]
    assert [list(row.values())[1:] for row in rows[:3]] == [
        ["small", "✓ right", "1", "1 hint"], ["small", "△ not yet", "1", ""],
        ["medium", "○ not attempted", "0", "solution"],
    ]  # fmt: skip


def bound(cell) -> set[str]:
    """The names that a code cell binds at its top level, imports included."""
    names = symtable.symtable(cell.source, "cell", "exec").get_symbols()
    return {name.get_name() for name in names if name.is_assigned() or name.is_imported()}


def problems(notebook) -> list[str]:
    """Where a notebook's exercises are not those that are stored here."""
    known, found, text = {e.name: e for e in EXERCISES}, [], ""
    own = [cell for cell in notebook.cells if cell.cell_type == "code" and CHECKED.search(cell.source)]
    others = {name for cell in notebook.cells if cell.cell_type == "code" and cell not in own for name in bound(cell)}
    for cell in notebook.cells:
        before, text = text, cell.source if cell.cell_type == "markdown" else ""
        if cell not in own:
            continue
        name = CHECKED.search(cell.source)[1]
        if name not in known:
            found.append(f"{name}: no such exercise")
            continue
        solution = known[name].solution_cell()
        found += [f"{name}: another starter"] * (cell.source != known[name].starter_cell())
        found += [f"{name}: another question"] * (known[name].markdown() not in before)
        used = (each for each in sorted(set(NAMES) - others) if re.search(rf"\b{each}\b", solution))
        found += [f"{name}: {each} is not imported" for each in used]
    found += [f"{name}: the notebook uses this name, too" for name in sorted(set().union(*map(bound, own)) & others)]
    lines = {line for cell in notebook.cells for line in cell.source.splitlines()}
    solved = {e.name: set(e.solution_cell().splitlines()) - set(e.starter_cell().splitlines()) for e in EXERCISES}
    return found + [f"{name}: its solution stands here" for name, own in solved.items() if own <= lines]


@pytest.mark.parametrize("path", sorted(places.NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.name)
def test_a_notebook_shows_the_exercises_that_are_stored(path):
    assert problems(nbformat.read(path, as_version=4)) == []


IMPORT = "from labutils.lesson import exercises"
OTHERS = [  # code, text and an exercise's cell of a notebook, and what is wrong with it
    (f"import re\n{IMPORT}", "{}", "{}", ""),
    (IMPORT, "Find them.", "{}  # now",
     "mail_spans: another starter, mail_spans: another question, mail_spans: re is not imported"),
    (f"{IMPORT}\nspans = 3", "{}", "",
     "other: no such exercise, spans: the notebook uses this name, too, mail_spans: its solution stands here"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "text", "own", "found"), OTHERS)
def test_a_notebook_that_shows_others_is_seen(code, text, own, found):
    exercise = exercises.mail_spans
    own = own.replace("{}", exercise.starter_cell()) or exercise.solution_cell().replace("mail_spans", "other")
    sources = {code: "code", text.replace("{}", exercise.markdown()): "markdown", own: "code"}
    cells = [SimpleNamespace(cell_type=kind, source=source) for source, kind in sources.items()]
    assert ", ".join(problems(SimpleNamespace(cells=cells))) == found
