"""Shingles and groups by hand, and near-duplicates against the slow search that compares each text with each other."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labutils.corpus.duplicates import linked, near_groups, near_pairs, shared, shingles, similarity, told_apart

law = settings(derandomize=True, deadline=None, max_examples=100)
words = st.sampled_from(["the", "plover", "heron", "runs", "for", "months", "on", "one", "set", "of"])
texts = st.lists(st.lists(words, max_size=8).map(" ".join) | st.text(max_size=12), max_size=8)
indices = st.integers(0, 12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No, no!", "no no"),
        ("ABC  def\n", "abc d|bc de|c def"),
        ("?!", ""),
        ("naïve Ωmega", "naïve|aïve |ïve ω|ve ωm|e ωme| ωmeg|ωmega"),
    ],
)
def test_shingles(text, expected):
    assert shingles(text) == set(expected.split("|"))
    assert shingles("abc", size=2) == {"ab", "bc"}
    assert similarity({"a", "b", "c"}, {"b", "c", "d"}) == 0.5 and similarity(set(), set()) == 1.0
    assert similarity({"a"}, set()) == 0


def test_the_threshold_itself_is_near():
    # 6 runs of five in "abcdefghij", 8 in "abcdefghijkl": 6 of 8 are shared, which is 0.75 exactly
    pair = ["abcdefghij", "abcdefghijkl"]
    assert near_pairs(pair, 0.75) == [(0, 1, 0.75)] and near_pairs(pair, 0.7500001) == []
    # by default it is 0.6: 3 runs of 5 are shared; with one letter more, 3 of 6
    assert near_pairs(["abcdefg", "abcdefghi"]) == [(0, 1, 0.6)] and near_pairs(["abcdefg", "abcdefghij"]) == []
    assert near_pairs(["one text", "One text!"], 0.4) == near_pairs(["one text", "One text!"], 1) == [(0, 1, 1.0)]


def test_pairs_come_in_order_and_groups_hold_what_a_chain_links():
    chain = ["abcdefghijklmnop", "unlike", "cdefghijklmnopqr", "efghijklmnopqrst"]
    assert near_pairs(chain) == [(0, 2, 10 / 14), (2, 3, 10 / 14)]
    assert similarity(shingles(chain[0]), shingles(chain[3])) == 0.5
    assert near_groups(chain) == [[0, 2, 3]]


@pytest.mark.parametrize("threshold", [0.39, 1.01, 0, -1, float("nan")])
def test_a_threshold_out_of_range(threshold):
    with pytest.raises(ValueError, match=rf"^threshold must lie between 0\.4 and 1, got {threshold}$"):
        near_pairs(["a", "a"], threshold)


@law
@given(texts, st.sampled_from([0.6, 0.75, 1.0]))
def test_near_pairs_are_those_of_the_slow_search(texts, threshold):
    sets = [shingles(text) for text in texts]
    often = shared(sets)
    sets = [runs - often or runs for runs in sets]
    slow = [
        (i, j, score)
        for i, j in itertools.combinations(range(len(texts)), 2)
        if (score := similarity(sets[i], sets[j])) >= threshold and not told_apart(texts[i], texts[j])
    ]
    assert near_pairs(texts, threshold) == slow


def test_no_pair_at_the_threshold_is_missed():
    """2,000 pairs that share 30 of 50 runs and nothing with one another: bands of 4 values lose some of them."""
    letters = random.Random(0)
    long = ["".join(letters.choices("abcdefghijklmnopqrstuvwxyz", k=54)) for _ in range(2_000)]
    both = [text for whole in long for text in (whole[:34], whole)]
    assert near_pairs(both, 0.6) == [(i, i + 1, 0.6) for i in range(0, 4_000, 2)]


@law
@given(st.lists(st.tuples(indices, indices), max_size=12), st.randoms(use_true_random=False))
def test_linked_is_reachability_in_any_order(pairs, order):
    reach = {i: {i} for pair in pairs for i in pair}
    for _ in reach:
        for i, j in pairs:
            reach[i] = reach[j] = reach[i] | reach[j]
        for i in reach:
            reach[i] = set().union(*(reach[j] for j in reach[i]))
    expected = sorted({tuple(sorted(group)) for group in reach.values()})
    order.shuffle(pairs)
    assert linked(pairs) == [list(group) for group in expected]
