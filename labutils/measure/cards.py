"""The card of one model: what it answered to the questions, every score of every answer, and its losses.

Values are kept question by question, so that two cards can be compared. Which models there are is for `report`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from labutils.measure import held_out, scoring
from labutils.measure.held_out import Losses
from labutils.measure.intervals import Mean, Score, paired
from labutils.model import asking
from labutils.model.models import Opened

LOSSES = ("answer_loss", "bits_per_byte")


class Card(NamedTuple):
    """What one model scored."""

    answers: list[str]  # of each question
    judged: dict[str, list[bool | None]]  # of each score whether each answer has it, as from `scoring.judge`
    losses: dict[str, Losses]  # of LOSSES, where there was something to measure them on

    def scores(self) -> dict[str, Score]:
        """Every score with its 95 % interval: Wilson's for shares, the bootstrap's for losses."""
        return {**scoring.shares(self.judged), **{name: losses.score() for name, losses in self.losses.items()}}

    def plain(self) -> dict:
        """The card as JSON holds it: the scores, and what they were made of. Losses are rounded to 0.0001."""
        parts = {
            name: {"values": [round(value, 4) for value in values], "sizes": sizes, "items": items}
            for name, (values, sizes, items) in self.losses.items()
        }
        scores = {name: list(score) for name, score in self.scores().items()}
        return {"scores": scores, "answers": self.answers, "judged": self.judged, "losses": parts}


def from_plain(plain: Mapping) -> Card:
    """A card as `Card.plain` wrote it."""
    losses = {name: Losses(**parts) for name, parts in plain["losses"].items()}
    return Card(plain["answers"], plain["judged"], losses)


def measure(
    opened: Opened,
    questions: Sequence[Mapping],
    texts: Sequence[str] = (),
    *,
    template: str = "lecture",
    fp32: bool = False,
) -> Card:
    """Ask a model all questions and score what it says.

    Args:
        opened: the model; nothing about it changes.
        questions: records as `scoring.judge` takes them. The answer loss is taken of the questions of fact.
        texts: running text that the model was not trained on, for bits per byte; none, and there is no such score.
        template: how the model is asked.
        fp32: losses without bfloat16 (answers are written as `asking` always does).

    Raises:
        ValueError: no questions, or an unknown template.
    """
    if not questions:
        raise ValueError("no questions to ask")
    replies = asking.ask(opened, [question["question"] for question in questions], template=template)
    known = [i for i, question in enumerate(questions) if scoring.kind(question) == "fact" and "answer" in question]
    losses = {}
    if known:
        found = held_out.answer_loss(opened, [questions[i] for i in known], template, fp32=fp32)
        losses["answer_loss"] = found._replace(items=known)
    if texts:
        losses["bits_per_byte"] = held_out.bits_per_byte(opened, texts, fp32=fp32)
    return Card([reply.text for reply in replies], scoring.judge(replies, questions), losses)


def difference(one: Card, other: Card, score: str) -> Mean:
    """How much higher the second card's score is, question by question, with its 95 % interval (`intervals.paired`).

    For a loss, lower is better. Raises ValueError where the two were not scored on the same questions (or texts, or
    tokens: see `held_out.difference`), KeyError for a score that one of them lacks.
    """
    if score in one.losses and score in other.losses:
        return held_out.difference(one.losses[score], other.losses[score])
    first, second = one.judged[score], other.judged[score]
    if [hit is None for hit in first] != [hit is None for hit in second]:
        raise ValueError(f"{score}: the two models were not asked the same questions")
    return paired([hit for hit in first if hit is not None], [hit for hit in second if hit is not None])
