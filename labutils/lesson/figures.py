"""Values -> figures, readable without colour and in both themes. Returned, never shown; nothing computed."""

import io
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

MARKS = [("#0072B2", "//"), ("#E69F00", ".."), ("#009E73", "xx"), ("#CC79A7", "\\\\")]  # Okabe and Ito 2008, hatched


class Drawing(Figure):
    """A figure that a notebook shows where it is a cell's value, though pyplot was never loaded."""

    def _repr_png_(self) -> bytes:
        image = io.BytesIO()
        self.savefig(image, format="png")
        return image.getvalue()


def shares(
    columns: Mapping[str, Mapping[str, float]], errors: Mapping[str, Mapping[str, float]] | None = None
) -> Figure:
    """Compositions as horizontal bars, one bar a column, side by side for each row: `{"sample": {"Python": 0.4}}`.

    Shares are between 0 and 1; `errors`, of the same shape, are drawn to both sides of a bar's end. Rows come by their
    largest share. Raises ValueError for no column, or for more columns than there are hatches to tell them apart.
    """
    if not 1 <= len(columns) <= len(MARKS):
        raise ValueError(f"expected 1 to {len(MARKS)} columns, got {len(columns)}")
    names = {name for column in columns.values() for name in column}
    names = sorted(names, key=lambda name: (-max(_of(columns, name)), name))
    figure = Drawing(figsize=(8, 0.6 + 0.34 * len(names) * max(1, len(columns) / 2)), layout="constrained")
    axes, height = figure.subplots(), 0.8 / len(columns)
    for place, ((label, column), (colour, hatch)) in enumerate(zip(columns.items(), MARKS, strict=False)):
        error = [100 * (errors or {}).get(label, {}).get(name, 0) for name in names]
        where = [i + (place - (len(columns) - 1) / 2) * height for i in range(len(names))]
        values = [100 * column.get(name, 0) for name in names]
        axes.barh(where, values, height, xerr=error, label=label, color=colour, hatch=hatch, edgecolor="white")
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.set(xlabel="share in percent")
    axes.invert_yaxis()
    axes.legend(loc="lower right")
    return figure


def losses(history: Sequence, base: str = "trained") -> Figure:
    """The loss of a run over its steps: every step, and the held-out looks between them."""
    figure = Drawing(figsize=(7, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot([p.step for p in history], [p.loss for p in history], color=MARKS[0][0], alpha=0.6, label=base)
    looks = [(p.step, p.held_out) for p in history if p.held_out is not None]
    if looks:
        axes.plot(*zip(*looks, strict=True), "o--", color=MARKS[1][0], label="held out")
    axes.set(xlabel="step", ylabel="loss, nats per token", ylim=(0, None))
    axes.legend()
    return figure


def _of(columns: Mapping[str, Mapping[str, float]], name: str) -> list[float]:
    return [column.get(name, 0) for column in columns.values()]
