"""A file's bytes -> lines, in bounded memory. What is wrong with a line is for `parsing`.

A file is read piece by piece, and a line longer than LINE_LIMIT is never held whole: it comes in chunks.
"""

import codecs
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

LINE_LIMIT = 4_000_000  # bytes; a million tokens, beyond what any model reads at once
CHUNK = 1 << 16
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
