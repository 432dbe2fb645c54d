"""An exercise on effects: when the difference of two models is there, and when the questions do not tell."""

from collections.abc import Callable
from typing import NamedTuple

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import quoted
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.functions import written
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import EFFECTS

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


def _drawn(draw: Draw) -> Exercise:
    """A gain that has to be worth its cost, so that the practised answer, which asks whether there is one, is wrong."""
    points, cost = draw.number(2, 10), draw.pick(COSTS)
    question = (
        f"A change costs {cost}, and is worth it only if it brings more than {points} points: `one` is the model "
        f"without, `other` the model with it. Where the gain surely is larger than {points} points, it is worth it; "
        "where it surely is smaller, or a loss, it is not."
    )
    asked = Comparison(points / 100, "worth it", "not worth it")
    return _effect(asked, question, _drawn, draw.number(1, 10**6))


effect_there = _effect(
    Comparison(0.0, "better", "worse"),
    "Two models answered the same questions. Is `other` better than `one`?",
    _drawn,
    "practised",
)
