"""An exercise on the objective: what is seen and what should be said, by hand."""

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import PRETRAINING


def _shift(ids: list[int]) -> Exercise:
    def judge(answer: object) -> str:
        sides = answers.items(answer, "two lists, `inputs, targets`")
        if len(sides) != 2:
            raise NotYet(f"expected two lists, `inputs, targets`, got {len(sides)}")
        inputs, targets = (answers.whole_numbers(side) for side in sides)
        for slip in _slips(ids):
            if [inputs, targets] == slip.answer:
                raise NotYet(slip.says)
        if len(inputs) != len(targets):
            raise NotYet(f"{len(inputs)} inputs and {len(targets)} targets; to each input belongs one target")
        if [inputs, targets] != [ids[:-1], ids[1:]]:
            side, given, right = ("inputs", inputs, ids[:-1]) if inputs != ids[:-1] else ("targets", targets, ids[1:])
            raise NotYet(f"the {side} `{given}` are others; there are {len(right)} of them, each in its place")
        return f"{len(ids)} tokens are {len(ids) - 1} lessons, and nobody had to write a label"

    return Exercise(
        name="inputs_and_targets",
        title="Inputs and targets",
        subject=PRETRAINING,
        size="small",
        question=(
            f"A text has the token ids `{ids}`. At each position the model sees one token and should predict the next "
            "one. Give two lists of the same length: the input tokens, and the target for each."
        ),
        starter="inputs, targets = ..., ...  # two lists of numbers",
        answer="inputs, targets",
        judge=judge,
        hints=(
            f"Behind {ids[0]} comes {ids[1]}: that is the first pair of input and target.",
            f"The last token, {ids[-1]}, has nothing behind it. Can it be an input here? The first has nothing before "
            "it. Can it be a target?",
        ),
        solved=f"ids = {ids}\ninputs, targets = ids[:-1], ids[1:]",
        wrong=lambda: [
            *_slips(ids),
            Wrong("one side alone", ids[1:], "expected two lists"),
            Wrong("one too few", [ids[:-2], ids[1:]], "to each input belongs one target"),
            Wrong("sorted", [ids[:-1], sorted(ids[1:])], "each in its place"),
        ],
        vary=lambda draw: _shift(draw.some(range(11, 99), draw.number(5, 7))),
    )


def _slips(ids: list[int]) -> list[Wrong]:
    """The wrong answers that are recognised, each with all of its message."""
    half = len(ids) // 2
    return [
        Wrong("unshifted", [ids, ids], "that is copying: a model that says what it has seen has nothing to predict"),
        Wrong(
            "shifted the wrong way",
            [ids[1:], ids[:-1]],
            "it is shifted the wrong way: at each place the token before would be said, which the model has seen",
        ),
        Wrong(
            "the last one as an input",
            [ids, ids[1:]],
            f"{ids[-1]} is an input without a target; nothing comes behind it in this text",
        ),
        Wrong(
            "the first one as a target",
            [ids[:-1], ids],
            f"{ids[0]} is a target without an input; nothing comes before it",
        ),
        Wrong(
            "as question and answer",
            [ids[:half], ids[half:]],
            "the text was cut in two, as into question and answer; here every token but the first should be said",
        ),
        Wrong("by two", [ids[:-2], ids[2:]], "it is shifted by two; the next token is asked for"),
        Wrong(
            "with a filler",
            [ids, [*ids[1:], -100]],
            "the last target is a filler; leave the last place away, nothing can be learned there",
        ),
    ]


inputs_and_targets = _shift([5, 9, 2, 7, 4])
