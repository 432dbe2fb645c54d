"""Exercises on rows: where the end-of-text of a padded batch is trained, and the broken lines of a file."""

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet, quoted
from labutils.lesson.exercises.exercise import PAIRS, Draw, Exercise, Wrong
from labutils.lesson.exercises.pairs_facts import records
from labutils.pairs.records import pair as sides_of
from labutils.pairs.validation import validate

IGNORED = -100  # as in labutils.model.encoding, which would bring torch along
WIDTH = 8  # tokens of a row


def _good(read: list[int], written: list[int], end: int) -> tuple[list[int], list[int]]:
    labels = [IGNORED] * len(read) + [*written, end]
    return _padded([*read, *written, end], labels, end)


def _all_trained(read: list[int], written: list[int], end: int) -> tuple[list[int], list[int]]:
    return _padded([*read, *written, end], [*read, *written, end], end)


def _end_ignored(read: list[int], written: list[int], end: int) -> tuple[list[int], list[int]]:
    ids, labels = _good(read, written, end)
    return ids, [IGNORED if label == end else label for label in labels]


def _end_ignored_all_trained(read: list[int], written: list[int], end: int) -> tuple[list[int], list[int]]:
    return _padded([*read, *written, end], [*read, *written, IGNORED], end)


def _cut(read: list[int], written: list[int], end: int) -> tuple[list[int], list[int]]:
    more = [*written, *(token + 1 for token in written), *written][: WIDTH - len(read)]
    return [*read, *more], [IGNORED] * len(read) + more


def _padded(ids: list[int], labels: list[int], end: int) -> tuple[list[int], list[int]]:
    empty = WIDTH - len(ids)
    return ids + [end] * empty, labels + [IGNORED] * empty


STOPS: dict[Callable, bool] = {  # how a row is made; whether it teaches the model to stop
    _good: True,
    _all_trained: True,
    _end_ignored: False,
    _end_ignored_all_trained: False,
    _cut: False,
}
MAKERS = (_end_ignored, _good, _all_trained, _cut, _good, _end_ignored_all_trained)


def _which_stop(makers: tuple[Callable, ...], seed: int | str) -> Exercise:
    draw = Draw(f"stops {seed}")
    end = draw.number(0, 3)
    rows = []
    for make in makers:
        some = draw.some(range(11, 99), 7)
        rows.append(make(some[: draw.number(2, 3)], some[3 : 3 + draw.number(2, 3)], end))
    right = [number for number, make in enumerate(makers) if STOPS[make]]
    slips = {
        "these are all rows but the right ones": [n for n in range(len(rows)) if n not in right],
        "rows are counted from 0, as Python counts them": [n + 1 for n in right],
        f"{end} among the ids is not enough: a row teaches what its labels say": [
            n for n, (ids, _) in enumerate(rows) if end in ids
        ],
        "a row whose question is trained, too, still teaches the model to stop: look at the end-of-text": [
            n for n, make in enumerate(makers) if make is _good
        ],
        "a row that was cut has no end-of-text, so nothing in it teaches the model to stop": sorted(
            right + [n for n, make in enumerate(makers) if make is _cut]
        ),
    }

    def judge(answer: object) -> str:
        found = sorted(set(answers.whole_numbers(answer, "a list of row numbers")))
        if found == right:
            return f"{len(right)} of {len(rows)} rows teach it; the others only teach the model how to go on"
        for says, slip in slips.items():
            if found == slip:
                raise NotYet(says)
        number = next(n for n in range(len(rows) + 99) if (n in found) != (n in right))
        if number >= len(rows):
            raise NotYet(f"there is no row {max(found)}; the last one is {len(rows) - 1}")
        raise NotYet(f"look again at row {number}: is the label of the end-of-text after its answer {end} or -100?")

    listed = [
        f"row {number}   input_ids {ids}\n        labels    {labels}" for number, (ids, labels) in enumerate(rows)
    ]
    return Exercise(
        name="which_stop",
        title="Which rows teach it to stop?",
        subject=PAIRS,
        size="small",
        question=(
            f"A batch of {len(rows)} rows, in which end-of-text and padding have the same id, {end}. Several scripts "
            "made the labels, some of them wrongly:\n\n"
            + "\n".join(["```", *listed, "```"])
            + "\n\nWhich rows teach the model to stop after its answer? Give their numbers, by eye or by code: "
            "`THIS.given()` holds the rows as a list of dictionaries."
        ),
        starter="rows = THIS.given()\nmy_rows = ...  # a list of row numbers",
        answer="my_rows",
        judge=judge,
        hints=(
            "Cover the ids and look at the labels alone: only what is in them is trained.",
            f"A row teaches the model to stop if {end} is one of its labels.",
        ),
        solved=f"""
            rows = THIS.given()
            my_rows = [number for number, row in enumerate(rows) if {end} in row["labels"]]
        """,
        wrong=lambda: [
            *(Wrong(says.partition(":")[0], slip, says) for says, slip in slips.items()),
            Wrong("one row overlooked", right[1:], f"look again at row {right[0]}"),
            Wrong("a row too far", [*right, len(rows)], "there is no row"),
        ],
        vary=lambda draw: _which_stop(tuple(draw.shuffled(MAKERS)), draw.number(1, 10**6)),
        data=lambda: [{"input_ids": ids, "labels": labels} for ids, labels in rows],
    )


which_stop = _which_stop(MAKERS, "practised")


FAULTS: dict[str, tuple[Callable[[str], str], str]] = {  # how a line is broken; what in the solution repairs it
    "brace": (lambda line: line[:-1], 'broken[{i}] += "}}"'),
    "quotes": (lambda line: line.replace('"', "'"), "broken[{i}] = broken[{i}].replace(\"'\", '\"')"),
    "key": (
        lambda line: line.replace('"question"', '"qestion"'),
        'broken[{i}] = broken[{i}].replace("qestion", "question")',
    ),
    "names": (
        lambda line: line.replace('"question"', '"instruction"').replace('"answer"', '"response"'),
        'broken[{i}] = broken[{i}].replace("instruction", "question").replace("response", "answer")',
    ),
    "comma": (lambda line: line[:-1] + ",}", 'broken[{i}] = broken[{i}].replace(",}}", "}}")'),
}
BROKEN = (None, "key", "brace", "quotes", None, "names")


def _repair(faults: tuple[str | None, ...], seed: int | str) -> Exercise:
    pairs = [
        {"question": each["question"], "answer": each["answer"]}
        for each in records(Draw(f"broken {seed}"), 10)
        if each["question"].endswith("?") and each["question"].startswith(("How", "What", "For"))
    ][: len(faults)]
    whole = [json.dumps(pair) for pair in pairs]
    lines = [FAULTS[fault][0](line) if fault else line for line, fault in zip(whole, faults, strict=True)]

    def judge(answer: object) -> str:
        found = _lines(answer, len(lines))
        _judge_count(found, pairs)
        _judge_valid(found)
        for number, (line, pair) in enumerate(zip(found, pairs, strict=True), 1):
            got = dict(zip(("question", "answer"), sides_of(json.loads(line)), strict=True))
            if changed := [key for key in pair if got[key] != pair[key]]:
                key = changed[0]
                raise NotYet(
                    f"line {number} is whole, but its {key} is now {quoted(got[key])}; repair the form, not the content"
                )
        return f"{len(lines)} lines, {len(lines)} pairs, no fault; and what they say has not changed"

    repairs = [FAULTS[fault][1].format(i=i) for i, fault in enumerate(faults) if fault]
    return Exercise(
        name="repair_file",
        title="A broken file",
        subject=PAIRS,
        size="open",
        question=(
            f"Of these {len(lines)} lines of a JSON Lines file, {len(repairs)} have a fault each:\n\n"
            + "\n".join(["```", *lines, "```"])
            + "\n\n`THIS.given()` holds them as a list. Repair them, by hand or by code, so that the file validates "
            'and has one family of keys, `"question"` and `"answer"`. No pair may be lost, and none may change what it '
            "says."
        ),
        starter="broken = THIS.given()\nrepaired = ...  # as many lines, each the text of one JSON object",
        answer="repaired",
        judge=judge,
        hints=(
            "Check one line at a time: `json.loads(broken[1])` says at which character it stumbles. `validate`, "
            "further up, says what to do.",
            "Look for a quotation mark of the wrong kind, a bracket that is not closed, a comma too many, a key with a "
            "letter too few, and a pair whose keys have other names.",
        ),
        solved="\n".join(["broken = THIS.given()", *repairs, "repaired = broken"]),
        wrong=lambda: _wrong_lines(lines, whole, faults),
        vary=_drawn_repair,
        data=lambda: lines,
    )


def _drawn_repair(draw: Draw) -> Exercise:
    faults = draw.shuffled([None, *draw.some(list(FAULTS), 4), None])
    return _repair(tuple(faults), draw.number(1, 10**6))


def _lines(answer: object, count: int) -> list[str]:
    """The lines of a repaired file, out of a list or of one text."""
    if isinstance(answer, str):
        if "{" not in answer:
            raise NotYet(f"expected the {count} repaired lines, got {quoted(answer)}")
        if answer.lstrip().startswith("["):
            raise NotYet("this is one JSON list; JSON Lines has no brackets around all, and one object a line")
        answer = answer.splitlines()
    found = answers.items(answer, f"a list of {count} lines")
    if any(isinstance(line, Mapping) for line in found):
        raise NotYet("these are dictionaries; `json.dumps(record)` writes each as the line of a file")
    for line in found:
        answers.text(line, "lines, each of them a text")
    return [line for line in found if line.strip()]


def _judge_count(found: list[str], pairs: list[dict]) -> None:
    if len(found) < len(pairs):
        gone = next((pair for pair in pairs if not any(pair["answer"] in line for line in found)), pairs[-1])
        raise NotYet(f"a pair was lost: nothing is left of {quoted(gone['question'])}; each fault has a remedy")
    if len(found) > len(pairs):
        raise NotYet(f"{len(found)} lines for {len(pairs)} pairs; one object a line")


def _judge_valid(found: list[str]) -> None:
    """The lines validate as a file, and have one family of keys."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "repaired.jsonl"
        path.write_bytes(("\n".join(found) + "\n").encode("utf-8", "replace"))
        problems = validate(path)
    stops = [problem for problem in problems if problem.severity == "error" or problem.code == "mixed_families"]
    if stops:
        problem = stops[0]
        raise NotYet(f"line {problem.line} still has a fault: {problem.cause}; {problem.fix}".replace("`", "'"))
    for number, line in enumerate(found, 1):
        if not {"question", "answer"} <= json.loads(line).keys():
            raise NotYet(f'line {number} has other keys than `"question"` and `"answer"`')


def _wrong_lines(lines: list[str], whole: list[str], faults: tuple[str | None, ...]) -> list[Wrong]:
    bad = [i for i, fault in enumerate(faults) if fault]
    said = [json.dumps({**json.loads(whole[bad[0]]), "answer": answer}) for answer in ("", "I do not know.")]

    def but(i: int, line: str) -> list[str]:
        return [*whole[:i], line, *whole[i + 1 :]]

    return [
        Wrong("nothing done", lines, "still has a fault"),
        *(Wrong(f"{faults[i]} left", but(i, lines[i]), f"line {i + 1} still has a fault") for i in bad[1:]),
        Wrong("broken lines deleted", [line for i, line in enumerate(whole) if i not in bad], "a pair was lost"),
        Wrong("an answer emptied", but(bad[0], said[0]), "still has a fault"),
        Wrong("an answer made up", but(bad[0], said[1]), "not the content"),
        Wrong("a word", "fixed", "repaired lines, got"),
        Wrong("one JSON list", "[" + ", ".join(whole) + "]", "one JSON list"),
        Wrong("records", [json.loads(line) for line in whole], "these are dictionaries"),
        Wrong("a line too many", [*whole, whole[0]], "one object a line"),
        Wrong("two lines exchanged", [whole[1], whole[0], *whole[2:]], "is now"),
    ]


repair_file = _repair(BROKEN, "practised")
