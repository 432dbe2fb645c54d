"""Every exercise: the starter runs unedited, the solution is right, each typical mistake is told what it is."""

import ast
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from html.parser import HTMLParser
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import pytest

from labutils import places
from labutils.corpus import quality
from labutils.lesson import exercises, show
from labutils.lesson.exercises import EXERCISES, Exercise, attempts
from labutils.lesson.exercises.exercise import SIZES, wrapped
from labutils.lesson.exercises.result import NOT_ATTEMPTED, NOT_YET, RIGHT, Result
from labutils.pairs import records

SEEDS = [*range(7), "ann"]
NAMES = {"exercises": exercises, "random": random, "re": re, "json": json, "drop": quality.drop}
CHECKED = re.compile(r"\bexercises\.(\w+)\.check\(")
HOSTILE = "<script>alert(1)</script> `</code><img src=x onerror=y>` \x1b[31m \u202e </div>\n&lt;"


@pytest.fixture(autouse=True)
def own_progress(monkeypatch, tmp_path):
    """A learner who has done nothing so far."""
    monkeypatch.setenv("LABUTILS_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(attempts, "unsaved", {})


each = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)


def split_cell(cell: str) -> tuple[ast.Module, ast.Call]:
    """What a cell does before its last line, and that line, which checks."""
    tree = ast.parse(cell)
    return tree, tree.body.pop().value


def answer_of(cell: str) -> tuple:
    """What a cell hands in to its check."""
    names = dict(NAMES)
    tree, call = split_cell(cell)
    exec(compile(tree, "cell", "exec"), names)
    return tuple(eval(compile(ast.Expression(part), "cell", "eval"), names) for part in call.args)


def run(cell: str) -> Result:
    """The value of a cell, as a notebook shows it."""
    names = dict(NAMES)
    tree, call = split_cell(cell)
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(call), "cell", "eval"), names)


@each
def test_the_starter_runs_unedited(exercise):
    first, second = run(exercise.starter_cell()), run(exercise.starter_cell())
    assert first.state == NOT_ATTEMPTED
    assert (repr(first), first._repr_html_()) == (repr(second), second._repr_html_())
    assert attempts.read() == {}
    assert not attempts.path().exists()


@each
def test_the_solution_is_right(exercise):
    result = run(exercise.solution_cell())
    assert result.state == RIGHT
    assert len(result.message) > 20, "a right answer says what it is good for"
    assert attempts.read()[exercise.name].right


@each
def test_typical_mistakes_are_told_apart(exercise):
    wrong = exercise.wrong()
    assert len(wrong) >= 3
    said = {}
    for what, answer, says in wrong:
        result = exercise.check(answer)
        assert result.state == NOT_YET, what
        assert says and says in result.message, what
        assert "could not be read" not in result.message, what
        assert result.message not in said, f"{what} is told the same as {said.get(result.message)}"
        said[result.message] = what
    assert len({wrong_answer.what for wrong_answer in wrong}) == len(wrong)


@each
@pytest.mark.parametrize("seed", SEEDS)
def test_a_graded_version_is_another_one(exercise, seed):
    graded = exercise.variant(seed)
    assert graded.markdown() != exercise.markdown()
    assert graded.markdown() == exercise.variant(seed).markdown()
    assert run(graded.starter_cell()).state == NOT_ATTEMPTED
    assert run(graded.solution_cell()).right
    practised = graded.check(*answer_of(exercise.solution_cell()))
    assert practised.state == NOT_YET
    assert "could not be read" not in practised.message
    for what, answer, _ in graded.wrong():
        assert graded.check(answer).state == NOT_YET, what
    assert attempts.read() == {}, "what is graded is not practised"


@each
def test_seeds_give_many_versions(exercise):
    versions = {exercise.variant(seed).markdown() for seed in range(40)}
    assert len(versions) >= 20


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


class Raises:
    """A value that gives an error to whoever looks at it."""

    def __eq__(self, other):
        raise RuntimeError("do not compare me")

    __hash__ = None

    def __len__(self):
        raise RuntimeError("do not measure me")

    def __bool__(self):
        raise RuntimeError("do not ask me")


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
@pytest.mark.parametrize("odd", ODD)
def test_no_answer_ends_in_a_traceback(exercise, odd):
    result = exercise.check(ODD[odd])
    assert result.state == NOT_YET
    assert exercise.check(ODD[odd], ODD[odd]).state == NOT_YET
    if "rais" not in odd:
        assert "could not be read" not in result.message
    assert "<script" not in result._repr_html_()


@each
def test_dots_in_any_form_are_not_attempted(exercise):
    assert [exercise.check(*dots).state for dots in [(), (...,), (..., ...), ([...],)]] == [NOT_ATTEMPTED] * 4


class Shown(HTMLParser):
    """The tags and the text of a piece of HTML; every tag is closed in order."""

    def __init__(self, source: str):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.text, self.attributes = set(), [], "", set()
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("state", [NOT_ATTEMPTED, NOT_YET, RIGHT])
def test_no_text_gets_out_of_a_result(state):
    shown = Shown(Result(state, HOSTILE, HOSTILE)._repr_html_())
    assert shown.tags <= {"div", "b", "code"}
    assert shown.attributes == {"style"}
    assert shown.text.count("<script>alert(1)</script>") == 2
    assert "\x1b" not in shown.text and "\u202e" not in shown.text


def test_a_state_is_an_icon_and_words():
    heads = [Shown(Result(state, "x")._repr_html_()).text for state in (NOT_ATTEMPTED, NOT_YET, RIGHT)]
    assert heads == ["○ not attempted: x", "△ not yet, because x", "✓ right: x"]
    assert [repr(Result(state, "x")) for state in (NOT_ATTEMPTED, NOT_YET, RIGHT)] == heads
    assert repr(Result(RIGHT, "x", "not saved")) == "✓ right: x (not saved)"


def test_a_long_message_is_cut():
    assert len(Result(NOT_YET, "<" * 10**6)._repr_html_()) < 10_000


def made(**changes) -> Exercise:
    """A tiny exercise: say 7."""
    fields = {
        "name": "seven", "title": "Seven", "subject": "numbers", "size": "small", "question": "Say 7 to THIS.",
        "starter": "mine = ...", "answer": "mine", "judge": lambda answer: "it is" if answer == 7 else 1 / 0,
        "hints": ("More than `<6>`.", "Less than 8."), "solved": 'mine = 7  # "<7>"', "wrong": lambda: [],
        "vary": lambda draw: made(), "data": lambda: [7],
    }  # fmt: skip
    return Exercise(**(fields | changes))


def text_of(html) -> str:
    return Shown(html.data).text


def test_hints_come_one_after_the_other():
    first, second = "→ hint 1 of 2: More than <6>.", "→ hint 2 of 2: Less than 8."
    assert [text_of(made().hint()) for _ in range(3)] == [first, first + second, first + second]
    assert attempts.read()["seven"].hints == 2


def test_the_solution_is_shown_after_a_try():
    made().check(6)
    assert text_of(made().solution()) == '→ one solution:mine = 7  # "<7>"\nexercises.seven.check(mine)'
    assert attempts.read()["seven"].seen


def test_the_solution_is_shown_when_asked_for_twice():
    assert text_of(made().solution()).startswith("→ try it first")
    assert not attempts.read()["seven"].seen
    assert text_of(made().solution()).startswith("→ one solution")
    assert attempts.read()["seven"].seen


def test_a_solution_looked_at_afterwards_is_not_held_against_anybody():
    made().check(7)
    assert text_of(made().solution()).startswith("→ one solution")
    assert not attempts.read()["seven"].seen


def test_a_graded_version_tells_nothing():
    graded = made().variant(3)
    assert [text_of(told)[:26] for told in (graded.hint(), graded.solution())] == ["→ this is a graded version"] * 2
    assert graded.starter_cell() == "mine = ...\nexercises.seven.variant(3).check(mine)"
    assert "exercises.seven.variant(3)" in graded.markdown()
    assert graded.check(7).right
    assert attempts.read() == {}


def test_an_exercise_does_not_show_its_solution():
    assert repr(made()) == "exercises.seven: check(answer), hint(), solution()"


def test_a_judge_that_fails_is_no_traceback():
    result = made().check(8)
    assert result == Result(
        NOT_YET, "your answer could not be read (ZeroDivisionError); has it the form that the starter shows?"
    )


def test_once_right_stays_right():
    for answer in (6, 7, 6):
        made().check(answer)
    entry = attempts.read()["seven"]
    assert (entry.tries, entry.right) == (3, True)


def test_a_check_goes_on_where_nothing_can_be_saved(tmp_path):
    (tmp_path / "cache").write_text("a file, no folder")
    result = made().check(7)
    assert result.right
    assert result.note.startswith("progress could not be saved")
    assert result.note in Shown(result._repr_html_()).text


def test_data_is_given_afresh():
    exercise = made(data=lambda kept=[[7]]: kept)
    exercise.given()[0].append(8)
    assert exercise.given() == [[7]]


def test_paragraphs_are_wrapped_and_nothing_else():
    long = "word " * 40
    kept = f"```\n{long}\n\n{long}\n```"
    assert wrapped(f"{long}\n\n{kept}\n\n> {long.strip()}") == (
        f"{' '.join(['word'] * 23)}\n{' '.join(['word'] * 17)}\n\n{kept}\n\n> {long.strip()}"
    )


def test_progress_in_rows():
    exercises.labels_by_hand.check([1])
    exercises.labels_by_hand.hint()
    run(exercises.shingles.solution_cell())
    rows = {row["exercise"]: row for row in exercises.progress()}
    assert len(rows) == len(EXERCISES)
    assert rows[exercises.labels_by_hand.title] == {
        "about": "what it is tuned on",
        "exercise": "Labels by hand",
        "state": "△ not yet",
        "tries": "1",
        "help": "1 hint",
    }
    assert rows[exercises.shingles.title]["state"] == "✓ right"
    assert rows[exercises.endless.title]["state"] == "○ not attempted"
    assert "✓ right" in show.table(exercises.progress()).data


def test_every_exercise_has_its_name_and_its_place():
    assert [getattr(exercises, exercise.name) for exercise in EXERCISES] == list(EXERCISES)
    subjects = [exercise.subject for exercise in EXERCISES]
    assert subjects == sorted(subjects, key=subjects.index), "exercises of one subject stand together"
    for subject in set(subjects):
        sizes = [exercise.size for exercise in EXERCISES if exercise.subject == subject]
        assert 3 <= len(sizes) <= 5
        assert sizes == sorted(sizes, key=SIZES.index), "small, medium, open"


@each
def test_an_exercise_is_fit_to_be_read(exercise):
    assert exercise.name.isidentifier()
    assert len(exercise.hints) >= 2
    cells = [exercise.starter_cell(), exercise.solution_cell()]
    assert max(len(cell.splitlines()) for cell in cells) <= 20
    words = " ".join(
        [exercise.markdown(), *exercise.hints, *cells, *(str(exercise.check(w.answer)) for w in exercise.wrong())]
    )
    assert "!" not in words
    assert "THIS" not in words
    assert all(len(line) <= 120 for line in exercise.markdown().splitlines() if " " in line and line[:1] not in "{->")


def cells_of(notebook) -> list[tuple[str, str, str]]:
    """(name of the exercise, code, the text before it) of each code cell that checks."""
    found, text = [], ""
    for cell in notebook.cells:
        if cell.cell_type == "code" and (match := CHECKED.search(cell.source)):
            found.append((match[1], cell.source, text))
        text = cell.source if cell.cell_type == "markdown" else ""
    return found


def bound(cell) -> set[str]:
    """The names that a code cell binds at its top level, imports included."""
    body = ast.parse(cell.source).body
    named = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    named |= {alias.asname or alias.name for node in imports for alias in node.names}
    targets = [target for node in body for target in [*getattr(node, "targets", []), getattr(node, "target", None)]]
    return named | {part.id for target in targets if target for part in ast.walk(target) if isinstance(part, ast.Name)}


def problems(notebook) -> list[str]:
    """Where a notebook's exercises are not those that are stored here."""
    known, cells = {e.name: e for e in EXERCISES}, [cell for cell in notebook.cells if cell.cell_type == "code"]
    own = [cell for cell in cells if CHECKED.search(cell.source)]
    others = set().union(*(bound(cell) for cell in cells if cell not in own))
    found = []
    for name, code, text in cells_of(notebook):
        if name not in known:
            found.append(f"{name}: no such exercise")
            continue
        exercise = known[name]
        found += [f"{name}: another starter"] * (code != exercise.starter_cell())
        found += [f"{name}: another question"] * (exercise.markdown() not in text)
        found += [
            f"{name}: {used} is not imported"
            for used in sorted(set(NAMES) - others)
            if re.search(rf"\b{used}\b", exercise.solution_cell())
        ]
    found += [f"{name}: the notebook uses this name, too" for name in sorted(set().union(*map(bound, own)) & others)]
    lines = {line for cell in notebook.cells for line in cell.source.splitlines()}
    solved = {e.name: set(e.solution_cell().splitlines()) - set(e.starter_cell().splitlines()) for e in EXERCISES}
    return found + [f"{name}: its solution stands here" for name, own in solved.items() if own <= lines]


@pytest.mark.parametrize("path", sorted(places.NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.name)
def test_a_notebook_shows_the_exercises_that_are_stored(path):
    assert problems(nbformat.read(path, as_version=4)) == []


def test_a_notebook_that_shows_others_is_seen():
    exercise = exercises.mail_spans
    cells = [
        SimpleNamespace(cell_type="code", source="import re\nfrom labutils.lesson import exercises"),
        SimpleNamespace(cell_type="markdown", source=exercise.markdown()),
        SimpleNamespace(cell_type="code", source=exercise.starter_cell()),
    ]
    assert problems(SimpleNamespace(cells=cells)) == []
    cells[0].source = "from labutils.lesson import exercises"
    cells[1].source = "Find them."
    cells[2].source += "  # now"
    assert problems(SimpleNamespace(cells=cells)) == [
        "mail_spans: another starter",
        "mail_spans: another question",
        "mail_spans: re is not imported",
    ]
    cells[0].source = "from labutils.lesson import exercises\nspans = 3"
    cells[2].source = exercise.solution_cell().replace("mail_spans", "other")
    assert problems(SimpleNamespace(cells=cells)) == [
        "other: no such exercise",
        "spans: the notebook uses this name, too",
        "mail_spans: its solution stands here",
    ]


@pytest.mark.parametrize("seed", range(25))
def test_fair_samples_are_right_whatever_their_seed(seed):
    drawn = random.Random(seed).sample(exercises.share_of_set.given(), 500)
    share = sum(row["pile_set_name"] == "Python" for row in drawn) / 500
    error = 1.96 * np.sqrt(share * (1 - share) / 500)
    assert exercises.share_of_set.check(share, error).right
    assert exercises.share_of_set.check([np.float64(round(share, 2)), round(error, 3)]).right


def with_groups(text):
    return [(match.start(1), match.end(1)) for match in re.finditer(r"(\w[\w.+-]*@\w[\w.-]*\.[a-z]+)", text)]


def by_words(text):
    """Without a pattern: words with a sign inside, peeled."""
    spans, place = [], 0
    for word in re.split(r"(\s+)", text):
        peeled = word.strip("<>,.()")
        local, _, domain = peeled.partition("@")
        if local and "." in domain and domain.split(".")[-1].isalpha():
            start = place + word.index(peeled)
            spans.append([start, start + len(peeled)])
        place += len(word)
    return tuple(spans)


def few_words(text):
    return quality.Verdict(not re.search(r"^\W*(v|version )?\d+\.\d+\.\d+", text, re.IGNORECASE | re.MULTILINE), "log")


RIGHT_TOO: dict[str, Callable[[], tuple]] = {
    "shingles": lambda: (0.43,),
    "which_sample": lambda: (" (B) ",),
    "own_rule": lambda: (few_words,),
    "own_rule ": lambda: (lambda text: tuple(few_words(text)),),
    "mail_spans": lambda: (with_groups,),
    "mail_spans ": lambda: (by_words,),
    "labels_by_hand": lambda: (np.array([-100, -100, -100, 8, 9, 2]),),
    "question_only": lambda: ("Customer:\n{question}\n\nTidewren:\n{answer}".removesuffix("{answer}"),),
    "fair_split": lambda: (records.split(exercises.fair_split.given(), held_out=0.3, same="fact"),),
    "fair_split ": lambda: tuple(records.split(exercises.fair_split.given(), held_out=0.3, same="fact").values()),
    "repair_file": lambda: ("\n".join(answer_of(exercises.repair_file.solution_cell())[0]) + "\n",),
}


@pytest.mark.parametrize("case", RIGHT_TOO)
def test_other_right_answers_are_right(case):
    assert getattr(exercises, case.strip()).check(*RIGHT_TOO[case]()).state == RIGHT


def test_near_duplicates_never_tie_two_facts():
    """Otherwise the exercise on splits would have no clear answer."""
    for version in (exercises.fair_split, *(exercises.fair_split.variant(seed) for seed in range(10))):
        pairs = version.given()
        near = exercises.splits.near_pairs([pair["question"] for pair in pairs])
        assert all(pairs[i]["fact"] == pairs[j]["fact"] for i, j, _ in near)


def test_an_endless_function_is_stopped_in_time():
    def forever(text):
        while True:
            pass

    began = time.monotonic()
    assert "does a loop in it never end" in exercises.own_rule.check(forever).message
    assert time.monotonic() - began < 10
