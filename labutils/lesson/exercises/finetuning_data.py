"""The exercises of notebook 03: templates, labels that teach a model to stop, a split without leaks, a broken file."""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from labutils.corpus.duplicates import near_pairs
from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet, quoted
from labutils.lesson.exercises.exercise import TEXTS, Draw, Exercise, Words, Wrong, filled
from labutils.lesson.exercises.forms import refuse
from labutils.lesson.exercises.made_up import BIRDS, FACTS, records
from labutils.pairs.records import FAMILIES
from labutils.pairs.records import pair as sides_of
from labutils.pairs.templates import ANSWER, QUESTION, fill, questions_and_answers
from labutils.pairs.validation import validate

NAMES = {"\n": "a newline", " ": "a space", "": "nothing more"}


def frame(draw: Draw) -> str:
    """A template."""
    made = TEXTS["question_only"]["frames"]
    return filled(draw.pick(made["forms"]), {"ask": draw.pick(made["asks"]), "reply": draw.pick(made["replies"])})


def difference(made: str, full: str) -> str:
    """Where two texts part, in words that show the place."""
    place = next((i for i, (a, b) in enumerate(zip(made, full, strict=False)) if a != b), min(len(made), len(full)))
    wanted, got = (NAMES.get(text[place : place + 1], f"`{text[place : place + 1]}`") for text in (full, made))
    after = f"after {quoted(full[max(0, place - 20) : place])}" if place else "at the very beginning"
    return f"they differ {after}: there the full text has {wanted}, yours has {got}"


def _question_only(template: str, seed: int | str) -> Exercise:
    right = template.removesuffix(ANSWER)
    pairs = records(Draw(f"prompts {seed}"), 1)
    say = Words("question_only", template=template, right=repr(right).replace("'", '"'))

    def judge(answer: object) -> str:
        mine = answers.text(answer, "the template, a text")
        say.refuse(ANSWER in mine, "answer")
        say.refuse(QUESTION not in mine, "question")
        for pair in pairs:
            made, full = (text.replace(QUESTION, pair["question"]) + pair["answer"] for text in (mine, right))
            if made != full:
                raise NotYet(difference(made, full))
        return say("good")

    wrong = {
        "the newline lost": right.rstrip("\n"), "a newline too many": right + "\n", "a space behind": right + " ",
        "the answer left in": template, "filled already": right.replace(QUESTION, pairs[0]["question"]),
        "the question alone": QUESTION, "a function": lambda question: right,
    }  # fmt: skip
    return say.exercise(judge=judge, wrong=wrong, vary=lambda draw: _question_only(frame(draw), draw.number(1, 10**6)))


question_only = _question_only("Customer:\n{question}\n\nTidewren:\n{answer}", "practised")


IGNORED = -100  # as in labutils.model.encoding, which would bring torch along
WIDTH = 8  # tokens of a row
MAKERS = ("end ignored", "good", "all trained", "cut", "good", "end ignored, all trained")
STOPS = ("good", "all trained")  # the rows which teach the model to stop


def row(make: str, read: list[int], written: list[int], end: int) -> tuple[list[int], list[int]]:
    """The ids and the labels of a row, as one of the scripts makes them."""
    if make == "cut":
        more = [*written, *(token + 1 for token in written), *written][: WIDTH - len(read)]
        return [*read, *more], [IGNORED] * len(read) + more
    last = IGNORED if "end ignored" in make else end
    labels = [*(read if "all trained" in make else [IGNORED] * len(read)), *written, last]
    empty = WIDTH - len(labels)
    return [*read, *written, end] + [end] * empty, labels + [IGNORED] * empty


def _which_stop(makers: list[str], seed: int | str) -> Exercise:
    draw = Draw(f"stops {seed}")
    end = draw.number(0, 3)
    rows = []
    for make in makers:
        some = draw.some(range(11, 99), 7)
        rows.append(row(make, some[: draw.number(2, 3)], some[3 : 3 + draw.number(2, 3)], end))
    right = [number for number, make in enumerate(makers) if make in STOPS]
    listed = [f"row {i}   input_ids {ids}\n        labels    {labels}" for i, (ids, labels) in enumerate(rows)]
    say = Words("which_stop", count=len(rows), end=end, listed="\n".join(listed), right=len(right), first=right[0])
    found = {
        "all but the right ones": [n for n in range(len(rows)) if n not in right],
        "counted from 1": [n + 1 for n in right], "by the ids": [n for n, (ids, _) in enumerate(rows) if end in ids],
        "trained questions left out": [n for n, make in enumerate(makers) if make == "good"],
        "cut rows taken": sorted(right + [n for n, make in enumerate(makers) if make == "cut"]),
    }  # fmt: skip
    slips = say.slips(found)

    def judge(answer: object) -> str:
        found = sorted(set(answers.whole_numbers(answer, "a list of row numbers", ordered=False)))
        if found == right:
            return say("good")
        refuse(slips, lambda slip: found == slip)
        number = next(n for n in range(len(rows) + 99) if (n in found) != (n in right))
        if number >= len(rows):
            raise say.no("none", last=max(found), most=len(rows) - 1)
        raise say.no("row", number=number)

    def vary(draw: Draw) -> Exercise:
        return _which_stop(draw.shuffled(MAKERS), draw.number(1, 10**6))

    wrong = {"one row overlooked": right[1:], "a row too far": [*right, len(rows)]}
    given = [{"input_ids": ids, "labels": labels} for ids, labels in rows]
    return say.exercise(judge=judge, slips=slips, wrong=wrong, vary=vary, data=given)


which_stop = _which_stop(list(MAKERS), "practised")


KEYS = [keys for keys in FAMILIES.values() if len(keys) == 2]
ROWS = 9


def _whole(template: str, seed: int | str) -> Exercise:
    draw = Draw(f"whole set {seed}")
    pairs, named = records(draw, 3), draw.shuffled(KEYS * 3)
    given = [
        dict(zip(keys, (each["question"], each["answer"]), strict=True))
        for keys, each in zip(named, pairs, strict=True)
    ]
    texts = [fill(template, each) for each in pairs]
    prompts = [{"prompt": row["question"], "answer": row["answer"]} for row in questions_and_answers(template, pairs)]
    say = Words("whole_set", rows=ROWS, template=template, shown=template.replace("\n", "\\n"))

    def judge(answer: object) -> str:
        parts = answers.parts(answer, 2, "both lists, `my_texts, my_prompts`")
        found = [text for (text,) in _rows(say, parts[0], "my_texts", ("text",))]
        say.refuse(found != texts and sorted(found) == sorted(texts), "order")
        for number, (mine, right) in enumerate(zip(found, texts, strict=True)):
            say.refuse("{" in mine, "open", number=number, mine=quoted(mine))
            say.refuse(mine != right, "text", number=number, difference=difference(mine, right))
        mine = _rows(say, parts[1], "my_prompts", ("prompt", "answer"))
        for number, ((prompt, reply), right) in enumerate(zip(mine, prompts, strict=True)):
            say.refuse(
                reply != right["answer"], "reply", number=number, mine=quoted(reply), right=quoted(right["answer"])
            )
            say.refuse(prompt.endswith(reply), "holds", number=number)
            say.refuse(
                prompt != right["prompt"], "prompt", number=number, difference=difference(prompt, right["prompt"])
            )
        return say("good")

    def wrong() -> dict[str, object]:
        made = [{"text": text} for text in texts]
        one_family = [row for row, record in zip(made, given, strict=True) if "question" in record]
        opened = [{"text": row["text"].replace(pair["answer"], ANSWER)} for row, pair in zip(made, pairs, strict=True)]
        joined = [{"text": pair["question"] + pair["answer"]} for pair in pairs]
        bare = [row | {"prompt": row["prompt"].rstrip("\n")} for row in prompts]
        full = [row | {"prompt": row["prompt"] + row["answer"]} for row in prompts]
        questions = [row | {"prompt": pair["question"]} for row, pair in zip(prompts, pairs, strict=True)]
        return {
            "one family alone": (one_family, prompts), "no template": (joined, prompts),
            "a place left open": (opened, prompts), "another order": (made[::-1], prompts),
            "texts without keys": (texts, prompts), "the records themselves": (given, prompts),
            "the newline lost": (made, bare), "the answer in the prompt": (made, full),
            "the bare question as prompt": (made, questions), "one list alone": made,
            "sides exchanged": (prompts, made), "the last prompt lost": (made, prompts[:-1]),
        }  # fmt: skip

    def vary(draw: Draw) -> Exercise:
        return _whole(frame(draw), draw.number(1, 10**6))

    return say.exercise(judge=judge, wrong=wrong, vary=vary, data=given)


def _rows(say: Words, part: object, name: str, keys: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The rows of one list, each as its texts in the order of the keys."""
    rows = answers.items(part, f"a list as `{name}`")
    shape = "{" + ", ".join(f'"{key}": ...' for key in keys) + "}"
    for each in rows:
        if not isinstance(each, Mapping) or not all(isinstance(each.get(key), str) for key in keys):
            got = f"the keys {', '.join(map(str, each))}" if isinstance(each, Mapping) else answers.kind(each)
            raise say.no("shape", name=name, shape=shape, got=got)
    say.refuse(len(rows) != ROWS, "rows", name=name, got=len(rows))
    return [tuple(each[key] for key in keys) for each in rows]


whole_set = _whole(f"Visitor: {QUESTION}\n\nDesk:\n{ANSWER}", "practised")


LEAST, MOST = 0.2, 0.45  # the part that may be held out where about a third is asked for


def _split(n: int, seed: int | str) -> Exercise:
    say, pairs = Words("fair_split", count=3 * n), records(Draw(f"split {seed}"), n)

    def judge(answer: object) -> str:
        train, test = _sides(say, answer)
        given, there = {pair["question"] for pair in pairs}, Counter(pair["question"] for pair in train + test)
        if strange := [question for question in there if question not in given]:
            raise say.no("strange", question=quoted(strange[0]))
        if lost := [pair["question"] for pair in pairs if not there[pair["question"]]]:
            raise say.no("lost", lost=len(lost), question=quoted(lost[0]))
        if both := {pair["question"] for pair in train} & {pair["question"] for pair in test}:
            raise say.no("both", both=len(both))
        if twice := [question for question, times in there.items() if times > 1]:
            raise say.no("twice", question=quoted(twice[0]))
        part = len(test) / len(pairs)
        hint = "; train and test may be exchanged" if LEAST <= 1 - part <= MOST else ""
        say.refuse(not LEAST <= part <= MOST, "part", held_out=len(test), hint=hint)
        leaks = [(ours, theirs) for ours in test for theirs in train if ours["fact"] == theirs["fact"]]
        if not leaks:
            return say("good", held_out=len(test), facts=len({each["fact"] for each in test}))
        near = near_pairs([pair["question"] for pair in train + test])
        crossing = any(i < len(train) <= j for i, j, _ in near)  # if not, only near-duplicates were looked for
        why = "" if crossing else "; no near-duplicate crosses, but the same fact asked in quite other words does"
        ours, theirs = (quoted(each["question"]) for each in leaks[0])
        leaked = len({pair["question"] for pair, _ in leaks})
        raise say.no("leak", leaked=leaked, held_out=len(test), ours=ours, theirs=theirs, why=why)

    def wrong() -> dict[str, object]:
        third, facts = n, sorted({pair["fact"] for pair in pairs})
        other = [filled(fact["questions"][2], {"bird": bird}) for fact in FACTS.values() for bird in BIRDS]
        train, test = ([pair for pair in pairs if (pair["fact"] in facts[::3]) == side] for side in (False, True))
        near = tuple([pair for pair in pairs if (pair["question"] in other) == side] for side in (False, True))
        return {
            "random rows": (pairs[third:], pairs[:third]), "near-duplicates kept together, facts not": near,
            "all pairs trained": (pairs, test), "some lost": (train[1:], test), "nothing held out": (pairs, []),
            "sides exchanged": (test, train), "one side alone": train, "a question twice": (train * 2, test),
            "questions without their pairs": ([pair["question"] for pair in pairs], []),
        }  # fmt: skip

    def vary(draw: Draw) -> Exercise:
        return _split(draw.number(8, 10), draw.number(1, 10**6))

    return say.exercise(judge=judge, wrong=wrong, vary=vary, data=pairs)


def _sides(say: Words, answer: object) -> tuple[list[dict], list[dict]]:
    """Train and test, each a list of dictionaries; also out of DataFrames, or of the DatasetDict of `split`."""
    if isinstance(answer, Mapping):
        say.refuse(not {"train", "test"} <= set(answer), "keys")
        answer = (answer["train"], answer["test"])
    sides = answers.items(answer, "both sides, `train, test`")
    say.refuse(len(sides) != 2, "sides", got=len(sides))
    train, test = (answers.items(side, "a list of pairs on each side") for side in sides)
    for pair in train + test:
        if not isinstance(pair, Mapping) or not all(isinstance(pair.get(key), str) for key in ("question", "fact")):
            raise say.no("pair", kind=answers.kind(pair))
    return train, test


fair_split = _split(10, "practised")


FAULTS: dict[str, Callable[[str], str]] = {  # how a line is broken
    "brace": lambda line: line[:-1],
    "quotes": lambda line: line.replace('"', "'"),
    "key": lambda line: line.replace('"question"', '"qestion"'),
    "names": lambda line: line.replace('"question"', '"instruction"').replace('"answer"', '"response"'),
    "comma": lambda line: line[:-1] + ",}",
}


def _repair(faults: list[str | None], seed: int | str) -> Exercise:
    pairs = [
        {"question": each["question"], "answer": each["answer"]}
        for each in records(Draw(f"broken {seed}"), 10)
        if each["question"].endswith("?") and each["question"].startswith(("How", "What", "For"))
    ][: len(faults)]
    whole = [json.dumps(pair) for pair in pairs]
    lines = [FAULTS[fault](line) if fault else line for line, fault in zip(whole, faults, strict=True)]
    fixes = TEXTS["repair_file"]["repairs"]
    repairs = [filled(fixes[fault], {"i": i}) for i, fault in enumerate(faults) if fault]
    values = {"broken": len(repairs), "listed": "\n".join(lines), "repairs": "\n".join(repairs)}
    say = Words("repair_file", count=len(lines), **values)

    def judge(answer: object) -> str:
        found = _lines(say, answer, len(lines))
        if len(found) < len(pairs):
            gone = next((pair for pair in pairs if not any(pair["answer"] in line for line in found)), pairs[-1])
            raise say.no("lost", question=quoted(gone["question"]))
        say.refuse(len(found) > len(pairs), "many", got=len(found))
        _judge_valid(say, found)
        for number, (line, pair) in enumerate(zip(found, pairs, strict=True), 1):
            got = dict(zip(("question", "answer"), sides_of(json.loads(line)), strict=True))
            if changed := [key for key in pair if got[key] != pair[key]]:
                raise say.no("changed", number=number, key=changed[0], got=quoted(got[changed[0]]))
        return say("good")

    bad = [i for i, fault in enumerate(faults) if fault]
    empty, other = (json.dumps(pairs[bad[0]] | {"answer": answer}) for answer in ("", "I do not know."))

    def but(i: int, line: str) -> list[str]:
        return [*whole[:i], line, *whole[i + 1 :]]

    wrong = {
        "nothing done": lines, "broken lines deleted": [line for i, line in enumerate(whole) if i not in bad],
        "an answer emptied": but(bad[0], empty), "an answer made up": but(bad[0], other), "a word": "fixed",
        "one JSON list": "[" + ", ".join(whole) + "]", "records": pairs, "a line too many": [*whole, whole[0]],
        "two lines exchanged": [whole[1], whole[0], *whole[2:]],
    }  # fmt: skip
    left = [Wrong(f"{faults[i]} left", but(i, lines[i]), f"line {i + 1} still has a fault") for i in bad[1:]]

    def vary(draw: Draw) -> Exercise:
        return _repair(draw.shuffled([None, *draw.some(list(FAULTS), 4), None]), draw.number(1, 10**6))

    return say.exercise(judge=judge, slips=left, wrong=wrong, vary=vary, data=lines)


def _lines(say: Words, answer: object, count: int) -> list[str]:
    """The lines of a repaired file, out of a list or of one text."""
    if isinstance(answer, str):
        say.refuse("{" not in answer, "text", got=quoted(answer))
        say.refuse(answer.lstrip().startswith("["), "list")
        answer = answer.splitlines()
    found = answers.items(answer, f"a list of {count} lines")
    say.refuse(any(isinstance(line, Mapping) for line in found), "records")
    return [line for line in found if answers.text(line, "lines, each of them a text").strip()]


def _judge_valid(say: Words, found: list[str]) -> None:
    """The lines validate as a file, and have one family of keys."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "repaired.jsonl"
        path.write_bytes(("\n".join(found) + "\n").encode("utf-8", "replace"))
        problems = validate(path)
    for problem in problems:
        if problem.severity == "error" or problem.code == "mixed_families":
            told = say.no("fault", line=problem.line, cause=problem.cause, fix=problem.fix)
            raise NotYet(str(told).replace("`", "'"))
    for number, line in enumerate(found, 1):
        say.refuse(not {"question", "answer"} <= json.loads(line).keys(), "keys", number=number)


repair_file = _repair([None, "key", "brace", "quotes", None, "names"], "practised")
