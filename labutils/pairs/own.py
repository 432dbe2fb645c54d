"""A learner's own file of pairs, in any form -> question/answer records, and how it was understood.

CSV from a spreadsheet, JSON Lines, or one JSON list. Which columns are meant is guessed by their names and can be said.
What is wrong inside the texts is for `validation`; forms with a name (Alpaca, chats) are for `conversion`.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from labutils.pairs.conversion import convert, form_of
from labutils.pairs.records import FAMILIES, numbered, unpadded

TABLES, LINES = (".csv", ".tsv", ".txt"), (".jsonl", ".json", ".ndjson")
SEPARATORS = ",;\t|"
ASKED = (  # what the side that a model is given is called in the wild, the likeliest first
    "question", "instruction", "input", "prompt", "message", "text", "body", "query", "request", "ticket", "comment",
    "review", "email", "mail", "brief", "description", "sentence", "document", "title", "subject", "source",
)  # fmt: skip
WANTED = (  # and the side that it shall give
    "answer", "response", "output", "completion", "reply", "label", "queue", "category", "class", "target", "intent",
    "topic", "sentiment", "tag", "keywords", "summary", "translation", "priority", "type",
)  # fmt: skip
WINDOWS = "cp1252"
LONGEST = 60  # characters of a column's name; more look like a text, so the first line is no header


class Own(NamedTuple):
    """What a file holds, and how it was understood."""

    pairs: list[dict]  # "question", "answer", and the other columns as they are
    told: str  # which columns or form were taken, in a sentence


def read(path: str | Path, question: str | None = None, answer: str | None = None) -> Own:
    """Read a file of pairs, with any names of its columns or keys.

    Forms with a name (Alpaca, messages, prompt and completion ...) are converted; else two columns are taken:
    `question` and `answer` where they are given, known names (a message and its queue, a review and its label), or the
    only two there are. Numbers and truth values become text, what is missing an empty one, which `validate` then tells.

    Raises ValueError, naming the line or the columns, for a file that is no CSV, JSON Lines or JSON list, in another
    encoding than UTF-8, UTF-16 and Windows-1252 (which `told` says), without pairs or header, or of which the columns
    cannot be told; FileNotFoundError, naming files that are there, where there is no such file.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if not path.is_file():
        near = get_close_matches(path.name, [each.name for each in path.parent.glob("*.*")], n=3, cutoff=0.5)
        told = f"; there is {', '.join(near)}" if near else ""
        raise FileNotFoundError(f"no file {path.name} in {path.parent.resolve().name}/{told}")
    if kind not in TABLES + LINES:
        raise ValueError(f"{path.name}: expected one of {', '.join(TABLES + LINES)}; save a table as CSV (UTF-8)")
    text, note = _decoded(path) if kind in TABLES else ("", "")
    rows = list(_rows(path, text) if kind in TABLES else numbered(path))
    if not rows:
        raise ValueError(f"{path.name} holds no pairs: no row below the header, or no object")
    form = None if question or answer else form_of(rows[0][1])
    columns = list(dict.fromkeys(key for _, row in rows for key in row))
    if form not in (None, *FAMILIES) or (form and columns == ["text"]):
        return Own(
            [_converted(path, line, row) for line, row in rows], _told(path, len(rows), f"the form {form}{note}")
        )
    one, other, how = _chosen(path, columns, question, answer)
    pairs = [_pair(path, line, row, one, other) for line, row in rows]
    left = [column for column in columns if column not in (one, other)]
    beside = f"; other columns: {', '.join(map(repr, left[:6]))}" if left else ""
    return Own(pairs, _told(path, len(pairs), f"{one!r} is the question, {other!r} the answer ({how}){beside}{note}"))


def _told(path: Path, count: int, how: str) -> str:
    return f"{path.name}: {count:,} pair{'s' * (count != 1)}; {how}"


def _rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file, each with the line on which it ends; blank ones are passed over."""
    table = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    try:
        header = [name.strip() for name in next(table, [])]
        _check_header(path, header)
        for row in table:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                raise ValueError(
                    f"{path.name}, line {table.line_num}: {len(row)} columns where the header has {len(header)}; "
                    "a text that holds the separator or a quote belongs in double quotes"
                )
            yield table.line_num, {name: cell for name, cell in zip(header, row, strict=True) if name}
    except csv.Error as error:
        raise ValueError(f"{path.name}, line {table.line_num}: {error}; save the table anew as CSV (UTF-8)") from None


def _decoded(path: Path) -> tuple[str, str]:
    """The text of a file, and a note: UTF-8, UTF-16 where its first bytes say so, else Windows-1252, as older
    spreadsheets write it. A file with letters of UTF-8 and a broken one is none of these.
    """
    data = path.read_bytes()
    coding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(coding), ""
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    if coding == "utf-8-sig" and data.decode(coding, "ignore").isascii():
        with suppress(UnicodeDecodeError):
            return data.decode(WINDOWS), f"; it is not UTF-8 and was taken for {WINDOWS}: look at its special letters"
    raise ValueError(f'{path.name}, line {line}: not UTF-8; in a spreadsheet, save it as "CSV UTF-8"')


def _separator(text: str) -> str:
    """What parts the columns of the first line, quoted names aside; a comma where nothing does."""
    outside = "".join(text.partition("\n")[0].split('"')[::2])
    return max(SEPARATORS, key=outside.count)


def _check_header(path: Path, header: Sequence[str]) -> None:
    if not any(header):
        raise ValueError(f"{path.name} is empty, or its first line names no columns")
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise ValueError(f"{path.name}: the column {twice[0]!r} occurs twice; rename one of them")
    if long := [name for name in header if len(name) > LONGEST]:
        raise ValueError(
            f"{path.name}: the first line looks like a row, not like names of columns ({long[0][:30]!r} ...); put a "
            "header above it, such as question,answer"
        )


def _chosen(path: Path, columns: list[str], question: str | None, answer: str | None) -> tuple[str, str, str]:
    """The column of the question, that of the answer, and how they were found."""
    there = ", ".join(map(repr, columns[:12]))
    for name in filter(None, (question, answer)):
        if name not in columns:
            raise ValueError(f"{path.name} has no column {name!r}; there are {there}")
    names = {column.strip().lower(): column for column in reversed(columns)}
    family = next((keys for keys in FAMILIES.values() if len(keys) == 2 and all(key in names for key in keys)), ())
    guesses = family or [next(filter(names.get, known), None) for known in (ASKED, WANTED)]
    one, other = (said or names.get(guess) for said, guess in zip((question, answer), guesses, strict=True))
    if one and other and one != other:
        return one, other, "as you said" if question and answer else "by their names"
    if len(columns) == 2 and not (question and answer):
        one = question or next(column for column in columns if column != answer)
        return one, next(column for column in columns if column != one), "the only two columns"
    raise ValueError(
        f"{path.name}: cannot tell which column is the question and which the answer; there are {there}. Say it: "
        f'read(..., question="...", answer="...")'
    )


def _pair(path: Path, line: int, row: dict, one: str, other: str) -> dict:
    """A row as a question/answer record; other columns that bear these names would be in the way, so they go."""
    texts = {}
    for key, column in (("question", one), ("answer", other)):
        value = row.get(column)
        if isinstance(value, (list, dict)):
            raise ValueError(f"{path.name}, line {line}: {column!r} must be a text, got {type(value).__name__}")
        texts[key] = _text(value)
    return texts | {key: value for key, value in row.items() if key not in (one, other, *texts)}


def _text(value: Any) -> str:
    return unpadded(value) if isinstance(value, str) else "" if value is None else json.dumps(value)


def _converted(path: Path, line: int, row: dict) -> dict:
    try:
        return convert(row, "question/answer")
    except ValueError as error:
        raise ValueError(f"{path.name}, line {line}: {error}") from None
