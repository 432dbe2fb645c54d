"""The next token: a phrase, the likeliest tokens behind it, at several stages of a model's life."""

from collections.abc import Iterable, Mapping

import ipywidgets
from IPython.display import HTML

from labutils.lesson.widgets import parts


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
    from labutils.model import guesses, models

    try:
        found = guesses.next_token(opened(name), text, k)
    except (ValueError, models.ModelMissing) as error:
        return parts.note("note", str(error))
    space = "the phrase ends in a space, which belongs to the token behind it: models seldom saw such a place"
    drawn = parts.bars((guess.token, guess.probability) for guess in found.likeliest)
    below = parts.note("note", f"as undecided as if it chose blindly among {found.choices:,.1f} tokens")
    return (parts.note("warning", space) if text.endswith(" ") else "") + drawn + below


def _likeliest(model, text: str) -> str:
    """The likeliest token as text; nothing where the model would end, or has nothing to go on from."""
    from labutils.model import guesses

    if not text:
        return ""
    best = guesses.next_token(model, text, 1).likeliest[0]
    return "" if best.id == model.tokenizer.eos_token_id else best.token
