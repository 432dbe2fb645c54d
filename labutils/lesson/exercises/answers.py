"""Reading an answer: what was handed in -> a plain value, or a sentence that says what else was expected.

The starters' marker is `...`: an answer that still holds it was not attempted. Arrays, tensors, series and tables come
in through their own `tolist` or `to_list`. A function is called within a time limit, on a copy of the data, and never
with a traceback.

What cannot be stopped: one long step inside a C library (`sum` over an endless iterator, say). In the main thread of
Linux and macOS a timer signal ends everything else, also a sleep or a regular expression that backtracks. On Windows,
and in other threads, the clock is looked at before each line of Python, so a long single line runs to its end, and a
bare `except:` inside the function can swallow the limit. An interrupt by the learner ends the check like any cell.
"""

import copy
import linecache
import math
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable

SHOWN = {"\n": "⏎", "\t": "⇥", "`": "'"}
DEEP = 3  # how far dots are looked for inside of lists
SECONDS = 5.0  # by the clock on the wall, which goes on while other programs have the processor


class NotYet(Exception):
    """Raised by a judge: the answer is not right yet, and this is what the learner reads behind *because*."""


class Unattempted(Exception):
    """Raised by a judge: the dots of the starter are still there."""


class TooLong(BaseException):
    """The time is up; no `except Exception` of a learner keeps it."""


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
    """A list out of a list, a tuple, an array, a column of a table, or the rows of one as dictionaries."""
    if hasattr(answer, "columns") and hasattr(answer, "to_dict"):  # a DataFrame
        return answer.to_dict("records")
    for name in ("tolist", "to_list"):
        if hasattr(answer, name) and not isinstance(answer, type):
            answer = getattr(answer, name)()
    if isinstance(answer, list | tuple):
        return list(answer)
    wrap = "; put `list(...)` around it" if hasattr(answer, "__next__") else ""
    raise NotYet(f"expected {what}, got {kind(answer)}{wrap}")


def parts(answer: object, count: int, what: str) -> list:
    """A list of that many parts. parts([1], 2, "two numbers") raises NotYet: "expected two numbers, got 1"."""
    found = items(answer, what)
    if len(found) != count:
        raise NotYet(f"expected {what}, got {len(found)}")
    return found


def whole_numbers(answer: object, what: str = "a list of whole numbers", *, ordered: bool = True) -> list[int]:
    """A list of ints, out of all that counts as one; a set, too, where they need not be `ordered`."""
    answer = list(answer) if isinstance(answer, set) and not ordered else answer
    found = [number(each, "a number in each place") for each in items(answer, what)]
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


def call(function: Callable, *given: object, seconds: float = SECONDS) -> object:
    """What the function returns for these values.

    Raises NotYet when it raises (with the line), takes too long, changes what it was given, or returns nothing;
    Unattempted when it returns the dots of the starter.
    """
    name = getattr(function, "__name__", "your function")
    handed = copy.deepcopy(given)
    try:
        value = _limited(lambda: function(*handed), seconds)
    except TooLong:
        raise NotYet(f"`{name}` was stopped after {seconds:g} seconds; does a loop in it never end?") from None
    except (Exception, SystemExit) as error:
        raise NotYet(_told(error, function, name)) from None
    if value is ...:
        raise Unattempted
    if handed != given:
        raise NotYet(f"`{name}` changes what it is given; make a copy first, others use the same data")
    if value is None:
        raise NotYet(f"`{name}` returns nothing; is a `return` missing?")
    return value


def _told(error: BaseException, function: Callable, name: str) -> str:
    """An exception in a sentence, with the last line of the learner's own code. Addresses in memory are left out."""
    said = re.sub(r"0x[0-9a-fA-F]+", "0x...", str(error)).replace("`", "'")[:200]
    where = getattr(getattr(function, "__code__", None), "co_filename", None)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == where]
    line = linecache.getline(where, frames[-1].lineno).strip().replace("`", "'") if frames else ""
    place = f", in line {frames[-1].lineno} of its cell: `{line}`" if line else ""
    return f"`{name}` raises `{type(error).__name__}: {said}`{place}"


def _limited(run: Callable[[], object], seconds: float) -> object:
    main = threading.current_thread() is threading.main_thread()
    return (_by_signal if main and hasattr(signal, "setitimer") else _by_trace)(run, seconds)


def _by_signal(run: Callable[[], object], seconds: float) -> object:
    """The system's timer interrupts, and again until it is heard. A timer that was running goes on afterwards."""

    def stop(number: int, frame: object) -> None:
        raise TooLong

    began, handler = time.monotonic(), signal.signal(signal.SIGALRM, stop)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
    try:
        return run()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, left - (time.monotonic() - began)), interval)


def _by_trace(run: Callable[[], object], seconds: float) -> object:
    """Each line of Python looks at the clock first. A debugger that was tracing goes on afterwards."""
    before, end = sys.gettrace(), time.monotonic() + seconds

    def look(frame: object, event: str, value: object) -> Callable:
        if time.monotonic() > end:
            raise TooLong
        return look

    sys.settrace(look)
    try:
        return run()
    finally:
        sys.settrace(before)
