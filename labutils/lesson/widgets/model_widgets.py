"""Widgets about models: the next token, one question to several of them, the checkpoints of a training run."""

from collections.abc import Iterable, Mapping, Sequence

import ipywidgets
from IPython.display import HTML

from labutils.lesson import show
from labutils.lesson.widgets import parts

# The next token: a phrase, the likeliest tokens behind it, at several stages of a model's life.


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
        text.value += _likeliest(opened(stage.value), text.value)

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


def _likeliest(model, text: str) -> str:
    """The likeliest token as text; nothing where the model would end, or has nothing to go on from."""
    from labutils.model import asking

    if not text:
        return ""
    best = asking.next_token(model, text, 1).likeliest[0]
    return "" if best.id == model.tokenizer.eos_token_id else best.token


# One question, several models, their answers side by side.


LIMIT = 60  # tokens of a reply


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


# The checkpoints of a training run, on a slider.


def checkpoints(rows: Sequence[dict]) -> parts.Box:
    """A slider through the checkpoints of a training run: how far it was, and how it continued some phrases.

    A row holds "tokens", "loss", "bits_per_byte" and "samples", which maps phrases to what was written after them;
    rows without samples are passed over. Raises ValueError when none has samples.
    """
    shown = [row for row in rows if row.get("samples")]
    if not shown:
        raise ValueError("no row holds samples: there is no checkpoint to show")
    options = [(f"{row['tokens']:,} tokens", i) for i, row in enumerate(shown)]
    wide = {"description_width": "initial"}
    slider = ipywidgets.SelectionSlider(options=options, description="checkpoint", style=wide, layout=parts.WIDE)
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
