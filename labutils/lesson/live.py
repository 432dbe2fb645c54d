"""A training run as it happens, in a notebook: one line that renews itself. No logic of training."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from IPython import get_ipython
from IPython.display import HTML, display

from labutils.lesson.terminal import clock


def progress(seconds: float = 1.0) -> Callable:
    """A callback for `finetune(..., on_progress=progress())`; renews its line at most every `seconds`.

    The losses stay out of what is left in the notebook: reading them is the learner's next cell. A run that ends before
    its last step, by itself or by an interrupt, is said to have ended once its cell has.
    """
    shown, last, pace = None, None, Pace(seconds)

    def tell(now) -> None:
        nonlocal shown, last
        if shown is None:
            shown = display(HTML(""), display_id=True)
            _after_cell(end)
        last = now
        if now.step < now.steps and not pace.due():
            return
        with pace.spent():
            shown.update(HTML(line(now)))
        if now.step >= now.steps:
            shown = None  # another run begins another line

    def end() -> None:
        nonlocal shown
        if shown is not None:
            shown.update(HTML(f"{_steps(last)} · ended here"))
            shown = None

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
    """Where a run stands, as one line of HTML. The loss is left out at the end, and so is the bar: JupyterLab shows its
    tag as text in a notebook that is opened before it was run.
    """
    if now.step >= now.steps:
        return f"{_steps(now)} · done, {now.tokens_per_second:,.0f} tokens a second"
    left = f"{clock(now.seconds_left)} left"
    bar = f'<progress value="{now.step}" max="{now.steps}" style="width:16em"></progress>'
    return f"{bar} {_steps(now)} · loss {now.loss:.3f} · {now.tokens_per_second:,.0f} tokens a second · {left}"


def _steps(now) -> str:
    return f"step {now.step} of {now.steps}"


def _after_cell(step: Callable[[], None]) -> None:
    """Take this step once, when the cell that runs has ended, however it ends; outside IPython never."""
    if (shell := get_ipython()) is None:
        return

    def once(*_) -> None:
        shell.events.unregister("post_run_cell", once)
        step()

    shell.events.register("post_run_cell", once)
