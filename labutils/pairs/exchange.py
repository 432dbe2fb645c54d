"""A file of records in one form -> a file in another, whole or not at all; or the pairs in it, to tune on. What a form
is, is for `conversion`.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from labutils.pairs.conversion import CHAT, SPOKEN, convert, form_of, known, sides
from labutils.pairs.records import numbered, why, write_jsonl
from labutils.pairs.templates import lookup
from labutils.pairs.validation import turns

NAMED = 10  # refused lines that an error names


def convert_file(path: str | Path, to: str, out: str | Path, template: str = "lecture") -> int:
    """Convert a file of JSON Lines, or one JSON list, into JSON Lines of another form; the number of records.

    The file is written whole or not at all. Raises ValueError naming the lines that cannot be carried and the reason
    for the first, or when `out` is the file itself.
    """
    known(to), lookup(template)
    count = 0

    def counted() -> Iterator[dict]:
        nonlocal count
        for count, (_, record) in enumerate(_made(path, lambda record: convert(record, to, template)), 1):  # noqa: B007
            yield record

    write_jsonl(counted(), out, [path])
    return count


def read_pairs(path: str | Path) -> list[tuple[int, dict]]:
    """The pairs of a file in any form that `convert` knows, each with its line: {"question", "answer"}, or {"text"}
    where the record is plain text. Further keys are left out.

    Raises ValueError naming the lines that hold no pair and the reason for the first.
    """
    return list(_made(path, sides))


def read_examples(path: str | Path) -> list[tuple[int, dict]]:
    """What a file holds to train on, each with its line: pairs as `read_pairs` gives them, and conversations of more
    than one question and one answer, {"messages", "tools"}, sound and as chat templates read them.

    Raises ValueError naming the lines that hold neither and the reason for the first.
    """
    return list(_made(path, _example))


def _example(record: dict) -> dict:
    if (form := form_of(record)) not in CHAT:
        return sides(record)
    found = turns.read(record, form)
    if errors := found.errors():
        raise ValueError(f"{errors[0]}; `validate` names every fault and what to do")
    if found.several() and not any(key in record for key in SPOKEN):
        return {"messages": found.messages, "tools": found.tools}
    beside = {key: record[key] for key in SPOKEN if key in record}
    return sides({"messages": found.messages, **beside})


def _made(path: str | Path, make: Callable[[dict], dict]) -> Iterator[tuple[int, dict]]:
    """What is made of each record of a file, with its line."""
    refused: list[int] = []
    reason, line = "", 0
    try:
        for line, record in numbered(path):
            try:
                made = make(record)
                json.dumps(made, ensure_ascii=False, allow_nan=False).encode()
            except (ValueError, RecursionError) as error:
                reason = reason or why(error)
                refused.append(line)
            else:
                if not refused:
                    yield line, made
    except ValueError:
        if not refused:  # else the refused line comes first
            raise
    if refused:
        more = f" and {len(refused) - NAMED:,} more" if len(refused) > NAMED else ""
        others = ", ".join(map(str, refused[1:NAMED])) + more
        also = f"; refused too: lines {others}" if len(refused) > 1 else ""
        raise ValueError(f"{path}, line {refused[0]}: {reason}{also}. Nothing was written")
    if not line:
        raise ValueError(f"{path} holds no records; expected one JSON object a line, or a JSON list of them")
