"""`validate`: one pass over a file of pairs, every line through every check, and what only the whole file shows."""

from collections.abc import Iterator
from pathlib import Path

from labutils.pairs.templates import ANSWER, lookup
from labutils.pairs.validation import texts
from labutils.pairs.validation.keys import Keys
from labutils.pairs.validation.lengths import Lengths, Tokenizer
from labutils.pairs.validation.lines import Line, OnProgress, encoding, is_json_list, read_lines
from labutils.pairs.validation.near import Near
from labutils.pairs.validation.parsing import Parsed, Reader
from labutils.pairs.validation.problems import Problem, Tally
from labutils.pairs.validation.relations import Relations
from labutils.pairs.validation.values import Parts
from labutils.places import check_rereadable


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
        check_rereadable(each)
    tally = Tally()
    _whole_file(path, template, tally)
    if is_json_list(path):
        tally.add(1, "json_list", "the file is one JSON list; expected JSON Lines, one object a line")
        return tally.problems()
    lengths = Lengths(tally, tokenizer, max_length, template)
    relations, near, keys, persons = Relations(tally), Near(tally), Keys(tally), texts.Persons(tally)
    for line, parsed in _parsed(path, tally, on_progress):
        if parsed.value is None or (parts := keys.read(line.number, parsed.value)) is None:
            continue
        joined = "\n".join(text for _, text in parts.texts)
        texts.check(line.number, parts, joined, template, tally, damaged=parsed.damaged)
        persons.add(line.number, joined)
        if parts.question is not None and parts.answer is not None:
            lengths.add(line.number, parts)
            asked = relations.add(line.number, parts.question, parts.answer)
            near.add(line.number, asked, parts.question or parts.answer)
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
    if (coded := encoding(path)) != "utf-8":
        tally.add(1, "utf16", f"the file is {coded.upper()}, expected UTF-8; it was read as what it is")


def _parsed(path: str | Path, tally: Tally, on_progress: OnProgress) -> Iterator[tuple[Line, Parsed]]:
    """Every line with its value, faults of lines and bytes told on the way."""
    reader, objects, ended, last = Reader(tally), 0, Line(0, b"\n"), 0
    returns = 0
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
    if not objects:
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
        asked = relations.add(line.number, parts.question, parts.answer, other_file=True)
        near.add(line.number, asked, parts.question or parts.answer, other=True)
    if unread:
        tally.add(0, "unread_other", f"{unread:,} lines of {Path(path).name} hold no pair and were not compared")
