"""Macro-F1 as scikit-learn has it, with intervals that hold what they should."""

import random

import pytest
from sklearn.metrics import f1_score

from labutils.measure.classes import f1_of, macro_f1, macro_f1_difference

RIGHT = ["a", "a", "a", "b", "b", "c"]


def drawn(n: int, seed: int, hit: float = 0.7) -> tuple[list[str], list[str]]:
    """Labels given and right: three labels, a made-up fourth among those given."""
    rng = random.Random(seed)
    right = rng.choices("abc", [6, 3, 1], k=n)
    return [label if rng.random() < hit else rng.choice("abcx") for label in right], right


def test_f1_of_each_label():
    assert f1_of(["a", "a", "b", "b", "c", "a"], RIGHT) == pytest.approx({"a": 4 / 6, "b": 2 / 4, "c": 0})
    assert macro_f1(["a"] * 6, RIGHT).value == pytest.approx((2 * 3 / 9 + 0 + 0) / 3), "the commonest label alone"
    assert macro_f1(RIGHT, RIGHT)[:3] == (1, 1, 1) and macro_f1(["x"] * 6, RIGHT)[:3] == (0, 0, 0)
    given, right = drawn(40, 3)
    assert macro_f1(given, right, seed=1) == macro_f1(given, right, seed=1) != macro_f1(given, right, seed=2)


@pytest.mark.parametrize("seed", range(5))
def test_scikit_learn_agrees(seed):
    given, right = drawn(60, seed)
    score = macro_f1(given, right)
    oracle = f1_score(right, given, labels=sorted(set(right)), average="macro", zero_division=0)
    assert score.value == pytest.approx(oracle) and score.n == 60
    assert score.low < score.value < score.high


def test_an_interval_holds_the_score_of_all_19_times_in_20():
    """Of 200 samples, about 95 % of the intervals hold the score on a very large sample of the same kind."""
    whole = macro_f1(*drawn(20_000, 999), rounds=1).value
    held = 0
    for seed in range(200):
        score = macro_f1(*drawn(150, seed), rounds=300, seed=seed)
        held += score.low <= whole <= score.high
    assert 175 <= held <= 199


def test_a_difference_is_paired():
    given, right = drawn(80, 1)
    better = [label if i % 3 else wanted for i, (label, wanted) in enumerate(zip(given, right, strict=True))]
    difference = macro_f1_difference(given, better, right)
    assert difference.value == pytest.approx(macro_f1(better, right).value - macro_f1(given, right).value)
    assert difference.low > 0, "every answer that changed became right"
    assert macro_f1_difference(given, given, right)[:3] == (0, 0, 0)
    apart = macro_f1(given, right).high - macro_f1(given, right).low
    assert difference.high - difference.low < apart, "what is hard for both cancels out"


@pytest.mark.parametrize(("given", "right"), [([], []), (["a"], []), (["a"], ["a", "b"])])
def test_not_one_label_a_question_is_refused(given, right):
    for score in (f1_of, macro_f1, lambda one, other: macro_f1_difference(one, one, other)):
        with pytest.raises(ValueError, match="one label a question"):
            score(given, right)
