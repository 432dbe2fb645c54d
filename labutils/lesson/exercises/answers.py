"""Reading an answer: what was handed in -> a plain value, or a sentence that says what else was expected.

The starters' marker is `...`: an answer that still holds it was not attempted. Arrays, tensors, series and tables come
in through their own `tolist` or `to_list`.
"""

import math
from collections.abc import Callable

from labutils.lesson.exercises.result import NotYet, Unattempted

SHOWN = {"\n": "⏎", "\t": "⇥", "`": "'"}
DEEP = 3  # how far dots are looked for inside of lists


def attempted(answer: object) -> None:
    """Raises Unattempted where only dots were handed in, NotYet where some were left, or where there is nothing."""
    found = _dots(answer)
    if found == {True}:
        raise Unattempted
    if True in found:
        raise NotYet("a part of it is still `...`; replace each of them")
    if answer is None:
        raise NotYet("your answer is `None`; did the last step give nothing back, as `list.sort()` does?")


def number(answer: object, what: str = "a number") -> float:
    """A finite number. number("0.5") raises NotYet: "expected a number, got a text; leave the quotes away"."""
    value = answer.item() if getattr(answer, "shape", None) == () else answer
    if isinstance(value, str):
        raise NotYet(f"expected {what}, got a text; leave the quotes away")
    try:
        plain = math.nan if isinstance(value, bool) else float(value)  # ints, floats, fractions, decimals
    except (TypeError, ValueError, OverflowError):
        raise NotYet(f"expected {what}, got {kind(answer)}") from None
    if not math.isfinite(plain):
        raise NotYet(f"expected {what}, got `{value}`")
    return plain


def items(answer: object, what: str = "a list") -> list:
    """A list out of a list, a tuple, an array or a column of a table."""
    for name in ("tolist", "to_list"):
        if hasattr(answer, name) and not isinstance(answer, type):
            answer = getattr(answer, name)()
    if isinstance(answer, list | tuple):
        return list(answer)
    wrap = "; put `list(...)` around it" if hasattr(answer, "__next__") else ""
    raise NotYet(f"expected {what}, got {kind(answer)}{wrap}")


def whole_numbers(answer: object, what: str = "a list of whole numbers") -> list[int]:
    """A list of ints, out of all that counts as one."""
    found = [number(each, f"{what}; each") for each in items(answer, what)]
    if any(each != int(each) for each in found):
        raise NotYet(f"expected {what}, got one with a fraction")
    return [int(each) for each in found]


def text(answer: object, what: str = "a text") -> str:
    """A text."""
    if not isinstance(answer, str):
        raise NotYet(f"expected {what}, got {kind(answer)}")
    return answer


def function(answer: object) -> Callable:
    """A function, not what came out of one."""
    if not callable(answer):
        raise NotYet(f"expected the function itself, got {kind(answer)}; pass its name, without brackets behind it")
    return answer


def kind(value: object) -> str:
    """What a value is, in words. kind([1]) -> "a list"."""
    names = {
        bool: "True or False", dict: "a dictionary", float: "a number", int: "a number", list: "a list", set: "a set",
        str: "a text", tuple: "a tuple", type(None): "`None`",
    }  # fmt: skip
    if type(value) in names:
        return names[type(value)]
    return "a function" if callable(value) else f"a value of type `{type(value).__name__}`"


def quoted(text: str, limit: int = 60) -> str:
    """A piece of a text inside a message: in backticks, on one line, cut, without backticks of its own."""
    cut = "".join(SHOWN.get(c, c if c.isprintable() else "·") for c in text[:limit])
    cut += "..." if len(text) > limit else ""
    return f"`{cut}`" if cut else "an empty text"


def _dots(answer: object, deep: int = 0) -> set[bool]:
    """Whether dots, or something else, are in an answer: {True}, {False} or both."""
    if deep < DEEP and isinstance(answer, list | tuple) and len(answer):
        return set().union(*(_dots(each, deep + 1) for each in answer))
    if deep < DEEP and type(answer) is dict and answer:
        return set().union(*(_dots(each, deep + 1) for each in answer.values()))
    return {answer is ...}
