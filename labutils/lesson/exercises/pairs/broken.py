"""An exercise on files: broken lines of JSON, repaired so that they validate and no pair is lost or changed."""

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import quoted
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.pairs.facts import records
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import PAIRS
from labutils.pairs.records import pair as sides_of
from labutils.pairs.validation import validate

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
PRACTISED = (None, "key", "brace", "quotes", None, "names")


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
        starter="broken = THIS.given()\nrepaired = ...  # as many lines, each one JSON object",
        answer="repaired",
        judge=judge,
        hints=(
            "Check one line at a time: `json.loads(broken[1])` says at which character it stumbles. `validate`, "
            "further up, says what to do.",
            "Look for a quotation mark of the wrong kind, a bracket that is not closed, a comma too many, a key with a "
            "letter too few, and a pair whose keys have other names.",
        ),
        solved="\n".join(["broken = THIS.given()", *repairs, "repaired = broken"]),
        wrong=lambda: _wrong(lines, whole, faults),
        vary=_drawn,
        data=lambda: lines,
    )


def _drawn(draw: Draw) -> Exercise:
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


def _wrong(lines: list[str], whole: list[str], faults: tuple[str | None, ...]) -> list[Wrong]:
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


repair_file = _repair(PRACTISED, "practised")
