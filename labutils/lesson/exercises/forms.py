"""The forms of answers that many exercises share: a letter, numbers, a function. Each slip is told what it is."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet, call, kind, quoted
from labutils.lesson.exercises.exercise import Draw, Exercise, Words, Wrong

LETTERS = "abcdef"
CLOSE = 0.002  # of a function's numbers, absolute and relative: what was rounded to three decimals is right


def refuse(slips: Sequence[Wrong], same: Callable[[object], bool]) -> None:
    """Raises NotYet with the message of the first slip that is the same as the answer."""
    for slip in slips:
        if same(slip.answer):
            raise NotYet(slip.says)


def choice(say: Words, order: Sequence[int], vary: Callable[[Draw], Exercise]) -> Exercise:
    """A small exercise whose answer is a letter. The first option of its words is right; they are shown in `order`."""
    options = [(say("options", i, "text"), say("options", i, "reply")) for i in order]
    letters = LETTERS[: len(options)]
    right = letters[list(order).index(0)]
    placed = dict(zip(letters, options, strict=True))

    def judge(answer: object) -> str:
        letter = letter_of(answer, letters)
        if letter != right:
            raise NotYet(placed[letter][1])
        return placed[letter][1]

    listed = "\n".join(f"- **{letter}** {text}" for letter, (text, _) in placed.items())
    quotes = ", ".join(f'"{letter}"' for letter in letters)
    return say.exercise(
        size="small",
        question=f"{say('question')}\n\n{listed}",
        starter=f"my_answer = ...  # one of {quotes}",
        answer="my_answer",
        judge=judge,
        solved=f'my_answer = "{right}"',
        slips=[Wrong(text, letter, reply) for letter, (text, reply) in placed.items() if letter != right],
        vary=vary,
    )


def letter_of(answer: object, letters: str) -> str:
    """The letter that was chosen. letter_of(" B) ", "abcd") -> "b"."""
    if not isinstance(answer, str):
        raise NotYet(f"expected a letter in quotes, got {kind(answer)}")
    letter = answer.strip().strip("().").lower()
    if len(letter) != 1 or letter not in letters:
        raise NotYet(f"expected one letter from `{letters[0]}` to `{letters[-1]}` in quotes")
    return letter


def moved(draw: Draw, order: Sequence[int]) -> list[int]:
    """Another order, in which the right option is in another place than before."""
    while True:
        other = draw.shuffled(order)
        if other.index(0) != list(order).index(0):
            return other


class Quantity(NamedTuple):
    """A number that is asked for."""

    name: str  # of the variable in the starter
    right: float
    slips: Sequence[Wrong]  # wrong numbers that are recognised, each with all of its message
    advice: str  # what is said of any other number
    close: float = 0.005  # how far off is still right, as a part of the number; 0 for what is counted


def quantity(say: Words, name: str, right: float, slips: Mapping[str, float], close: float = 0.005) -> Quantity:
    """A number whose words are the table `name` of the exercise: its `advice` and its `slips`."""
    told = [Wrong(what, value, say(name, "slips", what)) for what, value in slips.items()]
    return Quantity(name, right, told, say(name, "advice"), close)


def asked_for(*quantities: Quantity, good: str) -> dict:
    """What an exercise needs to have these numbers handed in: its `answer`, its `judge` and its `slips`."""

    def judge(answer: object) -> str:
        parts = answers.parts(answer, count, f"{count} numbers, `{names}`") if count > 1 else [answer]
        told = [f"a number for `{each.name}`" if count > 1 else "a number" for each in quantities]
        values = [answers.number(part, what) for part, what in zip(parts, told, strict=True)]
        wrong = [pair for pair in zip(values, quantities, strict=True) if not _close(*pair)]
        if not wrong:
            return good
        if all(map(_close, sorted(values), sorted(quantities, key=lambda each: each.right))):
            raise NotYet(f"the numbers are right, but not their places: the order is `{names}`")
        value, each = wrong[0]
        slips = (slip.says for slip in each.slips if _close(value, each._replace(right=slip.answer)))
        whose = f"`{each.name}`: " if count > 1 else ""
        raise NotYet(whose + next(slips, f"{value:,g} is another number; {each.advice}"))

    count, names = len(quantities), ", ".join(each.name for each in quantities)
    return {"answer": names, "judge": judge, "slips": _wrong_numbers(quantities)}


def with_interval(answer: object, what: str, names: str) -> list:
    """The three parts of an answer that is a number with the two ends of its interval."""
    parts = [answer] if isinstance(answer, float | int) else answers.items(answer, "three numbers")
    if len(parts) != 3:
        raise NotYet(f"{what} without its interval says little; hand in three numbers, `{names}`")
    return parts


def apart(*quantities: Quantity, others: Sequence[float] = ()) -> bool:
    """Whether no slip comes out right or like another one; nor do `others`, such as the practised answer."""
    for each in quantities:
        values = sorted([each.right, *(slip.answer for slip in each.slips), *others])
        if not all(b - a > 4 * each.close * abs(b) + 1e-6 for a, b in pairwise(values)):
            return False
    return True


def _close(value: float, quantity: Quantity) -> bool:
    return abs(value - quantity.right) <= quantity.close * abs(quantity.right) + 1e-9


def _wrong_numbers(quantities: Sequence[Quantity]) -> list[Wrong]:
    rights = [each.right for each in quantities]
    found = []
    for i, each in enumerate(quantities):
        for slip in [*each.slips, Wrong("a guess", 1.37 * each.right + 0.71, "is another number")]:
            if len(quantities) == 1:
                found.append(slip)
            else:
                handed = (*rights[:i], slip.answer, *rights[i + 1 :])
                found.append(Wrong(f"{each.name}: {slip.what}", handed, slip.says))
    if len(quantities) > 1:
        found += [
            Wrong("one number alone", rights[0], f"expected {len(quantities)} numbers"),
            Wrong("a number left out", rights[1:], f"got {len(rights) - 1}"),
            Wrong("in another order", rights[1:] + rights[:1], "not their places"),
        ]
    return found


def written(
    say: Words,
    right: Callable,
    cases: Sequence[tuple],
    slips: Mapping[str, Callable],
    *,
    read: Callable[[object], object] = answers.number,
    told: Callable[..., str] = lambda *case: ", ".join(map(repr, case)),
    more: Mapping[str, Callable] | None = None,
) -> dict:
    """What an exercise needs to have a function handed in that gives what `right` gives: its `judge` and its `slips`.

    It is called on cases that were not shown. A slip is a function, too, recognised by what it gives for all of them.

    Args:
        cases: the arguments of each call, on which every slip goes wrong somewhere.
        slips: typical wrong functions, by what was done.
        read: what a function gave -> a plain value; raises NotYet for what has another form.
        told: a case in words, for a function that is wrong in another way.
        more: further wrong functions, which `read` or their way of ending tells.
    """
    slips = say.slips(slips)
    expected = [right(*case) for case in cases]

    def judge(answer: object) -> str:
        function = answers.function(answer)
        given = [read(call(function, *case)) for case in cases]
        if not _equal(given, expected):
            refuse(slips, lambda slip: _equal(given, [_outcome(slip, case) for case in cases]))
        for case, value, wanted in zip(cases, given, expected, strict=True):
            if not same(value, wanted):
                raise NotYet(f"for {quoted(told(*case), 90)} it gives `{_short(value)}`, right is `{_short(wanted)}`")
        return say("good")

    others = (
        Wrong("nothing given back", lambda *case: print(end=""), "is a `return` missing"),
        Wrong("its result", expected[0], "the function itself"),
    )
    return {"judge": judge, "slips": [*slips, *say.wrong(more or {}), *others]}


def same(one: object, other: object) -> bool:
    """Whether two values are equal, numbers but for rounding."""
    if isinstance(one, float | int) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE)
    return one == other


def _equal(ones: list, others: list) -> bool:
    return all(same(one, other) for one, other in zip(ones, others, strict=True))


def _outcome(function: Callable, case: tuple) -> object:
    """What a slip gives; None where it fails, which no reader gives."""
    try:
        return function(*case)
    except Exception:
        return None


def _short(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
