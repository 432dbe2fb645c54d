"""A file of records in one form -> a file in another, whole or not at all; or the pairs in it, to tune on. What a form
is, is for `conversion`.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from labutils.pairs import causes, own
from labutils.pairs.conversion import CHAT, OWN_KEYS, SPOKEN, adapted, convert, form_of, known, sides
from labutils.pairs.records import numbered, why, write_jsonl
from labutils.pairs.templates import lookup
from labutils.pairs.validation import turns

NAMED = 10  # refused lines that an error names


def convert_file(
    path: str | Path,
    to: str,
    out: str | Path,
    template: str = "lecture",
    *,
    question: str | None = None,
    answer: str | None = None,
    tell: Callable[[str], None] | None = None,
    **asked: Any,
) -> int:
    """Convert a file of JSON Lines, one JSON list or a table into JSON Lines of another form; the number of records.

    A table, and a file whose names are said (`question`, `answer`), is read as `own.read` does, and `tell` is given how
    it was understood. `asked` is what `conversion.adapted` takes: context, chosen, unfill. The file is written whole or
    not at all. Raises ValueError naming the lines that cannot be carried and the reason for the first, or when `out` is
    the file itself.
    """
    known(to), lookup(template)
    count, rows = 0, None
    if question or answer or own.is_table(path):
        found, asked = own.read(path, question, answer, **asked), {}
        rows = zip(found.lines, found.pairs, strict=True)
        if tell:
            tell(found.told)

    def make(record: dict) -> dict:
        return convert(adapted(record, **asked), to, template)

    def counted() -> Iterator[dict]:
        nonlocal count
        for count, (_, record) in enumerate(_made(path, make, rows), 1):  # noqa: B007
            yield record

    write_jsonl(counted(), out, [path])
    return count


def read_pairs(path: str | Path, tell: Callable[[str], None] | None = None) -> list[tuple[int, dict]]:
    """The pairs of a file in any form that `convert` knows, each with its line: {"question", "answer"}, or {"text"}
    where the record is plain text. Further keys are left out; `tell` is told of those that belong to the prompt.

    Raises ValueError naming the lines that hold no pair and the reason for the first.
    """
    return _told(path, sides, tell)


def _told(path: str | Path, make: Callable[[dict], dict], tell: Callable[[str], None] | None) -> list[tuple[int, dict]]:
    """What is made of the records of a file; `tell` is told which keys beside them are lost from the prompt."""
    lost: Counter[str] = Counter()

    def counted(record: dict) -> dict:
        lost.update(key for key in causes.BESIDE if key in record)
        return make(record)

    found = list(_made(path, counted))
    for key, count in lost.items() if tell else ():
        tell(f'left out: "{key}" beside {count:,} pairs; `convert FILE --context {key} ...` puts it into the prompt')
    return found


def read_examples(path: str | Path, tell: Callable[[str], None] | None = None) -> list[tuple[int, dict]]:
    """What a file holds to train on, each with its line: pairs as `read_pairs` gives them, and conversations of more
    than one question and one answer, {"messages", "tools"}, sound and as chat templates read them.

    Raises ValueError naming the lines that hold neither and the reason for the first.
    """
    return _told(path, _example, tell)


def _example(record: dict) -> dict:
    if (form := form_of(record)) not in CHAT or causes.meant(record, False):
        return sides(record)
    found = turns.read(record, form)
    if errors := found.errors():
        raise ValueError(f"{errors[0]}; `validate` names every fault and what to do")
    if found.several() and not any(key in record for key in SPOKEN):
        return {"messages": found.messages, "tools": found.tools}
    beside = {key: record[key] for key in SPOKEN if key in record}
    return sides({"messages": found.messages, **beside})


def _made(
    path: str | Path, make: Callable[[dict], dict], rows: Iterable[tuple[int, dict]] | None = None
) -> Iterator[tuple[int, dict]]:
    """What is made of each record of a file, or of `rows` of it, with its line."""
    refused: list[int] = []
    reason, line = "", 0
    try:
        for line, record in numbered(path) if rows is None else rows:
            try:
                made = make(record)
                json.dumps(made, allow_nan=False)
                own_keys = OWN_KEYS.get(form_of(made), made)  # further columns may hold what becomes an escape
                json.dumps([made[key] for key in own_keys], ensure_ascii=False).encode()
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
