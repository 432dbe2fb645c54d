"""Tasks with a metric: the two that ship in `data/tasks`, and any other pairs. What was answered, what it is worth.

The rules of the e-mails are in `data/tasks/emails/README.md`; whether a mail is kind, or clear, none of them sees. Who
answered is not known here.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from labutils import places
from labutils.measure.intervals import Mean, Score, bootstrap, paired, share
from labutils.measure.scoring import exact, f1, fact_hit, macro_f1, macro_f1_difference, normalized, word_f1, words

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
    given, right = ([normalized(text) for text in texts] for texts in (answers, expected))
    return Judged(values, given if among else [], right if among else [])


def labels(answers: Sequence[str]) -> list[str]:
    """The labels that answers are drawn from: 2 to 20 different ones, each five times on average; [] for free text.

    labels(["Yes", "no", "yes"] * 5) -> ["no", "yes"]
    """
    counts = Counter(map(normalized, answers))
    return sorted(counts) if 2 <= len(counts) <= FEW and len(answers) >= 5 * len(counts) else []


def routed(reply: str) -> Routed:
    """The queue and the keywords of a reply, in any letter case, with any marks around them.

    routed("**Queue:** Sales\\nKeywords: Heron, price.") -> Routed("sales", ["heron", "price"])
    """
    queue, keywords = QUEUE.search(reply), KEYWORDS.search(reply)
    listed = re.split(r"[,;]", keywords[1].lower()) if keywords else []
    return Routed(queue[1].lower() if queue else "", [word for each in listed if (word := each.strip(" \t.*_`\"'-"))])


def prompt(task: str, part: str, folder: Path = FOLDER) -> str:
    """How a model that was not tuned on a bundled task is asked for one part of its answer: `prompt_PART.txt` beside
    the pairs explains it, shows a few pairs of `train`, and ends where the reply begins, with {question} for the
    message.

    Raises ValueError for an unknown task or part.
    """
    known(task)
    if part not in PARTS[task]:
        raise ValueError(f"no part {part!r} of {task}; there are {', '.join(PARTS[task])}")
    return (folder / task / f"prompt_{part}.txt").read_text(encoding="utf-8")


def replied(text: str, task: str) -> str:
    """The reply in what a model wrote behind a prompt, without the next example that it made up.

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
    agree = f1(*(words(" ".join(each)) for each in (keywords, right.keywords)))
    return {"form": form, "queue": queue == right.queue, "keywords": f1(keywords, right.keywords), "words": agree}


def _emails(mail: str, record: Mapping) -> dict[str, float]:
    brief, facts, mail = record["instruction"], record["facts"], mail.strip()
    rules = list(style(brief, mail).values())
    held, kept, sober = carried(mail, facts), sum(rules) / len(rules), not lacking(brief, mail)
    ready = sober and held == kept == 1 and point_first(mail, facts) and not dropped(brief, mail)
    return {"facts": held, "style": kept, "invents_nothing": sober, "ready": ready}


PARTS = {"support": {"queue": 6, "keywords": 24}, "emails": {"mail": 170}}  # each prompted for alone, and its tokens
METRICS: Mapping[str, Callable[[str, Mapping], dict[str, float]]] = {"support": _support, "emails": _emails}


def _one_each(answers: Sequence[str], expected: Sequence) -> None:
    if not expected or len(answers) != len(expected):
        raise ValueError(f"expected one answer a question, at least one, got {len(answers)} for {len(expected)}")


# The house style of the writing task, and what a mail carries of its brief.

CLOSING = "Kind regards from the quay,\nTidewren Instruments"
LEAST, MOST, LONGEST = 40, 90, 45  # words of a mail, greeting and closing counted; words of a paragraph
APOLOGY = r"\bsorry\b|\bapolog\w+|\bregret\w*|\bforgive\b"
STOCK = (
    "hope this", "finds you well", "do not hesitate", "feel free", "reach out", "valued customer", "at your earliest",
    "inconvenience", "as per", "please be advised", "thank you for contacting", "we are writing to", "kindly note",
    "we would like to inform", "look no further", "rest assured", "touch base", "going forward",
)  # fmt: skip
COUNTING = {
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "fifteen", "twenty",
    "thirty", "forty", "fifty", "hundred",
}  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SOON = {"today", "tomorrow", "yesterday", "tonight", "weekend", *(day.lower() for day in DAYS)}
PRODUCTS = {
    "plover", "heron", "godwit", "sandpiper", "turnstone", "curlew", "dunlin", "avocet", "shoreline", "estuary",
}  # fmt: skip


def addressee(brief: str) -> str:
    """Who the mail goes to. addressee("to: Mr Adeyemi; battery damaged") -> "Mr Adeyemi"."""
    return brief.partition("to: ")[2].replace("\n", ";").partition(";")[0].strip()


def body(mail: str) -> list[str]:
    """The paragraphs of a mail without its greeting and its closing."""
    blocks = [block for block in mail.split("\n\n") if block.strip() and block != CLOSING]
    return blocks[1:] if blocks and blocks[0].startswith("Dear ") else blocks


def sentences(text: str) -> list[str]:
    """The sentences of a text. sentences("It came. Is it 6.3?") -> ["It came.", "Is it 6.3?"]."""
    return [part for part in re.split(r"(?<=[.?!])\s+|\n+", text) if part]


def style(brief: str, mail: str) -> dict[str, bool]:
    """Of each rule of form in the house style, by its name, whether a mail keeps it. An empty mail keeps every rule
    that forbids something.
    """
    blocks, low = mail.split("\n\n"), mail.lower()
    counts = [len(paragraph.split()) for paragraph in body(mail)]
    said = len(re.findall(APOLOGY, low))
    return {
        "greeting": blocks[0] == f"Dear {addressee(brief)},",
        "closing": blocks[-1] == CLOSING,
        "2 to 4 paragraphs": 2 <= len(counts) <= 4,
        f"no paragraph over {LONGEST} words": all(count <= LONGEST for count in counts),
        f"{LEAST} to {MOST} words": LEAST <= len(mail.split()) <= MOST,
        "no exclamation mark": "!" not in mail,
        "apologies as asked for": said == apologies(brief),
        "we, not I": not re.search(r"\b(I|I'\w+|me|my|mine|myself)\b", mail),
        "no short form": not re.search(r"\d(?:st|nd|rd|th)\b|\w+n't\b|\w'(?:ll|re|ve|m|d)\b|[€$%&]", mail),
        "no stock phrase": not any(phrase in low for phrase in STOCK),
    }


def apologies(brief: str) -> int:
    """How many apologies a brief asks for: 1 where it says apology, apologise or sorry, else 0."""
    return int(bool(re.search(r"(?<!no )\bapolog|\bsorry\b", brief, re.IGNORECASE)))


def carried(mail: str, facts: Sequence[str]) -> float:
    """The share of a brief's facts that a mail holds. Raises ValueError for no facts."""
    if not facts:
        raise ValueError("no facts to look for in the mail")
    return sum(fact_hit(mail, fact) for fact in facts) / len(facts)


def point_first(mail: str, facts: Sequence[str]) -> bool:
    """Whether the first sentence behind the greeting holds the point, which is the first of the facts."""
    return fact_hit(next(iter(sentences(" ".join(body(mail)))), ""), facts[0])


def lacking(brief: str, mail: str) -> list[str]:
    """Numbers, days, products and names of the mail that the brief lacks."""
    own = " ".join(body(mail))
    said, there = (set(re.findall(r"\d+(?:[.,:]\d+)*", text)) for text in (own, brief))
    known, words = ({word.removesuffix("s") for word in re.findall(r"\w+", text.lower())} for text in (brief, own))
    counted = words & (COUNTING | SOON | PRODUCTS) - known
    inside = {word for part in sentences(own) for word in re.findall(r"(?<=\s)[(\"'`]?([A-Z]\w+)", part)}
    named = {word for word in inside if word.lower().removesuffix("s") not in known | {"tidewren"}}
    return sorted(said - there) + sorted(counted) + sorted(named)


def dropped(brief: str, mail: str) -> list[str]:
    """Numbers and names of the brief, behind its addressee, that the mail lacks."""
    rest = brief.replace(addressee(brief), "", 1)
    lost = set(re.findall(r"\d+(?:[.,:]\d+)*", rest)) - set(re.findall(r"\d+(?:[.,:]\d+)*", mail))
    names = set(re.findall(r"(?<=[a-z,\d] )([A-Z]\w+)", rest))
    return sorted(lost) + sorted(name for name in names if name.lower().removesuffix("s") not in mail.lower())
