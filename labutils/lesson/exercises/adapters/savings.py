"""An exercise on what fewer trained weights save, and what they do not."""

from labutils.lesson.exercises.choice import Option, choice, moved
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise
from labutils.lesson.exercises.subjects import ADAPTERS


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
        vary=lambda draw: _drawn(draw, order),
    )


def _drawn(draw: Draw, order: tuple[int, ...]) -> Exercise:
    weights = draw.pick(("7 million", "135 million", "360 million", "1.7 billion", "7 billion"))
    return _saved(draw.number(3, 19) / 10, weights, tuple(moved(draw, order)))


what_shrinks = _saved(1.0, "7 million", (1, 2, 0, 3))
