"""One exercise: its words, its starter, how an answer is judged, its hints, its solution, its graded versions.

The answer is an argument: nothing is taken from a notebook's own names, and no text of a learner is ever run. How an
answer is read is for `answers`. All words are data: beside this module lies a TOML file for each notebook, with a table
for each exercise. What a learner has tried is kept in a file (`keeping`), so that another kernel goes on from it.

What it says is HTML, in which nothing is told by colour alone. Texts are escaped by `show.plain`; what is in backticks
is set as code. Inline styles only, transparent tints and the reader's own text colour, so that it reads in the light
and the dark theme and in a notebook that is not trusted.
"""

import copy
import random
import re
import textwrap
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple, TypeVar

from IPython.display import HTML

from labutils.lesson import show
from labutils.lesson.exercises.answers import NotYet, Unattempted, attempted
from labutils.lesson.keeping import Keeping

T = TypeVar("T")


def read_words(path: Path) -> dict:
    """The words of a notebook's exercises. Raises ValueError, with the name and the line, where a file is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name} is no TOML: {error}") from None


FILES = {path.stem: read_words(path) for path in sorted(Path(__file__).parent.glob("*.toml"))}
NOTEBOOKS = {held["subject"]: notebook for notebook, held in FILES.items()}  # what it is about: its name
TEXTS = {  # by the exercise's name, in the order in which they are met
    name: {"subject": held["subject"]} | texts
    for held in FILES.values()
    for name, texts in held.items()
    if isinstance(texts, dict)
}
PLACE = re.compile(r"\{(\w+)(?::([^{}]*))?\}")  # of a value in a text, with its format
SIZES = ("small", "medium", "open")
NOT_ATTEMPTED, NOT_YET, RIGHT = "not attempted", "not yet", "right"
STATES = {  # an icon, the words before the message, a colour (Okabe and Ito 2008)
    NOT_ATTEMPTED: ("○", "not attempted:", "rgb(128,128,128)"),
    NOT_YET: ("△", "not yet, because", "rgb(230,159,0)"),
    RIGHT: ("✓", "right:", "rgb(0,158,115)"),
}
SAID = "rgb(86,180,233)"
CODE = "margin:6px 0 0 0;white-space:pre-wrap;font-family:monospace;background:transparent;color:inherit"
LIMIT, THIS = 900, "THIS"  # the most characters of a message; what stands in texts for the exercise's own name
REPLACE = "replace each `...` with your answer and run the cell again"
FIRST_TRY = (
    "try it first: check an answer of your own, or ask for a hint. Call `solution()` once more to see it all the same"
)


class Draw:
    """A stream of draws for graded versions. Draw("a seed").number(1, 6) -> the same number each time this line is run.

    On every machine and in every version of Python, too: of the module `random` only `random()` is promised to stay as
    it is, so everything here is made from that. Its state has 19,937 bits, of which the numbers of an exercise show
    some hundreds, so they do not give a secret seed away.
    """

    def __init__(self, seed: int | str):
        self._random = random.Random(str(seed)).random

    def number(self, low: int, high: int) -> int:
        """A whole number between `low` and `high`, both included."""
        return low + int(self._random() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.number(0, len(items) - 1)]

    def some(self, items: Sequence[T], n: int) -> list[T]:
        """`n` different items, in the order in which they are drawn."""
        left = list(items)
        return [left.pop(self.number(0, len(left) - 1)) for _ in range(n)]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """All items in another order."""
        return self.some(items, len(items))


class Wrong(NamedTuple):
    """A typical wrong answer: what was done, the answer as it is handed in, and a piece of the message it gets."""

    what: str
    answer: object
    says: str


def filled(text: str, values: Mapping[str, object]) -> str:
    """A text with its values. filled("{n:,} of {all}", {"n": 1200}) -> "1,200 of {all}": what is no value stays."""
    return PLACE.sub(lambda at: format(values[at[1]], at[2] or "") if at[1] in values else at[0], text)


@dataclass(frozen=True)
class Entry:
    """What is kept of one exercise."""

    tries: int = 0  # answers that were checked, right ones included
    right: bool = False  # once right stays right
    hints: int = 0  # hints seen
    asked: int = 0  # calls of solution()
    seen: bool = False  # whether the solution was shown before an answer was right

    @property
    def state(self) -> str:
        """What progress shows."""
        return RIGHT if self.right else NOT_YET if self.tries else NOT_ATTEMPTED


RENAMED = {"mean_surprise": "mean_loss", "manners_first": "behaviour_first"}  # kept under an older name


def read_progress() -> dict[str, Entry]:
    """All entries by the exercise's name; empty where there are none or they cannot be read."""
    kept = PROGRESS.read()
    old = {new: kept[name] for name, new in RENAMED.items() if name in kept}
    return {name: _entry(each) for name, each in (old | kept).items() if name not in RENAMED}


def change_progress(name: str, step: Callable[[Entry], Entry]) -> tuple[Entry, str]:
    """Change one exercise's entry by `step` and save it; the entry, and why it could not be saved, or nothing."""
    old = next((PROGRESS.read().get(was) for was, now in RENAMED.items() if now == name), None)
    kept, problem = PROGRESS.change(name, lambda kept: (kept or old or {}) | asdict(step(_entry(kept or old or {}))))
    return _entry(kept), problem and f"progress could not be saved: {problem}"


def _entry(kept: dict) -> Entry:
    """An entry from what the file holds; keys that a later version may have added are passed over."""
    known = {key: kept[key] for key in kept.keys() & Entry.__dataclass_fields__.keys()}
    for key, value in known.items():
        if type(value) is not type(getattr(Entry, key)):
            raise ValueError(f"{key}: {value!r:.40}")
    return Entry(**known)


PROGRESS = Keeping("progress", _entry)


@dataclass(frozen=True, repr=False)
class Result:
    """The outcome of a check. A notebook shows it as a box, a terminal as a sentence."""

    state: str  # NOT_ATTEMPTED, NOT_YET or RIGHT
    message: str  # what to do, why not yet, or what the right answer is good for
    note: str = ""  # why progress could not be saved; empty where it was

    @property
    def right(self) -> bool:
        """What a grade counts."""
        return self.state == RIGHT

    def __repr__(self) -> str:
        icon, words, _ = STATES[self.state]
        return f"{icon} {words} {self.message}" + (f" ({self.note})" if self.note else "")

    def _repr_html_(self) -> str:
        icon, words, colour = STATES[self.state]
        below = f'<div style="opacity:.85">{_prose(self.note)}</div>' if self.note else ""
        return _box(f"<b>{icon} {words}</b> {_prose(self.message)}{below}", colour)


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
        _, note = change_progress(self.name, lambda e: replace(e, tries=e.tries + 1, right=e.right or result.right))
        return replace(result, note=note)

    def hint(self) -> HTML:
        """The next hint, below those that were given before."""
        if self.seed is not None:
            return _said("this is a graded version, it has no hints; the practised one has")
        most = len(self.hints)
        entry, _ = change_progress(self.name, lambda e: replace(e, hints=min(most, e.hints + 1)))
        given = enumerate(self.hints[: entry.hints], 1)
        lines = (f"<div><b>→ hint {i} of {most}:</b> {_prose(hint)}</div>" for i, hint in given)
        return HTML(_box("".join(lines)))

    def solution(self) -> HTML:
        """The solution, once an answer was checked, or when it is asked for a second time."""
        if self.seed is not None:
            return _said("this is a graded version, its solution is not shown; that of the practised one is")

        def asked(e: Entry) -> Entry:  # it counts as seen if it is shown to somebody who was not right yet
            return replace(e, asked=e.asked + 1, seen=e.seen or (e.tries + e.asked > 0 and not e.right))

        entry, _ = change_progress(self.name, asked)
        if not entry.tries and entry.asked < 2:
            return _said(FIRST_TRY)
        lines = "\n".join(show.plain(line) for line in self.solution_cell().split("\n"))
        return HTML(_box(f'<b>→ one solution:</b><pre style="{CODE}">{lines}</pre>'))

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
        code = code.strip("\n")
        gap = "\n\n\n" if "def " in code else "\n"
        return self._named(f"{code}{gap}{THIS}.check({self.answer})")

    def _named(self, text: str) -> str:
        graded = "" if self.seed is None else f".variant({self.seed!r})"
        return text.replace(THIS, f"exercises.{self.name}{graded}")

    def _judged(self, answer: object) -> Result:
        try:
            attempted(answer)
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


class Words:
    """The words of one exercise with its values. Words("shingles", n=3)("good", shared=2, either=9) -> "2 shared ...".

    part: a table inside of the exercise's, whose texts come before those of the exercise, and are values, too
    """

    def __init__(self, name: str, part: str = "", /, **values: object):
        own = TEXTS[name][part] if part else {}
        told = {key: _folded(key, text) for key, text in own.items() if isinstance(text, str)}
        self.name, self.held, self.values = name, TEXTS[name] | own, told | values

    def __call__(self, *keys: str | int, **values: object) -> str:
        """A text by its key, or by the keys that lead to it. Line breaks in the file are spaces."""
        text = self.held
        for key in keys:
            text = text[key]
        return filled(_folded("", text), self.values | values)

    def no(self, key: str, /, **values: object) -> NotYet:
        """What a judge raises: the text `key` of the table `not_yet`."""
        return NotYet(self("not_yet", key, **values))

    def refuse(self, wrong: bool, key: str, /, **values: object) -> None:
        """Raises what `no` gives where an answer is wrong."""
        if wrong:
            raise self.no(key, **values)

    def slips(self, found: Mapping[str, object]) -> list[Wrong]:
        """Wrong answers that the judge recognises, by what was done; the table `slips` has what is said to each."""
        return [Wrong(what, answer, self("slips", what)) for what, answer in found.items()]

    def wrong(self, found: Mapping[str, object]) -> list[Wrong]:
        """Other typical wrong answers; the table `wrong` has a piece of what is said to each."""
        return [Wrong(what, answer, self("wrong", what)) for what, answer in found.items()]

    def exercise(self, slips: Sequence[Wrong] = (), wrong: object = None, data: object = None, **fields) -> Exercise:
        """The exercise: what it says from the file, what it does, or says otherwise, from `fields`.

        Its typical wrong answers are `slips` and those of `wrong`; that and `data` are values or functions.
        """
        held, given = self.held, data if callable(data) else lambda: data
        others = wrong if callable(wrong) else lambda: wrong or {}
        said = {key: held[key] for key in ("title", "subject", "size", "answer") if key in held}
        said |= {key: filled(held[key], self.values) for key in ("question", "starter", "solved") if key in held}
        said |= {"name": self.name, "hints": tuple(self("hints", i) for i in range(len(held["hints"])))}
        done = {"data": given, "wrong": lambda: [*slips, *self.wrong(others())]}
        return Exercise(**said | done | fields)


def _folded(key: str, text: str) -> str:
    """A text without the line breaks that it has in the file, unless it is code."""
    return text.strip("\n") if key == "code" else re.sub(r"\s*\n\s*", " ", text.strip())


def wrapped(markdown: str, width: int = 118) -> str:
    """Markdown with its paragraphs wrapped; code, quotations, lists and tables stay as they are."""
    found = re.findall(r"^```[\s\S]*?^```$|(?:^.+\n?)+", markdown, re.MULTILINE)
    blocks = [block.strip("\n") for block in found]
    kept = [block.startswith(("```", ">", "-", "|")) for block in blocks]
    fill = textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False).fill
    return "\n\n".join(block if keep else fill(block) for block, keep in zip(blocks, kept, strict=True))


def _said(words: str) -> HTML:
    return HTML(_box(f"→ {_prose(words)}"))


def _prose(text: str) -> str:
    """A message as safe HTML. _prose("use `<`") -> "use <code>&lt;</code>"."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", show.plain(text, LIMIT))


def _box(inside: str, colour: str = SAID) -> str:
    return f'<div style="border-left:5px solid {colour};padding:4px 10px;{show.BREAK}">{inside}</div>'
