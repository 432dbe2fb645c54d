"""An exercise on the first step: which task is worth a thousand pairs."""

from labutils.lesson.exercises.choice import Option, choice, moved
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise
from labutils.lesson.exercises.subjects import TASKS

OK = ("Sorting support messages into seven queues", "E-mails from short briefs", "Keywords of repair reports")
GOOD = ("Greetings at the head of a letter", "The day of the week of a date", "Titles for meeting notes")
MISSING = (
    "Next month's sales, from this month's messages",
    "The name of the person who will answer, from the question",
    "The price of a repair, from the customer's first message",
)
TASTE = ("Slogans for the fair", "Names for a new instrument", "Jokes for the newsletter")


def _which(tasks: tuple[str, str, str, str], counts: tuple[int, int, int], order: tuple[int, ...]) -> Exercise:
    ok, good, missing, taste = tasks
    bad, fair, better = counts
    total = sum(counts)
    return choice(
        "which_task",
        "Which task first?",
        TASKS,
        f"You prompted a large model with {total} examples of each of four tasks, and two colleagues judged the "
        "replies apart from each other. You will write a thousand pairs for one of the tasks and tune a small model. "
        "Which one?",
        [
            Option(
                f"{ok}: {bad} bad, {fair} OK, {better} good; both agree on nearly all.",
                "there is room above OK, and you can tell bad, OK and better apart, the surest sign that pairs will "
                "help",
            ),
            Option(
                f"{good}: 0 bad, 1 OK, {total - 1} good; both agree.",
                "the prompt alone does it already; there is no room for a lift that would pay for a thousand pairs",
            ),
            Option(
                f"{missing}: {total} bad; both agree.",
                "what is asked for is not in the input, so no number of pairs can teach how to find it",
            ),
            Option(
                f"{taste}: one finds {fair} good, the other {bad}, and hardly the same ones.",
                "if nobody can tell better from worse, nobody can write pairs that are better, nor measure a lift",
            ),
        ],
        order,
        hints=(
            "Where is there room above what the prompt does, and a way to get there from the input?",
            "You have to recognise a better reply twice: when you write the pairs, and when you score the result.",
        ),
        vary=lambda draw: _drawn(draw, order),
    )


def _drawn(draw: Draw, order: tuple[int, ...]) -> Exercise:
    tasks = tuple(draw.pick(names) for names in (OK, GOOD, MISSING, TASTE))
    counts = draw.number(3, 6), draw.number(11, 16), draw.number(2, 3)
    return _which(tasks, counts, tuple(moved(draw, order)))


which_task = _which((OK[0], GOOD[0], MISSING[0], TASTE[0]), (4, 13, 3), (1, 3, 2, 0))
