"""A template being written: the filled text, its tokens, what is trained, what is wrong with it."""

from collections.abc import Sequence

import ipywidgets
from IPython.display import HTML

from labutils.lesson import show
from labutils.lesson.widgets import parts
from labutils.pairs import templates
from labutils.pairs.records import pair
from labutils.pairs.template_faults import faults


def playground(records: Sequence[dict], tokenizer, template: str = "lecture") -> parts.Box:
    """Edit a template and see, letter by letter, what a pair becomes through it.

    `template` is a name or a text to begin with. Raises ValueError when there are no records.
    """
    if not records:
        raise ValueError("no records to fill in; the playground needs at least one pair")
    begin = templates.TEMPLATES.get(template, template)
    edited = ipywidgets.Textarea(
        begin, description="template", rows=begin.count("\n") + 2, continuous_update=True, layout=parts.WIDE
    )
    which = ipywidgets.BoundedIntText(1, min=1, max=len(records), description=f"pair, 1 to {len(records):,}")
    ends = ipywidgets.Checkbox(True, description="end-of-text behind the answer", indent=False)
    which.style = ends.style = parts.NARROW
    view = parts.View()

    def fill(*_) -> None:
        view.show(_filled(edited.value, records[which.value - 1], tokenizer, ends.value))

    for control in (edited, which, ends):
        control.observe(fill, names="value")
    fill()
    return parts.Box("template playground", [edited, parts.row(which, ends), view])


def playground_view(template: str, record: dict, tokenizer, *, ends: bool = True) -> HTML:
    """The same without a kernel: one template, one pair."""
    return HTML(_filled(templates.TEMPLATES.get(template, template), record, tokenizer, ends))


def _filled(template: str, record: dict, tokenizer, ends: bool) -> str:
    found = faults(template, record, ends=ends)
    notes = "".join(parts.note(fault.severity, f"{fault.cause}; {fault.fix}") for fault in found)
    notes = notes or parts.note("good", "nothing is wrong with it")
    if any(fault.severity == "error" for fault in found):
        return notes + parts.note("note", "it cannot be filled before the errors are mended")
    return notes + parts.heading("filled") + _text(template, record) + _tokens(template, record, tokenizer, ends)


def _text(template: str, record: dict) -> str:
    return parts.lines(templates.fill(template, record))


def _tokens(template: str, record: dict, tokenizer, ends: bool) -> str:
    from labutils.model import encoding  # brings PyTorch along

    question, answer = pair(record)
    example = encoding.encode(templates.prompt(template, question) if question else "", answer, tokenizer)
    if not ends:
        example = {key: values[:-1] for key, values in example.items()}
    return parts.heading("as tokens") + show.tokens(example, tokenizer).data
