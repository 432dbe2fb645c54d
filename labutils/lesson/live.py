"""A training run as it happens, in a notebook: one line that renews itself. No logic of training."""

import time
from collections.abc import Callable

from IPython.display import HTML, display


def progress(seconds: float = 1.0) -> Callable:
    """A callback for `finetune(..., on_progress=progress())`; renews its line at most every so many seconds.

    What stays in the notebook at the end is the number of steps and the last losses.
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

    return tell


def _line(now) -> str:
    minutes, seconds = divmod(round(now.seconds_left), 60)
    left = f"{minutes}:{seconds:02d} left" if now.step < now.steps else "done"
    held_out = f" · held out {now.held_out:.3f}" if now.held_out is not None else ""
    return (
        f'<progress value="{now.step}" max="{now.steps}" style="width:16em"></progress> '
        f"step {now.step} of {now.steps} · loss {now.loss:.3f}{held_out} · "
        f"{now.tokens_per_second:,.0f} tokens a second · {left}"
    )
