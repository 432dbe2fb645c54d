"""How much two sets of words or keywords have in common, as F1. What an answer is taken apart into is the caller's."""

import re
from collections import Counter
from collections.abc import Iterable

WORD = re.compile(r"\w+(?:[-.:,]\w+)*")


def f1(given: Iterable[str], expected: Iterable[str]) -> float:
    """The harmonic mean of how much of the given is right and how much of the right is given; two of a kind count
    twice. f1(["heron", "mast"], ["heron", "price"]) -> 0.5. Nothing given where nothing is right: 1.
    """
    given, expected = Counter(given), Counter(expected)
    sizes = given.total() + expected.total()
    return 2 * (given & expected).total() / sizes if sizes else 1.0


def words(text: str) -> list[str]:
    """The words and numbers of a text, lower case. words("It's 1,150 euros.") -> ["it", "s", "1,150", "euros"]."""
    return WORD.findall(text.casefold())


def word_f1(answer: str, expected: str) -> float:
    """The overlap of two texts in words, as for answers of the SQuAD data set (Rajpurkar et al. 2016, "SQuAD: 100,000+
    Questions for Machine Comprehension of Text", section 6.1). It sees neither order nor meaning.
    """
    return f1(words(answer), words(expected))
