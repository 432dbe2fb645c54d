"""One question, several models, their answers side by side."""

from collections.abc import Iterable, Mapping, Sequence

import ipywidgets
from IPython.display import HTML

from labutils.lesson import show
from labutils.lesson.widgets import parts

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
