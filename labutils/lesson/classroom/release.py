"""The exercises of a notebook as an assignment of nbgrader: starters, tests, points. Nothing is graded here.

The graded versions have other numbers than the practised ones, and where there is a class list, each learner has
others. They follow from a random key in the teacher's folder, which only the judge reads (`judging`): nbgrader shows
the hidden tests in its feedback, so they name an exercise and an answer, and nothing else. No solution is written into
any file.
"""

import hmac
import importlib.util
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from labutils import places
from labutils.installing import SetupError
from labutils.lesson import exercises
from labutils.lesson.exercises.exercise import Exercise

POINTS = {"small": 1, "medium": 2, "open": 3}
MATERIAL = "material.json"
KEY = "key.txt"  # beside `source` and `release`, never in them
HANDOUT = "handout"  # a folder of each learner's own, where there is a class list
OWN = ", by the learner's own numbers"  # in the hidden tests of such a release
UNKNOWN = {"editable": False, "deletable": False}  # to nbgrader, or it would put the same question into all notebooks
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}")  # of a learner: a folder on every system, an id for nbgrader
SET_UP = f'''# Run this cell first. It is not graded.
import json
import math
import random
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from labutils.corpus.quality import drop
from labutils.lesson import show


def material(name):
    """What an exercise works on."""
    arrays = lambda held: np.array(held["array"]) if set(held) == {{"array"}} else held
    return json.loads(Path("{MATERIAL}").read_text(encoding="utf-8"), object_hook=arrays)[name]
'''
CONFIG = '''"""The settings of nbgrader for this folder. Made by `python3 -m labutils class release`."""

from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute

c = get_config()  # noqa: F821 (nbgrader defines it)
c.CourseDirectory.course_id = "where-finetuning-fits-in"
c.ClearSolutions.enabled = False  # there are none, and starters are to stay
c.Autograde.autograde_preprocessors = [
    "labutils.lesson.classroom.judging.Judging",  # in place of nbgrader's Execute
    *(each for each in Autograde.autograde_preprocessors.default() if each is not Execute),
]
'''


class Assignment(NamedTuple):
    """One assignment of a release: its name, its exercises, all its points."""

    name: str
    exercises: list[str]
    points: int


def release(
    folder: str | Path,
    notebooks: Sequence[str] = (),
    key: str | Path | None = None,
    learners: str | Path | None = None,
) -> list[Assignment]:
    """Write a course folder for nbgrader: its key, `source`, its gradebook, and `release`, which is handed out; where
    there is a class list, `handout` is, with a folder for each learner.

    Args:
        folder: a new one, or an empty one.
        notebooks: their numbers, such as "03"; all without it.
        key: the `key.txt` of an earlier release, whose numbers are made again; a new random key without it.
        learners: a class list, a name a line. Each then has other numbers; all have the same without it.

    Raises:
        ValueError: an unknown notebook, a folder that holds something, a file that is no key, or a name in the list
            that cannot be that of a folder.
        SetupError: nbgrader is not installed, or could not make the assignments; its last lines are in the message.
            Nothing is left behind then.
    """
    folder = Path(folder)
    if not importlib.util.find_spec("nbgrader"):
        raise SetupError("nbgrader is not here; to install it: pip install -e .[class] -c constraints.txt")
    names, titles = class_list(Path(learners)) if learners else [], chosen(notebooks)
    key = read_key(Path(key)) if key else secrets.token_hex(32)
    with places.filling(folder, "give a new folder, an assignment that is out stays as it is"):
        made = [write(folder / "source", title, key, OWN if names else "") for title in titles]
        places.write(folder / KEY, f"{key}\n", mode=0o600)  # readable for its owner alone, not on Windows
        places.write(folder / "nbgrader_config.py", CONFIG)
        nbgrader(folder, "generate_assignment", "*")
        hand_out(folder, names)
    return made


def class_list(path: Path) -> list[str]:
    """The names in a file, one a line. Raises ValueError for none, one that comes twice, or one that no folder has."""
    names = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    if not names:
        raise ValueError(f"{path} names nobody, expected a name a line")
    return check_names(names)


def check_names(names: Sequence[str]) -> list[str]:
    """The same names. Raises ValueError for one that comes twice (a and A are one folder on many systems), or is
    other than letters from a to z, digits, dots, dashes and underscores.
    """
    for name in names:
        if not NAME.fullmatch(name):
            raise ValueError(f"{name[:60]!r} is no name for a folder: use letters a to z, digits, and . _ - between")
    lower = [name.lower() for name in names]
    if twice := [name for name in lower if lower.count(name) > 1]:
        raise ValueError(f"{twice[0]} is in the class list twice: each learner needs a name of their own")
    return list(names)


def hand_out(folder: Path, learners: Sequence[str]) -> list[Path]:
    """Write the assignments of some learners, each with other numbers, and return the new folders; a folder that is
    there stays as it is. Raises ValueError for a release in which all have the same numbers.
    """
    key, made = read_key(folder / KEY), []
    for book in sorted((folder / "release").glob("*/*.ipynb")):
        number = book.parent.name
        if learners and not has_own_numbers(folder, number):
            raise ValueError(f"all learners have the same numbers in {folder}: hand out {folder / 'release'}")
        for target in [folder / HANDOUT / learner / number for learner in learners]:
            if not (target / book.name).exists():  # the last file of `personal`, which may have been stopped
                personal(book, target, of_assignment(number, own_key(key, target.parent.name, number)))
                made.append(target)
    return made


def personal(book: Path, target: Path, versions: Sequence[Exercise]) -> None:
    """One learner's assignment: the notebook of a release with other questions, starters and material."""
    texts = {f"{each.name}_question": handed_out(each, each.markdown()) for each in versions}
    texts |= {f"{each.name}_answer": handed_out(each, each.starter_cell()) for each in versions}
    notebook = nbformat.read(book, 4)
    for cell in notebook.cells:
        cell.source = texts.get(cell.id, cell.source)
    target.mkdir(parents=True, exist_ok=True)
    places.write(target / MATERIAL, material(versions))
    places.write(target / book.name, nbformat.writes(notebook) + "\n")


def has_own_numbers(folder: Path, assignment: str) -> bool:
    """Whether each learner has other numbers in an assignment. Raises FileNotFoundError where there is no such one."""
    books = list((folder / "source" / assignment).glob("*.ipynb"))
    if not books:
        raise FileNotFoundError(f"no assignment {assignment!r} in {folder}: give the folder of `class release`")
    return OWN in books[0].read_text(encoding="utf-8")


def key_of(folder: Path, learner: str, assignment: str) -> str:
    """The key of a learner's numbers. Raises ValueError or FileNotFoundError where there is no key or assignment."""
    key = read_key(folder / KEY)
    return own_key(key, learner, assignment) if has_own_numbers(folder, assignment) else key


def secret(key: str, of: str) -> str:
    """What follows from a key for a name: HMAC-SHA256 (RFC 2104), so that none tells the key or another one."""
    return hmac.new(bytes.fromhex(key), of.encode(), "sha256").hexdigest()


def own_key(key: str, learner: str, assignment: str) -> str:
    """The key of one learner and one assignment: it tells none of another one, nor the first."""
    return secret(key, json.dumps([learner, assignment]))


def graded(exercise: Exercise, key: str) -> Exercise:
    """The version of a release. It does not hold its secret, so none of its words and no error can give it away."""
    return replace(exercise.variant(secret(key, exercise.name)), seed="graded")


def of_assignment(number: str, key: str) -> list[Exercise]:
    """The graded versions of an assignment, such as "05"."""
    return [graded(each, key) for each in exercises.EXERCISES if exercises.NOTEBOOKS[each.subject].startswith(number)]


def answers(folder: Path, learner: str, assignment: str) -> dict[str, str]:
    """The right answers of a learner, as code, by exercise. For the teacher. Raises as `key_of`."""
    versions = of_assignment(assignment, key_of(folder, learner, assignment))
    return {each.name: handed_out(each, each.solution_cell()) for each in versions}


def read_key(path: Path) -> str:
    """The key of a release, 64 hexadecimal digits. Raises ValueError where there is none, never with what is there."""
    if not path.is_file():
        raise ValueError(
            f"no key at {path.absolute()}, expected the file that `class release` wrote: put it back. A release from "
            "before there were keys gives its answers away in feedback: make a new one, or grade it with the version "
            "of the course that made it"
        )
    key = path.read_text(encoding="ascii", errors="replace").strip()
    if not re.fullmatch("[0-9a-f]{64}", key):
        raise ValueError(f"{path} is no key, expected 64 hexadecimal digits: give the {KEY} of a release")
    return key


def chosen(notebooks: Sequence[str]) -> list[str]:
    """The notebooks that are given by number or name, in the course's order; all without any. Raises ValueError."""
    known = {title[:2]: title for title in exercises.NOTEBOOKS.values()}
    if unknown := [name for name in notebooks if name[:2] not in known]:
        raise ValueError(f"no exercises in a notebook {unknown[0]!r}; there are {', '.join(known)}")
    return [title for number, title in known.items() if not notebooks or number in {name[:2] for name in notebooks}]


def write(folder: Path, title: str, key: str, numbers: str = "") -> Assignment:
    """One assignment, in a folder of its own: its notebook, and what its exercises work on."""
    number, _, words = title.partition("_")
    head = (
        f"# {number} · {words.replace('_', ' ')}\n\nPut your answers in place of the dots `...`. Save, and hand in "
        "this file under its name. The numbers are not those that you have practised with."
    )
    cells = [new_markdown_cell(head, **marked("head")), new_code_cell(SET_UP, **marked("set_up"))]
    versions = of_assignment(number, key)
    for each in versions:
        starter = handed_out(each, each.starter_cell())
        test, points = hidden_test(each, numbers), POINTS[each.size]
        cells += [
            new_markdown_cell(handed_out(each, each.markdown()), id=f"{each.name}_question", metadata=UNKNOWN),
            new_code_cell(starter, **marked(f"{each.name}_answer", locked=False)),
            new_code_cell(test, **marked(f"{each.name}_test", points=points)),
        ]
    notebook = new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (folder / number).mkdir(parents=True)
    nbformat.write(notebook, folder / number / f"{title}.ipynb")
    places.write(folder / number / MATERIAL, material(versions))
    return Assignment(number, [each.name for each in versions], sum(POINTS[each.size] for each in versions))


def marked(name: str, *, locked: bool = True, **points: int) -> dict:
    """A cell's id and what nbgrader wants to know of it; only an answer is not locked, only a test has `points`."""
    about = {"schema_version": 3, "grade_id": name, "solution": not locked, "task": False}
    return {"id": name, "metadata": {"nbgrader": about | {"grade": bool(points), "locked": locked} | points}}


def material(versions: Sequence[Exercise]) -> str:
    """What exercises work on, as the notebook reads it; matrices as `{"array": rows}`."""
    held = {version.name: version.given() for version in versions}
    arrays = {"default": lambda matrix: {"array": matrix.tolist()}}
    return json.dumps({name: value for name, value in held.items() if value is not None}, **arrays)


def handed_out(version: Exercise, text: str) -> str:
    """A text in which the data comes from the file beside the notebook, and a cell without its last line, which checks:
    handing in tells no more than practising.
    """
    name = f"exercises.{version.name}.variant({version.seed!r})"
    text = text.removesuffix(f"{name}.check({version.answer})").rstrip()
    return text.replace(f"{name}.given()", f'material("{version.name}")')


def hidden_test(version: Exercise, numbers: str = "") -> str:
    """The cell that is graded. Its line is read by `judging`, and never run: where it is run, it is not passed."""
    call = f"exercises.{version.name}.check({version.answer}){numbers}"
    return (
        f"# {POINTS[version.size]} points; nothing is to be written here\n"
        "### BEGIN HIDDEN TESTS\n"
        f'raise RuntimeError("judged outside of this notebook: {call}")\n'
        "### END HIDDEN TESTS"
    )


def nbgrader(folder: Path, *arguments: str) -> str:
    """What an nbgrader command says, run in a course folder. Raises SetupError with its last lines if it failed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])  # it calls alembic by name
    argv, env = [sys.executable, "-m", "nbgrader", *arguments], os.environ | {"PATH": path}
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise SetupError(f"nbgrader {' '.join(arguments)} failed:\n" + "\n".join(done.stderr.splitlines()[-5:]))
    return done.stderr
