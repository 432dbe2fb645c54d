"""Counts that fit into a fixed space, however long the stream: lengths, repeated texts, texts for the near-duplicates.

Each is filled one value at a time and merges: a merged sketch is equal to the sketch of all values in any order, so the
parts of a corpus give the survey of the whole. `plain` and `of` turn one into JSON and back. Texts are known by their
64-bit hashes; among a million of them two different ones get the same hash once in 37 million corpora.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from dataclasses import dataclass, field

WIDTH = 7  # binary digits that a length keeps: a bin is at most 1.6 % wide


def content_hash(content: bytes) -> int:
    """64 bits that stand for a content."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big")


def rounded(n: int) -> int:
    """A length cut to its first seven binary digits. rounded(100) -> 100; rounded(1001) -> 1000."""
    spare = max(0, n.bit_length() - WIDTH)
    return n >> spare << spare


@dataclass
class Lengths:
    """A histogram on bins that widen with the length (the idea of HdrHistogram); total and largest are exact."""

    bins: Counter[int] = field(default_factory=Counter)
    total: int = 0
    largest: int = 0

    def add(self, n: int) -> None:
        """Count a length."""
        self.bins[rounded(n)] += 1
        self.total += n
        self.largest = max(self.largest, n)

    def merge(self, other: Lengths) -> Lengths:
        """Both together."""
        return Lengths(self.bins + other.bins, self.total + other.total, max(self.largest, other.largest))

    def quantile(self, share: float) -> int:
        """The length that a share of all do not exceed, cut to its bin: up to 1.6 % too small. 0 of none."""
        rank, seen = share * self.bins.total(), 0
        for start in sorted(self.bins):
            seen += self.bins[start]
            if seen >= rank:
                return start
        return 0

    def to_dict(self) -> dict:
        """As JSON."""
        return {"bins": sorted(self.bins.items()), "total": self.total, "largest": self.largest}

    @classmethod
    def from_dict(cls, plain: dict) -> Lengths:
        """Back from JSON."""
        return cls(Counter(dict(plain["bins"])), plain["total"], plain["largest"])


@dataclass
class DuplicateCounter:
    """How often each content occurs; of more than `ROOM` different ones, those whose hash ends in `level` zero bits.

    A content is kept or left out by its hash alone, so a kept one is counted every time (adaptive sampling: Wegman, in
    Flajolet 1990). Up to 65,536 different contents all are kept and every number is exact.
    """

    ROOM = 1 << 16
    level: int = 0
    counts: Counter[int] = field(default_factory=Counter)

    def add(self, content: int) -> None:
        """Count a content by its hash."""
        if content & ((1 << self.level) - 1) == 0:
            self.counts[content] += 1
            self._fit()

    def merge(self, other: DuplicateCounter) -> DuplicateCounter:
        """Both together, at the higher level of the two or above."""
        both = type(self)(max(self.level, other.level), self.counts + other.counts)
        both._thin()
        both._fit()
        return both

    def _fit(self) -> None:
        while len(self.counts) > self.ROOM:
            self.level += 1
            self._thin()

    def _thin(self) -> None:
        ends = (1 << self.level) - 1
        self.counts = Counter({content: n for content, n in self.counts.items() if content & ends == 0})

    def to_dict(self) -> dict:
        """As JSON."""
        return {"level": self.level, "counts": [[f"{content:016x}", n] for content, n in sorted(self.counts.items())]}

    @classmethod
    def from_dict(cls, plain: dict) -> DuplicateCounter:
        """Back from JSON."""
        return cls(plain["level"], Counter({int(content, 16): n for content, n in plain["counts"]}))


@dataclass
class NearDuplicates:
    """The beginnings of a few hundred different texts, chosen so that near-duplicates are chosen together.

    A text is chosen by one of its lines: the one with the smallest hash among the first `READ` bytes (a MinHash of one
    value, Broder 1997), so two texts that share most lines share this one as likely. Kept are the `LINES` lines that
    come first in another order by hash, and of each the `TEXTS` first texts. A text of short lines only stands alone.
    """

    LINES, TEXTS, READ, BEGINNING, SHORTEST = 256, 4, 4000, 1000, 20
    kept: dict[int, dict[int, str]] = field(default_factory=dict)  # line -> content -> beginning of the text

    def add(self, text: str, encoded: bytes, content: int) -> None:
        """Offer a text, its UTF-8 and the hash of that."""
        lines = [line for line in map(bytes.strip, encoded[: self.READ].split(b"\n")) if len(line) >= self.SHORTEST]
        chosen = min(map(zlib.crc32, lines)).to_bytes(4, "big") if lines else b"alone" + content.to_bytes(8, "big")
        key = content_hash(chosen)  # another order than the one that chose: many lines are no advantage
        if len(self.kept) < self.LINES or key in self.kept or key < max(self.kept):
            self.kept.setdefault(key, {})[content] = text[: self.BEGINNING]
            self._fit(key)

    def merge(self, other: NearDuplicates) -> NearDuplicates:
        """Both together."""
        both = type(self)({key: self.kept.get(key, {}) | other.kept.get(key, {}) for key in self.kept | other.kept})
        for key in list(both.kept):
            both._fit(key)
        return both

    def _fit(self, key: int) -> None:
        if len(self.kept.get(key, ())) > self.TEXTS:
            del self.kept[key][max(self.kept[key])]
            self._fit(key)
        if len(self.kept) > self.LINES:
            del self.kept[max(self.kept)]

    def texts(self) -> list[str]:
        """The beginnings, in an order that does not depend on how they came."""
        return [text for _, texts in sorted(self.kept.items()) for _, text in sorted(texts.items())]

    def to_dict(self) -> list:
        """As JSON."""
        return [
            [f"{key:016x}", [[f"{c:016x}", text] for c, text in sorted(self.kept[key].items())]]
            for key in sorted(self.kept)
        ]

    @classmethod
    def from_dict(cls, plain: list) -> NearDuplicates:
        """Back from JSON."""
        return cls({int(key, 16): {int(content, 16): text for content, text in texts} for key, texts in plain})
