"""Exercises of numbers and of functions: what is right, which slip is recognised, what is said of the rest."""

import pytest

from labutils.lesson.exercises.answers import NotYet, Unattempted
from labutils.lesson.exercises.exercise import Wrong
from labutils.lesson.exercises.forms import Quantity, apart, asked_for, same, source, written

SIX = Quantity("six", 6.0, (Wrong("a half", 3.0, "that is the half"),), "count again", close=0.01)
TEN = Quantity("ten", 10, (Wrong("a half", 5, "that is the half of ten"),), "use your fingers", close=0)
ONE, TWO = asked_for(SIX, good="it is six"), asked_for(SIX, TEN, good="both")


def said(form: dict, answer: object) -> str:
    with pytest.raises(NotYet) as raised:
        form["judge"](answer)
    return str(raised.value)


@pytest.mark.parametrize("answer", [6, 6.059, 5.941])
def test_a_number_is_right_up_to_its_rounding(answer):
    assert ONE["judge"](answer) == "it is six"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (6.061, "6.061 is another number; count again"),
        (5.939, "5.939 is another number; count again"),
        (3.02, "that is the half"),
        (12_000, "12,000 is another number; count again"),
        ("6", "expected a number, got a text; leave the quotes away"),
    ],
)
def test_another_number(answer, message):
    assert said(ONE, answer) == message


def test_two_numbers():
    assert TWO["answer"] == "six, ten"
    assert TWO["judge"]((6, 10)) == TWO["judge"]([6.01, 10.0]) == "both"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((3, 10), "`six`: that is the half"),
        ((6, 5), "`ten`: that is the half of ten"),
        ((6, 10.001), "`ten`: 10.001 is another number; use your fingers"),
        ((10, 6), "the numbers are right, but not their places: the order is `six, ten`"),
        (6, "expected 2 numbers, `six, ten`, got a number"),
        ([6], "expected 2 numbers, `six, ten`, got 1"),
        ((6, "ten"), "expected a number for `ten`, got a text; leave the quotes away"),
    ],
)
def test_one_of_two_is_wrong(answer, message):
    assert said(TWO, answer) == message


def test_each_mistake_of_numbers_is_told_as_it_says():
    for form in (ONE, TWO):
        for wrong in form["wrong"]():
            assert wrong.says in said(form, wrong.answer)
    assert len(TWO["wrong"]()) == 7


def test_slips_that_cannot_be_told_apart():
    assert apart(SIX, TEN)
    assert apart(SIX, others=[7])
    assert not apart(SIX, others=[6.1])
    assert not apart(SIX._replace(slips=(Wrong("nearly", 6.05, "nearly"),)))
    assert not apart(TEN._replace(slips=(*TEN.slips, Wrong("also", 5, "also"))))


def doubled(number):
    return 2 * number


TWICE = written(
    "twice",
    doubled,
    [(0,), (2,), (5,)],
    [Wrong("a square", lambda n: n * n, "that is the square"), Wrong("fails", lambda n: 1 / n, "one over it")],
    good="twice as much",
)


def test_a_function_is_right():
    assert TWICE["answer"] == "twice"
    assert TWICE["judge"](lambda n: n + n + 0.0001) == "twice as much"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda n: n**2, "that is the square"),
        (lambda n: n + 2, "for `0` it gives `2`, right is `0`"),
        (lambda n: n * 1.5, "for `2` it gives `3`, right is `4`"),
        (lambda n: str(n), "expected a number, got a text; leave the quotes away"),
        (4, "expected the function itself, got a number; pass its name, without brackets behind it"),
    ],
)
def test_a_function_that_is_wrong(answer, message):
    assert said(TWICE, answer) == message


def test_each_mistake_of_functions_is_told():
    told = {wrong.what: wrong for wrong in TWICE["wrong"]()}
    assert list(told) == ["a square", "fails", "nothing given back", "its result"]
    assert "ZeroDivisionError" in said(TWICE, told.pop("fails").answer), "a slip that fails is told by how it ends"
    for wrong in told.values():
        assert wrong.says in said(TWICE, wrong.answer)


def test_a_function_that_was_not_written():
    with pytest.raises(Unattempted):
        TWICE["judge"](lambda n: ...)


def test_a_slip_that_comes_out_right_is_right():
    form = written("f", doubled, [(2,)], [Wrong("a square", lambda n: n * n, "a square")], good="good")
    assert form["judge"](lambda n: n * n) == "good"


def test_the_source_of_a_solution():
    assert source(doubled, "twice") == "def twice(number):\n    return 2 * number\n"


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0019, True),
        (1, 1.0021, False),
        (0, 0.0019, True),
        (1000, 1001.9, True),
        ("a", "a", True),
        ([1], [2], False),
    ],
)
def test_same(one, other, equal):
    assert same(one, other) is equal
