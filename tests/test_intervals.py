"""Intervals: Wilson's against its definition, the bootstrap by hand and by how often it holds, pairs, seeds."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labutils.measure import intervals
from labutils.measure.intervals import Mean, Score, bootstrap, over_seeds, paired, share

law = settings(derandomize=True, deadline=None, max_examples=200)
numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
few = {"rounds": 50}


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)  # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3
def test_the_interval_is_the_published_one(hits, n, low, high):
    score = share([True] * hits + [False] * (n - hits))
    assert (score.value, round(score.low, 4), round(score.high, 4), score.n) == (hits / n, low, high, n)


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


def test_a_score_is_its_four_numbers():
    assert Mean(0.5, 0.25, 0.75, 8) == Score(0.5, 0.25, 0.75, 8) == (0.5, 0.25, 0.75, 8)
    assert str(share([True] * 8 + [False] * 2)) == "80% (49% to 94%, n = 10)"
    assert str(Mean(1.234, -1, 12.5, 8)) == "1.23 (-1.00 to 12.50, n = 8)"


def test_intervals_by_hand():
    """Of two values, a draw takes the one, both or the other: 1/4, 1/2, 1/4 of the rounds."""
    assert bootstrap([1, 3]) == Mean(2, 1, 3, 2)
    assert bootstrap([4, 0], [1, 3]) == Mean(1, 0, 4, 2), "a ratio of sums"
    assert paired([1, 5, 9], [2, 6, 10]) == Mean(1, 1, 1, 3), "every question shows the same difference"
    assert paired([1, 5], [1, 5], [7, 7]) == Mean(0, 0, 0, 2), "a model against itself"
    found, half = over_seeds([0.7, 0.8, 0.9]), 4.303 * 0.1 / math.sqrt(3)  # t with two degrees of freedom
    assert found == pytest.approx((0.8, 0.7, 0.9, 0.8 - half, 0.8 + half, 3), abs=1e-4)
    assert over_seeds([0.7]) == (0.7, 0.7, 0.7, -math.inf, math.inf, 1), "one seed says nothing of others"


@law
@given(st.lists(numbers, min_size=1, max_size=30), st.integers(0, 100))
def test_the_interval_contains_the_mean(values, seed):
    found = bootstrap(values, seed=seed, **few)
    assert found.low <= found.value <= found.high and found.n == len(values)
    assert min(values) - 1e-6 <= found.low and found.high <= max(values) + 1e-6
    assert found.value == pytest.approx(math.fsum(values) / len(values), abs=1e-6)
    assert found == bootstrap(values, seed=seed, **few)


def test_many_questions_are_drawn_part_by_part(monkeypatch):
    values = np.arange(50.0) ** 2
    whole = bootstrap(values, rounds=99)
    for numbers in (500, 1):
        monkeypatch.setattr(intervals, "TABLE", numbers)
        assert bootstrap(values, rounds=99) == whole


@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        (lambda rng, n: (rng.normal(3, 2, n), None), 3),
        (lambda rng, n: (rng.exponential(1, n), None), 1),
        (lambda rng, n: ((tokens := rng.integers(5, 20, n)) * rng.normal(2, 1, n), tokens), 2),
    ],
    ids=["normal", "skewed", "ratio"],
)
def test_how_often_the_interval_holds(draw, truth):
    rng, held = np.random.default_rng(0), 0
    for _ in range(400):
        values, weights = draw(rng, 60)
        found = bootstrap(values, weights, rounds=400)
        held += found.low <= truth <= found.high
    assert 0.90 <= held / 400 <= 0.98


def test_how_often_a_difference_is_seen():
    """Two models alike: 0 lies outside one time in 20. One better by a tenth of hits: pairs see it, shares do not."""
    rng, outside, seen, apart = np.random.default_rng(1), 0, 0, 0
    for _ in range(100):
        hard = rng.random(150)  # what both find hard
        one, other = (hard + rng.normal(0, 0.1, 150) < 0.5 for _ in range(2))
        better = other | (rng.random(150) < 0.1)
        found = paired(one, other, rounds=400)
        outside += not found.low <= 0 <= found.high
        seen += paired(one, better, rounds=400).low > 0
        apart += share(better).low > share(one).high
    assert outside <= 10 and seen > 2 * apart


@law
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=20))
def test_a_difference_has_a_direction(pairs):
    one, other = zip(*pairs, strict=True)
    ahead, behind = paired(one, other, **few), paired(other, one, **few)
    assert ahead.value == -behind.value == pytest.approx(np.mean(other) - np.mean(one))
    assert (ahead.low, ahead.high) == pytest.approx((-behind.high, -behind.low))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (lambda: share([]), "^no questions: a share needs at least one$"),
        (lambda: bootstrap([]), "no questions: a mean needs at least one value"),
        (lambda: bootstrap([1, math.nan]), "a finite number and a weight a question, got 2 and 2"),
        (lambda: bootstrap([1, 2], [1]), "a finite number and a weight a question, got 2 and 1"),
        (lambda: bootstrap([1, 2], [1, math.inf]), "a finite number and a weight a question, got 2 and 2"),
        (lambda: bootstrap([1, 2], [1, 0]), "weights must be above 0 and rounds at least 1, got 0 and 2000"),
        (lambda: bootstrap([1, 2], rounds=0), "weights must be above 0 and rounds at least 1, got 1 and 0"),
        (lambda: paired([1], [1, 2]), "the same questions for both, got 1 and 2 values"),
        (lambda: over_seeds([]), "a finite number for each seed"),
        (lambda: over_seeds([0.5, math.nan]), "a finite number for each seed"),
    ],
)
def test_what_has_no_interval(how, message):
    with pytest.raises(ValueError, match=message):
        how()


@pytest.mark.parametrize("n", [2, 5])
def test_how_often_the_interval_over_seeds_holds(n):
    rng = np.random.default_rng(n)
    found = [over_seeds(values) for values in rng.normal(0.8, 0.05, (2000, n))]
    held = np.mean([each.low <= 0.8 <= each.high for each in found])
    assert 0.935 <= held <= 0.965
