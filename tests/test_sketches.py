"""Sketches: exact values by hand, what they forget, and that parts in any order give the sketch of the whole."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labutils.corpus.survey import DuplicateCounter, Lengths, NearDuplicates, content_hash, rounded

law = settings(derandomize=True, deadline=None, max_examples=60)


def lengths(values) -> Lengths:
    sketch = Lengths()
    for value in values:
        sketch.add(value)
    return sketch


class Small(DuplicateCounter):
    """Room for four contents."""

    ROOM = 4


def repeats(contents, kind=Small) -> DuplicateCounter:
    sketch = kind()
    for content in contents:
        sketch.add(content)
    return sketch


class Few(NearDuplicates):
    """Room for three lines of two texts."""

    LINES, TEXTS, BEGINNING = 3, 2, 40


def alike(texts, kind=Few) -> NearDuplicates:
    sketch = kind()
    for text in texts:
        sketch.add(text, text.encode(), content_hash(text.encode()))
    return sketch


@pytest.mark.parametrize(
    ("n", "kept"),
    [(0, 0), (1, 1), (127, 127), (128, 128), (129, 128), (130, 130), (1001, 1000), (1007, 1000), (1008, 1008),
    (2**40 + 1, 2**40)],
)  # fmt: skip
def test_rounded(n, kept):
    assert rounded(n) == kept


@law
@given(st.integers(0, 2**50))
def test_a_bin_is_at_most_a_sixty_fourth_wide(n):
    assert 0 <= n - rounded(n) <= n / 64
    assert rounded(rounded(n)) == rounded(n)


def test_quantiles_of_lengths():
    sketch = lengths(range(1, 101))
    assert [sketch.quantile(share) for share in (0.0, 0.01, 0.5, 0.95, 1.0)] == [1, 1, 50, 95, 100]
    assert (sketch.total, sketch.largest) == (5050, 100)
    assert lengths([]).quantile(0.5) == 0
    assert lengths([1001]).quantile(0.5) == 1000 and lengths([1001]).largest == 1001


def test_repeats_are_exact_up_to_their_room():
    sketch = repeats([1, 2, 3, 4, 1, 1])
    assert (sketch.level, sketch.counts) == (0, {1: 3, 2: 1, 3: 1, 4: 1})
    fuller = repeats([1, 2, 3, 4, 1, 1, 6])
    assert (fuller.level, fuller.counts) == (1, {2: 1, 4: 1, 6: 1})
    assert repeats([5, 8, 16, 24, 32, 8, 40, 8]).counts == {16: 1, 32: 1}
    hashes = [content_hash(b"%d" % i) for i in range(DuplicateCounter.ROOM + 1)]
    assert len(hashes) == 65_537 and repeats(hashes[:-1], DuplicateCounter).level == 0
    sampled = repeats(hashes, DuplicateCounter)
    assert sampled.level == 1 and set(sampled.counts) == {each for each in hashes if each % 2 == 0}


LONG = "a line that is long enough to choose by\n"


def test_texts_that_share_their_lines_are_kept_together():
    one, other, third = LONG + "x", LONG + "y", LONG + "z"
    sketch = alike([one, other, one])
    assert sorted(sketch.texts()) == sorted([one[:40], other[:40]]) and len(sketch.kept) == 1
    assert len(alike([one, other, third]).texts()) == 2
    assert len(alike(["-" * 19 + "\nx", "-" * 19 + "\ny"]).kept) == 2  # 19 characters choose nothing
    assert len(alike(["-" * 20 + "\nx", "-" * 20 + "\ny"]).kept) == 1
    texts = [f"line number {i} is a line of its own" for i in range(50)]
    assert len(alike(texts).texts()) == 3 and set(alike(texts).texts()) <= {text[:40] for text in texts}
    assert len(alike(texts, NearDuplicates).texts()) == 50


parts = st.lists(st.lists(st.integers(0, 40), max_size=12), max_size=4)
MADE = [
    (lengths, lambda i: i * 37, Lengths),
    (repeats, lambda i: i, Small),
    (alike, lambda i: f"{LONG * (i % 2)}the text of the number {i % 13}\n{i}", Few),
]


@law
@given(parts, st.randoms(use_true_random=False))
@pytest.mark.parametrize(("make", "value", "kind"), MADE, ids=["lengths", "repeats", "alike"])
def test_parts_in_any_order_are_the_whole(make, value, kind, parts, random):
    def merged(sketches):
        whole = kind()
        for sketch in sketches:
            whole = kind.from_dict(json.loads(json.dumps(whole.merge(sketch).to_dict())))
        return whole

    whole = make([value(i) for part in parts for i in part]).to_dict()
    sketches = [make([value(i) for i in part]) for part in parts]
    assert merged(sketches).to_dict() == whole
    random.shuffle(sketches)
    assert merged([merged(sketches[:2]), merged(sketches[2:])]).to_dict() == whole


def test_merging_leaves_both_as_they_were():
    for one, other in ((repeats([1, 2, 3]), repeats([4, 5])), (alike([LONG + "x"]), alike([LONG + "y", LONG + "z"]))):
        before = one.to_dict(), other.to_dict()
        one.merge(other)
        assert (one.to_dict(), other.to_dict()) == before
