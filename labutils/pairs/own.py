"""A learner's own file in any form: its pairs and how it was understood, what it holds to train on, another form of it.

CSV from a spreadsheet, JSON Lines, or one JSON list. Which columns are meant is guessed by their names and can be said.
What is wrong inside the texts is for `validation`; what a form is (Alpaca, chats), is for `conversion`.
"""

import csv
import io
import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from labutils.pairs import causes
from labutils.pairs.conversion import CHAT, OWN_KEYS, SPOKEN, adapted, convert, form_of, known, sides
from labutils.pairs.records import FAMILIES, numbered, unpadded, why, write_jsonl
from labutils.pairs.templates import lookup
from labutils.pairs.validation import turns

TABLES, LINES = causes.TABLES, (".jsonl", ".json", ".ndjson")
SEPARATORS = ",;\t|"
SAID = re.compile(r'"?sep=(\\t|.)"?\r?\n', re.IGNORECASE)
SAY = "at the command line convert ... --question NAME --answer NAME"
WINDOWS = "cp1252"
LONGEST, WORDS = 60, 3  # characters and words of a column's name from which it looks like a text, so like a row
ENDS = tuple(".?!;:。？！؟।")  # and how one ends
NAMED = 10  # refused lines that an error names


class Own(NamedTuple):
    """What a file holds, and how it was understood."""

    pairs: list[dict]  # "question", "answer", and the other columns as they are
    told: str  # which columns or form were taken, in a sentence
    lines: list[int]  # of each pair in the file


def read(
    path: str | Path,
    question: str | None = None,
    answer: str | None = None,
    *,
    context: Sequence[str] = (),
    chosen: bool = False,
    unfill: str = "",
) -> Own:
    """Read a file of pairs, with any names of its columns or keys.

    Forms with a name (Alpaca, messages, prompt and completion ...) are converted; else two columns are taken:
    `question` and `answer` where they are given, known names (a message and its queue, a review and its label), or the
    only two there are. `context`, `chosen` and `unfill` are what `conversion.adapted` takes. Numbers and truth values
    become text, what is missing an empty one, which `validate` then tells.

    Raises ValueError, naming the line or the columns, for a file that is no CSV, JSON Lines or JSON list, in another
    encoding than UTF-8, UTF-16 and Windows-1252 (which `told` says), without pairs or header, or of which the columns
    cannot be told, or look like label and text in the wrong order; FileNotFoundError, naming files that are there,
    where there is no such file.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if not path.is_file():
        there = [each.name for each in path.parent.glob("*.*") if each.is_file()]
        near = get_close_matches(path.name, there, cutoff=0.5)
        there = f"; there is {', '.join(near)}" if near else ""
        raise FileNotFoundError(f"no file {path.name} in {path.parent.resolve().name}/{there}")
    with path.open("rb") as file:
        cause = causes.foreign(file.read(1000), kind)
    if cause and cause.fix != causes.READS:
        raise ValueError(f"{path.name}: {cause}")
    if kind not in TABLES + LINES:
        raise ValueError(f"{path.name}: expected one of {', '.join(TABLES + LINES)}; save a table as CSV (UTF-8)")
    table = is_table(path)
    text, note = _decoded(path) if table else ("", "")
    rows = list(_rows(path, text, {question, answer}) if table else numbered(path))
    if not rows:
        raise ValueError(f"{path.name} holds no pairs: no row below the header, or no object")
    if chosen:
        rows = [(line, _converted(path, line, row, paired=True, chosen=True)) for line, row in rows]
    lines, asked = [line for line, _ in rows], {"context": context, "unfill": unfill}
    told = f"{path.name}: {len(rows):,} pair{'s' * (len(rows) != 1)}; "
    form = None if question or answer else form_of(rows[0][1])
    columns = list(dict.fromkeys(key for _, row in rows for key in row))
    cause = None if question and answer else causes.meant(rows[0][1], form_of(rows[0][1]) is None)
    if cause and "--question" not in cause.fix:
        raise ValueError(f"{path.name}, line {rows[0][0]}: {cause}")
    forms = dict.fromkeys(form_of(row) for _, row in rows) if form else {}
    if form not in (None, *FAMILIES) or (form and columns == ["text"]) or (len(forms) > 1 and None not in forms):
        pairs = [_converted(path, line, row, **asked) for line, row in rows]
        return Own(pairs, f"{told}the form {' and '.join(map(str, forms))}{note}", lines)
    one, other, how = _chosen(path, columns, rows, question, answer)
    pairs = [_converted(path, line, _pair(path, line, row, one, other), paired=True, **asked) for line, row in rows]
    left = [column for column in columns if column not in (one, other, *context)]
    beside = f"; other columns: {', '.join(map(repr, left[:6]))}" if left else ""
    if lost := [each for each in left if each.lower() in causes.BESIDE and any(row.get(each) for _, row in rows)]:
        note += f"; {lost[0]!r} seems to belong to the prompt and is left out: context=[{lost[0]!r}], or --context"
    return Own(pairs, f"{told}{one!r} is the question, {other!r} the answer ({how}){beside}{note}", lines)


def is_table(path: str | Path) -> bool:
    """Whether a file is read as a table: its name ends like one, and it does not begin like JSON."""
    if Path(path).suffix.lower() not in TABLES:
        return False
    if not Path(path).is_file():
        return True
    with Path(path).open("rb") as file:
        return not causes.begins_json(file.read(1000))


def _rows(path: Path, text: str, named: set[str | None]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file, each with the line on which it ends; blank ones are passed over. `named` are columns that
    are surely in the header.
    """
    said = SAID.match(text)  # Excel's own line "sep=;"
    outside = "".join(text.lstrip("\r\n").partition("\n")[0].split('"')[::2])  # the first line, quoted names aside
    separator = said[1].replace("\\t", "\t") if said else max(SEPARATORS, key=outside.count)
    lines = io.StringIO(text, newline="").readlines()[bool(said) :]
    csv.field_size_limit(2**31 - 1)  # the module's own limit is 131,072 characters a cell
    table, rows, begins = csv.reader(lines, delimiter=separator, strict=True), [], 0
    try:
        for row in table:
            rows.append((begins, table.line_num, row))
            begins = table.line_num
    except csv.Error as error:
        where = f"{path.name}, line {begins + 1 + bool(said)}"
        fix = 'a quote inside a quoted text is doubled (""), and one that opens a text must close'
        raise ValueError(f"{where}: {error}; {fix}") from None
    rule = " -:" if separator == "|" else None  # the line below the header of a table in Markdown
    rows = [row for row in rows if any(cell.strip(rule) for cell in row[2])]
    header = [name.strip() for name in rows[0][2]] if rows else []
    _check_header(path, header, [row for _, _, row in rows[1:]], named)
    for begins, ends, row in rows[1:]:
        if len(row) != len(header):
            raise ValueError(
                f"{path.name}, line {ends + bool(said)}: {len(row)} columns where the header has {len(header)}; "
                "a text that holds the separator or a quote belongs in double quotes; a row ends in no separator"
            )
        parts = re.compile(re.escape(separator) + "(?! )")  # a comma in a sentence has a space behind it
        if ends > begins + 1 and all(len(parts.findall(line)) == len(header) - 1 for line in lines[begins:ends]):
            where, count = f"{path.name}, line {begins + 1 + bool(said)}", ends - begins
            raise ValueError(f'{where}: a quote joins {count} lines that look like rows; remove it, or double it ("")')
        yield ends + bool(said), {name: cell for name, cell in zip(header, row, strict=True) if name}


def _decoded(path: Path) -> tuple[str, str]:
    """The text of a file, and a note: UTF-8, UTF-16 where its first bytes say so, else Windows-1252, as older
    spreadsheets write it. A file with letters of UTF-8 and a broken one is none of these.
    """
    data = path.read_bytes()
    coding = causes.encoding(data).replace("utf-8", "utf-8-sig")
    try:
        return data.decode(coding), ""
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    if coding == "utf-8-sig" and data.decode(coding, "ignore").isascii():
        with suppress(UnicodeDecodeError):
            return data.decode(WINDOWS), f"; it is not UTF-8 and was taken for {WINDOWS}: look at its special letters"
    raise ValueError(f'{path.name}, line {line}: not UTF-8; in a spreadsheet, save it as "CSV UTF-8"')


def _check_header(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]], named: set[str | None]) -> None:
    if not any(header):
        raise ValueError(f"{path.name} is empty, or its first line names no columns")
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise ValueError(f"{path.name}: the column {twice[0]!r} occurs twice; rename one of them")
    known = named & {*header} or {name.lower() for name in header} & {*causes.ASKED, *causes.WANTED}
    below = [set(column) for column in zip(*rows, strict=False)]
    like = [name for name in header if len(name) > LONGEST or (not known and _sentence(name))]
    like += [name for name, cells in zip(header, below, strict=False) if name and not known and name in cells]
    if like:
        raise ValueError(
            f"{path.name}: the first line looks like a row, not like names of columns ({like[0][:30]!r}); put a "
            "header above it, such as question,answer, in place of a title; or name its columns, if it is one"
        )


def _sentence(name: str) -> bool:  # rather than the name of a column
    return name.endswith(ENDS) or len(name.split()) >= WORDS or name.isdecimal()


def _chosen(
    path: Path, columns: list[str], rows: list[tuple[int, dict]], question: str | None, answer: str | None
) -> tuple[str, str, str]:
    """The column of the question, that of the answer, and how they were found."""
    there = ", ".join(map(repr, columns[:12]))
    for name in filter(None, (question, answer)):
        if name not in columns and name.partition(".")[0] not in columns:
            raise ValueError(f"{path.name} has no column {name!r}; there are {there}")
    names = {column.strip().lower(): column for column in reversed(columns)} | dict(zip(columns, columns, strict=True))
    family = next((keys for keys in FAMILIES.values() if len(keys) == 2 and all(key in names for key in keys)), ())
    one, other = [names[key] for key in family] if family else causes.sides({**dict.fromkeys(columns), **rows[0][1]})
    guessed, (one, other) = (one, other), (question or one, answer or other)
    if one and other and one != other:
        return one, other, "as you said" if question and answer else "by their names"
    ask = f'Say it: read(..., question="...", answer="..."), or {SAY}'
    if len(columns) == 2 and not (question and answer) and (question or answer or not any(map(_sentence, columns))):
        one = question or guessed[0] or next(column for column in columns if column not in (answer, guessed[1]))
        other = next(column for column in columns if column != one)
        if not question and not answer and _like_labels([(row.get(one), row.get(other)) for _, row in rows]):
            raise ValueError(f"{path.name}: {one!r} looks like the labels of {other!r}, so like the answer. {ask}")
        return one, other, "the only two columns"
    ask = ask if len(columns) > 1 else "A pair has two texts"
    raise ValueError(
        f"{path.name}: cannot tell which column is the question and which the answer; there are {there}. {ask}"
    )


def _like_labels(rows: list[tuple[Any, Any]]) -> bool:
    """Whether the first column has words that come again, or single words, and the second has longer texts."""
    first, second = ([str(value or "") for value in column] for column in zip(*rows, strict=True))
    again = len(set(first)) < len(first) and len(set(first)) < len(set(second))
    single = all(len(text.split()) < 2 for text in first) and all(len(text.split()) > 2 for text in second)
    return (again or single) and sum(map(len, first)) < sum(map(len, second))


def _pair(path: Path, line: int, row: dict, one: str, other: str) -> dict:
    """A row as a question/answer record; other columns that bear these names would be in the way, so they go."""
    if not {one, other, one.partition(".")[0], other.partition(".")[0]} & row.keys():
        raise ValueError(f"{path.name}, line {line}: neither {one!r} nor {other!r}; there are {sorted(row)[:8]}")
    texts = {}
    for key, column in (("question", one), ("answer", other)):
        value, inner = row.get(column), column.partition(".")
        if column not in row and inner[2] and isinstance(row.get(inner[0]), dict):
            value = row[inner[0]].get(inner[2])
            value = (value or [""])[0] if isinstance(value, list) else value
        if isinstance(value, (list, dict)):
            raise ValueError(f"{path.name}, line {line}: {column!r} must be a text, got {type(value).__name__}")
        texts[key] = unpadded(value) if isinstance(value, str) else "" if value is None else json.dumps(value)
    return texts | {key: value for key, value in row.items() if key not in (one, other, *texts)}


def _converted(path: Path, line: int, row: dict, *, paired: bool = False, **asked: Any) -> dict:
    try:
        row = adapted(row, **asked)
        return row if paired else convert(row, "question/answer")
    except ValueError as error:
        raise ValueError(f"{path.name}, line {line}: {error}") from None


# Into another form, or into what is trained on.


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

    A table, and a file whose names are said (`question`, `answer`), is read as `read` does, and `tell` is given how
    it was understood. `asked` is what `conversion.adapted` takes: context, chosen, unfill. The file is written whole or
    not at all. Raises ValueError naming the lines that cannot be carried and the reason for the first, or when `out` is
    the file itself.
    """
    known(to), lookup(template)
    rows, count = None, itertools.count()
    if question or answer or is_table(path):
        found, asked = read(path, question, answer, **asked), {}
        rows = zip(found.lines, found.pairs, strict=True)
        if tell:
            tell(found.told)
    made = _made(path, lambda record: convert(adapted(record, **asked), to, template), rows)
    write_jsonl((record for (_, record), _ in zip(made, count, strict=False)), out, [path])
    return next(count)


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
        lost.update(key for key in causes.BESIDE if record.get(key))
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
    if found.several() and not any(record.get(key) for key in SPOKEN):
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
