"""Exercises on what a tuned model is worth: a lift on held-out rows with its interval; tune, answer and report."""

from collections import Counter
from collections.abc import Sequence

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet
from labutils.lesson.exercises.effects_differences import Z, hits, paired
from labutils.lesson.exercises.exercise import OWN_FILE, Draw, Exercise, Wrong
from labutils.lesson.exercises.forms import with_interval
from labutils.measure.intervals import share, wilson

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
    slips = _lift_slips(rows, new, lift)

    def judge(answer: object) -> str:
        parts = with_interval(answer, "a lift", "gain, gain_low, gain_high")
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
            '`"trained"` (it was among the pairs), `"before"` and `"after"` (the model routed it correctly before '
            "tuning, and after). By how much did tuning lift the share of right answers *for future messages*? Hand "
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
        wrong=lambda: [*slips, *_wrong_lifts(lift, error, apart)],
        vary=lambda draw: _drawn_lift(draw, lift),
        data=lambda: rows,
    )


def _lift_slips(rows: Sequence[dict], new: Sequence[dict], lift: float) -> list[Wrong]:
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


def _wrong_lifts(lift: float, error: float, apart: float) -> list[Wrong]:
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


def _drawn_lift(draw: Draw, practised: float) -> Exercise:
    """Other rows, with another lift, too far from the practised one to be taken for it."""
    while True:
        n = draw.number(60, 90)
        gained, lost = n * draw.number(20, 29) // 100, draw.number(2, 4)
        if abs((gained - lost) / n - practised) > 5 * CLOSE:
            return _lift(n, gained, lost, n * draw.number(38, 44) // 100, draw.number(80, 140))


held_out_lift = _lift(60, 14, 2, 24, 100)


PRODUCTS = ("Plover", "Heron", "Godwit", "Sandpiper", "Turnstone", "Curlew", "Dunlin", "Avocet")
FAULTS = (
    "the lid does not close", "no light when switched on", "rust on the screws", "a crack in the case",
    "the cable is frayed", "shows an empty battery", "water inside", "the button sticks", "beeps all night",
    "dropped from a boat", "the strap is torn", "will not charge", "chewed by a seal", "the display is dim",
    "smells of smoke", "the clock is an hour late", "the clip is bent", "sand in the socket", "lost its cap",
    "the label has come off", "a loose antenna", "switches itself off", "the lens is scratched", "mud in the sensor",
)  # fmt: skip
HIDDEN = 60
LEAST, MOST = 10, 100  # questions that an honest report of these pairs may stand on


def _tuning(benches: tuple[str, ...], of: dict[str, str], seed: str) -> Exercise:
    mixed = Draw(seed).shuffled([(product, fault) for product in PRODUCTS for fault in FAULTS])
    rows = [{"question": f"{product}: {fault}", "answer": of[product]} for product, fault in mixed]
    trained, hidden = rows[HIDDEN:], rows[:HIDDEN]
    right = [row["answer"] for row in hidden]
    common, times = Counter(right).most_common(1)[0]

    def judge(answer: object) -> str:
        parts = answers.items(answer, "two things: the replies and the report")
        if len(parts) != 2:
            raise NotYet("hand in two things: `my_replies, my_report`")
        replies = [answers.text(each, "a list of texts").strip() for each in answers.items(parts[0], "a list of texts")]
        if len(replies) != HIDDEN:
            raise NotYet(f"expected {HIDDEN} replies, one for each of `questions`, in their order; got {len(replies)}")
        found = share([reply == bench for reply, bench in zip(replies, right, strict=True)])
        if found.low <= times / HIDDEN:
            raise NotYet(
                f"{found.value:.0%} of the replies are right; always saying {common!r} would give "
                f"{times / HIDDEN:.0%}. Read a few replies: do they have the form of the pairs? If so, train for longer"
            )
        _judge_report(answers.items(parts[1], "three numbers, the share and its interval"), found)
        return f"{found.value:.0%} of the hidden answers are right, and your report said what to expect"

    given = {"pairs": trained, "questions": [row["question"] for row in hidden]}
    return Exercise(
        name="tune_and_report",
        title="Tune it and report",
        subject=OWN_FILE,
        size="open",
        question=(
            f"The workshop sends each broken instrument to one of its benches ({', '.join(benches)}). "
            f'`THIS.given()` is a dictionary: `"pairs"` holds {len(trained)} pairs of question and answer, '
            f'`"questions"` {HIDDEN} questions without answers. Keep some of the pairs back, tune '
            "a model on the others, and ask it. "
            "Hand in its replies to the questions, and a report of what share of them will be right: the share on the "
            "pairs that you kept back, and the two ends of its 95 % confidence interval. The check knows the answers."
        ),
        starter="given = THIS.given()\nmy_replies = ...  # a list of texts\nmy_report = ...  # share, low, high",
        answer="my_replies, my_report",
        judge=judge,
        hints=(
            '`finetuned` takes seconds. Encode with `encoding.encode_all(pairs, "lecture", model.tokenizer).examples`, '
            "tune with `training.finetune`, ask with `asking.ask(model, questions, limit=8)`, each reply's `.text`.",
            "The report is about pairs that were not trained on: `intervals.share([...])` of what is right among them "
            "has the share and both ends. A recipe that works: 40 steps, batches of 32, rate 3e-3.",
        ),
        solved="""
            from labutils.measure import intervals
            from labutils.model import asking, encoding, models, training

            given = THIS.given()
            kept, rest = given["pairs"][:40], given["pairs"][40:]
            model = models.open_model("finetuned")
            examples = encoding.encode_all(rest, "lecture", model.tokenizer).examples
            recipe = training.Recipe(steps=40, batch=32, learning_rate=3e-3)
            training.finetune(model, examples, recipe)
            asked = [pair["question"] for pair in kept]
            said = [reply.text for reply in asking.ask(model, asked, limit=8)]
            hits = [reply == pair["answer"] for reply, pair in zip(said, kept)]
            my_report = intervals.share(hits)[:3]
            my_replies = [reply.text for reply in asking.ask(model, given["questions"], limit=8)]
        """,
        wrong=lambda: _wrong_reports(right, common),
        vary=_drawn_tuning,
        data=lambda: given,
    )


def _judge_report(parts: list, found) -> None:
    if len(parts) != 3:
        raise NotYet("a report is three numbers: the share, and the two ends of its interval")
    value, low, high = (answers.number(part, "a number between 0 and 1") for part in parts)
    if not 0 <= value <= 1:
        raise NotYet(f"the share must be a number between 0 and 1, got {value:g}")
    if not low <= value <= high:
        raise NotYet("the share lies outside of its interval; the order is share, lower end, upper end")
    narrow, wide = ((high - low) for low, high in (wilson(n * value, n) for n in (MOST, LEAST)))
    if high - low < narrow * 0.9:
        raise NotYet(
            f"an interval from {low:.2f} to {high:.2f} is narrower than these pairs allow; on how many that were kept "
            "back does it stand? At shares near 0 or 1 take Wilson's interval"
        )
    if high - low > wide * 1.1:
        raise NotYet(f"from {low:.2f} to {high:.2f} says little; keep back more pairs")
    if high < found.low or low > found.high:
        raise NotYet(
            f"your report promises {low:.0%} to {high:.0%}, the hidden questions gave {found.value:.0%}. Was it "
            "measured on pairs that were trained on?"
        )


def _wrong_reports(right: list[str], common: str) -> list[Wrong]:
    half = [bench if i % 4 else "bench?" for i, bench in enumerate(right)]
    fair = (1.0, 0.91, 1.0)
    return [
        Wrong("the commonest answer", ([common] * HIDDEN, fair), "always saying"),
        Wrong("replies in another order", (right[1:], fair), f"expected {HIDDEN} replies"),
        Wrong("no report", (right, 1.0), "three numbers"),
        Wrong("a share alone", (right, [1.0]), "a report is three numbers"),
        Wrong("in percent", (right, (100, 91, 100)), "between 0 and 1"),
        Wrong("no width", (right, (1.0, 1.0, 1.0)), "narrower than these pairs allow"),
        Wrong("ends first", (right, (0.8, 0.9, 1.0)), "outside of its interval"),
        Wrong("of three questions", (right, (1.0, 0.44, 1.0)), "keep back more pairs"),
        Wrong("measured on trained pairs", (half, fair), "trained on"),
        Wrong("replies alone", (right,), "hand in two things"),
    ]


def _drawn_tuning(draw: Draw) -> Exercise:
    names = draw.shuffled(["red bench", "blue bench", "green bench", "grey bench", "white bench", "black bench"])[:3]
    while True:
        of = {product: draw.pick(names) for product in PRODUCTS}
        if max(Counter(of.values()).values()) <= 3 and set(of.values()) == set(names):
            return _tuning(tuple(names), of, f"pairs {' '.join(of.values())}")


tune_and_report = _drawn_tuning(Draw("tune_and_report"))
