"""An exercise on two causes at once: what each does alone, with the other, and only together."""

from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.quantities import Quantity, apart, asked_for
from labutils.lesson.exercises.subjects import EFFECTS


def _quantities(neither: int, pairs: int, handbook: int, both: int) -> tuple[Quantity, ...]:
    alone, on_top = handbook - neither, both - pairs
    advice = "it is the difference of two cells"
    return (
        Quantity(
            "alone",
            alone,
            (
                Wrong("the cell itself", handbook, f"that is the cell itself; {neither} % were right without it, too"),
                Wrong("the pairs' part", pairs - neither, "that is what the pairs do without the handbook"),
                Wrong("both", both - neither, "that is what both do together"),
                Wrong("as a share", alone / 100, "points of a hundred are asked for, so leave the percent as they are"),
            ),
            advice,
            close=0,
        ),
        Quantity(
            "on_top",
            on_top,
            (
                Wrong(
                    "the cell itself", both, f"that is the cell itself; the pairs had {pairs} % without the handbook"
                ),
                Wrong("the pairs' part", both - handbook, "that is what the pairs add on top of the handbook"),
                Wrong("both", both - neither, "that is what both do together, the pairs' own part included"),
            ),
            advice,
            close=0,
        ),
        Quantity(
            "together",
            on_top - alone,
            (
                Wrong(
                    "both", both - neither, "that holds what each of them does alone, too; only the rest is asked for"
                ),
                Wrong(
                    "the sum", on_top + alone, "the two effects were added; their difference tells what comes of both"
                ),
                Wrong(
                    "the mean", (on_top + alone) / 2, "that is the handbook's mean effect, with and without the pairs"
                ),
                Wrong(
                    "the wrong sign", alone - on_top, "the sign is turned: on top of the pairs the handbook does more"
                ),
            ),
            "how much more does the handbook do on top of the pairs than alone?",
            close=0,
        ),
    )


def _cells(neither: int, pairs: int, handbook: int, both: int) -> Exercise:
    quantities = _quantities(neither, pairs, handbook, both)
    alone, on_top, together = (int(quantity.right) for quantity in quantities)
    return Exercise(
        name="two_by_two",
        title="Four cells",
        subject=EFFECTS,
        size="medium",
        question=(
            "Four models, made from one base, were asked about the handbook's facts. Shares of right answers:\n\n"
            "| | no pairs | pairs about other facts |\n|---|--:|--:|\n"
            f"| handbook not read | {neither} % | {pairs} % |\n| handbook read | {handbook} % | {both} % |\n\n"
            "How many points does reading the handbook bring where there are no pairs (`alone`), and where there are "
            "(`on_top`)? And how many points come only of having both (`together`): what both bring, less what each "
            "brings alone?"
        ),
        starter="alone, on_top, together = ..., ..., ...  # points",
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
            good=f"alone it brings {alone} points, with the pairs {on_top}: what was read comes out once the model has "
            f"the habit of answering, and {together} points belong to neither alone",
        ),
    )


def _drawn(draw: Draw, practised: int) -> Exercise:
    while True:
        cells = draw.number(1, 4), draw.number(5, 12), draw.number(8, 24), draw.number(35, 79)
        if apart(*_quantities(*cells)) and cells[3] - cells[1] != practised:
            return _cells(*cells)


two_by_two = _cells(1, 4, 12, 47)
