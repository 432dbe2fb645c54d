"""Labels that a model gave, against the right ones: F1 of each label, and macro-F1 with its interval.

Accuracy is a share of hits, and `intervals.share` has it. It flatters a model that always gives the commonest label;
macro-F1, in which every label counts alike, does not.
"""

from collections.abc import Callable, Sequence

import numpy as np

from labutils.corpus.sampling import ROUNDS
from labutils.measure.intervals import TABLE, Mean


def f1_of(given: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
    """F1 of each label that is right somewhere: the harmonic mean of precision and recall (van Rijsbergen 1979).

    It is 2 * hits / (times given + times right), 0 for a label never hit. Labels that are nowhere right (a made-up one)
    have no row; giving one is a miss. f1_of(["a", "a"], ["a", "b"]) -> {"a": 0.67, "b": 0.0}. Raises ValueError for
    no labels, or not one given for each right one.
    """
    counts = _counts(given, expected).sum(axis=0)
    return dict(zip(_labels(expected), _f1(counts).tolist(), strict=True))


def macro_f1(given: Sequence[str], expected: Sequence[str], **draws: int) -> Mean:
    """The mean F1 of all labels that are right somewhere, and its 95 % interval, had other questions been drawn.

    The interval is the bootstrap's, as in `intervals.bootstrap`, whose `seed` and `rounds` it takes; a draw in which a
    label does not occur is averaged over the others. Raises ValueError as `f1_of`.
    """
    return _interval(_counts(given, expected), _macro, **draws)


def macro_f1_difference(one: Sequence[str], other: Sequence[str], expected: Sequence[str], **draws: int) -> Mean:
    """How much higher the second model's macro-F1 is on the same questions, with its 95 % interval: the questions are
    drawn, not the answers, as in `intervals.paired`. Raises ValueError as `f1_of`.
    """
    both = np.stack([_counts(one, expected), _counts(other, expected)], axis=1)
    return _interval(both, lambda sums: _macro(sums[..., 1, :, :]) - _macro(sums[..., 0, :, :]), **draws)


def _labels(expected: Sequence[str]) -> list[str]:
    return sorted(set(expected))


def _counts(given: Sequence[str], expected: Sequence[str]) -> np.ndarray:
    """Of each question and label: hit, given, right; an array of 0 and 1 of shape (questions, 3, labels)."""
    if not len(expected) or len(given) != len(expected):
        raise ValueError(f"expected one label a question, at least one, got {len(given)} for {len(expected)}")
    labels = np.array(_labels(expected))
    said, right = (np.array(column)[:, None] == labels for column in (given, expected))
    return np.stack([said & right, said, right], axis=1).astype(float)


def _f1(sums: np.ndarray) -> np.ndarray:
    """F1 from sums of shape (..., 3, labels); of a label that is not right in this draw, no number."""
    hits, said, right = (sums[..., i, :] for i in range(3))
    return np.where(right > 0, 2 * hits / np.maximum(said + right, 1), np.nan)


def _macro(sums: np.ndarray) -> np.ndarray:
    return np.nanmean(_f1(sums), axis=-1)


def _interval(counts: np.ndarray, score: Callable, *, seed: int = 0, rounds: int = ROUNDS) -> Mean:
    """A score of summed counts, and the middle 95 % of it over draws of as many questions with replacement."""
    draws, n, found = np.random.default_rng(seed), len(counts), []
    some = max(1, TABLE // n)
    for start in range(0, rounds, some):  # how often each question was drawn, a row a round
        times = draws.multinomial(n, np.full(n, 1 / n), size=min(some, rounds - start))
        found.extend(score(np.tensordot(times, counts, axes=1)))
    value = float(score(counts.sum(axis=0)))
    low, high = (float(end) for end in np.percentile(found, [2.5, 97.5]))
    return Mean(value, min(low, value), max(high, value), n)  # rounding leaves no value outside
