"""An exercise on labels: in which rows of a padded batch the end-of-text after the answer is trained."""

from collections.abc import Callable

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import PAIRS

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
PRACTISED = (_end_ignored, _good, _all_trained, _cut, _good, _end_ignored_all_trained)


def _which(makers: tuple[Callable, ...], seed: int | str) -> Exercise:
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
        vary=lambda draw: _which(tuple(draw.shuffled(PRACTISED)), draw.number(1, 10**6)),
        data=lambda: [{"input_ids": ids, "labels": labels} for ids, labels in rows],
    )


which_stop = _which(PRACTISED, "practised")
