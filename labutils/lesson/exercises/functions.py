"""Exercises whose answer is a function: it is called on cases that were not shown, and compared with the right one.

A slip is a function, too, and is recognised by what it gives for all of the cases.
"""

import inspect
import math
import re
from collections.abc import Callable, Sequence

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import quoted
from labutils.lesson.exercises.calling import call
from labutils.lesson.exercises.exercise import Wrong
from labutils.lesson.exercises.result import NotYet

CLOSE = 0.002  # of numbers, absolute and relative: what was rounded to three decimals is right


def written(
    name: str,
    right: Callable,
    cases: Sequence[tuple],
    slips: Sequence[Wrong],
    *,
    good: str,
    read: Callable[[object], object] = answers.number,
    told: Callable[..., str] = lambda *case: ", ".join(map(repr, case)),
    more: Sequence[Wrong] = (),
) -> dict:
    """What an Exercise needs to have a function handed in: its `answer`, its `judge` and its `wrong`.

    Args:
        name: of the function in the starter.
        right: the right function.
        cases: the arguments of each call, on which every slip goes wrong somewhere.
        slips: typical wrong functions, each with all of its message.
        good: what is said of a right one.
        read: what a function gave -> a plain value; raises NotYet for what has another form.
        told: a case in words, for a function that is wrong in another way.
        more: further wrong functions, which `read` or their way of ending tells.
    """
    expected = [right(*case) for case in cases]

    def judge(answer: object) -> str:
        function = answers.function(answer)
        given = [read(call(function, *case)) for case in cases]
        for slip in slips:
            if not _equal(given, expected) and _equal(given, [_outcome(slip.answer, case) for case in cases]):
                raise NotYet(slip.says)
        for case, value, wanted in zip(cases, given, expected, strict=True):
            if not same(value, wanted):
                raise NotYet(f"for {quoted(told(*case), 90)} it gives `{_short(value)}`, right is `{_short(wanted)}`")
        return good

    others = (
        Wrong("nothing given back", lambda *case: print(end=""), "is a `return` missing"),
        Wrong("its result", expected[0], "the function itself"),
    )
    return {"answer": name, "judge": judge, "wrong": lambda: [*slips, *more, *others]}


def source(function: Callable, name: str) -> str:
    """The code of a function under the name that the starter gives it, without remarks to the linter."""
    return re.sub(r"  # noqa.*", "", inspect.getsource(function)).replace(function.__name__, name, 1)


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
