"""Submissions: collected from folders, then graded by nbgrader side by side, each in a process of its own.

What a submission is worth is for `judging`. One that takes long gives up its place after a while, so that the others
go on beside it.
"""

import hashlib
import json
import multiprocessing
import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path, PurePosixPath

import psutil

from labutils import machine, places
from labutils.lesson.classroom.release import HANDOUT, KEY, NAME, has_own_numbers, read_key

MOST_BYTES = 20_000_000  # of a notebook that is collected
SLOW = 60.0  # seconds after which a submission gives up its place; a cell has 90 (`learner`)
LIMIT = 420.0  # seconds after which it is ended; the judge ends the notebook earlier
GRADED = "graded"  # a folder with the SHA-256 of each submission that was graded
BEHIND = 3  # slow ones at once, for each place
MARKS = """
    select submitted_assignment.student_id, total(coalesce(manual_score, auto_score)), count(auto_score) from grade
    join submitted_notebook on submitted_notebook.id = grade.notebook_id
    join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
    join assignment on assignment.id = submitted_assignment.assignment_id
    where assignment.name = ? group by submitted_assignment.student_id"""


def collect(folder: Path, source: Path) -> tuple[list[str], list[str]]:
    """Copy notebooks that came back, as `NAME/05/05_what_changes.ipynb` below `source`, to where nbgrader looks.

    Returns which are new or other than before, and a line for each that was left out.
    """
    read_key(folder / KEY)
    found, refused = places.gather(source, ".ipynb", MOST_BYTES, notebook)
    new = []
    for name, data in found.items():
        if problem := misplaced(folder, PurePosixPath(name)):
            refused.append(f"{name}: {problem}")
            continue
        target = folder / "submitted" / name
        if not target.is_file() or target.read_bytes() != data:
            target.parent.mkdir(parents=True, exist_ok=True)
            places.write(target, data)
            new.append(name)
    return new, refused


def notebook(data: bytes) -> bytes:
    """The same bytes. Raises ValueError where they are no notebook."""
    found = json.loads(data)
    if not isinstance(found, dict) or not isinstance(found.get("cells"), list):
        raise ValueError("no notebook")
    return data


def misplaced(folder: Path, path: PurePosixPath) -> str:
    """Why a notebook at this place is none of a learner's; empty where it is one."""
    known = len(path.parts) == 3 and (folder / "release" / Path(*path.parts[1:])).is_file()
    if not known or not NAME.fullmatch(path.parts[0]):
        return "expected NAME/NUMBER/NOTEBOOK, named as they were handed out"
    if has_own_numbers(folder, path.parts[1]) and not (folder / HANDOUT / path.parts[0] / path.parts[1]).is_dir():
        return f"nothing was handed out to {path.parts[0]}"
    return ""


@dataclass
class Submission:
    """What a learner has handed in for an assignment, and the process that grades it."""

    folder: Path
    number: str
    learner: str
    process: multiprocessing.process.BaseProcess | None = None
    began: float = 0.0
    log: Path | None = None  # what the process says
    taken: str = ""  # the content that is graded, by which one that comes meanwhile is known

    @property
    def mark(self) -> Path:
        """The file that says which content was graded."""
        return self.folder / GRADED / self.number / f"{self.learner}.txt"

    @property
    def result(self) -> Path:
        """The folder in which nbgrader puts what it has graded."""
        return self.folder / "autograded" / self.learner / self.number

    @property
    def content(self) -> str:
        """The SHA-256 of the notebooks; copies may keep an old time, so that tells nothing."""
        books = sorted((self.folder / "submitted" / self.learner / self.number).glob("*.ipynb"))
        return hashlib.sha256(b"".join(hashlib.sha256(book.read_bytes()).digest() for book in books)).hexdigest()

    def is_graded(self) -> bool:
        """Whether what was handed in last was graded."""
        same = self.mark.is_file() and self.mark.read_text(encoding="ascii") == self.content
        decided = marks(self.folder, self.number).get(self.learner, (0, 0))[1]
        return same and any(self.result.glob("*.ipynb")) and decided > 0

    def start(self, logs: Path, threads: int) -> None:
        """Begin to grade it. Where the system can fork, the packages are imported once for all of them."""
        context = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
        if os.name == "posix":
            context.set_forkserver_preload(["labutils.lesson.classroom.judging", "nbgrader.apps.autogradeapp"])
        self.mark.unlink(missing_ok=True)
        self.log, self.taken = logs / f"{self.learner}.txt", self.content  # before nbgrader copies it
        work = (self.folder, self.number, self.learner, self.log, threads)
        self.process = context.Process(target=grade, args=work)
        self.process.start()  # the first one waits for the imports
        self.began = time.monotonic()

    def is_over(self) -> bool:
        """Whether it has ended, or has to."""
        return self.process.exitcode is not None or time.monotonic() - self.began > LIMIT

    def end(self) -> str:
        """End what still runs, and say why it is not graded; nothing half graded is left behind."""
        if (code := self.process.exitcode) is None:
            kill(self.process.pid)
        self.process.join()
        if code == 0:
            self.mark.parent.mkdir(parents=True, exist_ok=True)
            places.write(self.mark, self.taken)
            return ""
        shutil.rmtree(self.result, ignore_errors=True)
        if code is None:
            return f"stopped after {time.monotonic() - self.began:.0f} seconds"
        said = self.log.read_text(errors="replace") if self.log.is_file() else ""
        errors = re.findall(r"\| ERROR\] (?!Traceback)(.+)", said)[:1]
        raised = re.findall(r"^\s*([\w.]+(?:Error|Exception): .*)", said, re.MULTILINE)
        return [f"exit code {code}", *errors, *raised][-1]


def grade(folder: Path, number: str, learner: str, log: Path, threads: int) -> None:
    """nbgrader's own command `autograde` for one submission, in this process, which ends with its exit code."""
    with log.open("w") as out:
        for stream in (1, 2):
            os.dup2(out.fileno(), stream)
    from nbgrader.apps.autogradeapp import AutogradeApp  # where it is missing, the file says so

    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.chdir(folder)
    book = f"--db=sqlite:///{(folder / 'gradebook.db').as_posix()}?timeout=60"  # seconds that one waits for another
    AutogradeApp.launch_instance([number, f'--student="{learner}"', "--force", book])


def kill(pid: int) -> None:
    """End a process and all that it has started, its kernel among them; what ends by itself meanwhile is no error."""
    with suppress(psutil.NoSuchProcess):
        first = psutil.Process(pid)
        for process in [*first.children(recursive=True), first]:
            with suppress(psutil.Error):
                process.kill()


def autograde(
    folder: str | Path, number: str, side_by_side: int | None, tell: Callable[[int, int, float], None], *, again: bool
) -> dict[str, str]:
    """Grade all submissions of an assignment that are not graded yet, or were handed in again: of each learner, why it
    could not be graded; empty where it was.

    Args:
        side_by_side: how many at once; one for each core without it.
        tell: gets how many are done, of how many, and about how many seconds are left.
        again: grade those that are graded, too.

    Raises:
        ValueError: no key, no gradebook. FileNotFoundError: no such assignment.
    """
    folder, side_by_side = Path(folder).resolve(), side_by_side or machine.cores()
    read_key(folder / KEY), has_own_numbers(folder, number), marks(folder, number)
    waiting = [each for each in handed_in(folder, number) if again or not each.is_graded()]
    total, began, done, running = len(waiting), time.monotonic(), {}, []
    with tempfile.TemporaryDirectory() as logs:
        try:
            while waiting or running:
                while waiting and has_room(running, side_by_side):
                    waiting[0].start(Path(logs), max(1, machine.cores() // side_by_side))
                    running.append(waiting.pop(0))
                wait([each.process.sentinel for each in running], timeout=1.0)
                for each in [each for each in running if each.is_over()]:
                    running.remove(each)
                    done[each.learner] = each.end()
                    tell(len(done), total, (time.monotonic() - began) / len(done) * (total - len(done)))
        finally:
            for each in running:
                each.end()
    return dict(sorted(done.items()))


def handed_in(folder: Path, number: str) -> list[Submission]:
    """All submissions of an assignment, by the learners' names."""
    names = {path.parent.parent.name for path in (folder / "submitted").glob(f"*/{number}/*.ipynb")}
    return [Submission(folder, number, name) for name in sorted(names)]


def has_room(running: Sequence[Submission], side_by_side: int) -> bool:
    """Whether one more can begin: slow ones do not count, up to a limit."""
    slow = sum(time.monotonic() - each.began > SLOW for each in running)
    return len(running) - min(slow, BEHIND * side_by_side) < side_by_side


def marks(folder: Path, number: str) -> dict[str, tuple[float, int]]:
    """The points of each learner in the gradebook, and for how many answers there is a decision. Raises ValueError
    where there is none.
    """
    if not (path := folder / "gradebook.db").is_file():
        raise ValueError(f"no gradebook at {path.absolute()}, expected the file that `class release` made: put it back")
    with closing(sqlite3.connect(path, timeout=60)) as book:
        return {name: (points, answers) for name, points, answers in book.execute(MARKS, (number,))}
