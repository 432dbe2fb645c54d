"""An exercise on amounts: the format comes from few pairs, each fact has to be taught."""

from labutils.lesson.exercises.choice import Option, choice, moved
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise
from labutils.lesson.exercises.subjects import EFFECTS


def _formats(pairs: int, form: int, known: int, order: tuple[int, ...]) -> Exercise:
    return choice(
        "format_first",
        "Format first",
        EFFECTS,
        f"You tuned `base` on {pairs} pairs about {pairs} of the company's 222 facts. Afterwards {form} of 100 answers "
        f"keep the format, and of 100 questions about the company, all facts taken together, {known} are answered "
        "rightly. What do you do to get more of them right?",
        [
            Option(
                "Write pairs about the other facts.",
                "the form is one habit, and few pairs show it; facts are many, and each has to be in the training data",
            ),
            Option(
                f"Train longer on the same {pairs} pairs: the format comes first, facts follow.",
                f"facts that no pair holds do not follow, however long it trains; it would only learn these {pairs} by "
                "heart",
            ),
            Option(
                "Write a better prompt: the base was trained on much text and knows the company's facts.",
                "the company is invented, so no text that it was trained on names these facts; there is nothing to "
                "tease out",
            ),
            Option(
                f"Write {pairs} more wordings of the same {pairs} questions.",
                "they help with questions in new words, about the facts that are taught; the other facts stay unknown",
            ),
        ],
        order,
        hints=(
            "Which part of an answer is the same in all answers, and which is another one in each?",
            f"{pairs} of 222 facts are taught. How many of 100 questions can be right at best, unless the model "
            "guesses?",
        ),
        vary=lambda draw: _drawn(draw, order),
    )


def _drawn(draw: Draw, order: tuple[int, ...]) -> Exercise:
    pairs = draw.number(12, 60)
    known = pairs * draw.number(20, 35) // 100  # most of those that were taught
    return _formats(pairs, draw.number(88, 99), known, tuple(moved(draw, order)))


format_first = _formats(30, 96, 9, (2, 1, 0, 3))
