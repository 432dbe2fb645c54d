"""Learners' functions: whatever they do, a sentence comes out, in time, and the notebook goes on."""

import json
import re
import signal
import sys
import threading
import time
from contextlib import suppress

import pytest

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet, Unattempted, call

signals = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no timer signal")


def told(function, *given, seconds=30) -> str:
    with pytest.raises(NotYet) as raised:
        call(function, *given, seconds=seconds)
    return str(raised.value)


def divides(text):
    return len(text) / 0


def exits(text):
    sys.exit(3)


def deep(text):
    return deep(text)


def inside(text):
    return json.loads(text)


def addressed(text):
    raise ValueError(object())


def quotes(text):
    raise KeyError("`a`")


def alters(rows):
    rows.append(1)
    return rows


def forever(text):
    while True:
        pass


def stubborn(text):
    end = time.monotonic() + 5
    while time.monotonic() < end:
        with suppress(Exception):
            time.sleep(0.01)


RAISED = {
    divides: "`divides` raises `ZeroDivisionError: division by zero`, in line {}: `return len(text) / 0`",
    exits: "`exits` raises `SystemExit: 3`, in line {}: `sys.exit(3)`",
    inside: "`inside` raises `JSONDecodeError: Expecting value: line 1 column 1 (char 0)`, in line {}: "
    "`return json.loads(text)`",
    addressed: "`addressed` raises `ValueError: <object object at 0x...>`, in line {}: `raise ValueError(object())`",
    quotes: "`quotes` raises `KeyError: ''a''`, in line {}: `raise KeyError(\"'a'\")`",
}


@pytest.mark.parametrize("function", RAISED)
def test_what_it_raises_is_told_with_its_line(function):
    line = function.__code__.co_firstlineno + 1
    assert told(function, "(") == RAISED[function].replace("in line {}", f"in line {line} of its cell")


def test_what_comes_back():
    assert call(lambda text, n: text * n, "ab", 2) == "abab" and answers._by_trace(lambda: 7, 1) == 7
    with pytest.raises(KeyError):
        answers._by_trace(lambda: {}["x"], 1)
    assert told(lambda text: None, "x") == "`<lambda>` returns nothing; is a `return` missing?"
    with pytest.raises(Unattempted):
        call(lambda text: ..., "x")
    assert told(deep, "x").startswith("`deep` raises `RecursionError: maximum recursion depth exceeded")
    words = "`<lambda>` raises `TypeError: <lambda>() missing 1 required positional argument: 'b'`"
    assert told(lambda a, b: a, "x").endswith(words.partition("()")[2])
    rows = [3]
    assert told(alters, rows) == "`alters` changes what it is given; make a copy first, others use the same data"
    assert rows == [3]


@signals
@pytest.mark.parametrize("function", [forever, stubborn, lambda text: re.match(r"(a+)+$", "a" * 64 + "b"),
                                      lambda text: [0 for _ in iter(int, 1)]])  # fmt: skip
def test_a_function_without_an_end_is_stopped(function):
    began = time.monotonic()
    assert "was stopped after 0.3 seconds" in told(function, "x", seconds=0.3)
    assert time.monotonic() - began < 40


@signals
def test_a_bare_except_is_interrupted_again_and_a_timer_that_was_running_goes_on():
    def swallows(text):
        for _ in range(3):
            with suppress(BaseException):
                time.sleep(30)
        time.sleep(30)

    heard = []
    handler = signal.signal(signal.SIGALRM, lambda *_: heard.append(1))
    left, interval = signal.setitimer(signal.ITIMER_REAL, 3)
    began = time.monotonic()
    try:
        call(lambda text: time.sleep(0.1) or 1, "x")
        assert "was stopped" in told(swallows, "x", seconds=0.1)
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 2.9
        while not heard and time.monotonic() - began < 50:
            time.sleep(0.01)
        assert heard == [1]
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, max(0.001, left - (time.monotonic() - began)) if left else 0, interval)


def in_a_thread(function) -> str:
    said = []
    thread = threading.Thread(target=lambda: said.append(told(function, "x", seconds=0.3)))
    thread.start()
    thread.join(200)
    return said[0]


@pytest.mark.parametrize("function", [forever, lambda text: [0 for _ in iter(int, 1)]])
def test_other_threads_and_other_systems_look_at_the_clock(function, monkeypatch):
    before = sys.gettrace()
    assert "was stopped" in in_a_thread(function)
    monkeypatch.delattr(signal, "setitimer", raising=False)
    assert "was stopped" in told(function, "x", seconds=0.3)
    assert sys.gettrace() is before


def test_an_interrupt_by_the_learner_goes_through():
    def interrupted(text):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(interrupted, "x")
