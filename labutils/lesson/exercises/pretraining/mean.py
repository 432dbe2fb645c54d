"""An exercise on the loss: the mean over the tokens that did come."""

import math
from collections.abc import Callable, Sequence

from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.functions import source, written
from labutils.lesson.exercises.subjects import PRETRAINING


def nats(chances):
    return sum(-math.log(chance) for chance in chances) / len(chances)


def bits(chances):
    return sum(-math.log2(chance) for chance in chances) / len(chances)


def choices(chances):
    return math.exp(sum(-math.log(chance) for chance in chances) / len(chances))


ASKED = {  # what is asked for: the right function, what it is called, and what is said to whom it was not asked of
    "nats": (nats, "the loss in nats, the mean of the negative natural logarithms", "those are nats"),
    "bits": (bits, "the loss in bits, the mean of the negative logarithms to the base 2", "those are bits"),
    "choices": (
        choices,
        "the number of tokens among which the model chose, so to say, blindly: the exponential of the loss in nats",
        "that is the exponential, the number of tokens to choose among",
    ),
}


def _loss(measure: str, shown: Sequence[float]) -> Exercise:
    right, named, _ = ASKED[measure]
    cases = [(list(shown),), ([1.0],), ([1 / 500] * 4,), ([0.9, 0.8, 0.9, 0.0001],), ([0.25, 0.5],)]
    return Exercise(
        name="mean_loss",
        title="The mean loss",
        subject=PRETRAINING,
        size="medium",
        question=(
            "A model gave these probabilities to the tokens that did come next: "
            f"`{list(shown)}`. Write a function that turns such a list into {named}. For this list it gives "
            f"`{right(shown):.4f}`. The check tries other lists, too."
        ),
        starter="def mean(chances):\n    return ...  # a number",
        hints=(
            "Begin with one probability: `-math.log(0.5)` is its loss in nats, `-math.log2(0.5)` in bits.",
            "First the logarithm of each probability, then the mean of these. What comes out for `[0.5, 0.5]`?",
        ),
        solved=source(right, "mean"),
        vary=_drawn,
        **written(
            "mean",
            right,
            cases,
            _slips(measure, right),
            good="one token that the model thought impossible weighs more than many good guesses; equal chances among "
            "500 tokens give ln 500, as in a model that was trained on nothing",
            more=[Wrong("a list", lambda chances: [-math.log(chance) for chance in chances], "got a list")],
        ),
    )


def _slips(measure: str, right: Callable) -> list[Wrong]:
    others = [Wrong(other, ASKED[other][0], f"{ASKED[other][2]}; asked for is {ASKED[measure][1]}") for other in ASKED]
    return [
        *(other for other in others if other.what != measure),
        Wrong(
            "the logarithm of the mean",
            lambda chances: right([sum(chances) / len(chances)]),
            "the mean was taken before the logarithm, so one impossible token among likely ones goes unnoticed",
        ),
        Wrong(
            "the sum",
            lambda chances: _sum(measure, chances),
            "the losses were added up, and not divided by their number; a long text would always look worse",
        ),
        Wrong(
            "no minus",
            lambda chances: 1 / right(chances) if measure == "choices" else -right(chances),
            "the minus is missing; the better the model, the closer a loss comes to 0 from above",
        ),
        Wrong(
            "one minus the mean",
            lambda chances: 1 - sum(chances) / len(chances),
            "1 minus the mean probability hardly tells 0.01 from 0.0001; the logarithm does",
        ),
    ]


def _sum(measure: str, chances: Sequence[float]) -> float:
    one = ASKED["bits" if measure == "bits" else "nats"][0]
    total = len(chances) * one(chances)
    return math.exp(total) if measure == "choices" else total


def _drawn(draw: Draw) -> Exercise:
    shown = [draw.number(2, 95) / 100 for _ in range(3)]
    return _loss(draw.pick(("bits", "choices")), shown)


mean_loss = _loss("nats", (0.5, 0.125))
