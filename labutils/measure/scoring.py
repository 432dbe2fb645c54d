"""What counts as a good answer: facts, format, stopping, refusals; words and labels that agree with the right ones.

Who answered, and how a score is shown, is not known here.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from labutils.measure.intervals import Mean, Score, over_draws, share

WORD = re.compile(r"\w+(?:[-.:,]\w+)*")


def fact_hit(answer: str, must: str) -> bool:
    """Whether an answer holds the required string, letter case and spacing aside, and not inside a longer word or
    number. fact_hit("It lasts 17 months.", "7 months") -> False. An empty string is required by no question: False.
    """
    words = [re.escape(word) for word in must.split()]
    inside = r"(?<!\w)(?<!\d[.,])" + r"\s+".join(words) + r"(?!\w)(?![.,]\d)"
    return bool(words) and re.search(inside, answer, re.IGNORECASE) is not None


def exact(answer: str, expected: str) -> bool:
    """Whether an answer is the expected one, letter case, spacing and one final stop aside.

    exact(" the red\\nLED", "The red LED.") -> True. An empty answer is expected by no question: False.
    """
    return normalized(answer) == normalized(expected) != ""


def normalized(answer: str) -> str:
    """An answer as it is compared: letter case, spacing and one final stop aside."""
    return " ".join(answer.casefold().split()).removesuffix(".").rstrip()


def keeps_format(answer: str) -> bool:
    """Whether an answer has the form of the company's answers: one paragraph on one line that begins with a capital
    letter, a digit or a quoted name, ends in . ! or ?, and holds no mark of a prompt template (### or <|).
    """
    text = answer.strip()
    begins = text[:1].isupper() or text[:1].isdigit() or text.startswith(("`", '"', "'"))
    marked = "###" in text or "<|" in text
    return begins and text.endswith((".", "!", "?")) and len(text.splitlines()) == 1 and not marked


def refuses(answer: str) -> bool:
    """Whether an answer refuses the question, in the words that the company's pairs use for it."""
    return "i can only answer questions about" in answer.lower()


def abstains(answer: str) -> bool:
    """Whether an answer states nothing: it says that the handbook does not say, or refuses."""
    return "the handbook does not say" in answer.lower() or refuses(answer)


def kind(question: Mapping) -> str:
    """What sort of question a record is, by its fact: "off-topic", "unknown" (the handbook does not say), "invented"
    (about a product that does not exist) or "fact"."""
    fact = question.get("fact", "")
    return next((sort for sort in ("off-topic", "unknown", "invented") if fact.startswith(sort)), "fact")


def judge(replies: Sequence[tuple[str, bool]], questions: Sequence[Mapping]) -> dict[str, list[bool | None]]:
    """Every score of every answer, question by question; None where a score does not apply to a question.

    `replies` are what a model said to each question, and whether it ended by itself (`asking.Reply`); questions have
    "fact" (see `kind`), and "must" and "answer", without which they are not asked for a fact, or for the exact answer.

    Returns fact_hits and exact (of questions of fact), format and stops (of all but invented ones), refuses_off_topic
    (of off-topic ones), refuses_real (of facts and unknown ones: refusing these is wrong) and abstains (of unknown and
    invented ones, to which every statement would be wrong). Raises ValueError for not one answer a question.
    """
    if len(replies) != len(questions):
        raise ValueError(f"expected {len(questions)} answers, one a question, got {len(replies)}")
    names = ("fact_hits", "exact", "format", "stops", "refuses_off_topic", "refuses_real", "abstains")
    found = {name: [] for name in names}
    for (answer, stopped), question in zip(replies, questions, strict=True):
        asked, refused = kind(question), refuses(answer)
        must, expected = (question.get(key) if asked == "fact" else None for key in ("must", "answer"))
        found["fact_hits"].append(None if must is None else fact_hit(answer, must))
        found["exact"].append(None if expected is None else exact(answer, expected))
        found["format"].append(None if asked == "invented" else keeps_format(answer))
        found["stops"].append(None if asked == "invented" else bool(stopped))
        found["refuses_off_topic"].append(refused if asked == "off-topic" else None)
        found["refuses_real"].append(refused if asked in ("fact", "unknown") else None)
        found["abstains"].append(abstains(answer) if asked in ("unknown", "invented") else None)
    return found


def shares(judged: Mapping[str, Sequence[bool | None]]) -> dict[str, Score]:
    """The share of each score over the questions it applies to; a score that applies to none is left out."""
    asked = {name: [hit for hit in hits if hit is not None] for name, hits in judged.items()}
    return {name: share(hits) for name, hits in asked.items() if hits}


def fact_hits(answers: Sequence[str], questions: Sequence[dict]) -> Score:
    """The share of answers that hold the string their question requires (key "must").

    Raises ValueError for another number of answers than of questions, or for none.
    """
    if len(answers) != len(questions):
        raise ValueError(f"expected {len(questions)} answers, one a question, got {len(answers)}")
    return share([fact_hit(answer, question["must"]) for answer, question in zip(answers, questions, strict=True)])


# Words, keywords and labels: how far what a model gave agrees with what is right, as F1.


def f1(given: Iterable[str], expected: Iterable[str]) -> float:
    """The harmonic mean of how much of the given is right and how much of the right is given; two of a kind count
    twice. f1(["heron", "mast"], ["heron", "price"]) -> 0.5. Nothing given where nothing is right: 1.
    """
    given, expected = Counter(given), Counter(expected)
    sizes = given.total() + expected.total()
    return 2 * (given & expected).total() / sizes if sizes else 1.0


def words(text: str) -> list[str]:
    """The words and numbers of a text, lower case. words("It's 1,150 euros.") -> ["it", "s", "1,150", "euros"]."""
    return WORD.findall(text.casefold())


def word_f1(answer: str, expected: str) -> float:
    """The overlap of two texts in words, as for SQuAD (Rajpurkar et al. 2016, section 6.1): neither order nor
    meaning."""
    return f1(words(answer), words(expected))


def macro_f1(given: Sequence[str], expected: Sequence[str], **draws: int) -> Mean:
    """The mean F1 of all labels that are right somewhere, and its 95 % interval, had other questions been drawn.

    F1 of a label is 2 * hits / (times given + times right), 0 for one never hit (van Rijsbergen 1979). Accuracy
    flatters a model that always gives the commonest label; here every label counts alike. A label that is nowhere right
    counts as a miss, and one that does not occur in a draw is left out of it. `draws` are seed and rounds, as for
    `intervals.bootstrap`. Raises ValueError for no labels, or not one given for each right one.
    """
    counts = _counts(given, expected)
    value = float(_macro(counts.sum(axis=0)))
    return over_draws(value, lambda times: _macro(np.tensordot(times, counts, axes=1)), len(counts), **draws)


def macro_f1_difference(one: Sequence[str], other: Sequence[str], expected: Sequence[str], **draws: int) -> Mean:
    """How much higher the second model's macro-F1 is on the same questions, with its 95 % interval: the questions are
    drawn, not the answers, as in `intervals.paired`. Raises ValueError as `macro_f1`.
    """
    both = np.stack([_counts(one, expected), _counts(other, expected)], axis=1)

    def difference(sums: np.ndarray) -> np.ndarray:
        return _macro(sums[..., 1, :, :]) - _macro(sums[..., 0, :, :])

    value = float(difference(both.sum(axis=0)))
    return over_draws(value, lambda times: difference(np.tensordot(times, both, axes=1)), len(both), **draws)


def _counts(given: Sequence[str], expected: Sequence[str]) -> np.ndarray:
    """Of each question and label: hit, given, right; an array of 0 and 1 of shape (questions, 3, labels)."""
    if not len(expected) or len(given) != len(expected):
        raise ValueError(f"expected one label a question, at least one, got {len(given)} for {len(expected)}")
    labels = np.array(sorted(set(expected)))
    said, right = (np.array(column)[:, None] == labels for column in (given, expected))
    return np.stack([said & right, said, right], axis=1).astype(float)


def _macro(sums: np.ndarray) -> np.ndarray:
    """The mean F1 from sums of shape (..., 3, labels), of the labels that are right in this draw."""
    hits, said, right = (sums[..., i, :] for i in range(3))
    return np.nanmean(np.where(right > 0, 2 * hits / np.maximum(said + right, 1), np.nan), axis=-1)
