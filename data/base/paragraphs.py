"""Lines -> paragraphs: hard-wrapped lines are joined; items of lists, fields and arguments stand by themselves.

Three styles of docstring are known, as they come: fields (`:param x:`), Google's (`x (int): ...`), numpy's
(`x : int`, its text indented below).
"""

import re
from collections.abc import Iterable, Iterator

BULLET = re.compile(r"(?:[-*+•] +|\(?(?:\d{1,2}|[a-zA-Z]|#)[.)] +)(?=\S)")
FIELD = re.compile(r":(\w[\w ]*?)(?: +([^:`]*?))?:(?: +(.*)|$)")
ITEM = re.compile(r"\*{0,2}`{0,2}(\*{0,2}\w[\w.\-*]*)`{0,2}\*{0,2}(?: ?\([^()]*(?:\([^()]*\)[^()]*)*\))?: +(?=\S)")
NUMPY_TERM = re.compile(r"(\*{0,2}[\w.`]+(?:, \*{0,2}[\w.`]+)*) :(?: .*)?$")
LONGEST_TERM = 70  # characters of a line that can be the term of a definition list
MEANT = {"param": "", "parameter": "", "arg": "", "argument": "", "keyword": "", "kwarg": "", "ivar": "", "cvar": "",
         "var": "", "return": "Returns", "returns": "Returns", "raise": "Raises", "raises": "Raises",
         "yield": "Yields", "yields": "Yields", "note": "Note"}  # fmt: skip


def paragraphs(lines: Iterable[str]) -> Iterator[str]:
    """Paragraphs, each on one line.

    paragraphs(["One", "line.", "", "x : int", "    A number."]) -> "One line.", "x: A number."
    """
    held: list[str] = []
    first = last = 0  # indentation of the first and of the latest line held
    for line in lines:
        text = line.strip()
        start = opening(text) if text else ""
        if held and (not text or start or fresh(held, text, indent(line), first, last)):
            yield " ".join(held)
            held = []
        if not text:
            continue
        if not held:
            first = indent(line)
        elif len(held) == 1 and indent(line) > first and is_term(held[0]):
            held = [term(held[0]) + ":"]
        last = indent(line)
        if start or not FIELD.match(text):
            held.append(start or text)
    if held:
        yield " ".join(held)


def fresh(held: list[str], text: str, here: int, first: int, last: int) -> bool:
    """Whether a line, indented by `here`, begins a new paragraph though no blank line says so."""
    if here < last and (here < first or len(held) > 1 or held[0].startswith("- ")):
        return True
    return here > first and len(held) == 1 and held[0].endswith(":")


def opening(text: str) -> str:
    """A line that opens an item, in its plain form; "" for any other line.

    opening("* one") -> "- one";  opening(":param x: One.") -> "x: One.";  opening("x (int): One.") -> "x: One."
    """
    if match := BULLET.match(text):
        return "- " + text[match.end() :]
    if (match := FIELD.match(text)) and (kind := match[1].split()[0]) in MEANT and match[3]:
        name = (match[2] or "").split()[-1:] if not MEANT[kind] else []
        return ": ".join([*filter(None, [MEANT[kind], *name]), match[3]])
    if match := ITEM.match(text):
        return f"{match[1].strip('*')}: {text[match.end() :]}"
    return ""


def is_term(text: str) -> bool:
    """Whether a line that an indented one follows is the term of a definition list."""
    if NUMPY_TERM.fullmatch(text):
        return True
    short = len(text) < LONGEST_TERM and " -- " not in text and not text.startswith("- ")
    return short and not re.search(r"[.:!?;,]$|: ", text)


def term(text: str) -> str:
    """The names of a term, without their type. term("x, y : array_like, optional") -> "x, y"."""
    match = NUMPY_TERM.fullmatch(text)
    return match[1] if match else text


def indent(line: str) -> int:
    """The number of blanks that a line begins with."""
    return len(line) - len(line.lstrip())
