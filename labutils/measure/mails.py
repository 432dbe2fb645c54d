"""The house style of the writing task, and what a mail carries of its brief: rules that a program can check.

The rules are in `data/tasks/emails/README.md`. Whether a mail is kind, or clear, no rule here sees.
"""

import re
from collections.abc import Sequence

from labutils.measure.scoring import fact_hit

CLOSING = "Kind regards from the quay,\nTidewren Instruments"
LEAST, MOST, LONGEST = 40, 90, 45  # words of a mail, greeting and closing counted; words of a paragraph
APOLOGY = r"\bsorry\b|\bapolog\w+|\bregret\w*|\bforgive\b"
STOCK = (
    "hope this", "finds you well", "do not hesitate", "feel free", "reach out", "valued customer", "at your earliest",
    "inconvenience", "as per", "please be advised", "thank you for contacting", "we are writing to", "kindly note",
    "we would like to inform", "look no further", "rest assured", "touch base", "going forward",
)  # fmt: skip
COUNTING = {
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "fifteen", "twenty",
    "thirty", "forty", "fifty", "hundred",
}  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SOON = {"today", "tomorrow", "yesterday", "tonight", "weekend", *(day.lower() for day in DAYS)}
PRODUCTS = {
    "plover", "heron", "godwit", "sandpiper", "turnstone", "curlew", "dunlin", "avocet", "shoreline", "estuary",
}  # fmt: skip


def addressee(brief: str) -> str:
    """Who the mail goes to. addressee("to: Mr Adeyemi; battery damaged") -> "Mr Adeyemi"."""
    return brief.partition("to: ")[2].replace("\n", ";").partition(";")[0].strip()


def body(mail: str) -> list[str]:
    """The paragraphs of a mail without its greeting and its closing."""
    blocks = [block for block in mail.split("\n\n") if block.strip() and block != CLOSING]
    return blocks[1:] if blocks and blocks[0].startswith("Dear ") else blocks


def sentences(text: str) -> list[str]:
    """The sentences of a text. sentences("It came. Is it 6.3?") -> ["It came.", "Is it 6.3?"]."""
    return [part for part in re.split(r"(?<=[.?!])\s+|\n+", text) if part]


def singular(word: str) -> str:
    """A word without its plural s. singular("plovers") -> "plover"."""
    return word.removesuffix("s")


def style(brief: str, mail: str) -> dict[str, bool]:
    """Of each rule of form in the house style, by its name, whether a mail keeps it.

    An empty mail keeps every rule that forbids something: form alone says little.
    """
    blocks, low = mail.split("\n\n"), mail.lower()
    counts = [len(paragraph.split()) for paragraph in body(mail)]
    said = len(re.findall(APOLOGY, low))
    return {
        "greeting": blocks[0] == f"Dear {addressee(brief)},",
        "closing": blocks[-1] == CLOSING,
        "2 to 4 paragraphs": 2 <= len(counts) <= 4,
        f"no paragraph over {LONGEST} words": all(count <= LONGEST for count in counts),
        f"{LEAST} to {MOST} words": LEAST <= len(mail.split()) <= MOST,
        "no exclamation mark": "!" not in mail,
        "apologies as asked for": said == apologies(brief),
        "we, not I": not re.search(r"\b(I|I'\w+|me|my|mine|myself)\b", mail),
        "no short form": not re.search(r"\d(?:st|nd|rd|th)\b|\w+n't\b|\w'(?:ll|re|ve|m|d)\b|[€$%&]", mail),
        "no stock phrase": not any(phrase in low for phrase in STOCK),
    }


def apologies(brief: str) -> int:
    """How many apologies a brief asks for: 1 where it says apology, apologise or sorry, else 0."""
    return int(bool(re.search(r"(?<!no )\bapolog|\bsorry\b", brief, re.IGNORECASE)))


def carried(mail: str, facts: Sequence[str]) -> float:
    """The share of a brief's facts that a mail holds. Raises ValueError for no facts."""
    if not facts:
        raise ValueError("no facts to look for in the mail")
    return sum(fact_hit(mail, fact) for fact in facts) / len(facts)


def point_first(mail: str, facts: Sequence[str]) -> bool:
    """Whether the first sentence behind the greeting holds the point, which is the first of the facts."""
    return fact_hit(next(iter(sentences(" ".join(body(mail)))), ""), facts[0])


def lacking(brief: str, mail: str) -> list[str]:
    """Numbers, days, products and names of the mail that the brief lacks."""
    own = " ".join(body(mail))
    said, there = (set(re.findall(r"\d+(?:[.,:]\d+)*", text)) for text in (own, brief))
    known, words = (set(map(singular, re.findall(r"\w+", text.lower()))) for text in (brief, own))
    counted = words & (COUNTING | SOON | PRODUCTS) - known
    inside = {word for part in sentences(own) for word in re.findall(r"(?<=\s)[(\"'`]?([A-Z]\w+)", part)}
    named = {word for word in inside if singular(word.lower()) not in known | {"tidewren"}}
    return sorted(said - there) + sorted(counted) + sorted(named)


def dropped(brief: str, mail: str) -> list[str]:
    """Numbers and names of the brief, behind its addressee, that the mail lacks."""
    rest = brief.replace(addressee(brief), "", 1)
    lost = set(re.findall(r"\d+(?:[.,:]\d+)*", rest)) - set(re.findall(r"\d+(?:[.,:]\d+)*", mail))
    names = set(re.findall(r"(?<=[a-z,\d] )([A-Z]\w+)", rest))
    return sorted(lost) + sorted(name for name in names if singular(name.lower()) not in mail.lower())
