"""A file's bytes -> lines -> JSON values, with the problems of each step. What a value must hold is for `keys`.

A file is never read whole, and a line longer than LINE_LIMIT is never parsed: it comes in chunks.
"""

import codecs
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from labutils.pairs.validation.problems import Tally, quoted

LINE_LIMIT = 4_000_000  # bytes; a million tokens, beyond what any model reads at once
CHUNK = 1 << 16
SPACE = " \t\r\n"  # what JSON calls white space
PROGRESS_EVERY = 1 << 22  # bytes between two calls of on_progress
MARKS = {  # longest first: the mark of UTF-32 begins like that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
    b"{\0": "utf-16-le", b"\0{": "utf-16-be",
}  # fmt: skip


class Line(NamedTuple):
    """A line with its newline, as UTF-8 bytes; a line over the limit comes as several, the first with `start`."""

    number: int
    data: bytes
    whole: bool = True
    start: bool = True


class Progress(NamedTuple):
    """How far a pass over a file has come."""

    done: int  # bytes
    size: int
    lines: int


OnProgress = Callable[[Progress], None] | None


def encoding(path: str | Path) -> str:
    """The encoding that a file's first bytes tell: utf-8, or a form of UTF-16 or UTF-32."""
    with Path(path).open("rb") as file:
        head = file.read(4)
    return next((name for mark, name in MARKS.items() if head.startswith(mark)), "utf-8")


def read_lines(path: str | Path, on_progress: OnProgress = None, *, errors: str = "replace") -> Iterator[Line]:
    """The lines of a file, split at \\n only, in memory of LINE_LIMIT at most. UTF-16 and UTF-32 become UTF-8.

    `errors` says what happens to what is no UTF-16: "replace", or "strict", which raises UnicodeDecodeError.
    """
    coded, size = encoding(path), Path(path).stat().st_size
    with Path(path).open("rb") as file:
        readline = file.readline if coded == "utf-8" else _recoded(file, coded, errors)
        number, told, done = 0, 0, file.tell
        while data := readline(LINE_LIMIT + 1):
            number += 1
            whole = data.endswith(b"\n") or len(data) <= LINE_LIMIT
            yield Line(number, data, whole)
            while not whole and (data := readline(CHUNK)):
                yield Line(number, data, False, False)
                whole = data.endswith(b"\n")
            if on_progress and done() - told >= PROGRESS_EVERY:
                told = done()
                on_progress(Progress(told, size, number))
        if on_progress:
            on_progress(Progress(size, size, number))


def _recoded(file: io.BufferedReader, coded: str, errors: str) -> Callable[[int], bytes]:
    text = io.TextIOWrapper(file, encoding=coded, errors=errors, newline="\n")
    return lambda size: text.readline(size // 4).encode("utf-8", "surrogatepass")  # at most 4 bytes a character


def is_json_list(path: str | Path) -> bool:
    """Whether a file is one JSON list rather than JSON Lines: it begins with "[", not closed on its line unless that
    is the only one, and ends with "]".
    """
    with Path(path).open("rb") as file:
        head = file.read(LINE_LIMIT).removeprefix(codecs.BOM_UTF8).lstrip()
        file.seek(max(0, file.seek(0, io.SEEK_END) - CHUNK))
        closed = file.read().rstrip().endswith(b"]")
    first, _, rest = head.partition(b"\n")
    if not (closed and first.startswith(b"[")):
        return False
    if rest.strip() and first.rstrip().endswith(b"]"):
        return False  # a list on a line of its own, and more lines
    return first.rstrip() == b"[" or first[1:].lstrip().startswith((b"{", b"]"))


class Parsed(NamedTuple):
    """A line's value, None where there is none, and whether it was read past a fault in the bytes."""

    value: Any = None
    damaged: bool = False


class Reader:
    """Turns lines into JSON objects and tells what is wrong with them; one for a whole file, because it is reused."""

    def __init__(self, tally: Tally) -> None:
        self.tally, self.repeated = tally, []
        self.strict, self.loose = (decoder(self.repeated, strict=strict) for strict in (True, False))

    def parse(self, line: Line) -> Parsed:
        """The object on a line, problems told on the way; a line that is damaged but can be read is read."""
        number, data = line.number, line.data
        if not line.whole:
            if line.start:
                cause = f"the line is longer than {LINE_LIMIT:,} bytes; it was not parsed"
                self.tally.add(number, "line_too_long", cause)
            return Parsed()
        if data.startswith(codecs.BOM_UTF8):
            where = "the file begins" if number == 1 else "the line begins, as where two files were joined,"
            self.tally.add(number, "bom", f"{where} with a byte order mark (EF BB BF)")
            data = data[3:]
        if not data.strip():
            self.tally.add(number, "blank_line", "the line is blank")
            return Parsed()
        try:
            return Parsed(self._object(number, data.decode()))
        except UnicodeDecodeError as error:
            cause = f"byte {error.start + 1} of the line (0x{data[error.start]:02x}) is no UTF-8"
            self.tally.add(number, "invalid_utf8", cause)
            return Parsed(self._object(number, data.decode(errors="replace")), damaged=True)

    def _object(self, number: int, text: str) -> dict | None:
        self.repeated.clear()
        try:
            value = self.strict.decode(text.strip(SPACE))
        except (ValueError, RecursionError) as error:
            if (value := self._despite_control_characters(number, text, error)) is None:
                self.tally.add(number, "not_json", _why(text, error))
                return None
        if self.repeated:
            self.tally.add(number, "repeated_key", f"the key {quoted(self.repeated[0])} stands twice in one object")
        if isinstance(value, dict):
            return value
        self.tally.add(number, "not_an_object", f"the line holds {type_name(value)}")
        return None

    def _despite_control_characters(self, number: int, text: str, error: Exception) -> Any:
        if not getattr(error, "msg", "").startswith("Invalid control character"):
            return None
        self.repeated.clear()
        try:
            value = self.loose.decode(text.strip(SPACE))
        except (ValueError, RecursionError):
            return None
        cause = f"U+{ord(error.doc[error.pos]):04X} stands unescaped inside a text, at column {error.pos + 1}"
        self.tally.add(number, "raw_control_character", cause)
        return value


def type_name(value: Any) -> str:
    """What a JSON value is, in words. type_name([1]) -> "a list"."""
    names = {list: "a list", dict: "an object", str: "a text", type(None): "null", bool: "true or false"}
    return names.get(type(value), "a number")


def decoder(repeated: list[str], *, strict: bool = True) -> json.JSONDecoder:
    """JSON's reader, but NaN and Infinity, which are no JSON, are a ValueError, and keys that stand twice in one object
    are put into `repeated`.
    """

    def object_of(pairs: list) -> dict:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set = set()
            repeated.extend(key for key, _ in pairs if key in seen or seen.add(key))
        return found

    return json.JSONDecoder(object_pairs_hook=object_of, parse_constant=_refuse, strict=strict)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _why(text: str, error: Exception) -> str:
    """What JSON's reader says, and a guess where the mistake is a common one."""
    if isinstance(error, RecursionError):
        return "not JSON that can be read: nested too deep"
    said = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
    stripped = text.strip()
    guess = ""
    if stripped.startswith("{'"):
        guess = "; it looks like a Python dict: JSON wants double quotes"
    elif stripped.endswith(","):
        guess = "; a comma follows, as in a list"
    elif said.startswith("Extra data"):
        guess = "; a newline may be missing between two objects"
    elif said.startswith("Unterminated"):
        guess = "; the line may be cut off"
    return f"not JSON: {said[:100]}{guess}"
