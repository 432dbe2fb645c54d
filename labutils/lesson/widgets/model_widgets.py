"""Widgets about models: the next token, one question to several, checkpoints, and a training run with a stop button."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import ipywidgets
from IPython.display import HTML, display

from labutils.lesson import live, show
from labutils.lesson.widgets import parts

LIMIT = 60  # tokens of a reply
HINT = "Stop ends the run after its current step and keeps the model. So does Kernel, Interrupt (the keys I, I)."


def explorer(models: Mapping | Iterable[str] | None = None, phrase: str = "The function", k: int = 8) -> parts.Box:
    """Type a phrase, see what a model expects next, switch between models, let it write its likeliest token.

    `models` are names, or open models by name; without any, the stages that are on this machine. What is named only is
    opened when it is chosen.
    """
    names, opened = parts.offered(models)
    stage = ipywidgets.ToggleButtons(options=names, description="model")
    stage.style.button_width = "auto"
    text = ipywidgets.Text(phrase, description="phrase", continuous_update=True, layout=parts.WIDE)
    write = ipywidgets.Button(description="write the likeliest", tooltip="put the likeliest token behind the phrase")
    view = parts.View()

    def guess(*_) -> None:
        view.show(_guessed(opened, stage.value, text.value, k))

    def go_on(*_) -> None:
        from labutils.model import asking

        if text.value:  # else there is nothing to go on from
            model = opened(stage.value)
            best = asking.next_token(model, text.value, 1).likeliest[0]
            text.value += "" if best.id == model.tokenizer.eos_token_id else best.token

    stage.observe(guess, names="value")
    text.observe(guess, names="value")
    write.on_click(go_on)
    guess()
    return parts.Box("next-token explorer", [stage, text, write, view])


def explorer_bars(models: Mapping | Iterable[str] | None = None, phrase: str = "The function", k: int = 5) -> HTML:
    """The same without a kernel: one phrase, the models side by side."""
    names, opened = parts.offered(models)
    found = {name: _guessed(opened, name, phrase, k) for name in names}
    return HTML(parts.heading(phrase + " …") + parts.side_by_side(found))


def _guessed(opened, name: str, text: str, k: int) -> str:
    from labutils.model import asking, models

    try:
        found = asking.next_token(opened(name), text, k)
    except (ValueError, models.ModelMissing) as error:
        return parts.note("note", str(error))
    space = "the phrase ends in a space, which belongs to the token behind it: models seldom saw such a place"
    drawn = parts.bars((guess.token, guess.probability) for guess in found.likeliest)
    below = parts.note("note", f"as undecided as if it chose blindly among {found.choices:,.1f} tokens")
    return (parts.note("warning", space) if text.endswith(" ") else "") + drawn + below


def before_after(
    models: Mapping | Iterable[str] | None, questions: Sequence[str] = (), *, template: str | None = None
) -> parts.Box:
    """Ask one question, your own or one of those offered, and read every model's answer as it comes.

    `models` are names, or open models by name ({"before": ..., "after": ...}); `template` is how all are asked, None:
    each as its stage is asked on the report card, others through "lecture".
    """
    names, opened = parts.offered(models)
    asked = ipywidgets.Combobox(
        value=next(iter(questions), ""), options=list(questions), description="question", continuous_update=False,
        placeholder="a question of your own", layout=parts.WIDE,
    )  # fmt: skip
    button = ipywidgets.Button(description="ask", tooltip="ask all models (or press Enter)")
    view, answered = parts.View(parts.note("note", "press Enter, or the button")), None

    def ask(*_) -> None:
        nonlocal answered
        question = asked.value.strip()
        if not question or question == answered:  # a click behind an Enter asks nothing twice
            return
        answered, replies = question, dict.fromkeys(names, "…")
        for name in names:
            view.show(_answers(question, replies))
            replies[name] = _reply(opened, name, question, template)
        view.show(_answers(question, replies))

    asked.observe(ask, names="value")
    button.on_click(ask)
    return parts.Box("before and after", [asked, button, view])


def before_after_table(
    models: Mapping | Iterable[str] | None, questions: Sequence[str], *, template: str | None = None
) -> HTML:
    """The same without a kernel: a question a row, a model a column."""
    names, opened = parts.offered(models)
    replies = {name: [_reply(opened, name, question, template) for question in questions] for name in names}
    return show.before_after(questions, replies)


def _answers(question: str, replies: Mapping[str, str]) -> str:
    return show.before_after([question], {name: [text] for name, text in replies.items()}, limit=500).data


def _reply(opened, name: str, question: str, template: str | None) -> str:
    from labutils.model import asking, models

    try:
        reply = asking.ask(opened(name), [question], template=template or parts.template_of(name), limit=LIMIT)[0]
    except models.ModelMissing as error:
        return f"({error})"
    return (reply.text or "(nothing)") + ("" if reply.stopped else f" … (cut after {LIMIT} tokens)")


def checkpoints(rows: Sequence[dict]) -> parts.Box:
    """A slider through the checkpoints of a training run: how far it was, and how it continued some phrases.

    A row holds "tokens", "loss", "bits_per_byte" and "samples", which maps phrases to what was written after them;
    rows without samples are passed over. Raises ValueError when none has samples.
    """
    shown = [row for row in rows if row.get("samples")]
    if not shown:
        raise ValueError("no row holds samples: there is no checkpoint to show")
    options = [(f"{row['tokens']:,} tokens", i) for i, row in enumerate(shown)]
    slider = ipywidgets.SelectionSlider(
        options=options, description="checkpoint", style=parts.NARROW, layout=parts.WIDE
    )
    view = parts.View(_checkpoint(shown[0]))
    slider.observe(lambda change: view.show(_checkpoint(shown[change["new"]])), names="value")
    return parts.Box("checkpoints of a training run", [slider, view])


def checkpoints_table(rows: Sequence[dict], phrase: str, limit: int = 110) -> HTML:
    """The same without a kernel: one phrase, a row for each checkpoint."""
    return show.table(
        [
            {"tokens": f"{row['tokens']:,}", "bits per byte": f"{row['bits_per_byte']:.2f}",
             "continuation": phrase + row["samples"][phrase]}
            for row in rows if row.get("samples")
        ],
        limit,
    )  # fmt: skip


def _checkpoint(row: dict) -> str:
    bits = f"{row['bits_per_byte']:.2f} bits per byte on held-out pages"
    head = f"<div>loss {row['loss']:.2f} nats per token, {bits}</div>"
    written = [{"phrase": phrase, "continuation": text} for phrase, text in row["samples"].items()]
    return head + show.table(written).data


# A training run as it happens, with what the model writes by now, and a button that stops it.


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
    """A button above a picture, which is no widget: a page that is opened again has the last one without a kernel."""

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
