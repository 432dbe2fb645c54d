"""Widgets about data: the documents of a corpus with their verdicts, and a template while it is being written."""

from collections import Counter
from collections.abc import Sequence

import ipywidgets
from IPython.display import HTML

from labutils.corpus import personal, quality
from labutils.lesson import show
from labutils.lesson.widgets import parts
from labutils.pairs import templates
from labutils.pairs.records import pair
from labutils.pairs.templates import faults

EVERY = object()  # the option that narrows nothing; None would mean that no option is selected
SHOWN = 1000  # characters of a document in the widget; a still picture, which is stored, shows fewer


def corpus(documents: Sequence[dict], rules: Sequence[quality.Rule] = quality.RULES) -> parts.Box:
    """Browse documents `{"text", "meta"}`: choose a set and a package, go to the next document, read its verdicts.

    Personal data are masked. Raises ValueError when there are no documents.
    """
    if not documents:
        raise ValueError("no documents to browse; take some of a stream: list(islice(stream, 100))")
    sets = ipywidgets.Dropdown(options=_options(documents, "pile_set_name", "every set"), description="set")
    packages = ipywidgets.Dropdown(options=_options(documents, "package", "every package"), description="package")
    onward = ipywidgets.Button(description="next document", tooltip="the next of the documents chosen")
    view, at = parts.View(), 0

    def show_one() -> None:
        found = [document for document in documents if _of(document, sets.value, packages.value)]
        place = f"<div>document {at % len(found) + 1:,} of {len(found):,}</div>"
        view.show(place + _page(found[at % len(found)], rules))

    def begin(*_) -> None:
        nonlocal at
        at = 0
        show_one()

    def narrow(*_) -> None:
        inside = [document for document in documents if _of(document, sets.value, EVERY)]
        packages.options = _options(inside, "package", "every package")
        packages.index = 0
        begin()

    def go_on(*_) -> None:
        nonlocal at
        at += 1
        show_one()

    sets.observe(narrow, names="value")
    packages.observe(begin, names="value")
    onward.on_click(go_on)
    show_one()
    return parts.Box("corpus viewer", [parts.row(sets, packages, onward), view])


def corpus_table(
    documents: Sequence[dict], rules: Sequence[quality.Rule] = quality.RULES, limit: int = show.QUOTE // 2
) -> HTML:
    """The same without a kernel: a row a document, with why it is kept or dropped."""
    rows = []
    for document in documents:
        masked = personal.mask(document["text"][: 2 * limit])
        begins = masked[:limit] + (" …" if len(masked) > limit else "")
        verdict = _verdict(_against(document["text"], rules))
        rows.append({"set, package, licence": _about(document["meta"]), "begins": begins, "verdict": verdict})
    return show.table(rows)


def _page(document: dict, rules: Sequence[quality.Rule]) -> str:
    text, meta = document["text"], document["meta"]
    against = _against(text, rules)
    about = [_about(meta), meta.get("path", ""), f"{len(text):,} characters"]
    head = f'<div style="{show.BREAK}">{show.plain(" · ".join(filter(None, about)), 400)}</div>'
    said = [{"why it is dropped": reason, "the rule": rule} for reason, rule in against]
    verdict = parts.note("bad" if against else "good", _verdict(against))
    begins = parts.lines(personal.mask(text[: 2 * SHOWN]), SHOWN)
    return head + verdict + (show.table(said).data if said else "") + parts.heading("it begins") + begins


def _against(text: str, rules: Sequence[quality.Rule]) -> list[tuple[str, str]]:
    """The rules that drop a text: the reason of each, and the rule in its own words."""
    verdicts = [(rule(text), (rule.__doc__ or rule.__name__).strip().split("\n")[0]) for rule in rules]
    return [(verdict.reason, rule) for verdict, rule in verdicts if not verdict.keep]


def _verdict(against: Sequence[tuple[str, str]]) -> str:
    """_verdict([]) -> "kept: no rule drops it"; one reason -> "dropped: too few words"."""
    return "dropped: " + ", ".join(reason for reason, _ in against) if against else "kept: no rule drops it"


def _about(meta: dict) -> str:
    """_about({"pile_set_name": "READMEs", "package": "idna"}) -> "READMEs · idna"."""
    return " · ".join(filter(None, (meta.get(key) for key in ("pile_set_name", "package", "license"))))


def _of(document: dict, chosen: object, package: object) -> bool:
    meta = document["meta"]
    return chosen in (EVERY, meta.get("pile_set_name", "")) and package in (EVERY, meta.get("package", ""))


def _options(documents: Sequence[dict], key: str, every: str) -> list[tuple[str, object]]:
    counts = Counter(document["meta"].get(key, "") for document in documents)
    named = [(f"{name or 'not stated'} ({n:,})", name) for name, n in sorted(counts.items())]
    return [(f"{every} ({len(documents):,})", EVERY), *named]


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
    from labutils.model import encoding  # brings PyTorch along

    question, answer = pair(record)
    example = encoding.encode(templates.prompt(template, question) if question else "", answer, tokenizer)
    if not ends:
        example = {key: values[:-1] for key, values in example.items()}
    filled = parts.heading("filled") + parts.lines(templates.fill(template, record))
    return notes + filled + parts.heading("as tokens") + show.tokens(example, tokenizer).data
