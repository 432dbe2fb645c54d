"""Which documents to train on: small rules, `str -> Verdict(keep, reason)`, and a funnel that counts the reasons.

The rules are those of three published cleanings of the web, their thresholds are arguments:
Gopher (Rae et al. 2021, arXiv 2112.11446, appendix A.1.1 and table A1), C4 (Raffel et al. 2020, JMLR 21:140, section
2.2) and FineWeb (Penedo et al. 2024, arXiv 2406.17557, section 3.6). A word is what is between spaces, a line one
that is not blank. Where texts come from is not known here; duplicates between documents are for `duplicates`.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

ENDS = (".", "!", "?", '"', "”")  # terminal punctuation in C4: period, exclamation, question mark, closing quotation
ELLIPSES = ("...", "…")
BULLETS = ("•", "‣", "◦", "*", "-")
STOP_WORDS = {"the", "be", "to", "of", "and", "that", "have", "with"}
NOTICES = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")


class Verdict(NamedTuple):
    """What a rule says of a text: whether to keep it and, if not, why, in a short phrase that never changes."""

    keep: bool
    reason: str = ""


Rule = Callable[[str], Verdict]


def drop(bad: bool, reason: str) -> Verdict:
    """drop(True, "too few words") -> Verdict(False, "too few words"); drop(False, ...) -> Verdict(True, "")."""
    return Verdict(False, reason) if bad else Verdict(True)


def lines_of(text: str) -> list[str]:
    """The lines that are not blank, without the spaces around them."""
    return [line.strip() for line in text.split("\n") if line.strip()]


def share(parts: Iterable, whole: Sequence) -> float:
    """The sum of the parts by the length of the whole; 0 where there is nothing."""
    return sum(parts) / len(whole) if whole else 0.0


def too_few_words(text: str, least: int = 50) -> Verdict:
    """Gopher: between 50 and 100,000 words."""
    return drop(len(text.split()) < least, "too few words")


def too_many_words(text: str, most: int = 100_000) -> Verdict:
    """Gopher: between 50 and 100,000 words."""
    return drop(len(text.split()) > most, "too many words")


def word_length(text: str, shortest: float = 3, longest: float = 10) -> Verdict:
    """Gopher: the mean length of the words lies between 3 and 10 characters."""
    words = text.split()
    mean = share(map(len, words), words)
    return drop(not shortest <= mean <= longest, "words too short" if mean < shortest else "words too long")


def symbols(text: str, most: float = 0.1) -> Verdict:
    """Gopher: at most one hash sign in ten words, and at most one ellipsis."""
    count = max(text.count("#"), sum(map(text.count, ELLIPSES)))
    return drop(count > most * len(text.split()), "too many symbols")


def bullets(text: str, most: float = 0.9) -> Verdict:
    """Gopher: at most 90 % of the lines start with a bullet point."""
    lines = lines_of(text)
    return drop(share((line.startswith(BULLETS) for line in lines), lines) > most, "a list of bullets")


def cut_lines(text: str, most: float = 0.3) -> Verdict:
    """Gopher: at most 30 % of the lines end with an ellipsis."""
    lines = lines_of(text)
    return drop(share((line.endswith(ELLIPSES) for line in lines), lines) > most, "lines cut short")


def letters(text: str, least: float = 0.8) -> Verdict:
    """Gopher: at least 80 % of the words hold a letter."""
    words = text.split()
    return drop(share((any(map(str.isalpha, word)) for word in words), words) < least, "few words with letters")


def stop_words(text: str, least: int = 2) -> Verdict:
    """Gopher: at least two of the words without which there is hardly an English sentence."""
    found = STOP_WORDS.intersection(re.findall(r"[a-z]+", text.lower()))
    return drop(len(found) < least, "no English sentences")


def repeated_lines(text: str, most: float = 0.3, characters: float = 0.2) -> Verdict:
    """Gopher, table A1: at most 30 % of the lines repeat an earlier one, with at most 20 % of the characters."""
    return drop(_too_repeated(lines_of(text), most, characters), "repeated lines")


def repeated_paragraphs(text: str, most: float = 0.3, characters: float = 0.2) -> Verdict:
    """Gopher, table A1: the same for paragraphs, which blank lines part."""
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    return drop(_too_repeated(paragraphs, most, characters), "repeated paragraphs")


def one_phrase(text: str, most: Mapping[int, float] = {2: 0.20, 3: 0.18, 4: 0.16}) -> Verdict:
    """Gopher, table A1: the most frequent run of n words, if it comes twice, holds at most this share of characters."""
    words = text.split()
    bad = any(_top_share(words, n) > limit for n, limit in most.items())
    return drop(bad, "one phrase over and over")


def repeated_phrases(
    text: str, most: Mapping[int, float] = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}
) -> Verdict:
    """Gopher, table A1: runs of n words that repeat an earlier run hold at most this share of the characters."""
    words = text.split()
    return drop(any(_repeated_share(words, n) > limit for n, limit in most.items()), "repeated phrases")


def lorem_ipsum(text: str) -> Verdict:
    """C4: no placeholder text."""
    return drop("lorem ipsum" in text.lower(), "lorem ipsum")


def curly_bracket(text: str) -> Verdict:
    """C4: no curly bracket, which is common in code and rare in prose."""
    return drop("{" in text, "a curly bracket")


def few_sentences(text: str, least: int = 3, words: int = 5) -> Verdict:
    """C4: at least 3 sentences in the lines that it retains (see `c4_lines`)."""
    kept = "\n".join(c4_lines(text, words))
    return drop(len(re.findall(r"[.!?]+[\"”')\]]*(?=\s|$)", kept)) < least, "too few sentences")


def c4_lines(text: str, words: int = 5) -> list[str]:
    """The lines that C4 retains: at least 5 words, terminal punctuation, no word of Javascript or of cookies."""
    banned = ("javascript", *NOTICES)
    whole = [line for line in lines_of(text) if line.endswith(ENDS) and len(line.split()) >= words]
    return [line for line in whole if not any(phrase in line.lower() for phrase in banned)]


def unfinished_lines(text: str, most: float = 0.12) -> Verdict:
    """FineWeb: more than 12 % of the lines end in terminal punctuation."""
    lines = lines_of(text)
    return drop(share((line.endswith(ENDS) for line in lines), lines) <= most, "lines without an end")


def short_lines(text: str, least: float = 0.67, length: int = 30) -> Verdict:
    """FineWeb: less than 67 % of the lines are shorter than 30 characters."""
    lines = lines_of(text)
    return drop(share((len(line) < length for line in lines), lines) >= least, "short lines")


def repeated_characters(text: str, least: float = 0.1) -> Verdict:
    """FineWeb: lines that repeat an earlier one hold less than 10 % of the characters (its appendix E.4 has 1 %)."""
    lines = lines_of(text)
    return drop(share(map(len, _again(lines)), "".join(lines)) >= least, "characters in repeated lines")


GOPHER = (
    *(too_few_words, too_many_words, word_length, symbols, bullets, cut_lines, letters, stop_words),
    *(repeated_lines, repeated_paragraphs, one_phrase, repeated_phrases),
)
C4 = (lorem_ipsum, curly_bracket, few_sentences)
FINEWEB = (unfinished_lines, short_lines, repeated_characters)
RULES: list[Rule] = [*GOPHER, *C4, *FINEWEB]


def judge(text: str, rules: Sequence[Rule] = RULES) -> Verdict:
    """The first verdict of the rules that drops a text, or Verdict(True, "")."""
    return next((verdict for verdict in (rule(text) for rule in rules) if not verdict.keep), Verdict(True))


def kept(documents: Iterable[dict], rules: Sequence[Rule] = RULES) -> Iterator[dict]:
    """The documents `{"text", "meta"}` that every rule keeps, one after the other."""
    return (document for document in documents if judge(document["text"], rules).keep)


@dataclass(frozen=True)
class Funnel:
    """How many documents came through, how many fell for each reason, and the first that did."""

    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, dict] = field(default_factory=dict)

    @property
    def documents(self) -> int:
        """All that came in: those kept and those dropped."""
        return self.kept + self.dropped.total()


def funnel(documents: Iterable[dict], rules: Sequence[Rule] = RULES) -> Funnel:
    """Judge documents `{"text", "meta"}` one by one; nothing but an example a reason is held.

    funnel([{"text": "Hi.", "meta": {}}]).dropped -> Counter({"too few words": 1})
    """
    kept, dropped, examples = 0, Counter(), {}
    for document in documents:
        verdict = judge(document["text"], rules)
        kept += verdict.keep
        if not verdict.keep:
            dropped[verdict.reason] += 1
            examples.setdefault(verdict.reason, document)
    return Funnel(kept, dropped, examples)


def _again(parts: Sequence[str]) -> list[str]:
    """The parts that repeat an earlier one. _again(["a", "b", "a", "a"]) -> ["a", "a"]."""
    seen = set()
    return [part for part in parts if part in seen or seen.add(part)]


def _too_repeated(parts: Sequence[str], most: float, characters: float) -> bool:
    again = _again(parts)
    return len(again) > most * len(parts) or share(map(len, again), "".join(parts)) > characters


def _top_share(words: Sequence[str], n: int) -> float:
    """The share of characters in the most frequent run of n words, its count by its length; 0 if none comes twice."""
    counts = Counter(zip(*(words[i:] for i in range(n)), strict=False))
    top = max(counts.values(), default=0)
    longest = max((sum(map(len, run)) for run, count in counts.items() if count == top), default=0)
    return share([top * longest], "".join(words)) if top > 1 else 0.0


def _repeated_share(words: Sequence[str], n: int) -> float:
    """The share of characters in words that lie in a run of n words that repeats an earlier one; none counts twice."""
    seen, inside = set(), set()
    for i, run in enumerate(zip(*(words[k:] for k in range(n)), strict=False)):
        if run in seen:
            inside.update(range(i, i + n))
        seen.add(run)
    return share((len(words[i]) for i in inside), "".join(words))
