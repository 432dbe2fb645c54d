"""Values -> what a learner sees: tables, coloured tokens, texts side by side, a curve. Returned; nothing is computed.

Every text from outside (a corpus, a model, a file) is escaped, its control characters are made visible, and it is cut
to a stated length. HTML uses inline styles only, so that it reads in a notebook that is not trusted, and follows the
light and the dark theme by using transparent tints and the reader's own text colour.
"""

import html
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from IPython.display import HTML

if TYPE_CHECKING:
    from matplotlib.figure import Figure

QUOTE = 200  # the most characters shown of a document that somebody else wrote
CELL = "padding:3px 10px 3px 0;text-align:left;vertical-align:top;"
BOX = "border:1px solid rgba(128,128,128,.5);border-radius:4px;padding:6px 10px;"
TRAINED = "background:rgba(230,159,0,.35);border-bottom:2px solid rgb(213,94,0);"  # orange: Okabe and Ito 2008
UNTRAINED = "border-bottom:2px dotted rgba(128,128,128,.8);opacity:.75;"
BREAK = "overflow-wrap:break-word;overflow-wrap:anywhere;"  # JupyterLab strips the second where it does not trust
SHORT = 12  # characters, a number mostly: they stay on one line, however little room the other columns leave
BLUE, ORANGE = "#0072B2", "#E69F00"  # of curves, readable in both themes: Okabe and Ito 2008
INVISIBLE = {"\n": "⏎", "\t": "⇥", "\r": "␍", "\x1b": "␛"}


def plain(text: str, limit: int | None = None) -> str:
    """A text as safe HTML on one line: escaped, control and direction characters visible, cut at `limit`.

    plain("<b>\\n") -> "&lt;b&gt;⏎"
    """
    cut = limit is not None and len(text) > limit
    return html.escape(_visible(text[:limit])) + (" …" if cut else "")


def _visible(text: str) -> str:
    seen = ""
    for character in text:
        unseen = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
        seen += INVISIBLE.get(character, f"[U+{ord(character):04X}]" if unseen else character)
    return seen


def table(rows: Sequence[Mapping], limit: int | None = 300, *, even: bool = False, lines: bool = False) -> HTML:
    """Rows of a table; the keys of the first are its header. Texts are cut at `limit` characters and wrap; with `even`
    all columns are equally wide, so that one text without spaces leaves room for the others; with `lines` the lines of
    a text stay lines.
    """
    cell = _lines if lines else plain
    keys = list(rows[0]) if rows else []
    head = "".join(f'<th style="{CELL}border-bottom:1px solid">{plain(str(key))}</th>' for key in keys)
    wide, narrow = f"{CELL}{BREAK}max-width:36em;", f"{CELL}white-space:nowrap;"

    def data(text: str) -> str:
        style = narrow if len(text) <= SHORT and not even else wide
        return f'<td style="{style}">{cell(text, limit)}</td>'

    body = "".join("<tr>" + "".join(data(str(row[key])) for key in keys) + "</tr>" for row in rows)
    layout = ";table-layout:fixed;width:100%" if even else ""
    return HTML(f'<table style="border-collapse:collapse{layout}"><tr>{head}</tr>{body}</table>')


def side_by_side(columns: Mapping[str, Sequence[str]], limit: int = QUOTE) -> HTML:
    """Texts in columns, a box each, under the columns' names: `{"the pile": [...], "the pairs": [...]}`."""
    width = f"flex:1 1 {90 // max(1, len(columns))}%;min-width:0;"
    parts = []
    for name, texts in columns.items():
        boxes = "".join(f'<div style="{BOX}margin-top:6px">{_lines(text, limit)}</div>' for text in texts)
        parts.append(f'<div style="{width}"><b>{plain(name)}</b>{boxes}</div>')
    return HTML(f'<div style="display:flex;gap:16px;{BREAK}">{"".join(parts)}</div>')


def tokens(example: Mapping, tokenizer, limit: int = 512) -> HTML:
    """The token view of an example: each token, trained ones tinted and underlined, ignored ones dotted.

    Hovering tells a token's id and its label; end-of-text is shown by its name. `example` holds `input_ids` and
    `labels` of equal length; a line breaks where a token holds a newline; what stands behind `limit` tokens is counted.
    """
    ids, labels = example["input_ids"], example["labels"]
    if len(ids) != len(labels):
        raise ValueError(f"input_ids and labels must be equally long, got {len(ids)} and {len(labels)}")
    pieces = ""
    for id, label in zip(ids[:limit], labels[:limit], strict=True):
        piece, trained = tokenizer.decode([id]), label >= 0
        title = f"id {id}, label {label} ({'trained' if trained else 'ignored'})"
        shown = plain(piece).replace(" ", "·") or "∅"
        pieces += f'<span title="{title}" style="{TRAINED if trained else UNTRAINED}">{shown}</span>'
        pieces += "<br>" if "\n" in piece else "<wbr>"
    pieces += f" … and {len(ids) - limit:,} more" if len(ids) > limit else ""
    count = sum(label >= 0 for label in labels)
    legend = (
        f'<div style="margin-top:8px"><span style="{TRAINED}">trained</span>: {count} of {len(ids)} tokens &nbsp; '
        f'<span style="{UNTRAINED}">ignored</span>: {len(ids) - count}</div>'
    )
    return HTML(f'<div style="{BOX}line-height:2;font-family:monospace">{pieces}</div>{legend}')


def token_lines(example: Mapping, tokenizer) -> Iterator[str]:
    """The token view for a terminal: a line for each run of trained or of ignored tokens, with | between tokens.

    For ids 5 6 | 7 2 of which the last two are trained: "  ignored  Q|:", "  trained  ab|<|endoftext|>".
    """
    for trained, run in groupby(zip(example["input_ids"], example["labels"], strict=True), lambda each: each[1] >= 0):
        pieces = (tokenizer.decode([id]).replace("\n", "\\n") for id, _ in run)
        shown = "|".join(map(_visible, pieces))
        yield f"  {'trained' if trained else 'ignored'}  {shown}"


def before_after(
    questions: Sequence[str],
    answers: Mapping[str, Sequence[str]],
    limit: int = 300,
    asked: str = "question",
    lines: bool = False,
) -> HTML:
    """Questions in rows, the answers of each model or stage in columns, by the column's name; `asked` heads the rows.
    With `lines` their lines stay lines.

    Raises ValueError for a column that has not one answer a question.
    """
    for name, column in answers.items():
        if len(column) != len(questions):
            raise ValueError(f"{name}: expected {len(questions)} answers, one a question, got {len(column)}")
    rows = [dict(zip((asked, *answers), row, strict=True)) for row in zip(questions, *answers.values(), strict=True)]
    return table(rows, limit, even=True, lines=lines)


def losses(history: Sequence, base: str = "trained") -> "Figure":
    """The loss of a run over its steps, as a figure: every step, and the held-out looks between them."""
    from matplotlib.figure import Figure  # a third of a second that most notebooks do without

    class Drawing(Figure):
        """A figure that a notebook shows where it is a cell's value, though pyplot was never loaded."""

        def _repr_png_(self) -> bytes:
            image = io.BytesIO()
            self.savefig(image, format="png")
            return image.getvalue()

        def __repr__(self) -> str:
            """Where each line begins and ends, for a reader who cannot see it."""
            ends = {line.get_label(): line.get_xydata()[[0, -1]] for axes in self.axes for line in axes.get_lines()}
            at = ((name, *first, *last) for name, (first, last) in ends.items())
            return "; ".join(f"{name}: {y:.1f} at {x:.0f}, {to_y:.1f} at {to_x:.0f}" for name, x, y, to_x, to_y in at)

    figure = Drawing(figsize=(7, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot([p.step for p in history], [p.loss for p in history], color=BLUE, alpha=0.6, label=base)
    looks = [(p.step, p.held_out) for p in history if p.held_out is not None]
    if looks:
        axes.plot(*zip(*looks, strict=True), "o--", color=ORANGE, label="held out")
    axes.set(xlabel="step", ylabel="loss, nats per token", ylim=(0, None))
    axes.legend()
    return figure


def _lines(text: str, limit: int | None = None) -> str:
    """Like `plain`, but lines stay lines."""
    shown = "<br>".join(plain(line) for line in text[:limit].split("\n"))
    return shown + (" …" if limit is not None and len(text) > limit else "")
