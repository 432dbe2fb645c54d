"""Exercises on adapters: how many weights one has, and what fewer trained weights save."""

from labutils.lesson.exercises.choice import Option, choice, moved
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
        vary=lambda draw: _drawn_lora(draw, quantity.right),
        **asked_for(
            quantity,
            good=f"{quantity.right:,} instead of {whole:,}, or {quantity.right / whole:.1%}; the larger the matrix, "
            "the smaller the share",
        ),
    )


def _drawn_lora(draw: Draw, practised: float) -> Exercise:
    while True:
        numbers = 32 * draw.number(6, 40), 32 * draw.number(6, 40), draw.pick((2, 4, 6, 12, 16, 32))
        if apart(_quantity(*numbers), others=[practised]):
            return _lora(*numbers)


lora_weights = _lora(576, 1536, 8)


def _saved(share: float, weights: str, order: tuple[int, ...]) -> Exercise:
    return choice(
        "what_shrinks",
        "One percent of what?",
        ADAPTERS,
        f"You tune a model of {weights} weights twice on the same pairs, with the same batches and steps: all weights "
        f"once, and once {share:g} % of them, as adapters beside the matrices. What shrinks to about {share:g} %, too?",
        [
            Option(
                "The file that you keep, and what the optimizer remembers.",
                "only what is trained has to be kept and needs moments; all that was read and computed on the way "
                "stays",
            ),
            Option(
                "The minutes of the run.",
                "each token still goes through all weights and back; only the gradients of the still ones are spared, "
                "about a third of the work at best",
            ),
            Option(
                "The memory that the weights take while it is tuned.",
                "the still weights lie in memory, too, since every token goes through them; in fewer bits, if you like",
            ),
            Option(
                "The number of pairs that are needed.",
                "the model has to see the same facts; how many weights learn them says nothing of how often they must "
                "be read",
            ),
        ],
        order,
        hints=(
            "Follow one token through the model: which matrices does it meet, moving ones or all of them?",
            "What does training write down for each weight that moves? What would you have to send to a friend who has "
            "the base already?",
        ),
        vary=lambda draw: _drawn_saved(draw, order),
    )


def _drawn_saved(draw: Draw, order: tuple[int, ...]) -> Exercise:
    weights = draw.pick(("7 million", "135 million", "360 million", "1.7 billion", "7 billion"))
    return _saved(draw.number(3, 19) / 10, weights, tuple(moved(draw, order)))


what_shrinks = _saved(1.0, "7 million", (1, 2, 0, 3))
