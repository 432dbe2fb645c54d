"""A file of pairs in one form -> a file in another, whole or not at all. What a form is, is for `conversion`.

Reads JSON Lines and the one JSON list in which Alpaca and ShareGPT files are often published; writes JSON Lines.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from labutils.pairs.conversion import convert, known
from labutils.pairs.records import write_jsonl
from labutils.pairs.templates import lookup

NAMED = 10  # refused lines that an error names


def convert_file(path: str | Path, to: str, out: str | Path, template: str = "lecture") -> int:
    """Convert a file of JSON Lines, or one JSON list, into JSON Lines of another form; the number of records.

    The file is written whole or not at all. Raises ValueError naming the lines that cannot be carried and the reason
    for the first, or when `out` is the file itself.
    """
    known(to), lookup(template)
    if Path(out).exists() and Path(out).samefile(path):
        raise ValueError(f"{out} is the file itself; give another name")
    made = _converted(path, to, template)
    count = 0

    def counted() -> Iterator[dict]:
        nonlocal count
        for count, record in enumerate(made, 1):  # noqa: B007
            yield record

    write_jsonl(counted(), out)
    return count


def _converted(path: str | Path, to: str, template: str) -> Iterator[dict]:
    refused: list[int] = []
    reason = ""
    try:
        for line, record in numbered(path):
            try:
                made = convert(record, to, template)
                json.dumps(made, ensure_ascii=False, allow_nan=False).encode()
            except (ValueError, RecursionError) as error:
                reason = reason or _why(error)
                refused.append(line)
            else:
                if not refused:
                    yield made
    except ValueError:
        if not refused:  # else the refused line comes first
            raise
    if refused:
        more = f" and {len(refused) - NAMED:,} more" if len(refused) > NAMED else ""
        others = ", ".join(map(str, refused[1:NAMED])) + more
        also = f"; refused too: lines {others}" if len(refused) > 1 else ""
        raise ValueError(f"{path}, line {refused[0]}: {reason}{also}. Nothing was written")


def numbered(path: str | Path) -> Iterator[tuple[int, dict]]:
    """The records of a file, JSON Lines or one JSON list, each with the line on which it begins; blank lines are passed
    over.

    Raises ValueError for the first line that is no JSON object, UTF-8, or has a key twice (one would be lost).
    """
    with Path(path).open("rb") as file:
        listed = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["
    for line, text in _list_items(path) if listed else _lines(path):
        try:
            record = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path}, line {line}: {_why(error)}; expected an object") from None
        if not isinstance(record, dict):
            raise ValueError(f"{path}, line {line}: expected an object, got {type(record).__name__}")
        yield line, record


def _lines(path: str | Path) -> Iterator[tuple[int, bytes]]:
    with Path(path).open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, line.removeprefix(b"\xef\xbb\xbf")


def _list_items(path: str | Path) -> Iterator[tuple[int, str]]:
    """The items of a JSON list as they stand in the text, each with its line."""
    try:
        text = Path(path).read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: {error}; expected UTF-8") from None
    decoder, at, line, seen = json.JSONDecoder(), text.index("[") + 1, 1, 0
    while True:
        while at < len(text) and text[at] in " \t\r\n":
            at += 1
        line, seen = line + text.count("\n", seen, at), at
        if at < len(text) and text[at] == "]" and not text[at + 1 :].strip():
            return
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path}, line {line}: {_why(error)}; expected an object in a list") from None
        yield line, text[at:end]
        at = end
        while at < len(text) and text[at] in " \t\r\n":
            at += 1
        if text[at : at + 1] not in (",", "]"):
            raise ValueError(f"{path}, line {line}: expected a comma or the end of the list behind the object")
        at += text[at] == ","


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deep"
    if isinstance(error, UnicodeEncodeError):
        return "half of a character pair (a lone surrogate) cannot be written as UTF-8"
    return str(error)


def _once(pairs: list) -> dict:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
