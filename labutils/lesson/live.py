"""A training run as it happens, in a notebook: one line that renews itself. No logic of training."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from IPython.display import HTML, display


def progress(seconds: float = 1.0) -> Callable:
    """A callback for `finetune(..., on_progress=progress())`; renews its line at most every `seconds`.

    The losses stay out of what is left in the notebook at the end: reading them is the learner's next cell.
    """
    shown, pace = None, Pace(seconds)

    def tell(now) -> None:
        nonlocal shown
        if shown is None:
            shown = display(HTML(""), display_id=True)
        if now.step < now.steps and not pace.due():
            return
        with pace.spent():
            shown.update(HTML(line(now)))
        if now.step >= now.steps:
            shown = None  # another run begins another line

    return tell


class Pace:
    """When something that is shown is due again: not more often than every `seconds`, nor for more than a `share` of
    the time, where showing it takes long.
    """

    def __init__(self, seconds: float, share: float = 0.1):
        self.seconds, self.share, self.next = seconds, share, -float("inf")

    def due(self) -> bool:
        """Whether it is time."""
        return time.monotonic() >= self.next

    @contextmanager
    def spent(self) -> Iterator[None]:
        """Around the showing: what it takes says when the next one is due."""
        began = time.monotonic()
        yield
        ended = time.monotonic()
        self.next = max(began + self.seconds, ended + (ended - began) * (1 - self.share) / self.share)


def line(now) -> str:
    """Where a run stands, as one line of HTML; the loss is left out at the end."""
    bar = (
        f'<progress value="{now.step}" max="{now.steps}" style="width:16em"></progress> step {now.step} of {now.steps}'
    )
    if now.step >= now.steps:
        return f"{bar} · done, {now.tokens_per_second:,.0f} tokens a second"
    minutes, seconds = divmod(round(now.seconds_left), 60)
    return f"{bar} · loss {now.loss:.3f} · {now.tokens_per_second:,.0f} tokens a second · {minutes}:{seconds:02d} left"
