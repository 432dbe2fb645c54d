"""An exercise on two causes at once: what each does alone, with the other, and only together."""

from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.quantities import Quantity, apart, asked_for
from labutils.lesson.exercises.subjects import EFFECTS


def _quantities(neither: int, pairs: int, handbook: int, both: int) -> tuple[Quantity, ...]:
    """What is asked for, in nats; the four cells come in tenths."""
    alone, on_top = handbook - neither, both - pairs
    advice = "it is the difference of two cells, the later less the earlier"
    return (
        _quantity(
            "alone",
            alone,
            [
                ("the cell itself", handbook, f"that is the cell itself; it was {_nats(neither)} without the handbook"),
                ("the pairs' part", pairs - neither, "that is what the pairs do without the handbook"),
                ("both", both - neither, "that is what both do together"),
                ("the wrong sign", -alone, "the sign is turned: a fall is negative"),
            ],
            advice,
        ),
        _quantity(
            "on_top",
            on_top,
            [
                ("the cell itself", both, f"that is the cell itself; the pairs alone led to {_nats(pairs)}"),
                ("the pairs' part", both - handbook, "that is what the pairs add on top of the handbook"),
                ("both", both - neither, "that is what both do together, the pairs' own part included"),
                ("the wrong sign", -on_top, "the sign is turned: a fall is negative"),
            ],
            advice,
        ),
        _quantity(
            "together",
            on_top - alone,
            [
                ("both", both - neither, "that holds what each of them does alone, too; only the rest is asked for"),
                ("the sum", on_top + alone, "the two effects were added; their difference tells what comes of both"),
                ("the mean", (on_top + alone) / 2, "that is the handbook's mean effect, with and without the pairs"),
                ("the wrong sign", alone - on_top, "the sign is turned: on top of the pairs the handbook does more"),
            ],
            "how much more does the handbook do on top of the pairs than alone?",
        ),
    )


def _quantity(name: str, right: float, slips: list[tuple[str, float, str]], advice: str) -> Quantity:
    wrong = tuple(Wrong(what, _nats(value), says) for what, value, says in slips)
    return Quantity(name, _nats(right), wrong, advice)


def _nats(tenths: float) -> float:
    return round(tenths / 10, 2)


def _cells(neither: int, pairs: int, handbook: int, both: int) -> Exercise:
    quantities = _quantities(neither, pairs, handbook, both)
    alone, on_top, together = (quantity.right for quantity in quantities)
    neither, pairs, handbook, both = map(_nats, (neither, pairs, handbook, both))
    return Exercise(
        name="two_by_two",
        title="Four cells",
        subject=EFFECTS,
        size="medium",
        question=(
            "The table shows the loss of four models on the correct answers about the handbook's facts, in nats per "
            "token (lower is better). All four started from the same base model:\n\n"
            "| | no pairs | pairs about other facts |\n|---|--:|--:|\n"
            f"| not trained on the handbook | {neither} | {pairs} |\n"
            f"| trained on the handbook | {handbook} | {both} |\n\n"
            "By how many nats does training on the handbook change the loss where there are no pairs (`alone`), and "
            "where there are (`on_top`)? A fall is negative. And what is `together`: the change from having both, "
            "minus the two single changes?"
        ),
        starter="alone, on_top, together = ..., ..., ...  # nats",
        hints=(
            "An effect is a difference of two cells that agree in everything else: same column, another row.",
            "`together` is also `on_top - alone`. Try both ways.",
        ),
        solved=(
            f"alone, on_top = {handbook} - {neither}, {both} - {pairs}\n"
            f"together = ({both} - {neither}) - ({handbook} - {neither}) - ({pairs} - {neither})"
        ),
        vary=lambda draw: _drawn(draw, on_top),
        **asked_for(
            *quantities,
            good=f"alone it changes {alone}, with the pairs {on_top}: pairs about other facts make a model surer of "
            f"wrong answers, unless it was trained on the right ones; {together} belong to neither alone",
        ),
    )


def _drawn(draw: Draw, practised: float) -> Exercise:
    while True:
        neither, handbook = draw.number(36, 52), draw.number(14, 26)
        cells = neither, neither + draw.number(8, 22), handbook, handbook - draw.number(2, 8)
        quantities = _quantities(*cells)
        if apart(*quantities) and quantities[1].right != practised:
            return _cells(*cells)


two_by_two = _cells(44, 59, 20, 15)
