"""The exercises of notebook 07: what the laziest answer scores, a lift on held-out rows; tune, answer and report."""

from collections import Counter
from collections.abc import Mapping

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.exercise import TEXTS, Draw, Exercise, Words
from labutils.lesson.exercises.forms import Quantity, apart, asked_for, quantity, refuse, with_interval
from labutils.lesson.exercises.own_task import QUEUES
from labutils.lesson.exercises.what_changes import Z, hits, paired, unpaired
from labutils.measure.intervals import share, wilson


def _laziest(counts: Mapping[str, int]) -> Quantity:
    total, most = sum(counts.values()), max(counts.values())
    slips = {
        "all queues alike": 1 / len(counts), "drawn by their shares": sum(n**2 for n in counts.values()) / total**2,
        "counted": most, "in percent": 100 * most / total, "the other way": 1 - most / total,
    }  # fmt: skip
    say = Words("baseline_first", queues=len(counts), total=total)
    return quantity(say, "my_share", most / total, slips, close=max(0.013, 0.0051 * total / most))  # two decimals


def _baseline(counts: Mapping[str, int], what: str) -> Exercise:
    asked, most = _laziest(counts), max(counts, key=counts.get)
    table = "\n".join(f"| {name} | {count} |" for name, count in counts.items())
    numbers = {"count": counts[most], "total": sum(counts.values()), "right": asked.right}
    say = Words("baseline_first", what=what, table=table, most=most, **numbers)

    def vary(draw: Draw) -> Exercise:
        what = draw.pick(("complaints", "e-mails", "support messages", "telephone notes"))
        while True:
            names = draw.some(QUEUES, draw.number(4, 6))
            counts = {name: draw.number(5, 25) for name in names} | {names[1]: draw.number(40, 90)}
            if apart(_laziest(counts), others=[asked.right]):
                return _baseline(counts, what)

    return say.exercise(vary=vary, **asked_for(asked, good=say("good")))


baseline_first = _baseline(
    {"repairs": 14, "software": 19, "orders": 11, "billing": 61, "returns": 7}, "support messages"
)


CLOSE = 0.006  # of a share: two decimals are enough
WIDTH = 0.2  # how far the interval's half width may be off, as a part of it: a bootstrap differs a little


def _rows(n: int, gained: int, lost: int, both: int, trained: int) -> list[dict]:
    """Held-out rows, and trained ones, of which nearly all are right afterwards; mixed."""
    new = zip(*hits(n, gained, lost, both), strict=True)
    old = zip(*hits(trained, trained * 45 // 100, 0, trained // 2), strict=True)
    rows = [(False, *row) for row in new] + [(True, *row) for row in old]
    names = ("trained", "before", "after")
    return [dict(zip(names, row, strict=True)) for row in Draw(f"rows {n} {gained}").shuffled(rows)]


def _lift(n: int, gained: int, lost: int, both: int, trained: int) -> Exercise:
    rows = _rows(n, gained, lost, both, trained)
    new, old = ([row for row in rows if row["trained"] == side] for side in (False, True))
    before, after = ([row[name] for row in new] for name in ("before", "after"))
    lift, error = paired(before, after)
    apart = unpaired(before, after)  # as if other messages had been asked
    say = Words("held_out_lift", count=len(rows), old=len(old), new=n, points=100 * lift)
    known, mixed = (sum(row["after"] - row["before"] for row in some) / len(some) for some in (old, rows))
    found = {
        "all rows": mixed, "the trained rows": known, "the score after": sum(after) / n, "the wrong sign": -lift,
        "in percent": 100 * lift,
    }  # fmt: skip
    slips = say.slips({what: (value, value - 0.1, value + 0.1) for what, value in found.items()})

    def judge(answer: object) -> str:
        parts = with_interval(answer, "a lift", "gain, gain_low, gain_high")
        value, low, high = (answers.number(part, "a number between -1 and 1") for part in parts)
        if abs(value - lift) > CLOSE:
            refuse(slips, lambda slip: abs(value - slip[0]) < CLOSE)
            raise say.no("other", value=value)
        say.refuse(low >= high, "width")
        say.refuse(not low < lift < high, "outside")
        half = (high - low) / 2
        if abs(half - Z * error) <= WIDTH * Z * error and abs((low + high) / 2 - lift) < Z * error / 4:
            return say("good")
        say.refuse(abs(half - error) <= WIDTH * error, "one")
        say.refuse(abs(half - Z * apart) <= WIDTH * Z * apart / 2, "apart")
        raise say.no("wide", low=low, high=high, way="wide" if half > Z * error else "narrow")

    def around(half: float) -> tuple[float, float, float]:
        return lift, lift - half, lift + half

    wrong = {
        "no interval": lift, "one standard error": around(error), "two separate samples": around(Z * apart),
        "the errors instead of the ends": (lift, -Z * error, Z * error - 0.5 * lift), "far too wide": around(6 * error),
        "ends exchanged": around(-Z * error), "another number": (lift + 0.05, lift, lift + 0.1),
    }  # fmt: skip

    def vary(draw: Draw) -> Exercise:
        """Other rows, with another lift, too far from this one to be taken for it."""
        while True:
            n = draw.number(60, 90)
            gained, lost = n * draw.number(20, 29) // 100, draw.number(2, 4)
            if abs((gained - lost) / n - lift) > 5 * CLOSE:
                return _lift(n, gained, lost, n * draw.number(38, 44) // 100, draw.number(80, 140))

    return say.exercise(judge=judge, slips=slips, wrong=wrong, vary=vary, data=rows)


held_out_lift = _lift(60, 14, 2, 24, 100)


PRODUCTS, FAULTS = TEXTS["tune_and_report"]["products"], TEXTS["tune_and_report"]["faults"]
HIDDEN = 60
LEAST, MOST = 10, 100  # questions that an honest report of these pairs may stand on


def _tuning(benches: list[str], of: dict[str, str], seed: str) -> Exercise:
    mixed = Draw(seed).shuffled([(product, fault) for product in PRODUCTS for fault in FAULTS])
    rows = [{"question": f"{product}: {fault}", "answer": of[product]} for product, fault in mixed]
    trained, hidden = rows[HIDDEN:], rows[:HIDDEN]
    right = [row["answer"] for row in hidden]
    common, times = Counter(right).most_common(1)[0]
    say = Words("tune_and_report", benches=", ".join(benches), trained=len(trained), hidden=HIDDEN)

    def judge(answer: object) -> str:
        parts = answers.items(answer, "two things: the replies and the report")
        say.refuse(len(parts) != 2, "parts")
        replies = [answers.text(each, "a list of texts").strip() for each in answers.items(parts[0], "a list of texts")]
        say.refuse(len(replies) != HIDDEN, "replies", got=len(replies))
        found = share([reply == bench for reply, bench in zip(replies, right, strict=True)])
        say.refuse(found.low <= times / HIDDEN, "few", found=found.value, common=repr(common), baseline=times / HIDDEN)
        report = answers.items(parts[1], "three numbers, the share and its interval")
        say.refuse(len(report) != 3, "report")
        value, low, high = (answers.number(part, "a number between 0 and 1") for part in report)
        say.refuse(not 0 <= value <= 1, "share", value=value)
        say.refuse(not low <= value <= high, "outside")
        narrow, wide = ((end - begin) for begin, end in (wilson(n * value, n) for n in (MOST, LEAST)))
        say.refuse(high - low < narrow * 0.9, "narrow", low=low, high=high)
        say.refuse(high - low > wide * 1.1, "wide", low=low, high=high)
        say.refuse(high < found.low or low > found.high, "promise", low=low, high=high, found=found.value)
        return say("good", found=found.value)

    half, fair = [bench if i % 4 else "bench?" for i, bench in enumerate(right)], (1.0, 0.91, 1.0)
    wrong = {
        "the commonest answer": ([common] * HIDDEN, fair), "replies in another order": (right[1:], fair),
        "no report": (right, 1.0), "a share alone": (right, [1.0]), "in percent": (right, (100, 91, 100)),
        "no width": (right, (1.0, 1.0, 1.0)), "ends first": (right, (0.8, 0.9, 1.0)), "replies alone": (right,),
        "of three questions": (right, (1.0, 0.44, 1.0)), "measured on trained pairs": (half, fair),
    }  # fmt: skip
    given = {"pairs": trained, "questions": [row["question"] for row in hidden]}
    return say.exercise(judge=judge, wrong=wrong, vary=_drawn_tuning, data=given)


def _drawn_tuning(draw: Draw) -> Exercise:
    names = draw.shuffled(TEXTS["tune_and_report"]["benches"])[:3]
    while True:
        of = {product: draw.pick(names) for product in PRODUCTS}
        if max(Counter(of.values()).values()) <= 3 and set(of.values()) == set(names):
            return _tuning(names, of, f"pairs {' '.join(of.values())}")


tune_and_report = _drawn_tuning(Draw("tune_and_report"))
