"""How far a score can be trusted: numbers in, intervals out. What was scored is not known here.

There are three questions, and each has its own interval.

* Other questions of the same kind: what would the score have been? (`share`, `bootstrap`)
* Two models, the same questions: is one better? (`paired`; two intervals side by side would say far less)
* The same recipe with other seeds: what would it have led to on average? (`over_seeds`; no number of questions tells)
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from labutils.corpus.sampling import ROUNDS, wilson

TABLE = 1_000_000  # numbers drawn at a time: a bootstrap of any size stays within some megabytes


class Score(NamedTuple):
    """A share of n questions, with its 95 % confidence interval."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.0%} ({self.low:.0%} to {self.high:.0%}, n = {self.n})"


class Mean(Score):
    """A mean of n values in their own unit, or a mean difference, with its 95 % confidence interval."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f}, n = {self.n})"


class Spread(NamedTuple):
    """What runs that differ in their seed alone led to; `low` and `high` are the 95 % interval of their mean."""

    mean: float
    least: float
    most: float
    low: float
    high: float
    n: int


def share(hits: Sequence[bool]) -> Score:
    """The share of hits with its 95 % Wilson interval (Wilson 1927), which holds near 0 and 1, too.

    share([True] * 8 + [False] * 2) -> 80% (49% to 94%, n = 10). Raises ValueError for no questions.
    """
    n = len(hits)
    if not n:
        raise ValueError("no questions: a share needs at least one")
    low, high = wilson(sum(hits), n)
    return Score(sum(hits) / n, low, high, n)


def bootstrap(
    values: Sequence[float], weights: Sequence[float] | None = None, *, seed: int = 0, rounds: int = ROUNDS
) -> Mean:
    """The mean of values, one a question, and its 95 % interval, had other questions of the same kind been asked.

    Each round draws as many questions as there are, with replacement, and takes the mean anew; the interval is the
    middle 95 % of the rounds (the percentile interval; Efron and Tibshirani 1993, chapter 13). Under about 30
    questions it is too narrow, and where all values are equal it has no width at all: for shares take `share`. With
    `weights` above 0 the result is sum(values) / sum(weights), a ratio such as nats per token. The same seed, the same
    interval.

    Raises ValueError for no values, values that are no finite numbers, other weights than one above 0 for each value,
    or no rounds.
    """
    values = np.asarray(values, dtype=float)
    weights = np.ones_like(values) if weights is None else np.asarray(weights, dtype=float)
    if not len(values):
        raise ValueError("no questions: a mean needs at least one value")
    if values.shape != weights.shape or not (np.isfinite(values).all() and np.isfinite(weights).all()):
        raise ValueError(f"expected a finite number and a weight a question, got {len(values)} and {len(weights)}")
    if weights.min() <= 0 or rounds < 1:
        raise ValueError(f"weights must be above 0 and rounds at least 1, got {weights.min():g} and {rounds}")
    value = float(values.sum() / weights.sum())
    return over_draws(value, lambda times: times @ values / (times @ weights), len(values), seed=seed, rounds=rounds)


def over_draws(
    value: float, score: Callable[[np.ndarray], np.ndarray], n: int, *, seed: int = 0, rounds: int = ROUNDS
) -> Mean:
    """A score of n questions with the middle 95 % of what it is over draws of n questions with replacement.

    `score` maps how often each question was drawn, an array (draws, n), to the score of each draw.
    """
    draws, found = np.random.default_rng(seed), []
    some = max(1, TABLE // n)
    for start in range(0, rounds, some):
        found.extend(score(draws.multinomial(n, np.full(n, 1 / n), size=min(some, rounds - start))))
    low, high = (float(end) for end in np.percentile(found, [2.5, 97.5]))
    return Mean(value, min(low, value), max(high, value), n)  # rounding leaves no value outside


def paired(one: Sequence[float], other: Sequence[float], weights: Sequence[float] | None = None, **draws: int) -> Mean:
    """How much higher the second of two models scores on the same questions: the mean difference and its interval.

    The questions are drawn, not the answers, so what makes a question hard for both cancels out (Koehn 2004,
    "Statistical significance tests for machine translation evaluation"). Where 0 lies outside the interval, the one
    is better; where it lies inside, these questions do not tell. A model against itself: 0 (0 to 0). Where every
    question shows the same difference the interval has no width, which is surer than that many questions can be.

    Raises ValueError for not one value of each model a question, and what `bootstrap` raises; `weights` and `draws` are
    as for that.
    """
    if len(one) != len(other):
        raise ValueError(f"expected the same questions for both, got {len(one)} and {len(other)} values")
    return bootstrap(np.asarray(other, dtype=float) - np.asarray(one, dtype=float), weights, **draws)


def over_seeds(values: Sequence[float]) -> Spread:
    """The spread of one score over runs with different seeds: mean, least, most, and the mean's 95 % interval.

    The interval is Student's (1908): mean -+ t * s / sqrt(n). Runs are few, and a bootstrap of three or five values
    would be far too narrow. One run says nothing of others: -inf to inf. over_seeds([0.7, 0.8, 0.9]) -> mean 0.8,
    0.7 to 0.9 seen, interval 0.55 to 1.05. Raises ValueError for no values, or values that are no finite numbers.
    """
    if not len(values) or not np.isfinite(values).all():
        raise ValueError(f"expected a finite number for each seed, got {list(values)}")
    from scipy.special import stdtrit  # a moment that only this function takes

    n, mean = len(values), float(np.mean(values))
    half = float(stdtrit(n - 1, 0.975) * np.std(values, ddof=1)) / math.sqrt(n) if n > 1 else math.inf
    return Spread(mean, float(min(values)), float(max(values)), mean - half, mean + half, n)
