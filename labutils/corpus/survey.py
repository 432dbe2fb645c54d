"""What is in a stream of documents, counted in one pass and a fixed space: the survey, and how two become one."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from labutils.corpus import personal

# Counts that fit into a fixed space, however long the stream. Each is filled one value at a time and merges: a merged
# sketch is equal to the sketch of all values in any order, so the parts of a corpus give the survey of the whole.
# `to_dict` and `from_dict` are for JSON. Texts are known by their 64-bit hashes; among a million of them two different
# ones get the same once in 37 million corpora.

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
        self.bins[rounded(n)] += 1
        self.total += n
        self.largest = max(self.largest, n)

    def merge(self, other: Lengths) -> Lengths:
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
        return {"bins": sorted(self.bins.items()), "total": self.total, "largest": self.largest}

    @classmethod
    def from_dict(cls, plain: dict) -> Lengths:
        return cls(Counter(dict(plain["bins"])), plain["total"], plain["largest"])


@dataclass
class DuplicateCounter:
    """How often each content occurs; of more than `ROOM` different ones, those whose hash ends in `level` zero bits.

    A content is kept or left out by its hash alone, so a kept one is counted every time (adaptive sampling: Wegman, in
    Flajolet 1990). Up to 65,536 different contents every number is exact.
    """

    ROOM = 1 << 16
    level: int = 0
    counts: Counter[int] = field(default_factory=Counter)

    def add(self, content: int) -> None:
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
        return {"level": self.level, "counts": [[f"{content:016x}", n] for content, n in sorted(self.counts.items())]}

    @classmethod
    def from_dict(cls, plain: dict) -> DuplicateCounter:
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
        return [
            [f"{key:016x}", [[f"{c:016x}", text] for c, text in sorted(texts.items())]]
            for key, texts in sorted(self.kept.items())
        ]

    @classmethod
    def from_dict(cls, plain: list) -> NearDuplicates:
        return cls({int(key, 16): {int(content, 16): text for content, text in texts} for key, texts in plain})


READ = 4000  # characters looked at
USED = 500  # of their letters and spaces; more cost more and change little
UNCLEAR = "unclear"
NOISE = re.compile(r"https?://\S+|<[^<>]*>|[^\w\s]|[\d_]")  # addresses, tags, signs, digits: no language


def language(text: str) -> str:
    """The ISO 639-1 code of a text's language, "unclear" for fewer than 20 letters; not for code.

    By py3langid (Lui and Baldwin 2012, "langid.py"), from the first words: about 0.2 ms a text, 97 languages, offline.
    language("Der Regenpfeifer misst Wind und Regen.") -> "de"
    """
    words = " ".join(NOISE.sub(" ", text[:READ]).split())[:USED]
    if sum(map(str.isalpha, words)) < 20:
        return UNCLEAR
    from py3langid import classify  # its model takes a tenth of a second, only where it is asked

    return classify(words)[0]


# The survey. What the counts mean, with their errors, is for `sampling`; which documents are read is for `sharded`.

NAME = 200  # the most characters kept of a name: a file may hold anything
NOT_PROSE = {  # sets whose language is not asked: code and numbers, here and in the Pile
    "C and C++", "JSON", "JavaScript", "Python", "Python stubs", "Settings", "Style sheets", "Tables", "Translations",
    "Web pages", "XML", "Github", "DM Mathematics",
}  # fmt: skip


class Tally(NamedTuple):
    """Documents of one set in one package; the squares of their bytes are kept for the error."""

    documents: int
    bytes: int
    squares: int


@dataclass
class Survey:
    """The counts of a stream. Two surveys of the same documents in any order are equal."""

    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)  # by package and set
    characters: Lengths = field(default_factory=Lengths)
    tokens: Lengths = field(default_factory=Lengths)  # empty without a tokenizer
    languages: Counter[str] = field(default_factory=Counter)  # documents of prose
    repeats: DuplicateCounter = field(default_factory=DuplicateCounter)
    alike: NearDuplicates = field(default_factory=NearDuplicates)
    found: Counter[str] = field(default_factory=Counter)  # personal data and secrets, by kind
    holders: Counter[str] = field(default_factory=Counter)  # documents that hold any of a kind

    def add(self, document: dict, tokens: Callable[[str], int] | None = None) -> None:
        """Count a document, {"text": str, "meta": dict}; `tokens` tells how many tokens a text has."""
        text, meta = document["text"], document.get("meta") or {}
        encoded = text.encode("utf-8", "surrogatepass")  # a JSON file may hold half a surrogate pair
        name = str(meta.get("pile_set_name") or "(no set)")[:NAME]
        key = str(meta.get("package") or "")[:NAME], name
        self.tallies[key] = _sum(self.tallies.get(key), Tally(1, len(encoded), len(encoded) ** 2))
        self.characters.add(len(text))
        if tokens:
            self.tokens.add(tokens(text))
        if name not in NOT_PROSE:
            self.languages[language(text)] += 1
        content = content_hash(encoded)
        self.repeats.add(content)
        self.alike.add(text, encoded, content)
        found = personal.counts(text)
        self.found += found
        self.holders.update(found.keys())

    def to_dict(self) -> dict:
        """As JSON, in one form only: equal surveys give equal JSON."""
        return {
            "tallies": [[*key, *tally] for key, tally in sorted(self.tallies.items())],
            **{name: getattr(self, name).to_dict() for name in SKETCHES},
            **{name: dict(sorted(getattr(self, name).items())) for name in COUNTERS},
        }


SKETCHES = {"characters": Lengths, "tokens": Lengths, "repeats": DuplicateCounter, "alike": NearDuplicates}
COUNTERS = ("languages", "found", "holders")


def of(documents: Iterable[dict], tokens: Callable[[str], int] | None = None) -> Survey:
    """The survey of a stream; one document is held at a time."""
    survey = Survey()
    for document in documents:
        survey.add(document, tokens)
    return survey


def merge(one: Survey, other: Survey) -> Survey:
    """The survey of the documents of both. merge(of(a), of(b)) == of(a + b)."""
    keys = one.tallies | other.tallies
    return Survey(
        tallies={key: _sum(one.tallies.get(key), other.tallies.get(key)) for key in keys},
        **{name: getattr(one, name).merge(getattr(other, name)) for name in SKETCHES},
        **{name: getattr(one, name) + getattr(other, name) for name in COUNTERS},
    )


def from_dict(plain: dict) -> Survey:
    """A survey back from its JSON. Raises ValueError for JSON of another shape."""
    try:
        return Survey(
            tallies={(package, name): Tally(*numbers) for package, name, *numbers in plain["tallies"]},
            **{name: kind.from_dict(plain[name]) for name, kind in SKETCHES.items()},
            **{name: Counter(plain[name]) for name in COUNTERS},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"not the JSON of a survey ({type(error).__name__}: {error})") from None


def _sum(one: Tally | None, other: Tally | None) -> Tally:
    return Tally(*map(sum, zip(*filter(None, (one, other)), strict=True)))
