"""A training run as it happens, in a notebook: one line that renews itself. No logic of training."""

import time
from collections.abc import Callable

from IPython.display import HTML, display


def progress(seconds: float = 1.0) -> Callable:
    """A callback for `finetune(..., on_progress=progress())`; renews its line at most every so many seconds.

    The losses stay out of what is left in the notebook at the end: reading them is the learner's next cell.
    """
    shown, last = None, 0.0

    def tell(now) -> None:
        nonlocal shown, last
        if shown is None:
            shown = display(HTML(""), display_id=True)
        if now.step < now.steps and time.monotonic() - last < seconds:
            return
        last = time.monotonic()
        shown.update(HTML(_line(now)))
        if now.step >= now.steps:
            shown = None  # another run begins another line

    return tell


def _line(now) -> str:
    bar = (
        f'<progress value="{now.step}" max="{now.steps}" style="width:16em"></progress> step {now.step} of {now.steps}'
    )
    if now.step >= now.steps:
        return f"{bar} · done, {now.tokens_per_second:,.0f} tokens a second"
    minutes, seconds = divmod(round(now.seconds_left), 60)
    return f"{bar} · loss {now.loss:.3f} · {now.tokens_per_second:,.0f} tokens a second · {minutes}:{seconds:02d} left"
