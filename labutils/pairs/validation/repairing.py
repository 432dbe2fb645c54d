"""A copy of a file of pairs in which the unambiguous faults are repaired, and a report of every change.

What is repaired in a line is for `mending`; here, records that occur twice, word for word, are dropped.
Everything else stays as it is, byte for byte, and is listed: which of two answers is right, nobody can tell from here.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from labutils import places
from labutils.pairs.validation.checking import validate
from labutils.pairs.validation.lines import encoding, is_json_list
from labutils.pairs.validation.mending import Change, mended_lines, unambiguous
from labutils.pairs.validation.problems import Problem
from labutils.pairs.validation.relations import Hashes, runs


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
    Raises ValueError when one would be written over, when the file is one JSON list or a pipe, or when what says that
    it is UTF-16 is not; FileNotFoundError when there is no folder to write into.
    """
    path, out = Path(path), Path(out)
    places.check_rereadable(path)
    if is_json_list(path):
        raise ValueError(f"{path} is one JSON list; turn it into JSON Lines with the command `convert`")
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
    if (coded := encoding(path)) != "utf-8":
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
        if line.whole and data and (record := unambiguous(line._replace(data=data))) is not None:
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
