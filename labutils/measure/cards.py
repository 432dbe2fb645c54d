"""The card of one model: what it answered to the questions, every score of every answer, and its losses, question by
question. Which models there are is for `report`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from labutils.measure import held_out, scoring
from labutils.measure.held_out import Losses
from labutils.measure.intervals import Score
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

    Questions are records as `scoring.judge` takes them; the answer loss is taken of those of fact. `texts` are running
    text that the model was not trained on, for bits per byte; none, and there is no such score. `fp32` takes losses
    without bfloat16 (answers are written as `asking` always does). Raises ValueError for no questions, or an unknown
    template.
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
