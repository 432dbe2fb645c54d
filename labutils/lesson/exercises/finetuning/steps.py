"""An exercise on recipes: how many steps a run takes."""

import math

from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.quantities import Quantity, apart, asked_for
from labutils.lesson.exercises.subjects import FINETUNING


def _quantity(pairs: int, batch: int, epochs: int) -> Quantity:
    batches = math.ceil(pairs / batch)
    slips = (
        Wrong("batches of one", pairs * epochs, "that is with batches of one: each pair would be a step of its own"),
        Wrong("one epoch", batches, f"that is one epoch; there are {epochs}"),
        Wrong(
            "the rest left out",
            pairs // batch * epochs,
            f"the last {pairs % batch} pairs of each epoch were left out; they make a smaller batch, and a step",
        ),
        Wrong(
            "not rounded",
            pairs / batch * epochs,
            "there are no parts of a step; the last batch of an epoch is smaller, and a whole step",
        ),
        Wrong(
            "rounded at the end",
            math.ceil(pairs / batch * epochs),
            "it was rounded up at the end; each epoch has a smaller batch of its own, so round up before you multiply",
        ),
    )
    return Quantity("my_steps", batches * epochs, slips, "how many batches are there in one epoch?", close=0)


def _steps(pairs: int, batch: int, epochs: int) -> Exercise:
    quantity = _quantity(pairs, batch, epochs)
    return Exercise(
        name="total_steps",
        title="How many steps?",
        subject=FINETUNING,
        size="small",
        question=(
            f"A file holds {pairs} pairs. A run takes {epochs} epochs, in batches of {batch}; where they do not come "
            "out even, the last batch of an epoch is smaller. How many steps does the run take?"
        ),
        starter="my_steps = ...  # a whole number",
        hints=(
            "A step is one update, made from one batch. Count the batches of one epoch first.",
            f"{pairs} / {batch} is {pairs / batch:g}. How many batches are that, if no pair may be left out?",
        ),
        solved=f"batches = -(-{pairs} // {batch})  # rounded up\nmy_steps = batches * {epochs}",
        vary=lambda draw: _drawn(draw, quantity.right),
        **asked_for(
            quantity,
            good=f"{quantity.right:g} updates; `Recipe(epochs={epochs}, batch={batch}).total_steps({pairs})` says so, "
            "too",
        ),
    )


def _drawn(draw: Draw, practised: float) -> Exercise:
    while True:
        numbers = draw.number(300, 1400), draw.pick((8, 16, 24, 32)), draw.number(3, 9)
        if apart(_quantity(*numbers), others=[practised]):
            return _steps(*numbers)


total_steps = _steps(842, 16, 5)
