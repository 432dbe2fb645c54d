"""Exercises on a run: how many steps it takes, which checkpoint to keep, and what its loss shares with pretraining."""

import math

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet
from labutils.lesson.exercises.exercise import FINETUNING, Draw, Exercise, Wrong
from labutils.lesson.exercises.forms import Option, Quantity, asked_for, choice, drawn, moved


def _step_quantity(pairs: int, batch: int, epochs: int) -> Quantity:
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
    quantity = _step_quantity(pairs, batch, epochs)
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
        vary=lambda draw: _steps(*drawn(lambda: _recipe(draw), _step_quantity, quantity.right)),
        **asked_for(
            quantity,
            good=f"{quantity.right:g} updates; `Recipe(epochs={epochs}, batch={batch}).total_steps({pairs})` says so, "
            "too",
        ),
    )


def _recipe(draw: Draw) -> tuple[int, int, int]:
    return draw.number(300, 1400), draw.pick((8, 16, 24, 32)), draw.number(3, 9)


total_steps = _steps(842, 16, 5)


Row = tuple[int, float, float]  # step, training loss, held-out loss


def _which_checkpoint(rows: list[Row]) -> Exercise:
    steps = [step for step, _, _ in rows]
    best = min(rows, key=lambda row: row[2])
    first, last = rows[0], rows[-1]

    def judge(answer: object) -> str:
        step = answers.number(answer, "the number of a step")
        if step == best[0]:
            return f"held-out questions are easiest at step {step:g}; what is learned later is the training file itself"
        for slip in slips():
            if step == slip.answer:
                raise NotYet(slip.says)
        raise NotYet(f"the model was kept at steps {', '.join(map(str, steps))}; {step:g} is none of them")

    def slips() -> list[Wrong]:
        """Every other step, and numbers that are no steps, each with all of its message."""
        found = [
            Wrong(
                "the lowest training loss",
                last[0],
                f"that one memorises: its training loss is the lowest, but held-out questions went from {best[2]:.2f} "
                f"back to {last[2]:.2f}",
            ),
            Wrong("before training", first[0], "at step 0 nothing has been learned yet"),
            Wrong("a loss", best[2], "that is the loss itself; hand in the step at which it was measured"),
            Wrong("the row", float(rows.index(best) + 1), "that is the number of the row; hand in the step"),
        ]
        for step, _, held_out in rows[1:-1]:
            way = "has still to fall" if step < best[0] else "has turned and risen again"
            if step != best[0]:
                found.append(Wrong(f"step {step}", step, f"at step {step} the held-out loss, {held_out:.2f}, {way}"))
        return found

    table = "\n".join(f"| {step} | {train:.2f} | {held_out:.2f} |" for step, train, held_out in rows)
    return Exercise(
        name="which_checkpoint",
        title="Which checkpoint?",
        subject=FINETUNING,
        size="small",
        question=(
            "During a run the losses were measured, and a checkpoint saved, at intervals:\n\n"
            f"| step | training loss | held-out loss |\n|--:|--:|--:|\n{table}\n\n"
            "You want a model for questions in words that it has not seen. From which step do you take it?"
        ),
        starter="my_step = ...  # a number of the first column",
        answer="my_step",
        judge=judge,
        hints=(
            "Which of the two losses is measured on what you will use the model for?",
            "The held-out loss falls while something general is learned, and rises when the training file is learned "
            "by heart. Find its turn.",
        ),
        solved=f"my_step = {best[0]}",
        wrong=lambda: [*slips(), Wrong("another number", last[0] + 1, "is none of them")],
        vary=lambda draw: _drawn_checkpoint(draw, best[0]),
    )


def _drawn_checkpoint(draw: Draw, practised: int) -> Exercise:
    """Another run: the training loss falls, the held-out loss turns at a row between, at another step."""
    every, turn, count = draw.pick((15, 20, 30, 60)), draw.number(2, 4), 7
    if every * turn == practised:
        every += 5
    train, held_out, rows = draw.number(280, 340), draw.number(290, 350), []
    for row in range(count):
        rows.append((row * every, train / 100, held_out / 100))
        train = train * draw.number(55, 75) // 100
        held_out = held_out * draw.number(70, 85) // 100 if row < turn else held_out + draw.number(4, 14)
    return _which_checkpoint(rows)


which_checkpoint = _which_checkpoint(
    [(0, 3.21, 3.25), (25, 1.94, 2.11), (50, 1.22, 1.63), (75, 0.71, 1.41), (100, 0.38, 1.48), (125, 0.19, 1.62),
     (150, 0.08, 1.83)]
)  # fmt: skip


LOSS_HINTS = (
    "The loss takes logits and labels. Does it know whether it is called for pretraining or for fine-tuning?",
    "Take one pair as plain text, and once more as prompt and answer: compare the `input_ids`, then the `labels`.",
)


def _same_program(order: tuple[int, ...]) -> Exercise:
    return _same_loss(
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


def _same_pair(order: tuple[int, ...], tokens: int, written: int, everything: float, answer: float) -> Exercise:
    """The graded question: two losses of one pair."""
    return _same_loss(
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


def _same_loss(question: str, options: list[Option], order: tuple[int, ...]) -> Exercise:
    return choice(
        "same_loss",
        "One program or two?",
        FINETUNING,
        question,
        options,
        order,
        hints=LOSS_HINTS,
        vary=lambda draw: _drawn_loss(draw, order),
    )


def _drawn_loss(draw: Draw, order: tuple[int, ...]) -> Exercise:
    everything = draw.number(210, 340)
    written = draw.number(8, 19)
    answer = everything * draw.number(45, 75) // 100
    return _same_pair(tuple(moved(draw, order)), written + draw.number(14, 30), written, everything / 100, answer / 100)


same_loss = _same_program((1, 2, 3, 0))
