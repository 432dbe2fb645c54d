"""What a check says: *not attempted*, *not yet, because ...* or *right*; and how a judge says it."""

from dataclasses import dataclass

from labutils.lesson.exercises import shown

NOT_ATTEMPTED, NOT_YET, RIGHT = "not attempted", "not yet", "right"


class NotYet(Exception):
    """Raised by a judge: the answer is not right yet, and this is what the learner reads behind *because*."""


class Unattempted(Exception):
    """Raised by a judge: the dots of the starter are still there."""


@dataclass(frozen=True, repr=False)
class Result:
    """The outcome of a check. A notebook shows it as a box, a terminal as a sentence.

    state: NOT_ATTEMPTED, NOT_YET or RIGHT
    message: what to do, why not yet, or what the right answer is good for
    note: why progress could not be saved; empty where it was
    """

    state: str
    message: str
    note: str = ""

    @property
    def right(self) -> bool:
        """What a grade counts."""
        return self.state == RIGHT

    def __repr__(self) -> str:
        return f"{shown.head(self.state)} {self.message}" + (f" ({self.note})" if self.note else "")

    def _repr_html_(self) -> str:
        return shown.result(self.state, self.message, self.note)
