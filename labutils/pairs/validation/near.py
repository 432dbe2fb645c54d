"""Nearly equal questions in a file and across a split, in bounded memory and time.

The rule is that of `corpus.duplicates`: MinHash finds candidates, the exact similarity of their runs of five characters
confirms them. That module holds all runs of all texts; this one holds a sketch and the text of each of the first
MOST_TEXTS questions (MOST_CHARACTERS in all), cuts a text at LONGEST, and confirms at most MOST_CONFIRMED candidates,
the likeliest first. Where a limit was reached, a note says so.
"""

from array import array
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from rensa import RMinHash

from labutils.corpus.duplicates import BANDS, PERMUTATIONS, linked, shingles, similarity
from labutils.pairs.validation.problems import LISTED, Tally, named

THRESHOLD = 0.6  # the same as in `records.split`
MOST_TEXTS = 50_000
MOST_CHARACTERS = 8_000_000
LONGEST = 4000
MOST_CONFIRMED = 200_000
MOST_KEPT = 500_000  # candidates; most are passed over, because their groups are tied already
NEIGHBOURS = 2  # within a band, a text is compared with the two before it that share the band, and with the first
LIKELY = THRESHOLD - 0.15  # of 192 hashes; a pair of similarity 0.6 agrees on fewer than this once in 100,000
HALF, LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
BLOCK = 4096  # pairs scored at a time


class Row(NamedTuple):
    """A question that takes part: its line, its text, and whether it comes from the other file of a split."""

    line: int
    text: str
    other: bool


class Near:
    """The questions of a file, and of the other side of a split where there is one."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.rows: list[Row] = []
        self.sketches = array("I")
        self.seen: set[tuple[bytes, bool]] = set()
        self.characters = {False: 0, True: 0}
        self.texts = {False: 0, True: 0}
        self.left_out = {False: 0, True: 0}
        self.cut = False

    def add(self, line: int, asked: bytes, text: str, *, other: bool = False) -> None:
        """Take a question in, unless the same (by the hash `asked`) is there already: that is for `relations`."""
        if (asked, other) in self.seen:
            return
        if self.texts[other] >= MOST_TEXTS or self.characters[other] >= MOST_CHARACTERS:
            self.left_out[other] += 1
            return
        self.seen.add((asked, other))
        text = text[:LONGEST].encode("utf-8", "replace").decode()  # a lone surrogate cannot be hashed
        self.texts[other] += 1
        self.characters[other] += len(text)
        self.rows.append(Row(line, text, other))
        sketch = RMinHash(num_perm=PERMUTATIONS, seed=0)
        sketch.update(sorted(shingles(text)))
        self.sketches.extend(sketch.digest())

    def finish(self, other_name: str, leaked: set[int]) -> None:
        """Tell the groups of near-duplicates, and the lines with one in the other file (but not those in `leaked`)."""
        ties, across = self._confirmed(leaked)
        for group in linked(ties):
            lines = tuple(sorted(self.rows[i].line for i in group))
            cause = f"{len(lines):,} questions are nearly the same, on {named(lines)}"
            self.tally.add(lines[1], "near_duplicate", cause, lines=lines[:LISTED])
        for here, (there, score) in sorted(across.items()):
            cause = f"{score:.0%} of its runs of five characters are those of line {there} of {other_name}"
            self.tally.add(here, "near_split_leak", cause)
        for other, count in self.left_out.items():
            if count:
                name = f" of {other_name}" if other else ""
                cause = f"near-duplicates were looked for among the first {self.texts[other]:,} questions{name}, "
                self.tally.add(0, "search_bounded", cause + f"not among {count:,} behind them")
        if self.cut:
            cause = "very many questions are alike: only the likeliest near-duplicates were looked at"
            self.tally.add(0, "search_bounded", cause)

    def _confirmed(self, leaked: set[int]) -> tuple[list[tuple[int, int]], dict[int, tuple[int, float]]]:
        """Ties within the file, as many as the groups need; and of each line, the first match in the other file."""
        grams = lru_cache(4096)(lambda i: shingles(self.rows[i].text))
        ties: list[tuple[int, int]] = []
        across: dict[int, tuple[int, float]] = {}
        parents: dict[int, int] = {}
        asked = 0
        for i, j in self._candidates():
            here, there = sorted((self.rows[i], self.rows[j]), key=lambda row: row.other)
            if here.other or (there.other and (here.line in across or here.line in leaked)):
                continue
            if not there.other and _root(parents, i) == _root(parents, j):
                continue
            if asked == MOST_CONFIRMED:
                self.cut = True
                break
            asked += 1
            if (score := similarity(grams(i), grams(j))) < THRESHOLD:
                continue
            if there.other:
                across[here.line] = (there.line, score)
            else:
                ties.append((i, j))
                parents[_root(parents, j)] = _root(parents, i)
        return ties, across

    def _candidates(self) -> Iterator[tuple[int, int]]:
        """Pairs of rows that share a band, the likeliest first."""
        sketches = np.frombuffer(self.sketches, np.uint32).reshape(-1, PERMUTATIONS)
        found: list[tuple[np.ndarray, np.ndarray]] = [(np.empty(0, np.uint64), np.empty(0, np.int64))]
        for each in likely(sketches) if self.rows else ():
            found.append(each)
            if sum(len(pairs) for pairs, _ in found) > 4 * MOST_KEPT:
                found = [best(found)]
        pairs, _ = best(found)
        self.cut = len(pairs) == MOST_KEPT
        for at in range(0, len(pairs), BLOCK):
            block = pairs[at : at + BLOCK]
            yield from zip((block >> HALF).tolist(), (block & LOW).tolist(), strict=True)


def best(found: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Pairs and their scores, once each, the likeliest first, MOST_KEPT at most."""
    pairs, scores = (np.concatenate(each) for each in zip(*found, strict=True))
    order = np.lexsort((pairs, -scores))
    pairs, scores = pairs[order], scores[order]
    once = np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]  # a pair that shares several bands has one score
    return pairs[once][:MOST_KEPT], scores[once][:MOST_KEPT]


def likely(sketches: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each band, the pairs of rows that share it and agree on at least LIKELY of all hashes, and that number.

    `sketches` has the shape (rows, PERMUTATIONS); a pair is i * 2**32 + j.
    """
    for band in np.split(sketches, BANDS, axis=1):
        pairs = sharing(band)
        scores = np.empty(len(pairs), np.int64)
        for at in range(0, len(pairs), BLOCK):
            one, other = (pairs[at : at + BLOCK] >> HALF).astype(int), (pairs[at : at + BLOCK] & LOW).astype(int)
            scores[at : at + BLOCK] = (sketches[one] == sketches[other]).sum(axis=1, dtype=np.uint8)
        enough = scores >= LIKELY * PERMUTATIONS
        yield pairs[enough], scores[enough]


def sharing(band: np.ndarray) -> np.ndarray:
    """Pairs of rows with the same values in a band, shape (rows, 3), each as i * 2**32 + j with i < j."""
    one, two, three = (column.astype(np.uint64) for column in band.T)
    keys = (one << HALF | two) ^ (three * np.uint64(0x9E3779B97F4A7C15))  # a clash is confirmed away
    order = np.argsort(keys, kind="stable").astype(np.uint64)
    keys = keys[order.astype(np.int64)]
    found = []
    for step in range(1, NEIGHBOURS + 1):
        same = keys[step:] == keys[:-step]
        found.append(order[:-step][same] << HALF | order[step:][same])
    starts = np.maximum.accumulate(np.where(np.append(True, keys[1:] != keys[:-1]), np.arange(len(keys)), 0))
    away = np.arange(len(keys)) - starts > NEIGHBOURS
    found.append(order[starts[away]] << HALF | order[away])
    return np.concatenate(found)


def _root(parents: dict[int, int], i: int) -> int:
    while (parent := parents.get(i, i)) != i:
        parents[i] = parents.get(parent, parent)
        i = parents[i]
    return i
