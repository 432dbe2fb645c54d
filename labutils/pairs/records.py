"""Question/answer records: read and write them, tell their key family, split them without leaks.

A record is a plain dict. What a record's text looks like in training is for `templates`; what is wrong with a file of
them is for `validation`.
"""

import json
import os
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from datasets import Dataset, DatasetDict

from labutils.corpus.duplicates import linked, near_pairs

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
    """The two sides of a record, (question, answer), whatever its family calls them; plain text has an empty question.

    Raises ValueError for an unknown family or a side that is not a string.
    """
    keys = FAMILIES[family(record)]
    for key in keys:
        if not isinstance(record[key], str):
            raise ValueError(f'"{key}" must be a string, got {type(record[key]).__name__}: {record[key]!r:.60}')
    return ("", record["text"]) if keys == ("text",) else (record[keys[0]], record[keys[1]])


def read_jsonl(path: str | Path) -> list[dict]:
    """All records of a JSON Lines file, in order; blank lines are passed over.

    Raises ValueError naming the first line that is not a JSON object, FileNotFoundError when there is no file.
    """
    records = []
    for number, line in enumerate(Path(path).read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path}, line {number}: not JSON ({error}); expected one object per line") from None
        if not isinstance(record, dict):
            raise ValueError(f"{path}, line {number}: expected an object, got {type(record).__name__}")
        records.append(record)
    return records


def write_jsonl(records: Iterable[dict], path: str | Path) -> Path:
    """Write records as JSON Lines (UTF-8, one object a line): the whole file, or, on any error, the old one as it was.

    Raises TypeError for a record that is not a dict or holds what JSON cannot, ValueError for NaN or a lone surrogate;
    both name the record, counted from 1. FileNotFoundError when there is no folder to write into.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"no folder {path.parent} to write {path.name} into")
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as out:
            for number, record in enumerate(records, 1):
                out.write(_line(number, record))
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


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
    positions. A key that a record lacks is None in its row. Raises ValueError when one side would be empty, or when no
    record has the key `same`.
    """
    if not 0 < held_out < 1:
        raise ValueError(f"held_out must lie between 0 and 1, got {held_out}")
    keys = list(dict.fromkeys(key for record in records for key in record))
    if records and same is not None and same not in keys:
        raise ValueError(f"no record has the key {same!r}; there are {', '.join(keys)}")
    questions = [question or answer for question, answer in map(pair, records)]
    ties = [(i, j) for i, j, _ in near_pairs(questions)] if near is None else list(near)
    groups = linked([*ties, *_equal(records, same), *((i, i) for i in range(len(records)))])
    random.Random(seed).shuffle(groups)
    test: list[int] = []
    while groups and len(test) < held_out * len(records):
        test += groups.pop()
    if not test or not groups:
        raise ValueError(
            f"{len(records)} records in groups that belong together leave one side empty with held_out={held_out} and "
            f"seed={seed}; add other records, or change these"
        )
    train = [i for group in groups for i in group]
    parts = {"train": sorted(train), "test": sorted(test)}
    return DatasetDict(
        {
            name: Dataset.from_dict({key: [records[i].get(key) for i in rows] for key in keys})
            for name, rows in parts.items()
        }
    )


def _line(number: int, record: dict) -> bytes:
    """A record as a line of a JSON Lines file; `number` is its place, for the error."""
    if not isinstance(record, dict):
        raise TypeError(f"record {number}: expected a dict, got {type(record).__name__}")
    try:
        return (json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n").encode()
    except TypeError as error:
        raise TypeError(f"record {number}: {error}") from None
    except ValueError as error:
        raise ValueError(f"record {number}: {error}") from None


def _equal(records: Sequence[dict], key: str | None) -> list[tuple[int, int]]:
    places = defaultdict(list)
    for i, record in enumerate(records):
        if key is not None and record.get(key) is not None:
            places[record[key]].append(i)
    return [(group[0], i) for group in places.values() for i in group]
