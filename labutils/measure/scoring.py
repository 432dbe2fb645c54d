"""Scores of answers, each with its interval. What was asked, and how it is shown, is not known here."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from labutils.corpus.sampling import wilson


class Score(NamedTuple):
    """A share of n questions, with the interval that holds the true share 19 times in 20."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.0%} ({self.low:.0%} to {self.high:.0%}, n = {self.n})"


def fact_hit(answer: str, must: str) -> bool:
    """Whether an answer holds the required string, letter case and spacing aside, and not inside a longer word or
    number. fact_hit("It lasts 17 months.", "7 months") -> False. An empty string is required by no question: False.
    """
    words = [re.escape(word) for word in must.split()]
    inside = r"(?<!\w)(?<!\d[.,])" + r"\s+".join(words) + r"(?!\w)(?![.,]\d)"
    return bool(words) and re.search(inside, answer, re.IGNORECASE) is not None


def refuses(answer: str) -> bool:
    """Whether an answer turns the question down, in the words that the company's pairs use for it."""
    return "i can only answer questions about" in answer.lower()


def share(hits: Sequence[bool]) -> Score:
    """The share of hits with its 95 % Wilson interval (Wilson 1927), which holds near 0 and 1, too.

    share([True] * 8 + [False] * 2) -> 80% (49% to 94%, n = 10). Raises ValueError for no questions.
    """
    n = len(hits)
    if not n:
        raise ValueError("no questions: a share needs at least one")
    low, high = wilson(sum(hits), n)
    return Score(sum(hits) / n, low, high, n)


def fact_hits(answers: Sequence[str], questions: Sequence[dict]) -> Score:
    """The share of answers that hold the string their question requires (key "must").

    Raises ValueError for another number of answers than of questions, or for none.
    """
    if len(answers) != len(questions):
        raise ValueError(f"expected {len(questions)} answers, one a question, got {len(answers)}")
    return share([fact_hit(answer, question["must"]) for answer, question in zip(answers, questions, strict=True)])
