"""Short texts with the places of addresses and numbers marked, and with what only looks like them.

Every address and number belongs to nobody, by the documents that the functions name.
"""

import re
from typing import NamedTuple

from labutils.lesson.exercises.drawing import Draw

OPEN, CLOSE = "‹", "›"  # stand around each place, and are taken out


class Sought(NamedTuple):
    """What is looked for: its name, texts with their spans marked, what looks like it but is not, and a pattern."""

    noun: str
    nouns: str
    marked: tuple[str, ...]
    traps: dict[str, str]  # a piece of a text: what it is
    pattern: str
    hint: str


def mails(draw: Draw) -> Sought:
    """Addresses under the ending .example, which belongs to nobody (RFC 2606)."""
    one, two, three = draw.some(("ada.b", "bo-w", "cy_lund", "dee.k", "eli-r", "fay.ott"), 3)
    house, other = draw.some(("plover", "heron", "dunlin", "curlew", "godwit"), 2)
    version = f"{draw.number(1, 9)}.{draw.number(0, 9)}.{draw.number(1, 9)}"
    return Sought(
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
        r"[\w.+-]+@(?:[\w-]+\.)+[A-Za-z]{2,}",
        "Before the `@` stand letters, digits and some of `. + - _`; behind it come parts with a dot between them, the "
        "last one of letters alone.",
    )


def telephones(draw: Draw) -> Sought:
    """Numbers that the British regulator keeps for drama: they belong to nobody."""
    one, two, three = (f"{draw.number(100, 999)}" for _ in range(3))
    year = draw.number(2011, 2024)
    total = draw.number(2, 8)
    return Sought(
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
        r"\+\d{2}(?: \d+){2,3}",
        "A number begins with `+` and two digits; two or three groups of digits follow, each behind a space.",
    )


def machines(draw: Draw) -> Sought:
    """Addresses of the networks kept for documentation (RFC 5737): no machine has them."""
    one, two, three = (draw.number(2, 250) for _ in range(3))
    major, minor = draw.number(1, 9), draw.number(1, 9)
    return Sought(
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
        r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)",
        "Four groups of one to three digits with dots between them; neither before nor behind them goes the number on.",
    )


def unmarked(marked: str) -> tuple[str, list[tuple[int, int]]]:
    """A text without the marks, and the places between them. unmarked("a ‹b›.") -> ("a b.", [(2, 3)])."""
    spans = [(match.start() - 2 * i, match.end() - 2 * i - 2) for i, match in enumerate(re.finditer("‹[^›]*›", marked))]
    return marked.replace(OPEN, "").replace(CLOSE, ""), spans
