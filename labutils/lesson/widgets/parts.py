"""What the widgets share: their box, notes, bars, text with its ends of lines to be seen, the models that they offer.

Inline styles that pass JupyterLab's sanitizer, transparent tints, the reader's own text colour: it reads in both themes
and where a notebook is not trusted. What a colour says, a word, a sign or a length says, too.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

import ipywidgets

from labutils.lesson import show

BLUE, GREY = "rgb(0,114,178)", "rgb(128,128,128)"  # colours: Okabe and Ito 2008
SIGNS = {"good": "✓", "bad": "✗", "warning": "⚠ warning:", "error": "✗ error:", "note": "→"}
GREEN, ORANGE, RED, SKY = "rgb(0,158,115)", "rgb(230,159,0)", "rgb(213,94,0)", "rgb(86,180,233)"
EDGES = {"good": GREEN, "bad": RED, "warning": ORANGE, "error": RED, "note": SKY}
WIDE = ipywidgets.Layout(width="98%")
NARROW = {"description_width": "initial"}  # a label as wide as its words
STAGES = ("random", "base", "finetuned", "smollm2")


class Box(ipywidgets.VBox):
    """Controls above their view. Where there is no kernel, a reader is told in a sentence what would stand here."""

    def __init__(self, name: str, children: Sequence[ipywidgets.Widget]):
        self.name = name
        super().__init__(children, layout=ipywidgets.Layout(width="100%"))

    def __repr__(self) -> str:
        return f"{self.name}: works only while the notebook is running"


class View(ipywidgets.HTML):
    """HTML below controls, with lines as close as in the rest of a notebook."""

    def __init__(self, shown: str = ""):
        super().__init__(layout=WIDE)
        self.show(shown)

    def show(self, shown: str) -> None:
        """Replace what is shown."""
        self.value = f'<div style="line-height:1.45">{shown}</div>'


def row(*controls: ipywidgets.Widget) -> ipywidgets.HBox:
    """Controls side by side; they wrap where the page is narrow."""
    return ipywidgets.HBox(controls, layout=ipywidgets.Layout(flex_flow="row wrap", width="100%"))


def note(kind: str, words: str) -> str:
    """A line with a sign and a coloured edge; the words may come from anywhere. Kinds are those of SIGNS."""
    style = f"border-left:5px solid {EDGES[kind]};padding:1px 10px;margin:3px 0;{show.BREAK}"
    return f'<div style="{style}"><b>{SIGNS[kind]}</b> {show.plain(words, 600)}</div>'


def bars(rows: Iterable[tuple[str, float]], limit: int = 40) -> str:
    """A bar a row, its label on the left and its share, between 0 and 1, in percent on the right."""
    cells = ""
    for label, share in rows:
        text = (show.plain(label[:limit]).replace(" ", "·") or "∅") + (" …" if len(label) > limit else "")
        style = f"width:{100 * share:.2f}%;min-width:1px;margin-top:3px;height:1em;background-color:{BLUE}"
        percent = f"{100 * share:.1f} %" if share >= 0.01 else f"{100 * share:.2f} %"
        cells += (
            f'<tr><td style="{show.CELL}width:40%;font-family:monospace;{show.BREAK}">{text}</td>'
            f'<td style="{show.CELL}width:42%"><div style="{style}"></div></td>'
            f'<td style="{show.CELL}width:18%;text-align:right;white-space:nowrap">{percent}</td></tr>'
        )
    return f'<table style="border-collapse:collapse;width:100%">{cells}</table>'


def columns(name: str, values: Sequence[float], most: float, colour: str = BLUE, limit: int = 60) -> str:
    """Values from left to right as thin columns, one of `most` as high as the row, and the first and last in numbers.

    More than `limit` values are thinned out, the last one stays. columns("loss", [4, 1], 4) -> "loss ▇▂ 4.00 → 1.00".
    """
    step = math.ceil(len(values) / limit)
    drawn = ""
    for value in values[::-1][::step][::-1] if values else ():
        height = max(1, round(40 * min(1.0, value / most if most else 0)))
        style = f"display:inline-block;width:5px;margin-right:1px;height:{height}px;background-color:{colour}"
        drawn += f'<span style="{style};vertical-align:bottom"></span>'
    last = f"{values[0]:.2f} → <b>{values[-1]:.2f}</b>" if values else "-"
    style = "display:inline-block;height:44px;border-bottom:1px solid;vertical-align:bottom;white-space:nowrap"
    label = f'<span style="display:inline-block;width:7em">{show.plain(name)}</span>'
    return f'<div style="margin:4px 0">{label}<span style="{style}">{drawn}</span> {last}</div>'


def lines(text: str, limit: int = 1000) -> str:
    """A text in a box, line for line, with ends of lines and spaces before them to be seen."""
    ends = ((line, line.rstrip(" ")) for line in text[:limit].split("\n"))
    shown = "⏎<br>".join(show.plain(words + "·" * (len(line) - len(words))) for line, words in ends)
    style = f"{show.BOX}font-family:monospace;white-space:pre-wrap;{show.BREAK}max-height:20em;overflow-y:auto"
    return f'<div style="{style}" tabindex="0">{shown}{" …" if len(text) > limit else ""}</div>'


def heading(words: str) -> str:
    """A small heading inside a widget."""
    return f'<div style="margin-top:8px"><b>{show.plain(words)}</b></div>'


def side_by_side(parts: Mapping[str, str]) -> str:
    """HTML in columns under their names."""
    style = f"display:inline-block;vertical-align:top;width:{94 / max(1, len(parts)):.0f}%;margin-right:1%"
    return "".join(f'<div style="{style}">{heading(name)}{part}</div>' for name, part in parts.items())


def offered(models: Mapping[str, object] | Iterable[str] | None) -> tuple[list[str], Callable[[str], object]]:
    """Names, and a function that gives the open model of a name; without models, the stages that are on this machine.

    A mapping's value may be an open model, or the name or folder of one. Raises ValueError when there is no model.
    """
    from labutils.model.models import available, open_model  # brings PyTorch along

    if models is None:
        models = [name for name in STAGES if available(name)]
    given = dict(models) if isinstance(models, Mapping) else {name: name for name in models}
    if not given:
        raise ValueError("no model to show; give names or open models, such as ['base', 'finetuned']")

    @cache
    def opened(name: str) -> object:
        model = given[name]
        if isinstance(model, tuple):
            return model
        return _shared(model) if model in STAGES else open_model(model)

    return list(given), opened


def template_of(name: str) -> str:
    """How a model of this name is asked: a stage of the report card as it is asked there, others as in the lecture."""
    from labutils.measure.report import STAGES as CARD

    return CARD[name].template if name in CARD else "lecture"


@cache
def _shared(stage: str) -> object:
    """A stage, opened once for all widgets: nobody trains it here, and `smollm2` takes half a gigabyte."""
    from labutils.model.models import open_model

    return open_model(stage)
