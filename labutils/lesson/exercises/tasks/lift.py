"""An exercise on the last step: the lift of a tuned model, on rows that it was not trained on, with its interval."""

from collections.abc import Sequence

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.effects.intervals import Z, hits, paired
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import OWN_FILE

CLOSE = 0.006  # of a share: two decimals are enough
WIDTH = 0.2  # how far the interval's half width may be off, as a part of it: a bootstrap differs a little


def _rows(n: int, gained: int, lost: int, both: int, trained: int) -> list[dict]:
    """Held-out rows, and trained ones, of which nearly all are right afterwards; mixed."""
    new = zip(*hits(n, gained, lost, both), strict=True)
    old = zip(*hits(trained, trained * 45 // 100, 0, trained // 2), strict=True)
    rows = [(False, *row) for row in new] + [(True, *row) for row in old]
    names = ("trained", "before", "after")
    return [dict(zip(names, row, strict=True)) for row in Draw(f"rows {n} {gained}").shuffled(rows)]


def _means(rows: Sequence[dict]) -> tuple[float, float]:
    return tuple(sum(row[name] for row in rows) / len(rows) for name in ("before", "after"))


def _lift(n: int, gained: int, lost: int, both: int, trained: int) -> Exercise:
    rows = _rows(n, gained, lost, both, trained)
    new = [row for row in rows if not row["trained"]]
    lift, error = paired([row["before"] for row in new], [row["after"] for row in new])
    before, after = _means(new)
    apart = ((before * (1 - before) + after * (1 - after)) / n) ** 0.5  # as if other messages had been asked
    slips = _slips(rows, new, lift)

    def judge(answer: object) -> str:
        parts = [answer] if isinstance(answer, float | int) else answers.items(answer, "three numbers")
        if len(parts) != 3:
            raise NotYet("a lift without its interval says little; hand in three numbers, `gain, gain_low, gain_high`")
        value, low, high = (answers.number(part, "a number between -1 and 1") for part in parts)
        if abs(value - lift) > CLOSE:
            said = [slip.says for slip in slips if abs(value - slip.answer[0]) < CLOSE]
            raise NotYet(
                said[0] if said else f"{value:g} is another number; how many of the {n} held-out rows are right?"
            )
        _judge_interval(low, high, lift, error, apart)
        return f"{lift:.0%} more of the messages it was not trained on, and the interval lies above 0: a lift"

    return Exercise(
        name="held_out_lift",
        title="Was it worth it?",
        subject=OWN_FILE,
        size="medium",
        question=(
            f"`THIS.given()` holds {len(rows)} messages, each a dictionary of three values that are true or false: "
            '`"trained"` (it was among the pairs), `"before"` and `"after"` (the model routed it rightly before '
            "tuning, and after). By how much did tuning lift the share of right answers *for messages to come*? Hand "
            "in the lift, between -1 and 1, and the two ends of its 95 % confidence interval."
        ),
        starter="given = THIS.given()\ngain, gain_low, gain_high = ..., ..., ...",
        answer="gain, gain_low, gain_high",
        judge=judge,
        hints=(
            "Which of the rows are like messages to come? Leave the others out first.",
            'For each row, `row["after"] - row["before"]` is 1, 0 or -1. The lift is their mean; 1.96 standard errors '
            "of this mean reach to each side. `labutils.measure.intervals.paired` does the same.",
        ),
        solved="""
            given = THIS.given()
            gaps = [row["after"] - row["before"] for row in given if not row["trained"]]
            n, gain = len(gaps), sum(gaps) / len(gaps)
            error = 1.96 * (sum((gap - gain) ** 2 for gap in gaps) / n / n) ** 0.5
            gain_low, gain_high = gain - error, gain + error
        """,
        wrong=lambda: [*slips, *_wrong(lift, error, apart)],
        vary=lambda draw: _drawn(draw, lift),
        data=lambda: rows,
    )


def _slips(rows: Sequence[dict], new: Sequence[dict], lift: float) -> list[Wrong]:
    """The lifts that come out of the usual slips, with all of what is said to them."""
    old = [row for row in rows if row["trained"]]
    known, all_rows = (after - before for before, after in map(_means, (old, rows)))
    found = {
        "all rows": (all_rows, f"{len(old)} of these rows were already seen in training; what they gain is memory"),
        "the trained rows": (known, "these are the trained rows themselves; what they gain is memory"),
        "the score after": (_means(new)[1], "that is the share after tuning; some of it was right before"),
        "the wrong sign": (-lift, "the sign is turned: a lift is what comes after, less what was before"),
        "in percent": (100 * lift, "a number between -1 and 1 is asked for; this is in percent"),
    }
    return [Wrong(what, (value, value - 0.1, value + 0.1), says) for what, (value, says) in found.items()]


def _judge_interval(low: float, high: float, lift: float, error: float, apart: float) -> None:
    if low >= high:
        raise NotYet("the interval has no width, or its ends are exchanged: the lower end comes first")
    if not low < lift < high:
        raise NotYet("the lift lies outside of its own interval; are these the errors instead of the ends?")
    half = (high - low) / 2
    if abs(half - Z * error) <= WIDTH * Z * error and abs((low + high) / 2 - lift) < Z * error / 4:
        return
    if abs(half - error) <= WIDTH * error:
        raise NotYet("this is one standard error to each side, outside of which a third of all cases falls; take 1.96")
    if abs(half - Z * apart) <= WIDTH * Z * apart / 2:
        raise NotYet(
            "the interval is that of two models asked different messages; here the same ones were asked twice, so take "
            "the differences row by row"
        )
    raise NotYet(f"from {low:.2f} to {high:.2f} is too {'wide' if half > Z * error else 'narrow'}; see the second hint")


def _wrong(lift: float, error: float, apart: float) -> list[Wrong]:
    def around(half: float) -> tuple[float, float, float]:
        return lift, lift - half, lift + half

    return [
        Wrong("no interval", lift, "without its interval"),
        Wrong("one standard error", around(error), "one standard error"),
        Wrong("two separate samples", around(Z * apart), "row by row"),
        Wrong("the errors instead of the ends", (lift, -Z * error, Z * error - 0.5 * lift), "outside of its own"),
        Wrong("ends exchanged", (lift, lift + Z * error, lift - Z * error), "the lower end comes first"),
        Wrong("far too wide", around(6 * error), "is too wide"),
        Wrong("another number", (lift + 0.05, lift, lift + 0.1), "is another number"),
    ]


def _drawn(draw: Draw, practised: float) -> Exercise:
    """Other rows, with another lift, too far from the practised one to be taken for it."""
    while True:
        n = draw.number(60, 90)
        gained, lost = n * draw.number(20, 29) // 100, draw.number(2, 4)
        if abs((gained - lost) / n - practised) > 5 * CLOSE:
            return _lift(n, gained, lost, n * draw.number(38, 44) // 100, draw.number(80, 140))


held_out_lift = _lift(60, 14, 2, 24, 100)
