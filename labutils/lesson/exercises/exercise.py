"""One exercise: its words, its starter, how an answer is judged, its hints, its solution, its graded versions.

The answer is an argument: nothing is taken from a notebook's own names, and no text of a learner is ever run. How an
answer is read is for `answers`, how a function is called for `calling`; what was tried is kept by `attempts`.
"""

import copy
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from IPython.display import HTML

from labutils.lesson.exercises import answers, attempts, shown
from labutils.lesson.exercises.attempts import Entry
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.result import NOT_ATTEMPTED, NOT_YET, RIGHT, NotYet, Result, Unattempted

SIZES = ("small", "medium", "open")
THIS = "THIS"  # stands in texts and code for the exercise's own name
REPLACE = "replace each `...` by your answer and run the cell again"
FIRST_TRY = (
    "try it first: check an answer of your own, or ask for a hint. Call `solution()` once more to see it all the same"
)


class Wrong(NamedTuple):
    """A typical wrong answer: what was done, the answer as it is handed in, and a piece of the message it gets."""

    what: str
    answer: object
    says: str


@dataclass(frozen=True, repr=False)
class Exercise:
    """An exercise. In a notebook: `exercises.shingles.check(my_answer)`, `.hint()`, `.solution()`."""

    name: str  # as in exercises.<name>
    title: str  # a few words, for headings and the table of progress
    subject: str  # what it is about; exercises of one subject stand together
    size: str  # one of SIZES
    question: str  # Markdown; THIS stands for exercises.<name>
    starter: str  # code that runs unedited, without the line that checks
    answer: str  # what that line hands in: the name of a value or a function, or two names
    judge: Callable[[object], str]  # a right answer -> what it is good for; raises NotYet or Unattempted for others
    hints: tuple[str, ...]  # in the order in which they are given
    solved: str  # code in place of the starter
    wrong: Callable[[], Sequence[Wrong]]  # typical wrong answers, for the tests
    vary: Callable[[Draw], "Exercise"]  # the same exercise with other numbers
    data: Callable[[], object] = lambda: None  # what the starter works on
    seed: int | str | None = None  # of a graded version, or a word in its place; None for the one that is practised

    def check(self, *answer: object) -> Result:
        """Judge an answer, or several parts of one: not attempted, not yet (with the reason), or right.

        Never raises, unless the learner interrupts it. Progress is kept for the practised version alone, and for
        nothing that was not attempted.
        """
        result = self._judged(answer[0] if len(answer) == 1 else answer or ...)
        if self.seed is not None or result.state == NOT_ATTEMPTED:
            return result
        kept = attempts.change(self.name, lambda e: replace(e, tries=e.tries + 1, right=e.right or result.right))
        return replace(result, note=kept.problem)

    def hint(self) -> HTML:
        """The next hint, below those that were given before."""
        if self.seed is not None:
            return shown.said("this is a graded version, it has no hints; the practised one has")
        most = len(self.hints)
        kept = attempts.change(self.name, lambda e: replace(e, hints=min(most, e.hints + 1)))
        return shown.hints(self.hints[: kept.entry.hints], most)

    def solution(self) -> HTML:
        """The solution, once an answer was checked, or when it is asked for a second time."""
        if self.seed is not None:
            return shown.said("this is a graded version, its solution is not shown; that of the practised one is")
        entry = attempts.change(self.name, _asked).entry
        return shown.solution(self.solution_cell()) if entry.tries or entry.asked > 1 else shown.said(FIRST_TRY)

    def given(self) -> object:
        """A fresh copy of what the exercise works on; None where the question holds all of it."""
        return copy.deepcopy(self.data())

    def variant(self, seed: int | str) -> "Exercise":
        """The graded version of a seed: the same task with other numbers, on which the practised answer fails."""
        made = self.vary(Draw(f"{self.name} {seed}"))
        return replace(made, name=self.name, seed=seed)

    def markdown(self) -> str:
        """The question as a notebook's text cell holds it."""
        return f"### {self.title} · {self.size}\n\n{wrapped(self._named(self.question))}"

    def starter_cell(self) -> str:
        """The starter as a notebook's code cell holds it, its last line the check."""
        return self._cell(self.starter)

    def solution_cell(self) -> str:
        """The same cell, solved."""
        return self._cell(self.solved)

    def _cell(self, code: str) -> str:
        code = textwrap.dedent(code).strip("\n")
        gap = "\n\n\n" if "def " in code else "\n"
        return self._named(f"{code}{gap}{THIS}.check({self.answer})")

    def _named(self, text: str) -> str:
        graded = "" if self.seed is None else f".variant({self.seed!r})"
        return text.replace(THIS, f"exercises.{self.name}{graded}")

    def _judged(self, answer: object) -> Result:
        try:
            answers.attempted(answer)
            return Result(RIGHT, self.judge(answer))
        except Unattempted:
            return Result(NOT_ATTEMPTED, REPLACE)
        except NotYet as because:
            return Result(NOT_YET, str(because))
        except Exception as error:  # an answer of a kind that nobody thought of must not end in a traceback
            said = f"your answer could not be read ({type(error).__name__}); has it the form that the starter shows?"
            return Result(NOT_YET, said)

    def __repr__(self) -> str:
        return self._named(f"{THIS}: check(answer), hint(), solution()")


def wrapped(markdown: str, width: int = 118) -> str:
    """Markdown with its paragraphs wrapped; code, quotations, lists and tables stay as they are."""
    found = re.findall(r"^```[\s\S]*?^```$|(?:^.+\n?)+", markdown, re.MULTILINE)
    blocks = [block.strip("\n") for block in found]
    kept = [block.startswith(("```", ">", "-", "|")) for block in blocks]
    fill = textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False).fill
    return "\n\n".join(block if keep else fill(block) for block, keep in zip(blocks, kept, strict=True))


def _asked(entry: Entry) -> Entry:
    """An entry after solution() was called; it counts as seen if it is shown to somebody who was not right yet."""
    shows = entry.tries > 0 or entry.asked > 0
    return replace(entry, asked=entry.asked + 1, seen=entry.seen or (shows and not entry.right))
