"""A training run on a dashboard: losses, speed, time left, what the model writes by now, and a button that stops it."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import ipywidgets
from IPython.display import HTML, display

from labutils.lesson import live, show
from labutils.lesson.widgets import parts

HINT = "Stop ends the run after its current step and keeps the model. So does Kernel, Interrupt (the keys I, I)."


class Sample(NamedTuple):
    """What a model wrote after a step, by the phrase or question that it was given."""

    step: int
    loss: float
    texts: dict[str, str]


class Watched(NamedTuple):
    """A run, as `training.finetune` returns it, what was written meanwhile, and whether it was stopped by hand."""

    run: NamedTuple
    samples: list[Sample]
    stopped: bool


def dashboard(
    opened,
    examples: Sequence[dict],
    recipe,
    *,
    phrases: Sequence[str] = (),
    template: str | None = "lecture",
    held_out: Sequence[dict] = (),
    out: str | Path | None = None,
) -> Watched:
    """Train a model as `training.finetune` does, and watch it; the cell ends with the run, or when it is stopped.

    `phrases` are asked again and again through `template`, or gone on from where that is None; this takes a tenth of
    the time at most. A stopped run keeps the model of its last whole step: in memory and, with `out`, on disk. Raises
    what `training.finetune` raises.
    """
    from labutils.model import training  # brings PyTorch along

    stop = threading.Event()
    board = _Board(stop, lambda: _written(opened, phrases, template) if phrases else {})
    board.begin()
    try:
        run = training.finetune_until(
            opened, examples, recipe, stop=stop, held_out=held_out, out=out, on_progress=board.tell
        )
    except BaseException:
        board.end("error", "the run broke off; the error below says why")
        raise
    stopped = run.history[-1].step < run.history[-1].steps
    how = f"stopped at step {run.history[-1].step:,}; the model is kept" if stopped else "done"
    board.end("note" if stopped else "good", f"{how}. {run.tokens:,} tokens read in {run.seconds:.0f} seconds")
    return Watched(run, board.samples, stopped)


def dashboard_view(watched: Watched, limit: int = 100) -> HTML:
    """The same without a kernel: the losses, and what the model wrote at six moments at most, the last one included."""
    first, *later = watched.samples or [None]
    step = max(1, -(-len(later) // 5))
    kept = [sample for sample in (first, *later[::-1][::step][::-1]) if sample]
    rows = [{"step": f"{sample.step:,}", "loss (nats)": f"{sample.loss:.2f}", **sample.texts} for sample in kept]
    return HTML(_losses(watched.run.history) + (show.table(rows, limit).data if rows else ""))


class _Board:
    """A button above a picture. The picture is no widget: a page that is opened again has the last one while the kernel
    is busy, and without a kernel.
    """

    def __init__(self, stop: threading.Event, write: Callable[[], dict[str, str]]):
        self.stop, self.write, self.samples, self.history = stop, write, [], []
        self.pace, self.writing = live.Pace(0.5), live.Pace(2.0)
        self.button = ipywidgets.Button(description="Stop", icon="stop", tooltip=HINT)
        self.button.on_click(self.asked)
        _heard_while_busy(self.button)
        self.box = parts.Box("training dashboard", [self.button])

    def begin(self) -> None:
        """Show both, before the first step."""
        display(self.box)
        self.view = display(HTML(parts.note("note", "the first step is on its way")), display_id=True)

    def asked(self, button: ipywidgets.Button) -> None:
        """Called in another thread than the one that trains."""
        self.stop.set()
        button.disabled, button.description = True, "stopping …"

    def tell(self, now) -> None:
        """After each step."""
        self.history.append(now)
        last = now.step >= now.steps or self.stop.is_set()
        if last or self.writing.due():
            with self.writing.spent():
                texts = self.write()
            self.samples += [Sample(now.step, now.loss, texts)] if texts else []
        if last or self.pace.due():
            with self.pace.spent():
                self.view.update(HTML(self.shown(live.line(now) + parts.note("note", HINT))))

    def end(self, kind: str, words: str) -> None:
        """The run is over: nothing is left to stop."""
        self.button.disabled, self.button.description = True, "stopped" if self.stop.is_set() else "ended"
        self.view.update(HTML(self.shown(parts.note(kind, words))))

    def shown(self, head: str) -> str:
        """All of the view, under its first line."""
        texts = self.samples[-1].texts if self.samples else {}
        rows = [{"given": given, "it writes by now": text} for given, text in texts.items()]
        return head + _losses(self.history) + (show.table(rows).data if rows else "")


def _losses(history: Sequence) -> str:
    losses = [now.loss for now in history]
    looks = [now.held_out for now in history if now.held_out is not None]
    most = max([*losses, *looks], default=0)
    drawn = parts.columns("loss", losses, most)
    return drawn + (parts.columns("held out", looks, most, parts.GREY) if looks else "")


def _written(opened, phrases: Sequence[str], template: str | None) -> dict[str, str]:
    from labutils.model import asking

    if template is None:
        replies = asking.generate(opened, phrases, limit=30)
    else:
        replies = asking.ask(opened, phrases, template=template, limit=30)
    return {phrase: reply.text for phrase, reply in zip(phrases, replies, strict=True)}


def _heard_while_busy(button: ipywidgets.Button) -> None:
    """Let the clicks of a button be handled while a cell runs.

    JupyterLab sends them to a subshell of the kernel, a thread beside the one that runs cells. ipykernel 7.4 sends them
    on to the shell that made the button, which is the busy one, unless the button's comm has no such wish.
    """
    if hasattr(button.comm, "_reply_subshell_for"):
        button.comm._reply_subshell_for = None
