"""An exercise on memory: what training takes with all weights, and with an adapter."""

from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.quantities import Quantity, apart, asked_for
from labutils.lesson.exercises.subjects import ADAPTERS
from labutils.model.costs import BYTES, training_memory


def _quantities(billions: int, millions: int, precision: str) -> tuple[Quantity, ...]:
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
    quantities = _quantities(billions, millions, precision)
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
        vary=lambda draw: _drawn(draw, full),
        **asked_for(
            *quantities,
            good=f"{full:,.0f} GB against {adapter:.1f}; gradients and moments are three quarters of the first, and "
            "what is frozen needs none",
        ),
    )


def _drawn(draw: Draw, practised: float) -> Exercise:
    while True:
        numbers = draw.number(2, 34), 10 * draw.number(3, 24), draw.pick(("bf16", "8 bit", "4 bit"))
        quantities = _quantities(*numbers)
        if apart(*quantities) and quantities[0].right != practised:
            return _memory(*numbers)


two_memories = _memory(7, 40, "bf16")
