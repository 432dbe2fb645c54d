"""Short texts with the positions of addresses and numbers marked, and with what only looks like them.

Every address and number belongs to nobody, by the documents that the functions name.
"""

import re
from typing import NamedTuple

from labutils.lesson.exercises.drawing import Draw

OPEN, CLOSE = "‹", "›"  # around each span, and taken out


class SpanTask(NamedTuple):
    """What is to be found: its name, texts with their spans marked, what only looks like it, a rule and patterns."""

    noun: str
    nouns: str
    marked: tuple[str, ...]
    traps: dict[str, str]  # a piece of a text: what it is
    rule: str  # what counts, in words
    first: str  # a pattern that is not good enough
    pattern: str
    hint: str


def mails(draw: Draw) -> SpanTask:
    """Addresses under the ending .example, which belongs to nobody (RFC 2606)."""
    one, two, three = draw.some(("ada.b", "bo-w", "cy_lund", "dee.k", "eli-r", "fay.ott"), 3)
    house, other = draw.some(("plover", "heron", "dunlin", "curlew", "godwit"), 2)
    version = f"{draw.number(1, 9)}.{draw.number(0, 9)}.{draw.number(1, 9)}"
    return SpanTask(
        "address",
        "addresses",
        (
            f"Write to ‹{one}@{house}.example› today.",
            f"Authors: Ada <‹{two}@{house}.example›>, Bo <‹{three}@{other}.example›>",
            "@property\ndef size(self):",
            f"Mail ‹{one}+news@post.{other}.example›.",
            "c = a @ b  # two matrices",
            f"npm install {house}@{version}",
            "",
        ),
        {"@property": "a decorator", "a @ b": "a product of two matrices", f"{house}@{version}": "a package's version"},
        "Here an address is letters, digits and any of `. _ + -`, then `@`, then two or more parts joined by dots. The "
        "parts hold letters, digits, `_` and `-`; the last part is two or more letters, and nothing else.",
        r"\S+@\S+",
        r"[\w.+-]+@(?:[\w-]+\.)+[A-Za-z]{2,}",
        "`\\w` is a letter, a digit or `_`. After the `@` comes `(?:[\\w-]+\\.)+`: parts, each with its dot.",
    )


def telephones(draw: Draw) -> SpanTask:
    """Numbers that the British regulator keeps for drama: they belong to nobody."""
    one, two, three = (f"{draw.number(100, 999)}" for _ in range(3))
    year = draw.number(2011, 2024)
    total = draw.number(2, 8)
    return SpanTask(
        "number",
        "telephone numbers",
        (
            f"Call ‹+44 20 7946 0{one}› before noon.",
            f"Office ‹+44 1632 960{two}›, workshop ‹+44 20 7946 0{three}›.",
            f"1 + {total} = {1 + total}",
            f"(‹+44 1632 960{three}›)",
            f"Released on {year}-04-01, ISO 8601.",
            f"x = y +44 * {total}",
            "",
        ),
        {f"1 + {total}": "a sum", f"{year}-04-01": "a date", "8601": "the number of a standard", "+44 *": "a product"},
        "Here a number is `+` and two digits, then two or three groups of digits, each after a single space.",
        r"\+.+",
        r"\+\d{2}(?: \d+){2,3}",
        "`\\+` is a plus sign and `\\d` a digit; ` \\d+` is a space and a group of digits.",
    )


def machines(draw: Draw) -> SpanTask:
    """Addresses of the networks kept for documentation (RFC 5737): no machine has them."""
    one, two, three = (draw.number(2, 250) for _ in range(3))
    major, minor = draw.number(1, 9), draw.number(1, 9)
    return SpanTask(
        "address",
        "IPv4 addresses",
        (
            f"The logger answers at ‹192.0.2.{one}›.",
            f"from ‹198.51.100.{two}› to ‹203.0.113.{three}›, port 80",
            f"version {major}.{minor}.0",
            f"http://‹203.0.113.{one}›:8080/status",
            f"see section {major}.{minor}.2.4.1 of the manual",
            "it weighs 1.250 kg",
            "",
        ),
        {f"{major}.{minor}.0": "a version", f"{major}.{minor}.2.4": "a piece of a number", "1.250": "a weight"},
        "Here an address is four groups of one to three digits, joined by dots. No digit or dot comes right before it, "
        "and no digit right after it, nor a dot and a digit.",
        r"\d+\.\d+",
        r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)",
        "`(?<![\\d.])` in front says that no digit or dot comes before; `(?!\\.?\\d)` behind it that no digit follows, "
        "with or without a dot.",
    )


def unmarked(marked: str) -> tuple[str, list[tuple[int, int]]]:
    """A text without the marks, and the positions between them. unmarked("a ‹b›.") -> ("a b.", [(2, 3)])."""
    spans = [(match.start() - 2 * i, match.end() - 2 * i - 2) for i, match in enumerate(re.finditer("‹[^›]*›", marked))]
    return marked.replace(OPEN, "").replace(CLOSE, ""), spans
