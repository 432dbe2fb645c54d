"""An exercise on the objective: what differs between pretraining and fine-tuning, and what does not."""

from labutils.lesson.exercises.choice import Option, choice, moved
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise
from labutils.lesson.exercises.subjects import FINETUNING

HINTS = (
    "The loss takes logits and labels. Does it know whether it is called for pretraining or for fine-tuning?",
    "Take one pair as plain text, and once more as prompt and answer: compare the `input_ids`, then the `labels`.",
)


def _question(order: tuple[int, ...]) -> Exercise:
    return _made(
        "A colleague plans two programs, one for pretraining and one for fine-tuning, since the two have different "
        "aims. What differs between pretraining and fine-tuning?",
        [
            Option(
                "The data, and usually the positions at which the loss counts.",
                "the loss function is the same to the last digit; data and labels make the difference, so one program "
                "does both",
            ),
            Option(
                "The loss: pretraining predicts the next token, fine-tuning compares whole answers.",
                "fine-tuning predicts the next token, too; an answer is judged token by token by the same function",
            ),
            Option(
                "The weights that are updated: in fine-tuning, those of the last layer.",
                "all weights are updated in both; training the last layer alone is what one knows from classifiers",
            ),
            Option(
                "The targets: pretraining has none, fine-tuning has answers.",
                "pretraining has a target at nearly every position: the text, shifted by one",
            ),
        ],
        order,
    )


def _numbers(order: tuple[int, ...], tokens: int, written: int, everything: float, answer: float) -> Exercise:
    """The graded question: two losses of one pair."""
    return _made(
        f"A pair has {tokens} tokens, of which {written} are its answer and the end. One model and one function give "
        f"it a loss of {everything:.2f} with every label counted, and of {answer:.2f} with those of the answer alone. "
        "Why do they differ?",
        [
            Option(
                "They are means over different positions of the same predictions.",
                f"the predictions are the same; the first is a mean over {tokens} positions, the second over the "
                f"{written} at which this model happens to predict better",
            ),
            Option(
                "The second is another loss, made for answers.",
                "one function gave both; only the labels that were handed to it differ",
            ),
            Option(
                "The model learned something between the two.",
                "nothing was trained; a loss is only measured, and no weight changed",
            ),
            Option(
                f"The second sum is smaller, since it has {written} parts, and both are divided by {tokens}.",
                "each is divided by the positions that it counts, so fewer positions alone make no loss smaller",
            ),
        ],
        order,
    )


def _made(question: str, options: list[Option], order: tuple[int, ...]) -> Exercise:
    return choice(
        "same_loss",
        "One program or two?",
        FINETUNING,
        question,
        options,
        order,
        hints=HINTS,
        vary=lambda draw: _drawn(draw, order),
    )


def _drawn(draw: Draw, order: tuple[int, ...]) -> Exercise:
    everything = draw.number(210, 340)
    written = draw.number(8, 19)
    answer = everything * draw.number(45, 75) // 100
    return _numbers(tuple(moved(draw, order)), written + draw.number(14, 30), written, everything / 100, answer / 100)


same_loss = _question((1, 2, 3, 0))
