"""Scores: hits and misses of a required string, the Wilson interval against its definition, whole answers."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labutils.measure.scoring import Score, fact_hit, fact_hits, refuses, share

law = settings(derandomize=True, deadline=None, max_examples=200)


@pytest.mark.parametrize(
    ("answer", "must", "hit"),
    [
        ("It lasts 7 months.", "7 months", True),
        ("It lasts 17 months.", "7 months", False),
        ("It lasts 7 monthsish.", "7 months", False),
        ("It lasts 7\n  MONTHS", "7 months", True),
        ("It lasts 7 months", " 7  Months ", True),
        ("7months", "7 months", False),
        ("It lasts 7 or 8 months.", "7 months", False),
        ("It costs 410,000 euros.", "410,000", True),
        ("It costs 1,410,000 euros.", "410,000", False),
        ("It costs 410,000,000 euros.", "410,000", False),
        ("It costs 410,000.", "410,000", True),
        ("It costs 410,000, all in.", "410,000", True),
        ("It weighs 3.4 kg.", "4 kg", False),
        ("It weighs 3.4 kg.", "3.4 kg", True),
        ("It weighs 3.45 kg.", "3.4", False),
        ("It weighs 3,4 kg.", "3.4", False),
        ("Version 2. 17 bolts.", "17 bolts", True),
        ("It runs at -35 degrees.", "-35 degrees", True),
        ("It runs at 35 degrees.", "-35 degrees", False),
        ("Press E-07: it stops.", "E-07", True),
        ("Press E-071.", "E-07", False),
        ("Press E-07.", "E.07", False),
        ("The case is ochre_yellow.", "ochre", False),
        ("The case is (ochre).", "ochre", True),
        ("Der Stoff ist Öl.", "öl", True),
        ("", "ochre", False),
        ("Any answer at all.", "", False),
        ("", " ", False),
    ],
)
def test_a_fact_is_hit(answer, must, hit):
    assert fact_hit(answer, must) is hit


@law
@given(
    st.text(),
    st.text("abc 0123456789.,-+?*()[]\\", min_size=1).filter(str.strip),
    st.sampled_from(["", " ", "\n", "!"]),
)
def test_a_required_string_is_hit_wherever_it_stands_apart(text, must, after):
    assert fact_hit(f"{text} {must}{after}", must)
    assert fact_hit(f"{text} {must.upper()}{after}".replace(" ", "\n "), must)


@law
@given(st.text("ab1 ", min_size=1).filter(str.strip), st.sampled_from("xyz789_"))
def test_a_required_string_inside_a_longer_word_is_no_hit(must, letter):
    must = must.strip()
    assert not fact_hit(f"{letter}{must}", must)
    assert not fact_hit(f"{must}{letter}", must)


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ("I can only answer questions about Tidewren Instruments.", True),
        ("Sorry, I CAN ONLY ANSWER QUESTIONS ABOUT this.", True),
        ("I can answer questions about Tidewren.", False),
        ("", False),
    ],
)
def test_refusals(answer, refused):
    assert refuses(answer) is refused


@pytest.mark.parametrize(
    ("hits", "n", "text"),
    [
        (8, 10, "80% (49% to 94%, n = 10)"),
        (0, 10, "0% (0% to 28%, n = 10)"),
        (10, 10, "100% (72% to 100%, n = 10)"),
        (0, 1, "0% (0% to 79%, n = 1)"),
        (500, 1000, "50% (47% to 53%, n = 1000)"),
    ],
)
def test_shares(hits, n, text):
    score = share([True] * hits + [False] * (n - hits))
    assert (score.value, score.n) == (hits / n, n)
    assert str(score) == text


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)  # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3
def test_the_interval_is_the_published_one(hits, n, low, high):
    score = share([True] * hits + [False] * (n - hits))
    assert (round(score.low, 4), round(score.high, 4)) == (low, high)


@law
@given(st.integers(1, 2_000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_the_interval_holds_the_shares_from_which_the_found_one_is_not_far(n_hits):
    """Wilson's bounds solve (found - true)^2 = z^2 true (1 - true) / n; they hold the share and mirror with it."""
    n, hits = n_hits
    score = share([True] * hits + [False] * (n - hits))
    assert 0 <= score.low <= score.value <= score.high <= 1
    for bound in (score.low, score.high):
        distance = (Fraction(hits, n) - Fraction(bound)) ** 2
        expected = Fraction(1.959964) ** 2 * Fraction(bound) * (1 - Fraction(bound)) / n
        assert math.isclose(distance, expected, rel_tol=1e-9, abs_tol=1e-12)
    mirror = share([False] * hits + [True] * (n - hits))
    assert math.isclose(mirror.low, 1 - score.high, abs_tol=1e-12)
    assert score.low < score.high


def test_no_questions():
    with pytest.raises(ValueError, match=r"^no questions: a share needs at least one$"):
        share([])
    with pytest.raises(ValueError, match=r"^no questions"):
        fact_hits([], [])


def test_fact_hits():
    questions = [{"must": "17 months"}, {"must": "ochre"}, {"must": "640 grams"}, {"must": "seven"}]
    answers = ["17 months.", "An Ochre case", "64 grams", "The handbook does not say."]
    assert fact_hits(answers, questions)[::3] == (0.5, 4)


@pytest.mark.parametrize("answers", [["17 months"], ["17 months"] * 3])
def test_answers_and_questions_of_different_number(answers):
    with pytest.raises(ValueError, match=f"^expected 2 answers, one a question, got {len(answers)}$"):
        fact_hits(answers, [{"must": "17 months"}] * 2)


def test_a_score_is_its_four_numbers():
    assert Score(0.5, 0.25, 0.75, 8) == (0.5, 0.25, 0.75, 8)
