"""An exercise on metrics of queues: one that a model cannot please by always saying the same."""

from collections.abc import Sequence

from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.functions import source, written
from labutils.lesson.exercises.subjects import TASKS
from labutils.lesson.exercises.tasks.baseline import QUEUES


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


F1 = "The F1 of a queue is twice its hits, divided by how often it is right plus how often it is said."
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
