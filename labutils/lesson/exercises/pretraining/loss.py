"""An exercise on the loss: the mean of -log p over the tokens that came next."""

import math
from collections.abc import Callable, Sequence

from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.functions import source, written
from labutils.lesson.exercises.subjects import PRETRAINING


def nats(probabilities):
    return sum(-math.log(p) for p in probabilities) / len(probabilities)


def bits(probabilities):
    return sum(-math.log2(p) for p in probabilities) / len(probabilities)


def choices(probabilities):
    return math.exp(sum(-math.log(p) for p in probabilities) / len(probabilities))


ASKED = {  # what is asked for: the right function, its name, and what is said to who hands in another one
    "nats": (nats, "the loss in nats, the mean of the negative natural logarithms", "those are nats"),
    "bits": (bits, "the loss in bits, the mean of the negative logarithms to the base 2", "those are bits"),
    "choices": (
        choices,
        "the perplexity, the exponential of the loss in nats: as unsure as a uniform pick among that many tokens",
        "that is the exponential, the perplexity",
    ),
}


def _loss(measure: str, shown: Sequence[float]) -> Exercise:
    right, named, _ = ASKED[measure]
    cases = [(list(shown),), ([1.0],), ([1 / 500] * 4,), ([0.9, 0.8, 0.9, 0.0001],), ([0.25, 0.5],)]
    return Exercise(
        name="mean_loss",
        title="The loss by hand",
        subject=PRETRAINING,
        size="medium",
        question=(
            "A model gave these probabilities to the tokens that really came next: "
            f"`{list(shown)}`. Write a function that turns such a list into {named}. For this list it gives "
            f"`{right(shown):.4f}`. The check tries other lists, too."
        ),
        starter="def mean_loss(probabilities):\n    return ...  # a number",
        hints=(
            "Begin with one probability: `-math.log(0.5)` is its loss in nats, `-math.log2(0.5)` in bits.",
            "First the logarithm of each probability, then the mean of these. What comes out for `[0.5, 0.5]`?",
        ),
        solved=source(right, "mean_loss"),
        vary=_drawn,
        **written(
            "mean_loss",
            right,
            cases,
            _slips(measure, right),
            good="one token that the model thought impossible weighs more than many likely ones; a uniform pick among "
            "500 tokens gives ln 500, as in a model before training",
            more=[Wrong("a list", lambda probabilities: [-math.log(p) for p in probabilities], "got a list")],
        ),
    )


def _slips(measure: str, right: Callable) -> list[Wrong]:
    others = [Wrong(other, ASKED[other][0], f"{ASKED[other][2]}; asked for is {ASKED[measure][1]}") for other in ASKED]
    return [
        *(other for other in others if other.what != measure),
        Wrong(
            "the logarithm of the mean",
            lambda probabilities: right([sum(probabilities) / len(probabilities)]),
            "the mean was taken before the logarithm, so one impossible token among likely ones goes unnoticed",
        ),
        Wrong(
            "the sum",
            lambda probabilities: _sum(measure, probabilities),
            "the values were added up, and not divided by their number; a long text would always look worse",
        ),
        Wrong(
            "no minus",
            lambda probabilities: 1 / right(probabilities) if measure == "choices" else -right(probabilities),
            "the minus is missing; the better the model, the closer a loss comes to 0 from above",
        ),
        Wrong(
            "one minus the mean",
            lambda probabilities: 1 - sum(probabilities) / len(probabilities),
            "1 minus the mean probability hardly tells 0.01 from 0.0001; the logarithm does",
        ),
    ]


def _sum(measure: str, probabilities: Sequence[float]) -> float:
    one = ASKED["bits" if measure == "bits" else "nats"][0]
    total = len(probabilities) * one(probabilities)
    return math.exp(total) if measure == "choices" else total


def _drawn(draw: Draw) -> Exercise:
    shown = [draw.number(2, 95) / 100 for _ in range(3)]
    return _loss(draw.pick(("bits", "choices")), shown)


mean_loss = _loss("nats", (0.5, 0.125))
