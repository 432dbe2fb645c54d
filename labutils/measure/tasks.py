"""Tasks with a metric: the two that ship in `data/tasks`, and any other pairs. What was answered, what it is worth.

How far a score can be trusted is for `intervals` and `classes`; who answered is not known here.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from labutils import places
from labutils.measure import mails, overlap
from labutils.measure.classes import macro_f1, macro_f1_difference
from labutils.measure.intervals import Mean, Score, bootstrap, paired, share
from labutils.measure.overlap import f1, word_f1
from labutils.measure.scoring import exact

FOLDER = places.DATA / "tasks"
FEW = 20  # labels, at the most; more different answers are free text
QUEUE = re.compile(r"queue\W*?:\W*(\w+)", re.IGNORECASE)
KEYWORDS = re.compile(r"keywords?\W*?:(.*)", re.IGNORECASE)


class Routed(NamedTuple):
    """What a reply to a support message says; empty where it does not say it."""

    queue: str
    keywords: list[str]


class Judged(NamedTuple):
    """What every answer is worth: each metric's value of each answer, and labels where the task gives some."""

    values: dict[str, list[float]]  # between 0 and 1; True and False where there is nothing between
    given: list[str]
    expected: list[str]

    def scores(self) -> dict[str, Score]:
        """Every metric with its 95 % interval, macro-F1 of labels first: Wilson's for shares, else the bootstrap's."""
        found = {"macro_f1": macro_f1(self.given, self.expected)} if self.expected else {}
        for name, values in self.values.items():
            hits = all(isinstance(value, bool) for value in values)
            found[name] = share(values) if hits else bootstrap(values)
        return found


def lift(before: Judged, after: Judged) -> dict[str, Mean]:
    """How much higher each metric is after, on the same questions, with the 95 % interval of the difference.

    Where 0 lies inside an interval, there is no lift to speak of. Raises ValueError for other questions or metrics.
    """
    if before.expected != after.expected or before.values.keys() != after.values.keys():
        raise ValueError("expected the same questions and metrics before and after")
    found = {}
    if after.expected:
        found["macro_f1"] = macro_f1_difference(before.given, after.given, after.expected)
    return found | {name: paired(before.values[name], after.values[name]) for name in after.values}


def judge(task: str, answers: Sequence[str], records: Sequence[Mapping]) -> Judged:
    """Judge the answers to a bundled task's records, in the same order.

    "support" has form (two lines, as in the pairs), queue (the right one), keywords (F1 with the expected ones) and
    words (the same, word by word, so that "missing station" and "station" have something in common);
    "emails" has facts and style (shares of a brief's facts, and of the rules of form, that a mail keeps),
    invents_nothing (no number, day or name that the brief lacks) and ready (all of that, and the point first).
    Raises ValueError for an unknown task, no records, or not one answer a record.
    """
    known(task)
    _one_each(answers, records)
    rows = [METRICS[task](answer, record) for answer, record in zip(answers, records, strict=True)]
    values = {name: [row[name] for row in rows] for name in rows[0]}
    if task != "support":
        return Judged(values, [], [])
    return Judged(values, [routed(answer).queue for answer in answers], [routed(r["output"]).queue for r in records])


def judge_pairs(answers: Sequence[str], expected: Sequence[str], among: Sequence[str] = ()) -> Judged:
    """Judge answers of any task by the expected ones: exact, and the F1 of the words that both have.

    With `among`, the labels that `labels` found, macro-F1 is there, too. Raises ValueError as `judge`.
    """
    _one_each(answers, expected)
    both = list(zip(answers, expected, strict=True))
    values = {"exact": [exact(*each) for each in both], "words": [word_f1(*each) for each in both]}
    given, right = ([_plain(text) for text in texts] for texts in (answers, expected))
    return Judged(values, given if among else [], right if among else [])


def labels(answers: Sequence[str]) -> list[str]:
    """The labels that answers are drawn from: 2 to 20 different ones, each five times on average; [] for free text.

    labels(["Yes", "no", "yes"] * 5) -> ["no", "yes"]
    """
    counts = Counter(map(_plain, answers))
    return sorted(counts) if 2 <= len(counts) <= FEW and len(answers) >= 5 * len(counts) else []


def routed(reply: str) -> Routed:
    """The queue and the keywords of a reply, in any letter case, with any marks around them.

    routed("**Queue:** Sales\\nKeywords: Heron, price.") -> Routed("sales", ["heron", "price"])
    """
    queue, keywords = QUEUE.search(reply), KEYWORDS.search(reply)
    listed = re.split(r"[,;]", keywords[1].lower()) if keywords else []
    return Routed(queue[1].lower() if queue else "", [word for each in listed if (word := each.strip(" \t.*_`\"'-"))])


def prompt(task: str, part: str, folder: Path = FOLDER) -> str:
    """How a model that was not tuned on a bundled task is asked for one part of its answer: a text that explains the
    part, shows a few pairs of `train`, and ends where the reply begins, with {question} in the place of the message.

    It lies in `prompt_PART.txt` beside the pairs. Raises ValueError for an unknown task or part.
    """
    known(task)
    if part not in PARTS[task]:
        raise ValueError(f"no part {part!r} of {task}; there are {', '.join(PARTS[task])}")
    return (folder / task / f"prompt_{part}.txt").read_text(encoding="utf-8")


def replied(text: str, task: str) -> str:
    """The reply in what a model wrote behind a prompt: a line, or an e-mail, without the next example that it made up.

    replied(" sales\\n\\nMessage: Where", "support") -> "sales".
    """
    return text.strip().partition("\n" if task == "support" else "\n\nBrief:")[0].strip()


def put_together(task: str, parts: Sequence[str]) -> str:
    """An answer in the form of a task's pairs, from its parts in the order of PARTS.

    put_together("support", ["sales", "heron, price"]) -> "queue: sales\\nkeywords: heron, price".
    """
    names = PARTS[task]
    return parts[0] if len(names) == 1 else "\n".join(map(": ".join, zip(names, parts, strict=True)))


def known(task: str) -> None:
    """Raises ValueError for a task that does not ship, naming those that do."""
    if task not in METRICS:
        raise ValueError(f"no task {task!r}; there are {', '.join(METRICS)}")


def _support(reply: str, record: Mapping) -> dict[str, float]:
    (queue, keywords), right = routed(reply), routed(record["output"])
    form = re.fullmatch(r"queue: \w+\nkeywords: [^,\n]+(, [^,\n]+){1,3}", reply.strip()) is not None
    words = f1(*(overlap.words(" ".join(each)) for each in (keywords, right.keywords)))
    return {"form": form, "queue": queue == right.queue, "keywords": f1(keywords, right.keywords), "words": words}


def _emails(mail: str, record: Mapping) -> dict[str, float]:
    brief, facts, mail = record["instruction"], record["facts"], mail.strip()
    kept = list(mails.style(brief, mail).values())
    carried, style = mails.carried(mail, facts), sum(kept) / len(kept)
    sober = not mails.lacking(brief, mail)
    ready = sober and carried == style == 1 and mails.point_first(mail, facts) and not mails.dropped(brief, mail)
    return {"facts": carried, "style": style, "invents_nothing": sober, "ready": ready}


PARTS = {
    "support": {"queue": 6, "keywords": 24},
    "emails": {"mail": 170},
}  # of an answer, each prompted for alone: tokens
METRICS: Mapping[str, Callable[[str, Mapping], dict[str, float]]] = {"support": _support, "emails": _emails}


def _one_each(answers: Sequence[str], expected: Sequence) -> None:
    if not expected or len(answers) != len(expected):
        raise ValueError(f"expected one answer a question, at least one, got {len(answers)} for {len(expected)}")


def _plain(text: str) -> str:
    """A label as it is compared: letter case, spacing and one final stop aside, as in `scoring.exact`."""
    return " ".join(text.casefold().split()).removesuffix(".").rstrip()
