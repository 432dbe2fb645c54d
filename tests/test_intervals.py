"""Intervals: Wilson's against its definition, the bootstrap by hand and by how often it holds, pairs, seeds."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from labutils.measure import intervals
from labutils.measure.intervals import Mean, bootstrap, over_seeds, paired, prediction, share

law = settings(derandomize=True, deadline=None, max_examples=50)
numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
few = {"rounds": 50}


@pytest.mark.parametrize(
    ("hits", "n", "text"),
    [(8, 10, "80% (49% to 94%, n = 10)"), (0, 1, "0% (0% to 79%, n = 1)"), (500, 1000, "50% (47% to 53%, n = 1000)")],
)
def test_shares(hits, n, text):
    score = share([True] * hits + [False] * (n - hits))
    assert (score.value, score.n, str(score)) == (hits / n, n, text)
    assert str(Mean(1.234, -1, 12.5, 8)) == "1.23 (-1.00 to 12.50, n = 8)"


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


def test_a_mean_and_a_ratio_by_hand():
    """Of two values, a draw takes the one, both or the other: 1/4, 1/2, 1/4 of the rounds."""
    assert bootstrap([1, 3]) == Mean(2, 1, 3, 2) and bootstrap([5]) == Mean(5, 5, 5, 1)
    assert bootstrap([True, False, True, True]).value == 0.75
    assert bootstrap([1, 2, 3], [1, 1, 1]) == bootstrap([1, 2, 3])
    assert bootstrap([4, 0], [1, 3]) == Mean(1, 0, 4, 2)


@law
@given(st.lists(st.tuples(numbers, st.floats(0.1, 100)), min_size=1, max_size=20), st.integers(0, 100))
def test_the_interval_contains_the_mean(parts, seed):
    values, weights = zip(*parts, strict=True)
    found = bootstrap(values, weights, seed=seed, **few)
    ratios = [value / weight for value, weight in parts]
    slack = 1e-9 * max(map(abs, ratios)) + 1e-12
    assert min(ratios) - slack <= found.low <= found.value <= found.high <= max(ratios) + slack
    assert found.value == pytest.approx(math.fsum(values) / math.fsum(weights), abs=1e-6)
    assert found.n == len(values) and found == bootstrap(values, weights, seed=seed, **few)


def test_many_questions_are_drawn_part_by_part(monkeypatch):
    values = np.arange(50.0) ** 2
    whole = bootstrap(values, rounds=99)
    monkeypatch.setattr(intervals, "TABLE", 500)
    assert bootstrap(values, rounds=99) == whole
    monkeypatch.setattr(intervals, "TABLE", 1)
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
    for _ in range(200):
        hard = rng.random(150)  # what both find hard
        one, other = (hard + rng.normal(0, 0.1, 150) < 0.5 for _ in range(2))
        better = other | (rng.random(150) < 0.1)
        found = paired(one, other, rounds=400)
        outside += not found.low <= 0 <= found.high
        seen += paired(one, better, rounds=400).low > 0
        apart += share(better).low > share(one).high
    assert outside / 200 <= 0.1
    assert seen / 200 > 2 * apart / 200


@law
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=20))
def test_a_difference_has_a_direction(pairs):
    one, other = zip(*pairs, strict=True)
    ahead, behind = paired(one, other, **few), paired(other, one, **few)
    assert ahead.value == -behind.value == pytest.approx(np.mean(other) - np.mean(one))
    assert (ahead.low, ahead.high) == pytest.approx((-behind.high, -behind.low))
    assert paired(one, one, [7] * len(one), **few) == Mean(0, 0, 0, len(one))
    assert paired(one, [value + 1 for value in one], **few) == Mean(1, 1, 1, len(one)), "all questions show it"


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (lambda: share([]), r"^no questions: a share needs at least one$"),
        (lambda: bootstrap([]), "no questions: a mean needs at least one value"),
        (lambda: bootstrap([1, math.nan]), "a finite number and a weight a question, got 2 and 2"),
        (lambda: bootstrap([1, 2], [1]), "a finite number and a weight a question, got 2 and 1"),
        (lambda: bootstrap([1, 2], [1, math.inf]), "a finite number and a weight a question, got 2 and 2"),
        (lambda: bootstrap([1, 2], [1, 0]), "weights must be above 0 and rounds at least 1, got 0 and 2000"),
        (lambda: bootstrap([1, 2], rounds=0), "weights must be above 0 and rounds at least 1, got 1 and 0"),
        (lambda: paired([1], [1, 2]), "the same questions for both, got 1 and 2 values"),
        (lambda: over_seeds([]), "a finite number for each seed"),
        (lambda: prediction([0.5, math.nan]), "a finite number for each seed"),
        (lambda: prediction([0.5, 0.5], -0.1), "a step must be a finite number from 0 on, got -0.1"),
        (lambda: prediction([0.5, 0.5], math.nan), "a step must be a finite number from 0 on, got nan"),
    ],
)
def test_what_has_no_interval(how, message):
    with pytest.raises(ValueError, match=message):
        how()


def test_seeds_by_hand():
    """Three runs: mean 0.8, s = 0.1, t = 4.303 with two degrees of freedom. One says nothing of others."""
    found = over_seeds([0.7, 0.8, 0.9])
    half = 4.303 * 0.1 / math.sqrt(3)
    assert found == pytest.approx((0.8, 0.7, 0.9, 0.8 - half, 0.8 + half, 3))
    assert over_seeds([0.7, 0.7])[:5] == (0.7,) * 5
    assert over_seeds([0.7]) == (0.7, 0.7, 0.7, -math.inf, math.inf, 1)


def test_the_table_of_t():
    assert pytest.approx(stats.t.ppf(0.975, range(1, len(intervals.T) + 1)), abs=6e-4) == intervals.T


@pytest.mark.parametrize("n", [2, 3, 5, 31, 32])
def test_how_often_the_interval_over_seeds_holds(n):
    rng = np.random.default_rng(n)
    found = [over_seeds(values) for values in rng.normal(0.8, 0.05, (2000, n))]
    held = np.mean([each.low <= 0.8 <= each.high for each in found])
    assert 0.935 <= held <= 0.965


def test_a_prediction_by_hand():
    """Three runs: 0.8 -+ 4.303 * 0.1 * sqrt(4 / 3)."""
    half = 4.303 * 0.1 * math.sqrt(4 / 3)
    assert prediction([0.7, 0.8, 0.9]) == pytest.approx((0.8 - half, 0.8 + half))
    assert prediction([0.7, 0.8, 0.9], 0.05) == pytest.approx((0.75 - half, 0.85 + half))
    assert prediction([0.7]) == (-math.inf, math.inf)
    assert prediction([1.0, 1.0, 1.0]) == (1, 1) and prediction([1.0, 1.0, 1.0], 0.01) == pytest.approx((0.99, 1.01))


def test_a_prediction_is_the_published_one():
    """Montgomery and Runger 2003, section 8-6: 22 loads with mean 13.71 and s = 3.55 give 6.16 to 21.26."""
    loads = np.repeat([-1.0, 1.0], 11)
    loads = 13.71 + 3.55 * loads / np.std(loads, ddof=1)
    assert [round(end, 2) for end in prediction(loads)] == [6.16, 21.26]


@pytest.mark.parametrize("n", [3, 31])
def test_how_often_a_prediction_holds(n):
    rows = np.random.default_rng(n).normal(0.8, 0.05, (4000, n + 1))
    held = np.mean([low <= row[-1] <= high for row in rows for low, high in [prediction(row[:-1])]])
    assert 0.94 <= held <= 0.96
    narrow = np.mean([found.low <= row[-1] <= found.high for row in rows for found in [over_seeds(row[:-1])]])
    assert narrow < 0.9, "the interval of the mean is none for the next run"


@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
def test_how_often_a_prediction_of_a_share_holds(share):
    """Five runs asked 74 questions: without a step, equal shares near 1 promise more than they can keep."""
    rows = np.random.default_rng(7).binomial(74, share, (4000, 6)) / 74

    def held(step: float) -> float:
        return np.mean([low <= row[-1] <= high for row in rows for low, high in [prediction(row[:-1], step)]])

    assert held(1 / 74) >= 0.95
    assert held(1 / 74) > held(0)
