"""Intervals by hand, and how often they hold: on made-up clusters and files, (slow) on the installed corpus."""

from collections import Counter

import numpy as np
import pytest

from labutils.corpus import sharded, sources
from labutils.corpus.sampling import (
    composition,
    estimated,
    over_bytes,
    over_documents,
    over_listed,
    over_packages,
    wilson,
)
from labutils.corpus.sharded import Part, SampleSpec
from labutils.corpus.survey import Survey, Tally, content_hash


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"), [(0, 100, 0.0, 0.0370), (8, 10, 0.4902, 0.9433), (10, 10, 0.7225, 1.0), (0, 0, 0, 1)]
)
def test_wilson(hits, n, low, high):
    assert wilson(hits, n) == pytest.approx((low, high), abs=1e-4)


def test_a_whole_corpus_has_no_error_of_drawing():
    for low, high in (over_documents([9, 1], 1.0), over_bytes([3, 1], [90, 10], [2700, 100], 1.0),
                      over_listed([90, 10], [50, 70], [900, 900], [50, 70])):  # fmt: skip
        assert low.tolist() == high.tolist() == [0.9, 0.1]
    # of 100 bytes listed 80 are text, so of 1,000; of 40 listed 60 are, as of bad UTF-8; of none drawn all are
    found = estimated([80, 60, 0, 0, 5], [100, 40, 0, 0, 10], [1000, 80, 7, 0, 10])
    assert found.tolist() == [800, 120, 7, 0, 5]


def test_documents_drawn_out_of_something_endless_have_wilsons_interval():
    low, high = over_documents([8, 2, 0], 0.0)
    assert list(zip(low, high, strict=True)) == [wilson(8, 10), wilson(2, 10), wilson(0, 10)]
    half_read = over_documents([8, 2, 0], 0.5)
    assert [end[0] for end in half_read] == pytest.approx(wilson(16, 20))


def test_bytes_by_hand():
    """Three documents of 10, 20 and 30 bytes, the last in a set of its own: share 1/2, residuals 5, 10 and 15."""
    low, high = over_bytes([2, 1], [30, 30], [500, 900], 0.0)
    half = 1.959964 * np.sqrt((25 + 100 + 225) * 3 / 2) / 60
    assert (low[1], high[1]) == pytest.approx((max(0, 0.5 - half), min(1, 0.5 + half)))
    assert high[0] - low[0] == pytest.approx(high[1] - low[1])
    low, high = over_bytes([3, 0], [60, 0], [1400, 0], 0.0)
    assert (low[1], high[1]) == (0, wilson(0, 3)[1])


def test_bytes_by_lists_by_hand():
    """Two files of 10 listed bytes each, both as listed, and 20 left; in another set 60 of 60, which leaves nothing."""
    low, high = over_listed([20, 60], [20, 60], [200, 3600], [40, 60])
    least = 20 + 20 * wilson(2, 2)[0]
    (even, huge, _), _ = over_listed([100] * 3, [100] * 3, [1000, 8200, 100], [200] * 3)
    assert huge < even < 1 / 3, "where one of ten files holds most bytes, they count as hardly more than one"
    assert (low[0], high[0]) == pytest.approx((least / (least + 60), 40 / 100))
    assert (low[1], high[1]) == pytest.approx((60 / 100, 60 / (60 + least)))


def test_the_ends_of_lists_that_say_little():
    low, high = over_listed([30, 0, 0], [20, 0, 0], [200, 0, 0], [40, 30, 0])  # longer than listed; none drawn; no file
    assert (low[0], high[0]) == (pytest.approx((30 + 30 * wilson(2, 2)[0]) / (30 + 30 * wilson(2, 2)[0] + 30)), 1)
    assert (low[1], high[1]) == (0, pytest.approx(30 / (30 + 30 + 30 * wilson(2, 2)[0])))
    assert (low[2], high[2]) == (0, 0)
    for none in ([0], [0, 0]):
        assert [end.tolist() for end in over_listed(none, none, none, none)] == [none, none]


def test_lists_tell_the_bootstrap_what_was_not_drawn():
    drawn = np.array([[10.0, 0.0], [0.0, 10.0]])
    listed = np.array([[10.0, 10.0], [20.0, 20.0]])
    low, high = over_packages(drawn, drawn, listed)
    assert low.tolist() == high.tolist() == [0.5, 0.5]  # both packages hold as much of one set as of the other
    assert [end.tolist() for end in over_packages(drawn)] == [[0, 0], [1, 1]]
    low, high = over_packages(drawn, 2 * drawn, listed)  # half of it is text, unless none of a set is in a round
    assert 0.3 < low[0] < 0.5 < high[0] < 0.7


@pytest.mark.parametrize("table", [[[5, 5]], [[5, 5], [0, 0]], np.zeros((0, 2)), [[0, 0], [0, 0]], [[7, 0], [0, 3]]])
def test_one_package_says_nothing_of_others_and_many_alike_all(table):
    assert [end.tolist() for end in over_packages(table)] == [[0, 0], [1, 1]]
    assert [end.tolist() for end in over_packages([[3, 1]] * 10)] == [[0.75, 0.25]] * 2


def test_one_document_or_none_says_nothing_and_one_seed_is_one_interval():
    some = np.random.default_rng(0).poisson(3, (20, 3))
    first, again, other = (np.array(over_packages(some, seed=seed)).tolist() for seed in (1, 1, 2))
    assert first == again != other
    for counts, sums in (([1], [5]), ([0], [0])):
        assert [end.tolist() for end in over_bytes(counts, sums, [25], 0.5)] == [[0], [1]]
    assert [end.tolist() for end in over_documents([0, 0], 0.0)] == [[0, 0], [1, 1]]


def clusters(rng: np.random.Generator, n: int) -> np.ndarray:
    """Packages of 10 to 90 documents that are nearly all of one set or nearly all of the other: documents by set."""
    sizes = rng.integers(10, 90, n)
    hits = rng.binomial(sizes, np.where(rng.random(n) < 0.3, 0.95, 0.05))
    return np.stack([hits, sizes - hits], axis=1)


def test_intervals_over_packages_hold_where_intervals_over_documents_do_not():
    true, held, naive = 0.3 * 0.95 + 0.7 * 0.05, 0, 0
    for seed in range(300):
        table = clusters(np.random.default_rng(seed), 150)
        low, high = over_packages(table, seed=seed, rounds=400)
        held += low[0] <= true <= high[0]
        low, high = over_documents(table.sum(axis=0), 0.0)
        naive += low[0] <= true <= high[0]
    assert held >= 270  # nominally 285; the percentile interval of 150 skewed clusters is known to be a little short
    assert naive < 150


def test_intervals_over_documents_hold_for_the_corpus_that_was_drawn_from():
    rng = np.random.default_rng(0)
    sets, sizes = rng.choice(3, 3000, p=[0.9, 0.09, 0.01]), rng.lognormal(8, 1, 3000)
    true = np.bincount(sets) / 3000, np.bincount(sets, sizes) / sizes.sum()
    held = np.zeros((2, 3))
    for seed in range(100):
        drawn = np.random.default_rng(seed).choice(3000, 1500, replace=False)
        counts, sums, squares = (np.bincount(sets[drawn], sizes[drawn] ** k) for k in (0, 1, 2))
        ends = over_documents(counts, 0.5), over_bytes(counts, sums, squares, 0.5)
        held += [(low <= share) & (share <= high) for (low, high), share in zip(ends, true, strict=True)]
    assert (held >= 88).all() and (held[:, 0] < 100).all()


@pytest.mark.parametrize("gone", [0.0, 0.02])
def test_intervals_by_lists_hold_where_a_few_files_hold_most_bytes(gone):
    """Sets of 40, 400 and 2,560 files, whose sizes no sample tells; the same samples without lists miss too often."""
    rng = np.random.default_rng(1)
    sets, sizes = np.repeat(range(3), [40, 400, 2560]), rng.lognormal(8, 2.5, 3000).round()
    texts = sizes * (rng.random(3000) >= gone)
    true = np.bincount(sets, texts) / texts.sum()
    held = np.zeros((2, 3))
    for seed in range(100):
        at = np.random.default_rng(seed).choice(3000, 600, replace=False)
        read, drawn, squares = (np.bincount(sets[at], v[at], 3) for v in (texts, sizes, sizes**2))
        documents, text_squares = (np.bincount(sets[at], v[at], 3) for v in (texts > 0, texts**2))
        listed = over_listed(read, drawn, squares, np.bincount(sets, sizes))
        ends = listed, over_bytes(documents, read, text_squares, 0.2)
        held += [(low <= true) & (true <= high) for low, high in ends]
    assert (held[0] >= 90).all() and held[1].min() < 50


@pytest.fixture(scope="module")
def files() -> list[dict]:
    """The whole installed corpus, a row a listed file: what is listed of it, and the bytes of its text, 0 of none."""
    sizes = {
        (each["meta"]["package"], each["meta"]["path"]): len(each["text"].encode("utf-8", "surrogatepass"))
        for each in sources.installed()
    }
    return [file | {"text": sizes.get((file["package"], file["path"]), 0)} for file in sources.listed()]


def drawn_part(files: list[dict], limit: int, seed: int) -> Part:
    """The part that `sharded.run` gives, as far as its composition goes; no file is opened."""
    drawn = sorted(files, key=lambda file: content_hash(f"{seed}/{file['path']}".encode()))[:limit]
    tallies = {}
    for file in drawn:
        if size := file["text"]:
            key = file["package"], file["pile_set_name"]
            documents, sums, squares = tallies.get(key, (0, 0, 0))
            tallies[key] = Tally(documents + 1, sums + size, squares + size**2)
    return Part(
        SampleSpec("installed", limit, seed, len(files), sharded.sizes(files, drawn)), ((0, 1),), Survey(tallies)
    )


@pytest.mark.slow
@pytest.mark.parametrize("limit", [2000, 20_000])
def test_intervals_of_a_hundred_samples_of_the_installed_corpus_cover_its_counts(files, limit):
    """In 90 of 100 samples: each set's documents and bytes, by both errors; by other packages all sets at once, too."""
    limit = min(limit, len(files) * 2 // 3)
    documents, sizes = Counter(), Counter()
    for file in files:
        documents[file["pile_set_name"]] += file["text"] > 0
        sizes[file["pile_set_name"]] += file["text"]
    held = {kind: np.zeros(len(sources.SETS), dtype=int) for kind in ("", "draw_", "bytes_", "bytes_draw_")}
    together = Counter()
    for seed in range(100):
        rows = sorted(composition(drawn_part(files, limit, seed)), key=lambda row: row["set"])
        for kind in held:
            true = sizes if kind.startswith("bytes") else documents
            shares = [round(true[row["set"]] / true.total(), 6) for row in rows]  # as the ends are
            hits = [row[f"{kind}low"] <= share <= row[f"{kind}high"] for row, share in zip(rows, shares, strict=True)]
            held[kind] += hits
            together[kind] += all(hits)
    print(limit, sorted(sources.SETS), held, together, sep="\n")
    assert min(held[kind].min() for kind in ("", "bytes_", "bytes_draw_")) >= 90
    assert held["draw_"].mean() >= 90 and held["draw_"].min() >= 80  # Wilson's of a few files is lumpy
    assert together[""] >= 90 and together["bytes_"] >= 90
