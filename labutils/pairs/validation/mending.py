"""One line of a file of pairs -> the line with its unambiguous faults repaired, and what was changed.

Repaired: byte order marks, line ends, blank lines, control characters that want an escape, misspelt keys, zero-width
characters, white space between question and answer. A line whose JSON has another fault keeps its
bytes.
"""

import codecs
import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from labutils.pairs.conversion import CHAT, FORMS, OWN_KEYS, ROLES
from labutils.pairs.records import as_json, unpadded
from labutils.pairs.validation.keys import shape
from labutils.pairs.validation.lines import Line, read_lines
from labutils.pairs.validation.parsing import Reader
from labutils.pairs.validation.problems import Tally
from labutils.pairs.validation.texts import SCRIPTS, ZERO_WIDTH, at_home

READABLE = {"bom", "raw_control_character"}  # with these alone, what a line says is certain


class Change(NamedTuple):
    """One change: the line of the original, the kind of problem that it repairs, and what was done."""

    line: int
    code: str
    what: str


def mended_lines(path: Path) -> Iterator[tuple[Line, bytes, list[Change]]]:
    """Every line of a file, what takes its place in the copy, and what was changed.

    A line too long to be parsed comes in chunks, as it is. Raises UnicodeDecodeError for UTF-16 that is none.
    """
    for line in read_lines(path, errors="strict"):
        if line.whole and line.start:
            data, changes = _ends(line)
            yield line, *(_inside(line, data, changes) if data else (data, changes))
        else:
            yield line, line.data, []


def _ends(line: Line) -> tuple[bytes, list[Change]]:
    """A line's bytes without what surrounds the JSON, b"" for a blank line."""
    data, changes = line.data, []
    if data.startswith(codecs.BOM_UTF8):
        data = data[3:]
        changes.append(Change(line.number, "bom", "byte order mark removed"))
    if not data.strip():
        return b"", [*changes, Change(line.number, "blank_line", "removed")]
    if data.endswith(b"\r\n"):
        data = data[:-2] + b"\n"
        changes.append(Change(line.number, "crlf", "\\r\\n -> \\n"))
    if not data.endswith(b"\n"):
        data += b"\n"
        changes.append(Change(line.number, "no_final_newline", "newline added"))
    return data, changes


def unambiguous(line: Line) -> dict | None:
    """The object on a line whose JSON leaves nothing open; None elsewhere."""
    tally = Tally()
    value = Reader(tally).parse(line).value
    return value if set(tally.counts) <= READABLE else None


def _inside(line: Line, data: bytes, changes: list[Change]) -> tuple[bytes, list[Change]]:
    """The line with its record repaired; its bytes where nothing has to be, or where a number would not survive."""
    if (record := unambiguous(line)) is None:
        return data, changes
    mended, inside = mend(record)
    if (text := data.decode()) and _has_raw_control_character(text):
        inside.append(("raw_control_character", "written as an escape"))
    if not inside:
        return data, changes
    try:
        written = as_json(mended)
    except ValueError:
        return data, changes
    if _numbers(written) != _numbers(text):
        return data, changes
    return written.encode() + b"\n", changes + [Change(line.number, code, what) for code, what in inside]


def mend(record: dict) -> tuple[dict, list[tuple[str, str]]]:
    """A copy of a record with misspelt keys renamed, zero-width characters and white space before the answer removed;
    and the changes, (code, what was done).

    mend({"qestion": "Why?", "answer": "So."}) -> ({"question": "Why?", "answer": "So."}, [("misspelt_key", ...)])
    """
    found = shape(tuple(record))
    if found.form is None or found.missing:
        return record, []
    done = [("misspelt_key", f"{got} -> {meant}") for got, meant in found.renamed.items()]
    record = {found.renamed.get(key, key): copy.deepcopy(value) for key, value in record.items()}
    slots = _slots(record, found.form)
    scripted = any(SCRIPTS.search(holder[key]) for holder, key in slots if not holder[key].isascii())
    for holder, key in slots:
        shown = without_hidden(holder[key], scripted)
        if shown != holder[key] and shown.strip():
            done.append(("zero_width_character", f"{len(holder[key]) - len(shown)} removed from {key}"))
            holder[key] = shown
    if found.form != "text":
        done += _closed(*_sides(record, found.form, slots))
    return record, done


def without_hidden(text: str, scripted: bool) -> str:
    """A text without the zero-width characters that have no business where they stand; `scripted` as in `at_home`."""
    return ZERO_WIDTH.sub(lambda found: found[0] if at_home(text, found.start(), scripted) else "", text)


Slot = tuple[dict, str]  # a text by where it stands: slot[0][slot[1]]


def _slots(record: dict, form: str) -> list[Slot]:
    """Where the texts of a record stand."""
    if form not in CHAT:
        return [(record, key) for key in OWN_KEYS[form] if isinstance(record.get(key), str)]
    messages, said = record[FORMS[form][0]], CHAT[form][1]
    messages = messages if isinstance(messages, list) else []
    return [(each, said) for each in messages if isinstance(each, dict) and isinstance(each.get(said), str)]


def _sides(record: dict, form: str, slots: list[Slot]) -> tuple[Slot | None, Slot | None]:
    """Where the text before the answer stands, and the answer; None where one is not there."""
    if form not in CHAT:
        asked = [slot for slot in slots if slot[1] != OWN_KEYS[form][-1] and slot[0][slot[1]]]
        answers = [slot for slot in slots if slot[1] == OWN_KEYS[form][-1]]
        return (asked or [None])[-1], (answers or [None])[-1]
    roles = [ROLES[form].get(_hashable(holder.get(CHAT[form][0]))) for holder, _ in slots]
    if "assistant" not in roles:
        return None, None
    last = len(roles) - 1 - roles[::-1].index("assistant")
    return slots[last - 1] if last else None, slots[last]


def _closed(question: Slot | None, answer: Slot | None) -> list[tuple[str, str]]:
    """Remove white space between question and answer, where it surely means nothing; what was done."""
    done = []
    for slot, place, cut in ((question, "end", str.rstrip), (answer, "beginning", str.lstrip)):
        text = slot[0][slot[1]] if slot else ""
        if text.strip() and cut(text) != text and unpadded(text) == text.strip():
            slot[0][slot[1]] = cut(text)
            done.append(("space_before_answer", f"white space removed from the {place} of {slot[1]}"))
    return done


def _hashable(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _has_raw_control_character(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.msg.startswith("Invalid control character")
    return False


def _numbers(text: str) -> list[Decimal]:
    """The numbers with a point or an exponent, as exactly as they are written."""
    found: list[Decimal] = []
    json.JSONDecoder(parse_float=lambda number: found.append(Decimal(number)), strict=False).decode(text.strip())
    return found
