"""Exercises on labels: what is trained of an example, by hand, and the end-of-text that padding forgets."""

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.choice import Option, choice, moved
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import PAIRS

IGNORED = -100  # as in labutils.model.encoding, which would bring torch along


def _labels(read: list[int], written: list[int], end: int) -> Exercise:
    ids = [*read, *written, end]
    right = [IGNORED] * len(read) + [*written, end]

    def judge(answer: object) -> str:
        labels = answers.whole_numbers(answer)
        for wrong in slips():
            if labels == wrong.answer:
                raise NotYet(wrong.says)
        if len(labels) != len(ids):
            raise NotYet(f"there are {len(labels)} labels for {len(ids)} tokens; each token has one")
        if labels != right:
            place = next(i for i, (a, b) in enumerate(zip(labels, right, strict=True)) if a != b)
            raise NotYet(
                f"place {place + 1} holds {labels[place]}; the token there is {ids[place]}, is it read or written?"
            )
        return f"{len(written) + 1} of {len(ids)} tokens are trained: the answer, and the end, where it learns to stop"

    def slips() -> list[Wrong]:
        """The wrong answers that are recognised, each with all of its message."""
        swapped = {number: [number if label == IGNORED else label for label in right] for number in (0, -1)}
        found = {
            "the end-of-text is ignored; a model tuned like this never learns to stop": right[:-1] + [IGNORED],
            "the question is trained, too; the model would learn to write your customers' questions": ids,
            "it is the wrong way round: the question is trained, and the answer ignored": (
                read + [IGNORED] * (len(written) + 1)
            ),
            "0 is a token like others and would be trained; the label that ignores is -100": swapped[0],
            "-1 is no label, neither trained nor ignored; what PyTorch's loss passes over is -100": swapped[-1],
            "the labels are shifted by one; they stand under their own tokens, the loss does the shifting": (
                [*right[1:], IGNORED]
            ),
            "these are ones and zeros, a mask; a label is the token's id, or -100": [int(i >= 0) for i in right],
            "only the trained labels are there; what is ignored needs a label, too: -100": [*written, end],
        }
        return [Wrong(says.partition(";")[0], labels, says) for says, labels in found.items()]

    def wrong() -> list[Wrong]:
        return [*slips(), Wrong("one id misread", [*right[:-2], right[-2] + 1, end], "is it read or written")]

    return Exercise(
        name="labels_by_hand",
        title="Labels by hand",
        subject=PAIRS,
        size="small",
        question=(
            f"A prompt has the token ids `{read}`, its answer `{written}`, and end-of-text has the id {end}. The "
            "model is to be trained on what it should write itself, and on nothing else. The example has the "
            f"`input_ids` `{ids}`. Which `labels` belong to it?"
        ),
        starter="my_labels = ...  # a list of numbers",
        answer="my_labels",
        judge=judge,
        hints=(
            f"A label for each of the {len(ids)} tokens, in the same places. Where nothing is to be learned, it is "
            "-100.",
            "The answer is trained, and one token more: the one at which the model learns to stop.",
        ),
        solved=f"my_labels = [-100] * {len(read)} + {written} + [{end}]",
        wrong=wrong,
        vary=_drawn,
    )


def _drawn(draw: Draw) -> Exercise:
    ids = draw.some(range(31, 99), 9)
    read, written = ids[: draw.number(3, 5)], ids[5 : 5 + draw.number(2, 3)]
    return _labels(read, written, ids[-1])


def _endless(order: tuple[int, ...], limit: int | None) -> Exercise:
    """The practised question goes from the cause to what is seen (no limit), the graded one the other way round."""
    forward = (
        "A script sets `tokenizer.pad_token = tokenizer.eos_token`, pads each batch, and then ignores padding by "
        "`labels[input_ids == tokenizer.pad_token_id] = -100`. Training runs, and the loss falls. What will you see "
        "when you ask the tuned model?",
        [
            Option(
                "It answers, and then goes on, with a question of its own, to the limit.",
                "each end-of-text was ignored along with the padding, so at no place did the model learn to stop",
            ),
            Option(
                "Nothing unusual: padding has to be ignored anyway.",
                "padding has, but the end-of-text behind each answer has the same id here, and was ignored with it",
            ),
            Option(
                "It answers with nothing at all, because it ends at once.",
                "to end at once it must have learned end-of-text right behind a prompt; here none is trained anywhere",
            ),
            Option(
                "The training should have stopped with an error.",
                "-100 is what the loss passes over by design, so none of these lines raises anything; hence the trap",
            ),
        ],
    )
    backward = (
        f"A tuned model answers each question rightly, and then writes on to the limit of {limit} tokens, question "
        "after question. Its training loss looked fine. Where will you look first?",
        [
            Option(
                "At the labels: whether the end-of-text behind each answer is trained.",
                "stopping is learned at one token of each pair; where pad and end-of-text share an id, it is easily "
                "ignored",
            ),
            Option(
                f"At the limit: {limit} tokens are too many.",
                f"with a lower limit than {limit} it would be cut off earlier, in the middle of a sentence; it would "
                "stop no better",
            ),
            Option(
                "At the learning rate: it was too low.",
                "the answers are right, so it learned; what was not in the labels no learning rate brings in",
            ),
            Option(
                "At the questions: they should have been trained, too.",
                "that would teach it to write questions even better; what it lacks is the end behind an answer",
            ),
        ],
    )
    question, options = backward if limit else forward
    return choice(
        "endless",
        "When padding is end-of-text",
        PAIRS,
        question,
        options,
        order,
        hints=(
            "Write down a short row: a prompt, an answer, its end-of-text, two places of padding. Which ids are equal?",
            "A model stops where it has learned that end-of-text comes next. At which places was it taught that?",
        ),
        vary=lambda draw: _endless(tuple(moved(draw, order)), 10 * draw.number(5, 40)),
    )


labels_by_hand = _labels([5, 6, 7], [8, 9], 2)
endless = _endless((1, 2, 0, 3), None)
