"""Exercises whose answer is a number, or several: the right ones, and what comes out of the usual slips."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.exercise import Wrong
from labutils.lesson.exercises.result import NotYet


class Quantity(NamedTuple):
    """A number that is asked for."""

    name: str  # of the variable in the starter
    right: float
    slips: tuple[Wrong, ...]  # wrong numbers that are recognised, each with all of its message
    advice: str  # what is said of any other number
    close: float = 0.005  # how far off is still right, as a part of the number; 0 for what is counted


def asked_for(*quantities: Quantity, good: str) -> dict:
    """What an Exercise needs to have these numbers handed in: its `answer`, its `judge` and its `wrong`."""

    def judge(answer: object) -> str:
        values = _read(answer, quantities)
        _judge_order(values, quantities)
        for quantity, value in zip(quantities, values, strict=True):
            _judge(quantity, value, f"`{quantity.name}`: " if len(quantities) > 1 else "")
        return good

    names = ", ".join(quantity.name for quantity in quantities)
    return {"answer": names, "judge": judge, "wrong": lambda: _wrong(quantities)}


def apart(*quantities: Quantity, others: Sequence[float] = ()) -> bool:
    """Whether no slip comes out right or like another one; nor do `others`, such as the practised answer."""
    return all(_apart(quantity, others) for quantity in quantities)


def _apart(quantity: Quantity, others: Sequence[float]) -> bool:
    values = sorted([quantity.right, *(slip.answer for slip in quantity.slips), *others])
    return all(b - a > 4 * quantity.close * abs(b) + 1e-6 for a, b in pairwise(values))


def _close(value: float, target: float, quantity: Quantity) -> bool:
    return abs(value - target) <= quantity.close * abs(target) + 1e-9


def _read(answer: object, quantities: Sequence[Quantity]) -> list[float]:
    if len(quantities) == 1:
        return [answers.number(answer)]
    what = f"{len(quantities)} numbers, `{', '.join(quantity.name for quantity in quantities)}`"
    parts = answers.items(answer, what)
    if len(parts) != len(quantities):
        raise NotYet(f"expected {what}, got {len(parts)}")
    return [answers.number(part, f"a number for `{each.name}`") for part, each in zip(parts, quantities, strict=True)]


def _judge_order(values: list[float], quantities: Sequence[Quantity]) -> None:
    """Raises NotYet where the numbers are right and in other places."""
    rights = sorted(quantities, key=lambda quantity: quantity.right)
    found = all(_close(value, each.right, each) for value, each in zip(sorted(values), rights, strict=True))
    if found and not all(_close(value, each.right, each) for value, each in zip(values, quantities, strict=True)):
        names = ", ".join(quantity.name for quantity in quantities)
        raise NotYet(f"the numbers are right, but not their places: the order is `{names}`")


def _judge(quantity: Quantity, value: float, whose: str) -> None:
    if _close(value, quantity.right, quantity):
        return
    for slip in quantity.slips:
        if _close(value, slip.answer, quantity):
            raise NotYet(whose + slip.says)
    raise NotYet(f"{whose}{value:,g} is another number; {quantity.advice}")


def _wrong(quantities: Sequence[Quantity]) -> list[Wrong]:
    rights = [quantity.right for quantity in quantities]
    found = []
    for i, quantity in enumerate(quantities):
        others = [*quantity.slips, Wrong("a guess", 1.37 * quantity.right + 0.71, "is another number")]
        for slip in others:
            handed = (*rights[:i], slip.answer, *rights[i + 1 :])
            what = slip.what if len(quantities) == 1 else f"{quantity.name}: {slip.what}"
            found.append(Wrong(what, handed if len(quantities) > 1 else slip.answer, slip.says))
    if len(quantities) > 1:
        found += [
            Wrong("one number alone", rights[0], f"expected {len(quantities)} numbers"),
            Wrong("a number left out", rights[1:], f"got {len(rights) - 1}"),
            Wrong("in another order", rights[1:] + rights[:1], "not their places"),
        ]
    return found
