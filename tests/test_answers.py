"""What counts as an answer: the same number or list in any of its usual clothes, and a sentence for the rest."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet, Unattempted
from labutils.lesson.exercises.forms import letter_of

ITSELF: list = []
ITSELF.append(ITSELF)


def said(function, *given) -> str:
    with pytest.raises(NotYet) as raised:
        function(*given)
    return str(raised.value)


@pytest.mark.parametrize("dots", [..., [...], (..., ...), [[...], (...,)], {"train": ..., "test": ...}])
def test_dots_alone_are_not_attempted(dots):
    with pytest.raises(Unattempted):
        answers.attempted(dots)


@pytest.mark.parametrize("some", [(1, ...), [[1, 2], [3, ...]], {"a": ..., "b": 0}])
def test_a_few_dots_are_told(some):
    assert "still `...`" in said(answers.attempted, some)


@pytest.mark.parametrize("answer", [0, "", [], {}, False, "...", ITSELF, np.zeros(3), pd.DataFrame()])
def test_everything_else_was_attempted(answer):
    assert answers.attempted(answer) is None


def test_nothing_is_told():
    assert said(answers.attempted, None).startswith("your answer is `None`")


@pytest.mark.parametrize(
    "half",
    [0.5, Fraction(1, 2), Decimal("0.5"), np.float32(0.5), np.array(0.5), torch.tensor(0.5), pd.Series([0.5])[0]],
)
def test_a_number(half):
    assert answers.number(half) == 0.5


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("0.5", "expected a number, got a text; leave the quotes away"),
        (True, "expected a number, got `True`"),
        (float("nan"), "expected a number, got `nan`"),
        (float("-inf"), "expected a number, got `-inf`"),
        (10**400, "expected a number, got a number"),
        ([0.5], "expected a number, got a list"),
        (np.zeros(2), "expected a number, got a value of type `ndarray`"),
        (1j, "expected a number, got a value of type `complex`"),
        (None, "expected a number, got `None`"),
        (len, "expected a number, got a function"),
    ],
)
def test_no_number(answer, message):
    assert said(answers.number, answer) == message


@pytest.mark.parametrize(
    "three",
    [[1, 2, 3], (1, 2, 3), np.arange(1, 4), torch.tensor([1, 2, 3]), pd.Series([1, 2, 3]), [1.0, 2, np.int64(3)]],
)
def test_whole_numbers(three):
    assert answers.whole_numbers(three) == [1, 2, 3]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("123", "expected a list, got a text"),
        ({1, 2}, "expected a list, got a set"),
        ({"a": 1}, "expected a list, got a dictionary"),
        ((i for i in range(3)), "expected a list, got a value of type `generator`; put `list(...)` around it"),
        (map(str, "ab"), "expected a list, got a value of type `map`; put `list(...)` around it"),
        (3, "expected a list, got a number"),
        (pd.Series, "expected a list, got a function"),
        (np.array(3), "expected a list, got a number"),
    ],
)
def test_no_list(answer, message):
    assert said(answers.items, answer) == message


def test_whole_means_whole():
    assert said(answers.whole_numbers, [1, 2.5]).endswith("got one with a fraction")
    assert "leave the quotes away" in said(answers.whole_numbers, ["1"])


def test_a_function_and_not_its_result():
    assert answers.function(len) is len
    assert said(answers.function, 3) == (
        "expected the function itself, got a number; pass its name, without brackets behind it"
    )


def test_a_text():
    assert answers.text("a") == "a"
    assert said(answers.text, b"a") == "expected a text, got a value of type `bytes`"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a`b\n\t\x1b", "`a'b⏎⇥·`"), ("", "an empty text"), ("x" * 61, f"`{'x' * 60}...`"), ("Größe", "`Größe`")],
)
def test_a_quotation_stays_on_its_line(text, shown):
    assert answers.quoted(text) == shown


@pytest.mark.parametrize("answer", ["b", "B", " b ", "(b)", "b.", "b)"])
def test_a_letter(answer):
    assert letter_of(answer, "abcd") == "b"


@pytest.mark.parametrize("answer", ["", "e", "ab", "a or b", 1, ["b"], None, "ß", "ǆ"])
def test_no_letter(answer):
    assert said(letter_of, answer, "abcd").startswith("expected ")
