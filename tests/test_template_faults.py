"""Faults of a template: each alone, both sides of each, and that what is called fillable can be filled."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labutils.pairs.templates import TEMPLATES, faults, lookup

GOOD = "Q: {question}\nA:\n{answer}"
PAIR = {"question": "How tall?", "answer": "3.4 m."}


def told(template: str, record: dict | None = PAIR, **how) -> list[tuple[str, str]]:
    return [(fault.severity, fault.cause) for fault in faults(template, record, **how)]


def test_nothing_is_wrong_with_a_good_one():
    assert told(GOOD) == []


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("", [("error", "the place {question} is missing"), ("error", "the place {answer} is missing")]),
        ("Q:\n{answer}", [("error", "the place {question} is missing")]),
        ("Q: {question}\nA:", [("error", "the place {answer} is missing")]),
        ("{question} {question}\nA:\n{answer}", [("error", "the place {question} occurs 2 times")]),
        ("{question}\nA:\n{answer}{answer}", [("error", "the place {answer} occurs 2 times")]),
        ("Q: {question}\nA:\n{answer}\n", [("error", "something follows {answer}")]),
        ("Q: {question}\nA:\n{answer}", []),
        ("Q: {question}\nA: {answer}", [("warning", "the prompt ends in a space")]),
        ("Q: {question}\nA:\t{answer}", [("warning", "the prompt ends in a space")]),
        ("Q: {question}\nA:{answer}", []),
        ("{question}\n{answer}", [("warning", "there is no mark between question and answer")]),
        ("{question} - {answer}", [("warning", "the prompt ends in a space")]),
        ("Q: {question}\n{Name}\n{answer}", [("warning", "{Name} is no place and stays as it is")]),
    ],
)
def test_each_fault_alone(template, expected):
    assert told(template) == expected


def test_a_place_misspelt_is_told_with_the_one_that_is_missing():
    assert told("Q: {Question}\nA:\n{answer}") == [
        ("error", "the place {question} is missing"),
        ("warning", "{Question} is no place and stays as it is"),
    ]


def test_without_an_end_of_text():
    assert told(GOOD, ends=False) == [("warning", "there is no end-of-text behind the answer")]


@pytest.mark.parametrize(("answer", "count"), [("It is 3.4 m.\nA:\n3", 1), ("It is 3.4 m. A : 3", 0)])
def test_a_mark_inside_the_pair(answer, count):
    found = told(GOOD, PAIR | {"answer": answer})
    assert found == [("warning", "the pair itself holds the mark 'A:'")] * count


def test_a_mark_inside_plain_text():
    assert told(GOOD, {"text": "Q: who?"}) == [("warning", "the pair itself holds the mark 'Q:'")]


def test_without_a_record_nothing_is_said_of_one():
    assert told(GOOD, None) == []


def test_every_fault_says_what_to_do():
    every = faults("{a} {question}{question} {answer} x", PAIR, ends=False)
    assert len(every) == 4 and all(fault.fix for fault in every)
    assert [fault.severity for fault in every] == ["error", "error", "warning", "warning"]


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_courses_own_templates_have_no_error(name):
    assert all(severity == "warning" for severity, _ in told(TEMPLATES[name]))


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(["{question}", "{answer}", "Q:", "\n", " ", "{", "}", "{x}"]), max_size=7).map("".join))
def test_an_error_is_told_exactly_where_a_template_cannot_be_filled(template):
    try:
        lookup(template)
        fillable = True
    except ValueError:
        fillable = False
    assert fillable == all(severity != "error" for severity, _ in told(template))
