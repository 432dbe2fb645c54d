"""An exercise on low-rank adapters: how many weights one has."""

from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.quantities import Quantity, apart, asked_for
from labutils.lesson.exercises.subjects import ADAPTERS


def _quantity(rows: int, columns: int, rank: int) -> Quantity:
    right = rank * (rows + columns)
    slips = (
        Wrong("the whole matrix", rows * columns, "that is the whole matrix, which is frozen"),
        Wrong("one of the two", rank * columns, f"that is the matrix with {rank} rows alone; there are two"),
        Wrong("the other one", rank * rows, f"that is the matrix with {rank} columns alone; there are two"),
        Wrong(
            "times the matrix",
            rank * rows * columns,
            f"{rank} times the whole matrix would be more than it; each of the two has one long side, and one of "
            f"{rank}",
        ),
        Wrong("rank forgotten", rows + columns, "that is for a rank of 1"),
        Wrong("with the matrix", right + rows * columns, "the matrix itself was added, and it is frozen"),
        Wrong("as a share", right / (rows * columns), "that is the share of the matrix; the count is asked for"),
    )
    return Quantity("my_count", right, slips, "write down the shapes of both small matrices first", close=0)


def _lora(rows: int, columns: int, rank: int) -> Exercise:
    quantity = _quantity(rows, columns, rank)
    whole = rows * columns
    return Exercise(
        name="lora_weights",
        title="The size of an adapter",
        subject=ADAPTERS,
        size="small",
        question=(
            f"A matrix of {rows} x {columns} weights is frozen. Beside it, LoRA trains two small ones of rank "
            f"{rank}, whose product has the shape of the matrix. How many weights are trained?"
        ),
        starter="my_count = ...  # a whole number",
        hints=(
            f"For the product to be {rows} x {columns}, the first of the two has {rows} rows, the second {columns} "
            f"columns. The rank, {rank}, is the side that they share.",
            f"One holds {rows} x {rank} weights. And the other?",
        ),
        solved=f"my_count = {rows} * {rank} + {rank} * {columns}",
        vary=lambda draw: _drawn(draw, quantity.right),
        **asked_for(
            quantity,
            good=f"{quantity.right:,} instead of {whole:,}, or {quantity.right / whole:.1%}; the larger the matrix, "
            "the smaller the share",
        ),
    )


def _drawn(draw: Draw, practised: float) -> Exercise:
    while True:
        numbers = 32 * draw.number(6, 40), 32 * draw.number(6, 40), draw.pick((2, 4, 6, 12, 16, 32))
        if apart(_quantity(*numbers), others=[practised]):
            return _lora(*numbers)


lora_weights = _lora(576, 1536, 8)
