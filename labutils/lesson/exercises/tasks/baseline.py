"""An exercise on rivals: what the laziest answer scores, before any model is asked."""

from collections.abc import Mapping

from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.quantities import Quantity, apart, asked_for
from labutils.lesson.exercises.subjects import TASKS

QUEUES = ("repairs", "software", "orders", "calibration", "sales", "billing", "returns")


def _quantity(counts: Mapping[str, int]) -> Quantity:
    total, most = sum(counts.values()), max(counts.values())
    slips = (
        Wrong(
            "all queues alike",
            1 / len(counts),
            f"that is one of {len(counts)} queues at random; always saying the most frequent one does better",
        ),
        Wrong(
            "drawn by their shares",
            sum(count**2 for count in counts.values()) / total**2,
            "that is for queues drawn by their shares; always saying the most frequent one does better",
        ),
        Wrong("counted", most, f"that is the number of messages; divide it by all {total}"),
        Wrong("in percent", 100 * most / total, "a share between 0 and 1 is asked for; this is in percent"),
        Wrong("the other way", 1 - most / total, "that is the share which it gets wrong"),
    )
    return Quantity("my_share", most / total, slips, "which queue is the best blind guess?", close=0.013)


def _baseline(counts: Mapping[str, int], what: str) -> Exercise:
    quantity = _quantity(counts)
    most, total = max(counts, key=counts.get), sum(counts.values())
    table = "\n".join(f"| {name} | {count} |" for name, count in counts.items())
    return Exercise(
        name="baseline_first",
        title="What the laziest answer scores",
        subject=TASKS,
        size="small",
        question=(
            f"Before any model is tuned to route {what}, ask what has to be beaten. The held-out ones belong to these "
            f"queues:\n\n| queue | messages |\n|---|--:|\n{table}\n\n"
            "A rival that ignores the message gives the same queue to all of them. Which share does it get right at "
            "best?"
        ),
        starter="my_share = ...  # a number between 0 and 1, two decimals are enough",
        hints=(
            "It may choose its queue once. Which one would you give it?",
            "Count the messages that belong there, and divide by all of them.",
        ),
        solved=f"my_share = {counts[most]} / {total}  # always `{most}`",
        vary=lambda draw: _drawn(draw, quantity.right),
        **asked_for(
            quantity,
            good=f"`{most}` alone is right in {quantity.right:.0%} of cases, without reading a word; a tuned model has "
            "to do better before its score means anything",
        ),
    )


def _drawn(draw: Draw, practised: float) -> Exercise:
    what = draw.pick(("complaints", "e-mails", "support messages", "telephone notes"))
    while True:
        names = draw.some(QUEUES, draw.number(4, 6))
        counts = {name: draw.number(5, 25) for name in names} | {names[1]: draw.number(40, 90)}
        if apart(_quantity(counts), others=[practised]):
            return _baseline(counts, what)


baseline_first = _baseline(
    {"repairs": 14, "software": 19, "orders": 11, "billing": 61, "returns": 7}, "support messages"
)
