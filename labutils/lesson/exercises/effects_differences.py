"""Exercises on effects: two causes alone and together, and when the difference of two models is there."""

from collections.abc import Callable
from typing import NamedTuple

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet, quoted
from labutils.lesson.exercises.exercise import EFFECTS, Draw, Exercise, Wrong
from labutils.lesson.exercises.forms import Quantity, apart, asked_for, written


def _quantities(neither: int, pairs: int, handbook: int, both: int) -> tuple[Quantity, ...]:
    """What is asked for, in nats; the four cells come in tenths."""
    alone, on_top = handbook - neither, both - pairs
    advice = "it is the difference of two cells, the later less the earlier"
    return (
        _quantity(
            "alone",
            alone,
            [
                ("the cell itself", handbook, f"that is the cell itself; it was {_nats(neither)} without the handbook"),
                ("the pairs' part", pairs - neither, "that is what the pairs do without the handbook"),
                ("both", both - neither, "that is what both do together"),
                ("the wrong sign", -alone, "the sign is turned: a fall is negative"),
            ],
            advice,
        ),
        _quantity(
            "on_top",
            on_top,
            [
                ("the cell itself", both, f"that is the cell itself; the pairs alone led to {_nats(pairs)}"),
                ("the pairs' part", both - handbook, "that is what the pairs add on top of the handbook"),
                ("both", both - neither, "that is what both do together, the pairs' own part included"),
                ("the wrong sign", -on_top, "the sign is turned: a fall is negative"),
            ],
            advice,
        ),
        _quantity(
            "together",
            on_top - alone,
            [
                ("both", both - neither, "that holds what each of them does alone, too; only the rest is asked for"),
                ("the sum", on_top + alone, "the two effects were added; their difference tells what comes of both"),
                ("the mean", (on_top + alone) / 2, "that is the handbook's mean effect, with and without the pairs"),
                ("the wrong sign", alone - on_top, "the sign is turned: on top of the pairs the handbook does more"),
            ],
            "how much more does the handbook do on top of the pairs than alone?",
        ),
    )


def _quantity(name: str, right: float, slips: list[tuple[str, float, str]], advice: str) -> Quantity:
    wrong = tuple(Wrong(what, _nats(value), says) for what, value, says in slips)
    return Quantity(name, _nats(right), wrong, advice)


def _nats(tenths: float) -> float:
    return round(tenths / 10, 2)


def _cells(neither: int, pairs: int, handbook: int, both: int) -> Exercise:
    quantities = _quantities(neither, pairs, handbook, both)
    alone, on_top, together = (quantity.right for quantity in quantities)
    neither, pairs, handbook, both = map(_nats, (neither, pairs, handbook, both))
    return Exercise(
        name="two_by_two",
        title="Four cells",
        subject=EFFECTS,
        size="medium",
        question=(
            "The table shows the loss of four models on the correct answers about the handbook's facts, in nats per "
            "token (lower is better). All four started from the same base model:\n\n"
            "| | no pairs | pairs about other facts |\n|---|--:|--:|\n"
            f"| not trained on the handbook | {neither} | {pairs} |\n"
            f"| trained on the handbook | {handbook} | {both} |\n\n"
            "By how many nats does training on the handbook change the loss where there are no pairs (`alone`), and "
            "where there are (`on_top`)? A fall is negative. And what is `together`: the change from both together, "
            "minus the change from the handbook only, minus the change from the pairs only?"
        ),
        starter="alone, on_top, together = ..., ..., ...  # nats",
        hints=(
            "An effect is a difference of two cells that agree in everything else: same column, another row.",
            "`together` is also `on_top - alone`. Try both ways.",
        ),
        solved=(
            f"alone, on_top = {handbook} - {neither}, {both} - {pairs}\n"
            f"together = ({both} - {neither}) - ({handbook} - {neither}) - ({pairs} - {neither})"
        ),
        vary=lambda draw: _drawn_cells(draw, on_top),
        **asked_for(
            *quantities,
            good=f"alone it changes {alone}, with the pairs {on_top}: pairs about other facts make a model surer of "
            f"wrong answers, unless it was trained on the right ones; {together} belong to neither alone",
        ),
    )


def _drawn_cells(draw: Draw, practised: float) -> Exercise:
    while True:
        neither, handbook = draw.number(36, 52), draw.number(14, 26)
        cells = neither, neither + draw.number(8, 22), handbook, handbook - draw.number(2, 8)
        quantities = _quantities(*cells)
        if apart(*quantities) and quantities[1].right != practised:
            return _cells(*cells)


two_by_two = _cells(44, 59, 20, 15)


Z = 1.96  # 95 % of a normal distribution lie within that many standard deviations
UNCLEAR = "cannot tell"
COSTS = (
    "twice as many pairs",
    "a longer template",
    "twice as many steps",
    "a larger model",
    "another reading of all pairs",
)


class Comparison(NamedTuple):
    """What is asked for."""

    margin: float  # the difference that has to be surely passed, as a share
    up: str  # the verdict where it is, and where it surely is not
    down: str

    def verdict(self, low: float, high: float) -> str:
        """The verdict of an interval."""
        return self.up if low > self.margin else self.down if high < self.margin else UNCLEAR

    def right(self, one: list[bool], other: list[bool]) -> str:
        """By the paired interval."""
        mean, error = paired(one, other)
        return self.verdict(mean - Z * error, mean + Z * error)


def paired(one: list[bool], other: list[bool]) -> tuple[float, float]:
    """The mean difference question by question, and its standard error."""
    gaps = [b - a for a, b in zip(one, other, strict=True)]
    mean = sum(gaps) / len(gaps)
    return mean, (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5 / len(gaps) ** 0.5


def hits(n: int, gained: int, lost: int, both: int) -> tuple[list[bool], list[bool]]:
    """Two models on n questions: how many only the second gets right, only the first, both; the rest neither."""
    one = [False] * gained + [True] * (lost + both)
    other = [True] * gained + [False] * lost + [True] * both
    return one + [False] * (n - len(one)), other + [False] * (n - len(other))


def _cases(margin: float, draw: Draw) -> list[tuple[list[bool], list[bool]]]:
    """Clear gains and losses, large and small, and differences that may be chance."""
    m, shift = margin, draw.number(0, 3)
    found = [
        hits(100, round(100 * m) + 13, 1, 48 + shift),  # clear only because the same questions are compared
        hits(40, round(40 * m) + 5, 3, 18 + shift),  # a gain that may be chance
        hits(60, 2, 14, 30 + shift),
        hits(10, round(10 * m) + 2, 0, 4),  # too few questions
        hits(400, round(450 * m) + 16, 3, 200 + shift),  # a small gain, surely there
        hits(400, round(150 * m) or 5, 1 if m else 5, 160),  # as much lost as gained; with a margin, surely too little
        hits(20, 0, 0, 12),
    ]
    return [(one[::-1], other[::-1]) if draw.number(0, 1) else (one, other) for one, other in found]


def _slips(asked: Comparison) -> list[Wrong]:
    def unpaired(one: list[bool], other: list[bool]) -> str:
        p, q, n = sum(one) / len(one), sum(other) / len(other), len(one)
        error = Z * ((p * (1 - p) + q * (1 - q)) / n) ** 0.5
        return asked.verdict(q - p - error, q - p + error)

    def higher(one: list[bool], other: list[bool]) -> str:
        return asked.verdict(*[paired(one, other)[0]] * 2)

    def five_points(one: list[bool], other: list[bool]) -> str:
        mean = paired(one, other)[0]
        return asked.verdict(mean - 0.05, mean + 0.05)

    def one_error(one: list[bool], other: list[bool]) -> str:
        mean, error = paired(one, other)
        return asked.verdict(mean - error, mean + error)

    return [
        Wrong(
            "the higher mean",
            higher,
            "it goes by the mean alone; with few questions that is often chance, since the interval holds both sides",
        ),
        Wrong(
            "two separate intervals",
            unpaired,
            "it treats the two as if they had been asked different questions, and overlooks a gain; take the "
            "difference question by question",
        ),
        Wrong(
            "five points",
            five_points,
            "it asks for five points, whether of 10 questions or of 400; how much is chance depends on their number",
        ),
        Wrong(
            "one standard error",
            one_error,
            "it takes one standard error to each side, outside of which a third of all cases falls; take 1.96",
        ),
        Wrong(
            "the models exchanged",
            lambda one, other: asked.right(other, one),
            "the two models are exchanged; positive is what `other` gains over `one`",
        ),
        Wrong("never sure", lambda one, other: UNCLEAR, "it never dares a verdict, even where the interval does"),
    ]


def _effect(asked: Comparison, question: str, vary: Callable[[Draw], Exercise], seed: int | str) -> Exercise:
    words = (asked.up, asked.down, UNCLEAR)

    def read(value: object) -> str:
        said = answers.text(value, f"one of the texts `{'`, `'.join(words)}`").strip().lower()
        if said not in words:
            raise NotYet(f"{quoted(said)} is none of the verdicts `{'`, `'.join(words)}`")
        return said

    return Exercise(
        name="effect_there",
        title="Is the effect there?",
        subject=EFFECTS,
        size="open",
        question=(
            f"{question} Write `verdict(one, other)`. It gets two lists of `True` and `False`, which tell for the same "
            f"questions in the same order whether each model was right, and gives `{asked.up!r}`, `{asked.down!r}` or "
            f"`{UNCLEAR!r}`. Use mean ± 1.96 · standard error of the question-by-question difference; *{UNCLEAR}* if "
            f"it contains {asked.margin:g}. The check has comparisons of 10 to 400 questions."
        ).replace("'", '"'),
        starter="def verdict(one, other):\n    return ...  # one of the three texts",
        hints=(
            "For each question, `b - a` is 1 where only `other` is right, -1 where only `one` is, else 0. The mean of "
            "these is the difference.",
            "The standard error is the standard deviation of these numbers, divided by the square root of their count. "
            "`labutils.measure.intervals.paired` gives the interval at once.",
        ),
        solved=f"""
            def verdict(one, other):
                gaps = [b - a for a, b in zip(one, other)]
                n, mean = len(gaps), sum(gaps) / len(gaps)
                error = 1.96 * (sum((gap - mean) ** 2 for gap in gaps) / n / n) ** 0.5
                if mean - error > {asked.margin:g}:
                    return "{asked.up}"
                return "{asked.down}" if mean + error < {asked.margin:g} else "{UNCLEAR}"
        """,
        vary=vary,
        **written(
            "verdict",
            asked.right,
            _cases(asked.margin, Draw(f"effects {seed}")),
            _slips(asked),
            good="it tells a gain from chance, few questions from many; and it says so where they do not tell",
            read=read,
            told=_told,
            more=[
                Wrong("True or False", lambda one, other: sum(other) > sum(one), "got True or False"),
                Wrong("another word", lambda one, other: "maybe", "none of the verdicts"),
            ],
        ),
    )


def _told(one: list[bool], other: list[bool]) -> str:
    gained, lost = (sum(b - a == way for a, b in zip(one, other, strict=True)) for way in (1, -1))
    return f"{len(one)} questions, {gained} gained, {lost} lost"


def _drawn_effect(draw: Draw) -> Exercise:
    """A gain that has to be worth its cost, so that the practised answer, which asks whether there is one, is wrong."""
    points, cost = draw.number(2, 10), draw.pick(COSTS)
    question = (
        f"A change costs {cost}, and is worth it only if it brings more than {points} points: `one` is the model "
        f"without, `other` the model with it. Where the gain surely is larger than {points} points, it is worth it; "
        "where it surely is smaller, or a loss, it is not."
    )
    asked = Comparison(points / 100, "worth it", "not worth it")
    return _effect(asked, question, _drawn_effect, draw.number(1, 10**6))


effect_there = _effect(
    Comparison(0.0, "better", "worse"),
    "Two models answered the same questions. Is `other` better than `one`?",
    _drawn_effect,
    "practised",
)
