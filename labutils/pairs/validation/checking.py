"""`validate` and `repair`: every problem of a file of pairs, and a copy in which the unambiguous ones are repaired."""

import codecs
import copy
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from labutils import places
from labutils.pairs.conversion import CHAT, FORMS, OWN_KEYS, ROLES
from labutils.pairs.records import as_json, unpadded
from labutils.pairs.templates import ANSWER, lookup
from labutils.pairs.validation import contents, problems
from labutils.pairs.validation.contents import SCRIPTS, ZERO_WIDTH, at_home
from labutils.pairs.validation.problems import Line, OnProgress, Parsed, Problem, Reader, Tally, read_lines
from labutils.pairs.validation.relations import Hashes, Lengths, Near, Relations, Tokenizer, runs
from labutils.pairs.validation.texts import Keys, Parts, fitting, shape


def validate(
    path: str | Path,
    *,
    tokenizer: Tokenizer | None = None,
    max_length: int = 512,
    template: str = "lecture",
    split_with: str | Path | None = None,
    tokens_per_second: float | None = None,
    on_progress: OnProgress = None,
) -> list[Problem]:
    """Every problem of a file of pairs, by line; problems of the whole file are on line 0.

    `tokenizer` turns a text into ids (without one, four characters count as a token); a pair over `max_length` tokens,
    filled into `template`, is told. `split_with` is the other side of a split: what leaks between both is told.
    `tokens_per_second` is the speed of training here; with it, the total of tokens is told in minutes, too.

    Memory stays flat: lines over 4 MB are not parsed, 1,000 problems a kind are kept and the rest is counted, the
    search for near-duplicates ends at the first 50,000 questions. Any bytes are an answer, never an error.
    Raises FileNotFoundError or another OSError for a file that cannot be read, ValueError for a pipe, a limit under 1
    or no template.
    """
    if max_length < 1:
        raise ValueError(f"max_length must be at least 1, got {max_length}")
    for each in filter(None, (path, split_with)):
        places.check_rereadable(each)
    tally = Tally()
    if cause := problems.no_lines(path):
        tally.add(1, cause.code, cause.what, fix=cause.fix)
        return tally.problems()
    _whole_file(path, template, tally)
    lengths = Lengths(tally, tokenizer, max_length, template)
    relations, near, keys, persons = Relations(tally), Near(tally), Keys(tally), contents.Persons(tally)
    for line, parsed in _parsed(path, tally, on_progress):
        if parsed.value is None or (parts := keys.read(line.number, parsed.value)) is None:
            continue
        joined = "\n".join(text for _, text in parts.texts)
        contents.check(line.number, parts, joined, template, tally, damaged=parsed.damaged)
        persons.add(line.number, joined)
        if parts.question is not None and parts.answer is not None:
            lengths.add(line.number, parts._replace(question="", answer=parts.several) if parts.several else parts)
            asked = relations.add(line.number, parts.asked(), parts.answer)
            near.add(line.number, asked, parts.asked() or parts.answer)
    if split_with is not None:
        _read_other(split_with, relations, near, tally)
    persons.finish()
    keys.finish()
    name = Path(split_with).name if split_with else ""
    near.finish(name, relations.finish(name))
    lengths.finish(tokens_per_second)
    return tally.problems()


def _whole_file(path: str | Path, template: str, tally: Tally) -> None:
    """What the first bytes and the template tell."""
    if lookup(template).removesuffix(ANSWER).endswith((" ", "\t")):
        cause = "the template has a space before the answer; most tokenizers join a space to the word behind it"
        tally.add(0, "space_before_answer", cause, fix="end the template's prompt in a newline or a sign")
    if (coded := problems.encoding(path)) != "utf-8":
        tally.add(1, "utf16", f"the file is {coded.upper()}, expected UTF-8; it was read as what it is")


def _parsed(path: str | Path, tally: Tally, on_progress: OnProgress) -> Iterator[tuple[Line, Parsed]]:
    """Every line with its value, faults of lines and bytes told on the way."""
    reader, objects, ended, last, returns = Reader(tally), 0, Line(0, b"\n"), 0, 0
    for line in read_lines(path, on_progress):
        parsed = reader.parse(line)
        objects += parsed.value is not None
        if line.data.endswith(b"\r\n"):
            returns, last = returns + 1, last or line.number
        ended = line
        yield line, parsed
    if returns:
        tally.add(last, "crlf", f"{returns:,} lines end in \\r\\n (Windows), this is the first")
    if not ended.data.endswith(b"\n"):
        tally.add(ended.number, "no_final_newline", "the last line does not end in a newline")
    if not objects and not tally.tied:
        tally.add(0, "empty_file", "no line holds an object")


def _read_other(path: str | Path, relations: Relations, near: Near, tally: Tally) -> None:
    """Take in the questions of the other side of a split; its own problems are not told here, only that it has some."""
    quiet = Tally()
    reader, keys, unread = Reader(quiet), Keys(quiet), 0
    for line in read_lines(path):
        parsed = reader.parse(line)
        parts: Parts | None = keys.read(line.number, parsed.value) if parsed.value is not None else None
        if parts is None or parts.question is None or parts.answer is None:
            unread += line.start and bool(line.data.strip())
            continue
        asked = relations.add(line.number, parts.asked(), parts.answer, other_file=True)
        near.add(line.number, asked, parts.asked() or parts.answer, other=True)
    if cause := problems.no_lines(path):
        tally.add(0, "unread_other", f"{Path(path).name} was not compared: {cause.what}", fix=cause.fix)
    elif unread:
        tally.add(0, "unread_other", f"{unread:,} lines of {Path(path).name} hold no pair and were not compared")


# One line -> the line repaired, and what was changed: byte order marks, line ends, blank lines, control characters that
# want an escape, misspelt keys, zero-width characters, white space between question and answer. A line whose JSON has
# another fault keeps its bytes.

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


def unambiguous(line: Line) -> tuple[dict | None, bool]:
    """The object on a line whose JSON leaves nothing open, else None; and whether a character wants an escape."""
    tally = Tally()
    value = Reader(tally).parse(line).value
    return value if set(tally.counts) <= READABLE else None, "raw_control_character" in tally.counts


def _inside(line: Line, data: bytes, changes: list[Change]) -> tuple[bytes, list[Change]]:
    """The line with its record repaired; its bytes where nothing has to be, or where a number would not survive."""
    record, raw = unambiguous(line)
    if record is None:
        return data, changes
    mended, inside = mend(record)
    if raw:
        inside.append(("raw_control_character", "written as an escape"))
    try:
        written = as_json(mended) if inside else ""
    except ValueError:
        return data, changes
    if not inside or _numbers(written) != _numbers(data.decode()):
        return data, changes
    return written.encode() + b"\n", changes + [Change(line.number, code, what) for code, what in inside]


def mend(record: dict) -> tuple[dict, list[tuple[str, str]]]:
    """A copy of a record with misspelt keys renamed, zero-width characters and white space before the answer removed;
    and the changes, (code, what was done).

    mend({"qestion": "Why?", "answer": "So."}) -> ({"question": "Why?", "answer": "So."}, [("misspelt_key", ...)])
    """
    found = fitting(shape(tuple(record)), record)
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
    spoken = [holder.get(CHAT[form][0]) for holder, _ in slots]
    roles = [ROLES[form].get(speaker) if isinstance(speaker, str) else None for speaker in spoken]
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


def _numbers(text: str) -> list[Decimal]:
    """The numbers with a point or an exponent, as exactly as they are written."""
    found: list[Decimal] = []
    json.JSONDecoder(parse_float=lambda number: found.append(Decimal(number)), strict=False).decode(text.strip())
    return found


# The repaired copy. Records that occur twice, word for word, are dropped; everything else stays as it is, byte for
# byte, and is listed: which of two answers is right, nobody can tell from here.


class Report(NamedTuple):
    """What `repair` did: lines read and written, changes by kind (each is in the file `changes`), what is left."""

    out: Path
    changes: Path
    read: int
    written: int
    counts: dict[str, int]
    left: list[Problem]  # by the lines of the copy


def repair(path: str | Path, out: str | Path, others: Iterable[str | Path] = ()) -> Report:
    """Write a repaired copy of `path` to `out`, and every change, a JSON object a line, to `out` + ".changes.jsonl".

    Both are written whole or not at all; the original is never touched, nor are the `others`. The file is read twice,
    in flat memory: records that occur twice are known only at the end.
    Raises ValueError when one would be written over, when the file is no JSON Lines or a pipe, or when what says that
    it is UTF-16 is not; FileNotFoundError when there is no folder to write into.
    """
    path, out = Path(path), Path(out)
    places.check_rereadable(path)
    if cause := problems.no_lines(path):
        raise ValueError(f"{path}: {cause}")
    changes = Path(f"{out}.changes.jsonl")
    inputs = [path, *others]
    with places.writing(out, inputs) as copy, places.writing(changes, inputs) as told:
        read, written, counts = _write(path, _repeated(path), copy, told)
        copy.flush()
        left = validate(copy.name)
    return Report(out, changes, read, written, dict(counts), left)


def _write(path: Path, again: np.ndarray, copy: BinaryIO, told: BinaryIO) -> tuple[int, int, Counter]:
    """Write the copy and the changes; lines read and written, and the changes by kind."""
    read = written = 0
    counts: Counter[str] = Counter()
    if (coded := problems.encoding(path)) != "utf-8":
        _tell(told, counts, Change(1, "utf16", f"{coded.upper()} -> UTF-8"))
    for line, data, changes in mended_lines(path):
        read += line.start
        place = np.searchsorted(again["line"], line.number)
        if place < len(again) and again["line"][place] == line.number:
            changes = [Change(line.number, "duplicate", f"dropped: the same as line {again['first'][place]}")]
            data = b""
        for change in changes:
            _tell(told, counts, change)
        copy.write(data)
        written += line.start and bool(data)
    return read, written, counts


def _tell(told: BinaryIO, counts: Counter, change: Change) -> None:
    counts[change.code] += 1
    told.write(json.dumps(change._asdict()).encode() + b"\n")


def _repeated(path: Path) -> np.ndarray:
    """The lines to drop, in order, each with the first line that holds the same record."""
    hashes = Hashes()
    for line, data, _ in mended_lines(path):
        if line.whole and data and (record := unambiguous(line._replace(data=data))[0]) is not None:
            same = json.dumps(record, sort_keys=True).encode()
            whole = hashlib.blake2b(same, digest_size=16).digest()  # long enough that no pair is ever lost by a clash
            hashes.add(whole[:8], whole[8:], line.number)
    kind = np.dtype([("line", "<u8"), ("first", "<u8")])
    found = [np.empty(0, kind)]
    for group in hashes.groups():
        group = group[np.argsort(group["other"], kind="stable")]
        for start, end in runs(group["other"]):
            rows = np.empty(end - start - 1, kind)
            rows["line"], rows["first"] = group["line"][start + 1 : end], group["line"][start]
            found.append(rows)
    return np.sort(np.concatenate(found), order="line")
