"""Exercises on what an adapter saves: how many weights it has, what shrinks with them, and the memory of training."""

from labutils.lesson.exercises.exercise import ADAPTERS, Draw, Exercise, Wrong
from labutils.lesson.exercises.forms import Option, Quantity, apart, asked_for, choice, drawn, moved
from labutils.model.costs import BYTES, training_memory


def _lora_quantity(rows: int, columns: int, rank: int) -> Quantity:
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
    quantity = _lora_quantity(rows, columns, rank)
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
        vary=lambda draw: _lora(*drawn(lambda: _shape(draw), _lora_quantity, quantity.right)),
        **asked_for(
            quantity,
            good=f"{quantity.right:,} instead of {whole:,}, or {quantity.right / whole:.1%}; the larger the matrix, "
            "the smaller the share",
        ),
    )


def _shape(draw: Draw) -> tuple[int, int, int]:
    return 32 * draw.number(6, 40), 32 * draw.number(6, 40), draw.pick((2, 4, 6, 12, 16, 32))


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


def _memory_quantities(billions: int, millions: int, precision: str) -> tuple[Quantity, ...]:
    weights, adapter, each = billions * 1e9, millions * 1e6, BYTES[precision]
    own = 16 * millions / 1000
    return (
        Quantity(
            "my_full",
            training_memory(weights).total,
            (
                Wrong("the weights alone", 4 * billions, "that is the weights alone, enough to ask the model"),
                Wrong("no moments", 8 * billions, "AdamW keeps two moments for each weight, 4 bytes each"),
                Wrong("one moment", 12 * billions, "AdamW keeps two moments, the mean of a gradient and of its square"),
                Wrong("in bits", 128 * billions, "those are bits, 32 for each number; a byte has 8 of them"),
            ),
            "how many numbers of 4 bytes does each weight need, itself included?",
            close=0.002,
        ),
        Quantity(
            "my_adapter",
            training_memory(weights, adapter=adapter, precision=precision).total,
            (
                Wrong("no still weights", own, "the frozen weights are in memory, too"),
                Wrong("no training", each * billions, "that is the still weights alone; the adapter is trained"),
                Wrong(
                    "the adapter's weights alone",
                    each * billions + 4 * millions / 1000,
                    "the adapter has gradients and moments, too",
                ),
                Wrong(
                    "still weights in fp32",
                    4 * billions + own,
                    f"the still weights lie in {precision}, {each:g} bytes each",
                ),
                Wrong(
                    "gradients for all",
                    (each + 4) * billions + own,
                    "frozen weights need no gradients",
                ),
            ),
            "add the still weights in their precision and 16 bytes for each weight of the adapter",
            close=0.002,
        ),
    )


def _memory(billions: int, millions: int, precision: str) -> Exercise:
    quantities = _memory_quantities(billions, millions, precision)
    full, adapter = (quantity.right for quantity in quantities)
    each = BYTES[precision]
    return Exercise(
        name="two_memories",
        title="Will it fit?",
        subject=ADAPTERS,
        size="medium",
        question=(
            f"A model has {billions} billion weights. How many GB (10^9 bytes) does training take with AdamW, "
            "activations left aside? First with all weights in fp32, 4 bytes a number: weights, gradients, and the two "
            "running averages that AdamW keeps for each trained weight (its moments), 4 bytes each (`my_full`). "
            f"Then with the weights frozen in {precision}, {each:g} bytes each, and "
            f"an adapter of {millions} million weights that is trained in fp32 (`my_adapter`)."
        ),
        starter="my_full, my_adapter = ..., ...  # GB",
        hints=(
            "A trained weight in fp32 takes four numbers: itself, its gradient, two moments. That is 16 bytes.",
            "With an adapter, still weights take their own bytes and nothing more; only the adapter's take 16.",
        ),
        solved=f"my_full = {billions} * 16\nmy_adapter = {billions} * {each:g} + {millions} / 1000 * 16",
        vary=lambda draw: _drawn_memory(draw, full),
        **asked_for(
            *quantities,
            good=f"{full:,.0f} GB against {adapter:.1f}; gradients and moments are three quarters of the first, and "
            "what is frozen needs none",
        ),
    )


def _drawn_memory(draw: Draw, practised: float) -> Exercise:
    while True:
        numbers = draw.number(2, 34), 10 * draw.number(3, 24), draw.pick(("bf16", "8 bit", "4 bit"))
        quantities = _memory_quantities(*numbers)
        if apart(*quantities) and quantities[0].right != practised:
            return _memory(*numbers)


two_memories = _memory(7, 40, "bf16")
