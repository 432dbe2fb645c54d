"""An exercise on streams: what a shuffle buffer can show, and what it cannot."""

from labutils.lesson.exercises.choice import Option, choice, moved
from labutils.lesson.exercises.exercise import Exercise
from labutils.lesson.exercises.subjects import CORPUS


def _which(pages: int, buffer: int, seen: int, order: tuple[int, ...], thing: str) -> Exercise:
    reached = buffer + seen
    return choice(
        "which_sample",
        "What have you seen?",
        CORPUS,
        f"A corpus of {pages} million {thing}s is stored site by site. You stream it, shuffle it with a buffer of "
        f"{buffer:,}, and look at the first {seen:,} {thing}s that come out. What have you seen?",
        [
            Option(
                f"Some of the first {reached:,} {thing}s, in another order.",
                "a buffer cannot show what the stream has not delivered yet; what comes after the first "
                f"{reached:,} had no chance",
            ),
            Option(
                "A fair sample of the corpus: it was shuffled.",
                f"a buffer of {buffer:,} shuffles what is in it, and no {thing} after the first {reached:,} was ever "
                "in it",
            ),
            Option(
                f"Exactly the first {seen:,} {thing}s, as they are stored.",
                f"the buffer did something: it let {seen:,} out of the first {reached:,} through, so some come from "
                "further back",
            ),
            Option(
                f"A fair sample of the corpus, because the buffer is larger than the {seen:,} you look at.",
                "what counts is the buffer against the corpus, not against your sample; it would have to hold all "
                f"{pages} million",
            ),
        ],
        order,
        hints=(
            "Ask of the very last page of the corpus: could it have come out?",
            f"The buffer is filled first. When the {seen:,}th {thing} leaves it, how many have gone in?",
        ),
        vary=lambda draw: _which(
            draw.number(20, 90),
            1000 * draw.number(2, 9),
            100 * draw.number(3, 9),
            tuple(moved(draw, order)),
            draw.pick(("post", "article")),
        ),
    )


which_sample = _which(8, 10_000, 1000, (1, 0, 2, 3), "page")
