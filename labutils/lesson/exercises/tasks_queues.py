"""Exercises on a task: what the laziest answer scores, which task to take first, a score that is fair to each queue."""

from collections.abc import Mapping, Sequence

from labutils.lesson.exercises.exercise import OWN_FILE, TASKS, Draw, Exercise, Wrong
from labutils.lesson.exercises.forms import Option, Quantity, asked_for, choice, drawn, moved, source, written

QUEUES = ("repairs", "software", "orders", "calibration", "sales", "billing", "returns")


def _share_quantity(counts: Mapping[str, int]) -> Quantity:
    total, most = sum(counts.values()), max(counts.values())
    slips = (
        Wrong(
            "all queues alike",
            1 / len(counts),
            f"that is one of {len(counts)} queues at random; always saying the most frequent one does better",
        ),
        Wrong(
            "drawn by their shares",
            sum(count**2 for count in counts.values()) / total**2,
            "that is for queues drawn by their shares; always saying the most frequent one does better",
        ),
        Wrong("counted", most, f"that is the number of messages; divide it by all {total}"),
        Wrong("in percent", 100 * most / total, "a share between 0 and 1 is asked for; this is in percent"),
        Wrong("the other way", 1 - most / total, "that is the share which it gets wrong"),
    )
    return Quantity("my_share", most / total, slips, "which queue is the best blind guess?", close=0.013)


def _baseline(counts: Mapping[str, int], what: str) -> Exercise:
    quantity = _share_quantity(counts)
    most, total = max(counts, key=counts.get), sum(counts.values())
    table = "\n".join(f"| {name} | {count} |" for name, count in counts.items())
    return Exercise(
        name="baseline_first",
        title="What the laziest answer scores",
        subject=OWN_FILE,
        size="small",
        question=(
            f"Before any model is tuned to route {what}, ask what has to be beaten. The held-out ones belong to these "
            f"queues:\n\n| queue | messages |\n|---|--:|\n{table}\n\n"
            "A rival that ignores the message gives the same queue to all of them. What share does it get right at "
            "best?"
        ),
        starter="my_share = ...  # a number between 0 and 1, two decimals are enough",
        hints=(
            "It may choose its queue once. Which one would you give it?",
            "Count the messages that belong there, and divide by all of them.",
        ),
        solved=f"my_share = {counts[most]} / {total}  # always `{most}`",
        vary=lambda draw: _drawn_baseline(draw, quantity.right),
        **asked_for(
            quantity,
            good=f"`{most}` alone is right in {quantity.right:.0%} of cases, without reading a word; a tuned model has "
            "to do better before its score means anything",
        ),
    )


def _drawn_baseline(draw: Draw, practised: float) -> Exercise:
    what = draw.pick(("complaints", "e-mails", "support messages", "telephone notes"))

    def counts() -> tuple[dict[str, int]]:
        names = draw.some(QUEUES, draw.number(4, 6))
        return ({name: draw.number(5, 25) for name in names} | {names[1]: draw.number(40, 90)},)

    return _baseline(*drawn(counts, _share_quantity, practised), what)


baseline_first = _baseline(
    {"repairs": 14, "software": 19, "orders": 11, "billing": 61, "returns": 7}, "support messages"
)


OK = ("Sorting support messages into seven queues", "E-mails from short briefs", "Keywords of repair reports")
GOOD = ("Greetings at the head of a letter", "The day of the week of a date", "Titles for meeting notes")
MISSING = (
    "Next month's sales, from this month's messages",
    "The name of the person who will answer, from the question",
    "The price of a repair, from the customer's first message",
)
TASTE = ("Slogans for the fair", "Names for a new instrument", "Jokes for the newsletter")


def _which_task(tasks: tuple[str, str, str, str], counts: tuple[int, int, int], order: tuple[int, ...]) -> Exercise:
    ok, good, missing, taste = tasks
    bad, fair, better = counts
    total = sum(counts)
    return choice(
        "which_task",
        "Which task first?",
        TASKS,
        f"You gave a large model {total} inputs of each of four tasks, and two colleagues judged the "
        "replies independently. You will write a thousand pairs for one of the tasks and tune a small model. "
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
        vary=lambda draw: _drawn_task(draw, order),
    )


def _drawn_task(draw: Draw, order: tuple[int, ...]) -> Exercise:
    tasks = tuple(draw.pick(names) for names in (OK, GOOD, MISSING, TASTE))
    counts = draw.number(3, 6), draw.number(11, 16), draw.number(2, 3)
    return _which_task(tasks, counts, tuple(moved(draw, order)))


which_task = _which_task((OK[0], GOOD[0], MISSING[0], TASTE[0]), (4, 13, 3), (1, 3, 2, 0))


def mean_f1(right, said):
    found = []
    for queue in set(right):
        hits = sum(a == b == queue for a, b in zip(right, said))  # noqa: B905
        found.append(2 * hits / (right.count(queue) + said.count(queue)))
    return sum(found) / len(found)


def mean_recall(right, said):
    found = []
    for queue in set(right):
        hits = sum(a == b == queue for a, b in zip(right, said))  # noqa: B905
        found.append(hits / right.count(queue))
    return sum(found) / len(found)


def lowest_f1(right, said):
    found = []
    for queue in set(right):
        hits = sum(a == b == queue for a, b in zip(right, said))  # noqa: B905
        found.append(2 * hits / (right.count(queue) + said.count(queue)))
    return min(found)


F1 = (
    "The F1 of a queue is twice its hits, divided by how often it occurs in `right` plus how often it occurs in `said`."
)
ASKED = {  # what is asked for: the right function, and its description
    "macro F1": (mean_f1, f"{F1} Macro-F1 is the mean of these over all queues that occur in `right`."),
    "mean recall": (
        mean_recall,
        "The recall of a queue is its hits, divided by how often it is right. The score is the mean of these over all "
        "queues that occur in `right`.",
    ),
    "lowest F1": (lowest_f1, f"{F1} The score is the lowest of these among all queues that occur in `right`."),
}


def accuracy(right: Sequence[str], said: Sequence[str]) -> float:
    """The share of messages that went to their queue."""
    return sum(a == b for a, b in zip(right, said, strict=True)) / len(right)


def weighted(right: Sequence[str], said: Sequence[str]) -> float:
    """The mean F1 of the messages' queues, so that a frequent queue counts more."""
    each = [2 * _hits(right, said, queue) / (right.count(queue) + said.count(queue)) for queue in right]
    return sum(each) / len(each)


def over_both(right: Sequence[str], said: Sequence[str]) -> float:
    """Macro-F1 over every queue that is right or said."""
    queues = {*right, *said}
    return sum(2 * _hits(right, said, q) / (right.count(q) + said.count(q)) for q in queues) / len(queues)


def _hits(right: Sequence[str], said: Sequence[str], queue: str) -> int:
    return sum(a == b == queue for a, b in zip(right, said, strict=True))


def _precision(right: Sequence[str], said: Sequence[str]) -> float:
    queues = set(right)
    return sum(_hits(right, said, q) / (said.count(q) or 1) for q in queues) / len(queues)


def _score(asked: str, names: Sequence[str]) -> Exercise:
    right, named = ASKED[asked]
    a, b, c, strange = names
    cases = [
        ([a, a, b, c], [a, b, b, a]),
        ([a] * 8 + [b, c], [a] * 10),
        ([a] * 6 + [b] * 3 + [c], [a] * 5 + [b] * 3 + [strange, c]),
        ([b, a, a, a, c, c], [b, a, b, a, c, b]),
        ([a, b, c], [a, b, c]),
    ]
    shown = cases[0]
    return Exercise(
        name="fair_score",
        title="A score for queues",
        subject=TASKS,
        size="medium",
        question=(
            "A model that always says the commonest queue should not look good. Write `queue_score(right, said)` for "
            f"two lists of queues, message by message: what is right, and what a model said. {named} For `{shown[0]}` "
            f"and `{shown[1]}` it gives `{right(*shown):.3f}`. A model may also say a queue that is never right."
        ).replace("'", '"'),
        starter="def queue_score(right, said):\n    return ...  # a number between 0 and 1",
        hints=(
            "Go through `set(right)`, the queues, each once. `right.count(queue)` tells how often one is right.",
            "The hits of a queue: `sum(a == b == queue for a, b in zip(right, said))`.",
        ),
        solved=source(right, "queue_score"),
        vary=lambda draw: _score(draw.pick(("mean recall", "lowest F1")), draw.some(QUEUES, 4)),
        **written(
            "queue_score",
            right,
            cases,
            _slips(asked, cases[1]),
            good="a queue of five messages now counts as much as one of five hundred, and has to be found, too",
            told=lambda right, said: f"{right} and {said}",
            more=[
                Wrong("queues never said", lambda right, said: 1 / said.count(right[-1]), "ZeroDivisionError"),
                Wrong("a list", lambda right, said: [accuracy(right, said)], "got a list"),
            ],
        ),
    )


def _slips(asked: str, lazy: tuple[list[str], list[str]]) -> list[Wrong]:
    others = {
        "in percent": (
            lambda right, said: 100 * ASKED[asked][0](right, said),
            "a score between 0 and 1 is asked for; this is in percent",
        ),
        "accuracy": (
            accuracy,
            f"that is the accuracy: always answering `{lazy[0][0]}` scores {accuracy(*lazy):.0%} here",
        ),
        "weighted": (weighted, "each message counts, not each queue, so the frequent queues drown the others again"),
        "precision": (
            _precision,
            "that divides by how often a queue is said alone, so queues never said are hardly seen",
        ),
        "macro F1": (mean_f1, f"that is the mean F1; {asked} is asked for"),
        "mean recall": (
            mean_recall,
            "that divides by how often a queue is right alone; who says it for every message finds them all",
        ),
        "lowest F1": (lowest_f1, "that is the score of the worst queue alone; the mean of all is asked for"),
    }
    if asked == "macro F1":
        others["over both"] = over_both, "queues that are only said are counted, too; go through those in `right`"
    return [Wrong(what, function, says) for what, (function, says) in others.items() if what != asked]


fair_score = _score("macro F1", ("billing", "sales", "repairs", "orders"))
