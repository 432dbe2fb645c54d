"""The exercises of a notebook as an assignment of nbgrader: starters, tests, points. Nothing is graded here.

The graded versions have other numbers than the practised ones. They follow from a random key in the teacher's folder,
which only the judge reads (`judging`): nbgrader shows the hidden tests in its feedback, so they name an exercise and an
answer, and nothing else. No solution is written into any file.
"""

import argparse
import hmac
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import nbformat
import numpy as np
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from labutils import places
from labutils.lesson import exercises
from labutils.lesson.classroom import wheelhouse
from labutils.lesson.exercises.exercise import Exercise

POINTS = {"small": 1, "medium": 2, "open": 3}
MATERIAL = "material.json"
KEY = "key.txt"  # beside `source` and `release`, never in them
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

from labutils.corpus.quality import drop
from labutils.lesson import show


def material(name):
    """What an exercise works on."""
    arrays = lambda held: np.array(held["array"]) if set(held) == {{"array"}} else held
    return json.loads(Path("{MATERIAL}").read_text(encoding="utf-8"), object_hook=arrays)[name]
'''
CONFIG = '''"""The settings of nbgrader for this folder. Made by `python3 -m labutils class release`."""

c = get_config()  # noqa: F821 (nbgrader defines it)
c.CourseDirectory.course_id = "where-finetuning-fits-in"
c.GenerateAssignment.preprocessors = [  # all but ClearSolutions: there are none, and starters are to stay
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "nbgrader.preprocessors.LockCells",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.autograde_preprocessors = [
    "labutils.lesson.classroom.judging.Judging",  # in place of nbgrader's Execute
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
'''


class Assignment(NamedTuple):
    """One assignment of a release: its name, its exercises, all its points."""

    name: str
    exercises: list[str]
    points: int


def release(folder: str | Path, notebooks: Sequence[str] = (), key: str | Path | None = None) -> list[Assignment]:
    """Write a course folder for nbgrader: its key, `source`, its gradebook, and `release`, which is handed out.

    Args:
        folder: a new one, or an empty one.
        notebooks: their numbers, such as "03"; all without it.
        key: the `key.txt` of an earlier release, whose numbers are made again; a new random key without it.

    Raises:
        ValueError: an unknown notebook, a folder that holds something, or a file that is no key.
        RuntimeError: nbgrader is not installed, or could not make the assignments; its last lines are in the message.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(
            f"{folder} holds something already: give a new folder, an assignment that is out stays as it is"
        )
    subjects, key = chosen(notebooks), read_key(Path(key)) if key else secrets.token_hex(32)
    write_key(folder / KEY, key)
    made = []
    for subject in subjects:
        name = exercises.NOTEBOOKS[subject][:2]
        versions = [graded(each, key) for each in exercises.EXERCISES if each.subject == subject]
        write(folder / "source" / name, exercises.NOTEBOOKS[subject], versions)
        made.append(Assignment(name, [each.name for each in versions], sum(POINTS[each.size] for each in versions)))
    (folder / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    try:
        nbgrader(folder, "generate_assignment", "*")
    except BaseException:
        shutil.rmtree(folder / "release", ignore_errors=True)
        raise
    return made


def write_key(path: Path, key: str) -> None:
    """Write a key, readable for its owner alone (not on Windows)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    places.write(path, f"{key}\n", mode=0o600)


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


def secret(key: str, exercise: str) -> str:
    """What the numbers of one exercise follow from: HMAC-SHA256 (RFC 2104), so none tells the key or another one."""
    return hmac.new(bytes.fromhex(key), exercise.encode(), "sha256").hexdigest()


def graded(exercise: Exercise, key: str) -> Exercise:
    """The version of a release. It does not hold its secret, so none of its words and no error can give it away."""
    return replace(exercise.variant(secret(key, exercise.name)), seed="graded")


def chosen(notebooks: Sequence[str]) -> list[str]:
    """The subjects of notebooks that are given by number or name, in the course's order. Raises ValueError."""
    known = {name[:2]: subject for subject, name in exercises.NOTEBOOKS.items()}
    unknown = [name for name in notebooks if name[:2] not in known]
    if unknown:
        raise ValueError(f"no exercises in a notebook {unknown[0]!r}; there are {', '.join(known)}")
    return [subject for number, subject in known.items() if not notebooks or number in {name[:2] for name in notebooks}]


def write(folder: Path, title: str, versions: Sequence[Exercise]) -> None:
    """One assignment: its notebook, and what its exercises work on."""
    folder.mkdir(parents=True)
    number, _, words = title.partition("_")
    head = (
        f"# {number} · {words.replace('_', ' ')}\n\nPut your answers in place of the dots `...`. Save, and hand in "
        "this file under its name. The numbers are not those that you have practised with."
    )
    cells = [cell(new_markdown_cell(head), "head"), cell(new_code_cell(SET_UP), "set_up")]
    for version in versions:
        cells += [
            cell(new_markdown_cell(handed_out(version, version.markdown())), f"{version.name}_question"),
            cell(new_code_cell(handed_out(version, starter(version))), f"{version.name}_answer", solution=True),
            cell(new_code_cell(hidden_test(version)), f"{version.name}_test", points=POINTS[version.size]),
        ]
    notebook = new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / f"{title}.ipynb")
    held = {version.name: version.given() for version in versions if version.given() is not None}
    (folder / MATERIAL).write_text(json.dumps(held, default=array), encoding="utf-8")


def cell(made: nbformat.NotebookNode, name: str, *, solution: bool = False, points: int | None = None):
    """A cell with what nbgrader wants to know of it; only an answer can be changed by a learner."""
    about = {"schema_version": 3, "grade_id": name, "solution": solution, "task": False}
    about |= {"grade": points is not None, "locked": not solution}
    made.metadata["nbgrader"] = about | ({} if points is None else {"points": points})
    made["id"] = name
    return made


def starter(version: Exercise) -> str:
    """A starter without its last line, which checks: handing in tells no more than practising."""
    return version.starter_cell().rpartition("\n")[0].rstrip()


def handed_out(version: Exercise, text: str) -> str:
    """A text in which the data comes from the file beside the notebook."""
    return text.replace(f"{whole_name(version)}.given()", f'material("{version.name}")')


def hidden_test(version: Exercise) -> str:
    """The cell that is graded. Its line is read by `judging`, and never run: where it is run, it is not passed."""
    return (
        f"# {POINTS[version.size]} points; nothing is to be written here\n"
        "### BEGIN HIDDEN TESTS\n"
        f'raise RuntimeError("judged outside of this notebook: exercises.{version.name}.check({version.answer})")\n'
        "### END HIDDEN TESTS"
    )


def whole_name(version: Exercise) -> str:
    """How a graded version is called in code."""
    return f"exercises.{version.name}.variant({version.seed!r})"


def array(value: object) -> dict:
    """A matrix as JSON holds it. Raises TypeError for anything else."""
    if isinstance(value, np.ndarray):
        return {"array": value.tolist()}
    raise TypeError(f"{type(value).__name__} is no JSON")


def nbgrader(folder: Path, *arguments: str) -> str:
    """What an nbgrader command says, run in a course folder. Raises RuntimeError with its last lines if it failed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])  # it calls alembic by name
    argv = [sys.executable, "-m", "nbgrader", *arguments]
    env = {**os.environ, "PATH": path}
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, errors="replace")
    if "No module named nbgrader" in done.stderr:
        raise RuntimeError("nbgrader is not here; to install it: pip install -e .[class] -c constraints.txt")
    if done.returncode:
        raise RuntimeError(f"nbgrader {' '.join(arguments)} failed:\n" + "\n".join(done.stderr.splitlines()[-5:]))
    return done.stderr


# The command `class`.


def class_options(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    made = actions.add_parser("release", help="write assignments: starters, hidden tests, points")
    made.add_argument("folder", metavar="DIR", help="a new folder, for the teacher")
    made.add_argument("--notebooks", nargs="+", default=[], metavar="NN", help="only these, such as 03 05")
    made.add_argument("--key", metavar="FILE", help="the key.txt of an earlier release, to make the same numbers again")
    stick = actions.add_parser("wheelhouse", help="copy the course with every package that it needs")
    stick.add_argument("folder", metavar="DIR", help="a new folder, such as one on a stick")


def class_command(asked: argparse.Namespace) -> int:
    if asked.action == "wheelhouse":
        made = wheelhouse.wheelhouse(asked.folder)
        print(
            f"{made}: {wheelhouse.size(made) / 1e9:.1f} GB. In the room: copy it, then in it: python3 -m labutils open"
        )
        return 0
    assignments = release(asked.folder, asked.notebooks, asked.key)
    for each in assignments:
        print(f"{each.name}: {len(each.exercises)} exercises, {each.points} points")
    folder = Path(asked.folder)
    print(f"Hand out: {folder / 'release'}. Keep to yourself: {folder / KEY}. To grade: docs/class.md")
    return 0
