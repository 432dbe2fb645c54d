"""Question/answer records: read and write them, tell their key family, split them without leaks.

A record is a plain dict. What a record's text looks like in training is for `templates`; what is wrong with a file of
them is for `validation`.
"""

import codecs
import io
import itertools
import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
from datasets import Dataset, DatasetDict

from labutils import places
from labutils.corpus.duplicates import linked, near_pairs
from labutils.pairs import causes

BOM = codecs.BOM_UTF8
_SPACE = re.compile(r"[ \t\r\n]*")  # what JSON calls white space
_BETWEEN = re.compile(r"[ \t\r\n,:]*")  # what stands between the keys and values of JSON that is sound
FEW = 8  # lines that tell whether one object goes on over several
FAMILIES = {  # how files in the wild name the two sides of a pair; the first family whose keys are all there counts
    "question/answer": ("question", "answer"),
    "instruction/response": ("instruction", "response"),
    "input/output": ("input", "output"),
    "text": ("text",),
}


def family(record: dict) -> str:
    """The key family of a record. family({"input": "Hi", "output": "Hello"}) -> "input/output".

    Raises ValueError naming the keys that are there and the families that are known; and for an Alpaca record, of
    whose three texts a family would silently drop one.
    """
    if {"instruction", "output"} <= record.keys():
        raise ValueError(
            f"an Alpaca record (keys {sorted(record)}) is no pair yet: turn it into one with "
            "`python3 -m labutils convert FILE --to question/answer --out FILE`"
        )
    for name, keys in FAMILIES.items():
        if all(key in record for key in keys):
            return name
    raise ValueError(f"no known key family: got keys {sorted(record)}, expected one of {', '.join(FAMILIES)}")


def pair(record: dict) -> tuple[str, str]:
    """The two sides of a record, (question, answer), by the names of its family; plain text has an empty question.

    Raises ValueError for an unknown family or a side that is not a string.
    """
    keys = FAMILIES[family(record)]
    for key in keys:
        if not isinstance(record[key], str):
            raise ValueError(f'"{key}" must be a string, got {type(record[key]).__name__}: {record[key]!r:.60}')
    return ("", record["text"]) if keys == ("text",) else (record[keys[0]], record[keys[1]])


def numbered(path: str | Path) -> Iterator[tuple[int, dict]]:
    """The records of a file, each with the line on which it begins: JSON Lines, one JSON list, objects over several
    lines, or a list under a key of one object; in UTF-8, or UTF-16 that says so. Blank lines are passed over. The file
    is opened once, so it may be a pipe.

    Raises ValueError, with the cause, for a file of another kind, and for the first line that is no JSON object, UTF-8,
    or has a key twice (one would be lost).
    """
    for line, text in _objects(path):
        try:
            text = text.decode() if isinstance(text, bytes) else text
            record = json.loads(text, object_pairs_hook=_once, parse_constant=no_constant)
        except (ValueError, RecursionError) as error:
            known = isinstance(error, UnicodeError) or (
                isinstance(error, json.JSONDecodeError) and causes.no_json(error)
            )
            expected = "" if known else "; expected an object, each key once"
            raise ValueError(f"{path}, line {line}: {why(error)}{expected}") from None
        if not isinstance(record, dict):
            raise ValueError(f"{path}, line {line}: expected an object, got {type(record).__name__}")
        yield line, record


def _objects(path: str | Path) -> Iterator[tuple[int, str | bytes]]:
    """What should be the objects of a file, as text, each with its line."""
    with Path(path).open("rb") as file:
        head = file.peek(1 << 16)
        if cause := causes.foreign(head, Path(path).suffix):
            raise ValueError(f"{path}, line 1: {cause}")
        lines = ((number, line.removeprefix(BOM)) for number, line in enumerate(_utf8(path, file, head), 1))
        first = next((each for each in lines if each[1].strip()), (0, b""))
        begun = [first, *itertools.islice(lines, FEW)]
        if first[1].lstrip().startswith(b"["):
            text = _text(path, [*begun, *lines])
            yield from _values(path, text, text.index("[") + 1, len(text), "]")
            return
        several = causes.several_lines(b"".join(line for _, line in begun))
        if several or not b"".join(line for _, line in begun[1:]).strip():
            begun += lines
            text = _text(path, begun)
            held = _held(text)
            if several or held:
                yield from _values(path, text, *held or ())
                return
        yield from (each for each in itertools.chain(begun, lines) if each[1].strip())


def _utf8(path: str | Path, file: BinaryIO, head: bytes) -> Iterator[bytes]:
    """The lines of a file as UTF-8."""
    if (coded := causes.encoding(head)) == "utf-8":
        yield from file
        return
    try:
        for line in io.TextIOWrapper(file, encoding=coded, newline="\n"):
            yield line.encode()
    except UnicodeError:
        raise ValueError(f"{path}, line 1: it begins like {coded.upper()} and is not; save it as UTF-8") from None


def _held(text: str) -> tuple[int, int, str] | None:
    """Where the list begins and ends in which the only object of a text holds all the pairs, and what closes it."""
    try:
        record = json.loads(text)
        cause = causes.meant(record) if isinstance(record, dict) else None
        if not cause or cause.code != "wrapped" or (key := causes.wrapped(record)) is None:
            return None
        decode, name, places, at = json.JSONDecoder().raw_decode, "", [], text.index("{") + 1
        for _ in record:
            name, at = decode(text, _BETWEEN.match(text, at).end())
            begins = _BETWEEN.match(text, at).end()
            _, at = decode(text, begins)
            places += [(begins + 1, at, "]")] if name == key else []
    except (ValueError, RecursionError):
        return None
    return places[0] if _BETWEEN.match(text, at).end() == text.rindex("}") else None  # else a key is there twice


def _text(path: str | Path, lines: list[tuple[int, bytes]]) -> str:
    """Lines as one text, with as many line ends before them as there were."""
    data = b"\n" * (lines[0][0] - 1) + b"".join(line for _, line in lines)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}, line {line}: {why(error)}; expected an object, each key once") from None


def read_jsonl(path: str | Path) -> list[dict]:
    """All records of a file, in order, as `numbered` gives them. Raises what it raises; FileNotFoundError when there is
    no file.
    """
    return [record for _, record in numbered(path)]


def write_jsonl(records: Iterable[dict], path: str | Path, inputs: Iterable[str | Path] = ()) -> Path:
    """Write records as JSON Lines (UTF-8, one object a line): the whole file, or, on any error, the old one as it was.

    Raises TypeError for a record that is not a dict or holds what JSON cannot, ValueError for NaN; both name the
    record, counted from 1. Raises what `places.writing` raises, such as ValueError where `path` is one of the `inputs`.
    """
    with places.writing(path, inputs) as out:
        for number, record in enumerate(records, 1):
            if not isinstance(record, dict):
                raise TypeError(f"record {number}: expected a dict, got {type(record).__name__}")
            try:
                out.write(as_json(record).encode() + b"\n")
            except (TypeError, ValueError) as error:
                raise type(error)(f"record {number}: {error}") from None
    return Path(path)


def as_json(record: dict) -> str:
    """A record as JSON on one line, its letters as they are; half of a character pair, which UTF-8 cannot hold, becomes
    an escape, and with it all that is not ASCII. Raises TypeError for what JSON cannot hold, ValueError for NaN.
    """
    text = json.dumps(record, ensure_ascii=False, allow_nan=False)
    return json.dumps(record) if re.search("[\ud800-\udfff]", text) else text


def unpadded(text: str) -> str:
    """A text of one line without the white space around it. What may be the indentation of code, and a text of several
    lines, stays as it is. unpadded(" Hello\\n") -> "Hello"; unpadded("    return x") -> "    return x".
    """
    begins = text[: len(text) - len(text.lstrip())].rpartition("\n")[2]
    return text if "\n" in text.strip() or begins not in ("", " ") else text.strip()


def split(
    records: Sequence[dict],
    *,
    held_out: float = 0.1,
    seed: int = 0,
    same: str | None = None,
    near: Sequence[tuple[int, int]] | None = None,
) -> DatasetDict:
    """Split records into "train" and "test" so that near-duplicate questions stay on one side.

    Records tied by a near-duplicate question (similarity 0.6 or more), or by an equal value under the key `same`
    (the fact that a pair is about, say), are never parted. Whole groups, shuffled by `seed`, go to "test" until it
    holds at least `held_out` of the records. `near` replaces the search for near-duplicates by known pairs of
    positions. A key that a record lacks is None in its row; values that a column cannot hold together, such as texts
    and numbers, become text. Raises ValueError when one side would be empty, or when no record has the key `same`.
    """
    if not 0 < held_out < 1:
        raise ValueError(f"held_out must lie between 0 and 1, got {held_out}")
    keys = list(dict.fromkeys(key for record in records for key in record))
    if records and same is not None and same not in keys:
        raise ValueError(f"no record has the key {same!r}; there are {', '.join(keys)}")
    questions = [question or answer for question, answer in map(pair, records)]
    ties = [(i, j) for i, j, _ in near_pairs(questions)] if near is None else list(near)
    first: dict[str, int] = {}
    for i, record in enumerate(records):
        value = record.get(same)
        ties.append((first.setdefault(f"only {i}" if value is None else json.dumps(value), i), i))
    groups = linked(ties)
    random.Random(seed).shuffle(groups)
    test: list[int] = []
    while groups and len(test) < held_out * len(records):
        test += groups.pop()
    if not test or not groups:
        raise ValueError(
            f"{len(records)} records in groups that belong together leave one side empty with held_out={held_out} and "
            f"seed={seed}; near-duplicate questions stay on one side: add other records, or change these"
        )
    train = [i for group in groups for i in group]
    columns = {key: _column([record.get(key) for record in records]) for key in keys}
    return DatasetDict(
        {
            name: Dataset.from_dict({key: [column[i] for i in sorted(rows)] for key, column in columns.items()})
            for name, rows in (("train", train), ("test", test))
        }
    )


def why(error: Exception) -> str:
    """What an error in reading or writing JSON says, in words."""
    if isinstance(error, RecursionError):
        return "nested too deep"
    if isinstance(error, json.JSONDecodeError):
        cause = causes.no_json(error)
        return (
            f"not JSON at column {error.colno}: {cause}" if cause else f"not JSON ({error.msg} at column {error.colno})"
        )
    if isinstance(error, UnicodeDecodeError):
        return f"byte 0x{error.object[error.start]:02x} is no UTF-8; save the file as UTF-8"
    if isinstance(error, UnicodeEncodeError):
        return "half of a character pair (a lone surrogate) cannot be written as UTF-8; write the character anew"
    return str(error)


def _values(
    path: str | Path, text: str, at: int = 0, end: int | None = None, closing: str = ""
) -> Iterator[tuple[int, str]]:
    """The values of a text from `at` to `end`, between commas up to a closing bracket or one after another, as text,
    each with its line.
    """
    decoder, text, line, seen = json.JSONDecoder(), text[:end], 1, 0
    while True:
        at = _SPACE.match(text, at).end()
        line, seen = line + text.count("\n", seen, at), at
        if at == len(text) if not closing else text[at : at + 1] == closing and not text[at + 1 :].strip(" \t\r\n"):
            return
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            line = getattr(error, "lineno", line)
            raise ValueError(f"{path}, line {line}: {why(error)}; expected an object in a list") from None
        yield line, text[at:end]
        at = _SPACE.match(text, end).end()
        if closing and text[at : at + 1] not in (",", "]"):
            raise ValueError(f"{path}, line {line}: expected a comma or the end of the list behind the object")
        at += text[at : at + 1] == ","


def _column(values: list) -> list:
    """Values as a column of a data set holds them: where it cannot, those that are no text become JSON, so text."""
    try:
        pa.array(values)
    except (pa.ArrowException, UnicodeError, OverflowError):
        texts = [each if each is None or isinstance(each, str) else json.dumps(each) for each in values]
        return [each and each.encode("utf-8", "backslashreplace").decode() for each in texts]
    return values


def _once(pairs: list) -> dict:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a key occurs twice in one object")
    return found


def no_constant(name: str) -> None:
    """What JSON's reader calls for NaN and Infinity, which are no JSON: raises ValueError."""
    raise ValueError(f"{name} is no JSON")
