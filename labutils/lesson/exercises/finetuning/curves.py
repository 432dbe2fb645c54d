"""An exercise on curves: which checkpoint to keep."""

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import FINETUNING

Row = tuple[int, float, float]  # step, training loss, held-out loss


def _which(rows: list[Row]) -> Exercise:
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
        vary=lambda draw: _drawn(draw, best[0]),
    )


def _drawn(draw: Draw, practised: int) -> Exercise:
    """Another run: the training loss falls, the held-out loss turns at a row between, at another step."""
    every, turn, count = draw.pick((15, 20, 30, 60)), draw.number(2, 4), 7
    if every * turn == practised:
        every += 5
    train, held_out, rows = draw.number(280, 340), draw.number(290, 350), []
    for row in range(count):
        rows.append((row * every, train / 100, held_out / 100))
        train = train * draw.number(55, 75) // 100
        held_out = held_out * draw.number(70, 85) // 100 if row < turn else held_out + draw.number(4, 14)
    return _which(rows)


which_checkpoint = _which(
    [(0, 3.21, 3.25), (25, 1.94, 2.11), (50, 1.22, 1.63), (75, 0.71, 1.41), (100, 0.38, 1.48), (125, 0.19, 1.62),
     (150, 0.08, 1.83)]
)  # fmt: skip
