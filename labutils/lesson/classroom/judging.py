"""nbgrader's step that executes, with the judge outside of the learner's kernel.

A learner's cells run in a kernel; what they leave under the name of an answer crosses as JSON, and `check` is called
here. So nothing that a submission changes in its own process, `check` itself included, changes a grade. The key that
right answers follow from is read here, too, and reaches neither the notebook nor the kernel.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade

from labutils import places
from labutils.lesson import exercises
from labutils.lesson.classroom.learner import Learner, Lost, learner
from labutils.lesson.classroom.release import KEY, MATERIAL, OWN, graded, material, own_key, read_key
from labutils.lesson.exercises.answers import TooLong
from labutils.lesson.exercises.exercise import NOT_ATTEMPTED, NOT_YET, Exercise, Result

TEST = re.compile(  # a hidden test: the exercise, the names of its answer, whether it goes by the learner's own numbers
    rf"exercises\.(?P<name>{'|'.join(exercises.TEXTS)})\.check\((?P<answer>[\w, ]+)\)(?P<own>{re.escape(OWN)})?"
)


class Judging(NbGraderPreprocessor):
    """In the place of nbgrader's `Execute`: `c.Autograde.autograde_preprocessors` of a release names it."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Run and judge a submission, cell by cell; a test that is not passed becomes an error, which is no point.

        Raises ValueError where the course folder, in which nbgrader works, holds no key.
        """
        key, about, files = read_key(Path(KEY)), resources.get("nbgrader"), Path(resources["metadata"]["path"])
        tests = {index: TEST.search(cell.source) for index, cell in enumerate(nb.cells) if is_grade(cell)}
        if any(test and test["own"] for test in tests.values()):
            key = own_key(key, about["student"], about["assignment"])
        names = [test["name"] for test in tests.values() if test]
        versions = {name: graded(getattr(exercises, name), key) for name in names}
        places.write(files / MATERIAL, material(versions.values()))  # in place of what came with the submission
        try:
            with learner(nb, files) as own:
                for index, cell in enumerate(nb.cells):
                    if index in tests:
                        cell.outputs = [output(judged(own, tests.pop(index), versions))]
                    elif cell.cell_type == "code":
                        own.run(cell, index)
        except DeadKernelError:
            self.log.warning("the kernel of this submission died")
        for index in tests:  # of a kernel that was lost
            nb.cells[index].outputs = [output(Result(NOT_YET, "the notebook ended before this cell"))]
        return nb, resources


def judged(own: Learner, test: re.Match | None, versions: Mapping[str, Exercise]) -> Result:
    """What an answer is worth. Never raises: a submission can cost only its own points."""
    if test is None:
        return Result(NOT_YET, "this cell holds no test of the course")
    try:
        value, several = own.value(test["answer"]), "," in test["answer"]
        return versions[test["name"]].check(*(value if several and isinstance(value, tuple) else [value]))
    except NameError as problem:
        return Result(NOT_ATTEMPTED, str(problem))
    except (Lost, TooLong):
        return Result(NOT_YET, "the notebook did not answer any more")


def output(result: Result) -> NotebookNode:
    """A judgement as nbgrader counts it: an error is no point, anything else all of them."""
    said = f"{result.state}: {result.message}"
    if result.right:
        return new_output("stream", name="stdout", text=f"{said}\n")
    return new_output("error", ename=result.state, evalue=result.message, traceback=[said])
