"""Calling a learner's function: within a time limit, on a copy of the data, and never with a traceback.

What cannot be stopped: one long step inside a C library (`sum` over an endless iterator, say). In the main thread of
Linux and macOS a timer signal ends everything else, also a sleep or a regular expression that backtracks. On Windows,
and in other threads, the clock is looked at before each line of Python, so a long single line runs to its end, and a
bare `except:` inside the function can swallow the limit. An interrupt by the learner ends the check like any cell.
"""

import copy
import linecache
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable

from labutils.lesson.exercises.result import NotYet, Unattempted

SECONDS = 5.0  # by the clock on the wall, which goes on while other programs have the processor


class TooLong(BaseException):
    """The time is up; no `except Exception` of a learner keeps it."""


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
