"""What counts as an answer: the same number or list in any of its usual clothes, and a sentence for the rest.

And the forms that exercises share: a letter, numbers and functions, right, slipped, and wrong in another way.
"""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch

from labutils.lesson.exercises import answers, forms
from labutils.lesson.exercises.answers import NotYet, Unattempted
from labutils.lesson.exercises.exercise import TEXTS, Words, Wrong
from labutils.lesson.exercises.forms import Quantity, apart, asked_for, letter_of

ITSELF: list = []
ITSELF.append(ITSELF)
HALVES = [0.5, Fraction(1, 2), Decimal("0.5"), np.float32(0.5), np.array(0.5), torch.tensor(0.5), pd.Series([0.5])[0]]
THREES = [[1, 2, 3], (1, 2, 3), np.arange(1, 4), torch.tensor([1, 2, 3]), pd.Series([1, 2, 3]), [1.0, 2, np.int64(3)]]


def said(function, *given) -> str:
    with pytest.raises(NotYet) as raised:
        function(*given)
    return str(raised.value)


def test_dots_alone_are_not_attempted():
    for dots in (..., [...], (..., ...), [[...], (...,)], {"train": ..., "test": ...}):
        with pytest.raises(Unattempted):
            answers.attempted(dots)


def test_everything_else_was_attempted_but_a_few_dots_and_none_are_told():
    for some in (0, "", [], {}, False, "...", ITSELF, np.zeros(3), pd.DataFrame()):
        assert answers.attempted(some) is None
    for some in ((1, ...), [[1, 2], [3, ...]], {"a": ..., "b": 0}):
        assert "still `...`" in said(answers.attempted, some)
    assert said(answers.attempted, None).startswith("your answer is `None`")


def test_values_in_their_usual_clothes():
    assert [answers.number(half) for half in HALVES] == [0.5] * len(HALVES)
    assert [answers.whole_numbers(three) for three in THREES] == [[1, 2, 3]] * len(THREES)
    assert answers.function(len) is len
    assert answers.text("a") == "a"
    assert [letter_of(answer, "abcd") for answer in ("b", "B", " b ", "(b)", "b.", "b)")] == ["b"] * 6


NO_NUMBER = {
    "a text; leave the quotes away": "0.5", "`True`": True, "`nan`": float("nan"), "`-inf`": float("-inf"),
    "a number": 10**400, "a value of type `ndarray`": np.zeros(2), "a value of type `complex`": 1j, "`None`": None,
    "a function": len, "a list": [0.5],
}  # fmt: skip
NO_LIST = {
    "a text": "123", "a set": {1, 2}, "a dictionary": {"a": 1}, "a number": np.array(3), "a function": pd.Series,
    "a value of type `generator`; put `list(...)` around it": (i for i in "ab"),
    "a value of type `map`; put `list(...)` around it": map(str, "ab"),
}  # fmt: skip


def test_what_is_no_such_value():
    for read, what, others in ((answers.number, "a number", NO_NUMBER), (answers.items, "a list", NO_LIST)):
        assert [said(read, other) for other in others.values()] == [f"expected {what}, got {got}" for got in others]
    assert said(answers.whole_numbers, [1, 2.5]) == "expected a list of whole numbers, got one with a fraction"
    assert said(answers.whole_numbers, ["1"]).endswith("each place, got a text; leave the quotes away")
    assert said(answers.whole_numbers, {3, 1}).endswith("got a set")
    assert sorted(answers.whole_numbers({3, 1}, ordered=False)) == [1, 3]
    assert said(answers.function, 3).endswith("itself, got a number; pass its name, without brackets behind it")
    assert said(answers.text, b"a") == "expected a text, got a value of type `bytes`"
    for answer in ("", "e", "ab", 1, ["b"], None, "ß", "ǆ"):
        assert said(letter_of, answer, "abcd").startswith("expected ")


def test_a_quotation_stays_on_its_line():
    texts = {"a`b\n\t\x1b": "`a'b⏎⇥·`", "": "an empty text", "x" * 61: f"`{'x' * 60}...`", "Größe": "`Größe`"}
    assert {text: answers.quoted(text) for text in texts} == texts


SIX = Quantity("six", 6.0, (Wrong("a half", 3.0, "that is the half"),), "count again", close=0.01)
TEN = Quantity("ten", 10, (Wrong("a half", 5, "that is the half of ten"),), "use your fingers", close=0)
ONE, TWO = asked_for(SIX, good="it is six"), asked_for(SIX, TEN, good="both")


def test_numbers_are_right_up_to_their_rounding():
    assert [ONE["judge"](answer) for answer in (6, 6.059, 5.941)] == ["it is six"] * 3
    assert TWO["answer"] == "six, ten"
    assert TWO["judge"]((6, 10)) == TWO["judge"]([6.01, 10.0]) == "both"


OTHERS = {
    6.061: "6.061 is another number; count again", 5.939: "5.939 is another number; count again",
    12_000: "12,000 is another number; count again", 3.02: "that is the half",
}  # fmt: skip
OTHER_PAIRS = {
    (3, 10): "`six`: that is the half", (6, 5): "`ten`: that is the half of ten",
    (6, 10.001): "`ten`: 10.001 is another number; use your fingers",
    (10, 6): "the numbers are right, but not their places: the order is `six, ten`",
    (6, "ten"): "expected a number for `ten`, got a text; leave the quotes away",
    (6,): "expected 2 numbers, `six, ten`, got 1", 6: "expected 2 numbers, `six, ten`, got a number",
}  # fmt: skip


def test_numbers_that_are_wrong():
    for form, others in ((ONE, OTHERS), (TWO, OTHER_PAIRS)):
        assert {answer: said(form["judge"], answer) for answer in others} == others


def test_each_mistake_of_numbers_is_told_as_it_says():
    assert [len(form["slips"]) for form in (ONE, TWO)] == [2, 7]
    for form in (ONE, TWO):
        assert all(wrong.says in said(form["judge"], wrong.answer) for wrong in form["slips"])


def test_slips_that_cannot_be_told_apart():
    assert apart(SIX, TEN)
    assert apart(SIX, others=[7])
    assert not apart(SIX, others=[6.1])
    assert not apart(SIX._replace(slips=(Wrong("nearly", 6.05, "nearly"),)))
    assert not apart(TEN._replace(slips=(*TEN.slips, Wrong("also", 5, "also"))))


@pytest.fixture
def twice(monkeypatch) -> dict:
    """The form of a function that doubles."""
    slips = {"a square": lambda n: n * n, "fails": lambda n: 1 / n, "added up": lambda n: n + n}
    monkeypatch.setitem(TEXTS, "twice", {"good": "twice as much", "slips": dict.fromkeys(slips, "that is a slip")})
    return forms.written(Words("twice"), lambda number: 2 * number, [(0,), (2,), (5,)], slips)


def test_a_function_is_right(twice):
    assert twice["judge"](lambda n: n + n + 0.0001) == "twice as much"
    with pytest.raises(Unattempted):
        twice["judge"](lambda n: ...)


WRONG = [
    (lambda n: n**2, "that is a slip"), (lambda n: n + 2, "for `0` it gives `2`, right is `0`"),
    (lambda n: n * 1.5, "for `2` it gives `3`, right is `4`"),
    (lambda n: str(n), "expected a number, got a text; leave the quotes away"),
    (lambda n: 1 / n, "`<lambda>` raises `ZeroDivisionError: division by zero`, in line"),
    (4, "expected the function itself, got a number; pass its name, without brackets behind it"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "message"), WRONG)
def test_a_function_that_is_wrong(twice, answer, message):
    assert said(twice["judge"], answer).startswith(message)
    told = {wrong.what: wrong for wrong in twice["slips"]}
    assert list(told) == ["a square", "fails", "added up", "nothing given back", "its result"]
    assert all(told[what].says in said(twice["judge"], told[what].answer) for what in ("a square", *list(told)[3:]))


def test_same():
    equal = [(1, 1.0019), (0, 0.0019), (1000, 1001.9), ("a", "a")]
    assert [forms.same(*pair) for pair in [*equal, (1, 1.0021), ([1], [2])]] == [True] * 4 + [False] * 2
