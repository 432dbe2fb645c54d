"""What is in a stream of documents, counted in one pass and a fixed space: the survey, and how two become one.

`merge` is associative and does not mind the order, so shards of a corpus give exactly the survey of one run. What the
counts mean, with their errors, is for `summary`; which documents are read is for `parts`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from labutils.corpus import personal
from labutils.corpus.languages import language
from labutils.corpus.sketches import DuplicateCounter, Lengths, NearDuplicates, content_hash

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
