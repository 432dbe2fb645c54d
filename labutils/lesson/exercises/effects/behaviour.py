"""An exercise on amounts: behaviour takes few pairs, each fact has to be taught."""

from labutils.lesson.exercises.choice import Option, choice, moved
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise
from labutils.lesson.exercises.subjects import EFFECTS


def _behaviour(pairs: int, form: int, known: int, order: tuple[int, ...]) -> Exercise:
    return choice(
        "behaviour_first",
        "Behaviour first",
        EFFECTS,
        f"You tuned `base` on {pairs} pairs about {pairs} of the company's 222 facts. Afterwards {form} of 100 answers "
        f"keep the format, and of 100 questions about the company, all facts taken together, {known} are answered "
        "correctly. What can raise this number most?",
        [
            Option(
                "Write pairs about the other facts.",
                "the form is the same in all pairs, so few are enough; facts differ, and each needs pairs of its own",
            ),
            Option(
                f"Train longer on the same {pairs} pairs: behaviour comes first, facts follow.",
                f"facts that no pair holds do not follow, however long it trains; it would memorize these {pairs}",
            ),
            Option(
                "Write a better prompt: the base was trained on a lot of text and knows the company's facts.",
                "the company is invented, so no training text names these facts; there is nothing to bring out",
            ),
            Option(
                f"Write one more wording of each of the {pairs} questions.",
                "they help when a question about a taught fact is worded differently; the other facts stay unknown",
            ),
        ],
        order,
        hints=(
            "Which part of an answer is the same in all answers, and which is another one in each?",
            f"{pairs} of 222 facts are taught. How many of 100 questions can be right at best?",
        ),
        vary=lambda draw: _drawn(draw, order),
    )


def _drawn(draw: Draw, order: tuple[int, ...]) -> Exercise:
    pairs = draw.number(12, 60)
    known = max(1, pairs * draw.number(20, 35) // 222)  # of 100 questions, a part of those about taught facts
    return _behaviour(pairs, draw.number(88, 99), known, tuple(moved(draw, order)))


behaviour_first = _behaviour(30, 96, 3, (2, 1, 0, 3))
