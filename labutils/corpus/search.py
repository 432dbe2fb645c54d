"""Where a phrase stands in a corpus: the n-gram search. Documents in, matches out, one after the other."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

AROUND = 200  # the most characters shown of a document that somebody else wrote


class Match(NamedTuple):
    """A document that holds the phrase: whose it is, how often it does, and the text around the first place."""

    package: str
    path: str
    licence: str
    times: int
    around: str


def find(phrase: str, documents: Iterable[dict], *, around: int = AROUND, ignore_case: bool = False) -> Iterator[Match]:
    """The documents that hold the words of a phrase in its order, whatever white space lies between them.

    Whole words are found, so "the cat" is not found in "bathe cattle". A match shows up to `around` characters (at most
    200), the phrase in their middle. Raises ValueError for a phrase without words, and for `around` outside 0 to 200.
    """
    if not (words := phrase.split()):
        raise ValueError("an empty phrase is everywhere; expected at least one word")
    if not 0 <= around <= AROUND:
        raise ValueError(f"around must lie between 0 and {AROUND} characters, got {around}")
    return _matches(_pattern(words, ignore_case), "" if ignore_case else max(words, key=len), documents, around)


def _pattern(words: list[str], ignore_case: bool) -> re.Pattern:
    whole = r"\s+".join(map(re.escape, words))
    ends = (r"(?<!\w)" if re.match(r"\w", words[0]) else ""), (r"(?!\w)" if re.search(r"\w$", words[-1]) else "")
    return re.compile(ends[0] + whole + ends[1], re.IGNORECASE if ignore_case else 0)


def _matches(pattern: re.Pattern, sign: str, documents: Iterable[dict], around: int) -> Iterator[Match]:
    for document in documents:
        text, meta = document["text"], document.get("meta") or {}
        if sign not in text:  # one word, looked for as it stands, is far faster than the pattern
            continue
        spans = [match.span() for match in pattern.finditer(text)]
        if spans:
            names = (str(meta.get(key, "")) for key in ("package", "path", "license"))
            yield Match(*names, len(spans), _excerpt(text, *spans[0], around))


def _excerpt(text: str, start: int, end: int, around: int) -> str:
    """Up to `around` characters with text[start:end] in their middle; of a longer phrase its beginning."""
    before = max(0, start - max(0, around - (end - start)) // 2)
    return text[before : before + around]
