"""What can be wrong with a file of pairs, and its lines read in bounded memory: bytes -> lines -> JSON objects.

How a problem is found is for the modules beside this one; how one is shown is for `lesson`.
"""

import codecs
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from labutils.pairs import causes
from labutils.pairs.causes import quoted, type_name
from labutils.pairs.records import FEW, no_constant

# The kinds: code, severity, what to do. And the list that collects them.

PER_KIND = 1000  # problems kept of one kind; further ones are counted, so that memory stays flat on any file
LISTED = 20  # lines named in one problem that ties several


class Problem(NamedTuple):
    """One problem. `line` counts from 1 and is 0 for the whole file; `lines` names all where a problem ties several."""

    line: int
    code: str
    severity: str  # error: it must be repaired; warning: look at it; note: good to know
    cause: str
    fix: str
    lines: tuple[int, ...] = ()


ERROR, WARNING, NOTE = "error", "warning", "note"
KINDS = {  # code: (severity, fix)
    "empty_file": (ERROR, "write one JSON object a line"),
    "foreign_file": (ERROR, "write the pairs as JSON Lines, or as a table (CSV), which `convert` reads"),
    "several_lines": (ERROR, causes.READS),
    "wrapped": (ERROR, causes.READS),
    "json_list": (ERROR, "turn the list into JSON Lines with the command `convert`"),
    "utf16": (ERROR, "save the file as UTF-8 (--repair does this)"),
    "bom": (WARNING, "save the file as UTF-8 without a byte order mark (--repair does this)"),
    "invalid_utf8": (ERROR, "find the encoding that the line was written in (often Windows-1252) and save it as UTF-8"),
    "crlf": (NOTE, "nothing has to be done (--repair ends lines in \\n)"),
    "no_final_newline": (NOTE, "see that the last line was not cut off"),
    "blank_line": (WARNING, "remove the line"),
    "line_too_long": (ERROR, "look at how the file was made: a newline is missing, or this is no pair"),
    "not_json": (ERROR, "write the line as one JSON object, keys and texts in double quotes"),
    "raw_control_character": (ERROR, "write it as an escape (\\n, \\t, \\u0000) (--repair does this)"),
    "repeated_key": (ERROR, "keep one of the values; most readers keep the last without a word"),
    "not_an_object": (ERROR, 'write an object, such as {"question": "...", "answer": "..."}'),
    "missing_key": (ERROR, "add the key with its text"),
    "misspelt_key": (ERROR, "rename the key (--repair does this)"),
    "extra_key": (WARNING, "remove it, unless it is meant: training reads the two sides of a pair only"),
    "other_names": (ERROR, "rename the keys"),
    "preferences": (ERROR, causes.CHOSEN),
    "context_beside": (WARNING, "`convert FILE --context NAME ...` puts it before the question; as it is, it is lost"),
    "mixed_families": (WARNING, "bring all lines to one family with the command `convert`"),
    "other_form": (NOTE, "`finetune` and `format` read it; for a notebook, use `convert --to question/answer`"),
    "wrong_type": (ERROR, "write the value as a text in double quotes"),
    "null": (ERROR, "write the text, or remove the line"),
    "empty_text": (ERROR, "write the text, or remove the line"),
    "blank_text": (ERROR, "write the text, or remove the line"),
    "unknown_role": (ERROR, "use system, user, assistant and tool (ShareGPT: system, human, gpt and observation)"),
    "turn_order": (ERROR, "begin with system or user, then user and assistant by turns; join two turns of one side"),
    "weight": (ERROR, "write 1 for an answer that is trained, 0 for one that is not, or leave it out"),
    "tool_call": (ERROR, "write a call as its tool's name and its arguments, a JSON object; name the tool in tools"),
    "tool_answer": (ERROR, "put one message of the role tool behind each call, with the call's id"),
    "no_answer": (ERROR, "end the conversation with an answer of the assistant: it is what is trained"),
    "lone_surrogate": (ERROR, "replace it: half of a character pair cannot be written as UTF-8"),
    "replacement_character": (WARNING, "write the right character: a decoder put U+FFFD where it could not read one"),
    "control_character": (WARNING, "remove it, or write what it stood for"),
    "bidi_character": (WARNING, "remove it: it shows text in another order than the model reads"),
    "zero_width_character": (WARNING, "remove it: nobody sees it, but the model reads it (--repair does this)"),
    "template_marker": (ERROR, "reword the text: in training it reads as the beginning of another part"),
    "filled_template": (ERROR, "`convert FILE --unfill NAME ...` takes the template off: it is put on in training"),
    "space_before_answer": (WARNING, "remove the space (--repair does this where it is safe)"),
    "mojibake": (NOTE, "write the text anew in its right encoding: UTF-8 was read as Windows-1252 on the way"),
    "literal_escape": (
        NOTE,
        "write real line breaks where they are meant: the model learns to write a backslash and n",
    ),
    "personal_data": (WARNING, "replace it by a made-up value, unless it is public: a model can recite it"),
    "secret": (ERROR, "remove it and have it revoked: a model can recite it"),
    "nothing_left": (ERROR, "shorten the question: no token of the answer fits, so nothing is trained"),
    "answer_truncated": (WARNING, "shorten the pair or raise the limit: the end of the answer, or the pair, is lost"),
    "duplicate": (WARNING, "keep one: copies count double in training, and may end up on both sides of a split"),
    "different_answers": (WARNING, "decide which answer is right: the model is taught both"),
    "near_duplicate": (WARNING, "keep them on one side of a split; drop those that say nothing new"),
    "split_leak": (ERROR, "remove it from one side: the score would measure memory"),
    "near_split_leak": (WARNING, "move both to one side: the score would partly measure memory"),
    "dominating_answer": (WARNING, "use fewer pairs with this answer, or word it in several ways"),
    "search_bounded": (NOTE, "validate a sample, or the parts of the file one by one"),
    "unread_other": (WARNING, "validate that file, too"),
    "tokens": (NOTE, "this is what one pass over the file costs"),
}


class Where:
    """The lines that something is on: the first LISTED, and how many there are. str(...) -> "lines 3, 7"."""

    def __init__(self) -> None:
        self.first: list[int] = []
        self.count = 0

    def add(self, line: int) -> None:
        """Take in a further line."""
        self.count += 1
        if self.count <= LISTED:
            self.first.append(line)

    def __str__(self) -> str:
        return named(self.first) if self.count <= LISTED else f"{self.count:,} lines"


class Tally:
    """Collects problems in bounded memory: PER_KIND of each kind are kept, the rest is counted."""

    def __init__(self) -> None:
        self.kept: list[Problem] = []
        self.counts: Counter[str] = Counter()
        self.last: dict[str, int] = {}
        self.tied: dict[tuple[str, ...], Where] = {}

    def add(
        self, line: int, code: str, cause: str, *, lines: Sequence[int] = (), severity: str = "", fix: str = ""
    ) -> None:
        """Add a problem; severity and fix are the kind's own where none is given."""
        self.counts[code] += 1
        if self.counts[code] <= PER_KIND:
            usual, tied = KINDS[code], tuple(lines[:LISTED]) if len(lines) > 1 else ()
            self.kept.append(Problem(line, code, severity or usual[0], cause, fix or usual[1], tied))
        else:
            self.last[code] = max(line, self.last.get(code, 0))

    def tie(self, line: int, *told: str) -> None:
        """Remember a problem (code, cause, fix) that is told once for all of its lines, at the end."""
        if told in self.tied or len(self.tied) < PER_KIND:
            self.tied.setdefault(told, Where()).add(line)

    def problems(self) -> list[Problem]:
        """All problems by line; where a kind has more than are kept, a last one says how many."""
        for (code, cause, *fix), where in self.tied.items():
            cause += f", on {where}" if where.count > 1 else ""
            self.add(where.first[0], code, cause, lines=where.first, fix="".join(fix))
        self.tied.clear()
        more = [
            Problem(line, code, KINDS[code][0], f"{self.counts[code] - PER_KIND:,} further problems of this kind, the "
                    f"last at line {line}", KINDS[code][1])
            for code, line in self.last.items()
        ]  # fmt: skip
        return sorted([*self.kept, *more], key=lambda problem: (problem.line, problem.code))


def named(lines: Sequence[int]) -> str:
    """Line numbers as words. named([3, 7]) -> "lines 3, 7"; many are cut."""
    shown = ", ".join(str(line) for line in lines[:8])
    more = f" and {len(lines) - 8:,} more" if len(lines) > 8 else ""
    return f"line{'s' if len(lines) > 1 else ''} {shown}{more}"


# Bytes -> lines. A file is read in pieces, and a line longer than LINE_LIMIT is never held whole: it comes in chunks.

LINE_LIMIT = 4_000_000  # bytes; a million tokens, beyond what any model reads at once
CHUNK = 1 << 16
PROGRESS_EVERY = 1 << 22  # bytes between two calls of on_progress


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
        return causes.encoding(file.read(4))


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


def no_lines(path: str | Path) -> causes.Cause | None:
    """Why a whole file is no JSON Lines; None where it may be."""
    with Path(path).open("rb") as file:
        head = file.read(1000)
    if is_json_list(path):
        what = "the file is one JSON list; expected JSON Lines, one object a line"
        return causes.Cause("json_list", what, KINDS["json_list"][1])
    begins = (line.data for line in islice(read_lines(path), FEW))
    return causes.foreign(head, Path(path).suffix) or causes.several_lines(b"".join(begins))


MARKS = b"\0\xef\xbb\xbf\xff\xfe"  # what stands before and between the signs of JSON in UTF-8, UTF-16 and UTF-32


def is_json_list(path: str | Path) -> bool:
    """Whether a file is one JSON list rather than JSON Lines: it begins with "[", not closed on its line unless that
    is the only one, and ends with "]".
    """
    with Path(path).open("rb") as file:
        head = file.read(LINE_LIMIT).translate(None, MARKS).lstrip()
        file.seek(max(0, file.seek(0, io.SEEK_END) - CHUNK))
        closed = file.read().translate(None, b"\0").rstrip().endswith(b"]")
    first, _, rest = head.partition(b"\n")
    if not (closed and first.startswith(b"[")):
        return False
    if rest.strip() and first.rstrip().endswith(b"]"):
        return False  # a list on a line of its own, and more lines
    return first.rstrip() == b"[" or first[1:].lstrip().startswith((b"{", b"]"))


# A line -> the object on it, with the problems on the way. What an object must hold is for `texts`.

SPACE = " \t\r\n"  # what JSON calls white space


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
        text = text.strip(SPACE)
        value, error = self._decoded(self.strict, text)
        if getattr(error, "msg", "").startswith("Invalid control character"):
            value, worse = self._decoded(self.loose, text)
            if not worse:
                cause = f"U+{ord(text[error.pos]):04X} is unescaped inside a text, at column {error.pos + 1}"
                self.tally.add(number, "raw_control_character", cause)
                error = None
        if error:
            cause, common = _why(error)
            self.tally.tie(number, "not_json", cause) if common else self.tally.add(number, "not_json", cause)
            return None
        if self.repeated:
            self.tally.add(number, "repeated_key", f"the key {quoted(self.repeated[0])} occurs twice in one object")
        if isinstance(value, dict):
            return value
        self.tally.add(number, "not_an_object", f"the line holds {type_name(value)}")
        return None

    def _decoded(self, reader: json.JSONDecoder, text: str) -> tuple[Any, Exception | None]:
        self.repeated.clear()
        try:
            return reader.decode(text), None
        except (ValueError, RecursionError) as error:
            return None, error


def decoder(repeated: list[str], *, strict: bool = True) -> json.JSONDecoder:
    """JSON's reader, but NaN and Infinity, which are no JSON, are a ValueError, and keys that occur twice in one object
    are put into `repeated`.
    """

    def object_of(pairs: list) -> dict:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set = set()
            repeated.extend(key for key, _ in pairs if key in seen or seen.add(key))
        return found

    return json.JSONDecoder(object_pairs_hook=object_of, parse_constant=no_constant, strict=strict)


def _why(error: Exception) -> tuple[str, bool]:
    """What JSON's reader says, and whether it is a common mistake, told in the same words wherever it occurs."""
    if isinstance(error, RecursionError):
        return "not JSON that can be read: nested too deep", False
    if not isinstance(error, json.JSONDecodeError):
        return f"not JSON: {str(error)[:100]}", False
    if cause := causes.no_json(error):
        return f"not JSON: {cause}", True
    return f"not JSON: {error.msg[:100]} at column {error.colno}", False
