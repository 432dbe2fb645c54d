"""Values -> figures, readable without colour and in both themes. Returned, never shown; nothing computed."""

import io
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

LINES = ("o-", "s--", "^:", "D-.")  # a marker and a stroke for each series, beside its colour
MARKS = [("#0072B2", "//"), ("#E69F00", ".."), ("#009E73", "xx"), ("#CC79A7", "\\\\")]  # Okabe and Ito 2008, hatched


class Drawing(Figure):
    """A figure that a notebook shows where it is a cell's value, though pyplot was never loaded."""

    def _repr_png_(self) -> bytes:
        image = io.BytesIO()
        self.savefig(image, format="png")
        return image.getvalue()


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


def curves(
    series: Mapping[str, Mapping[str, Sequence[float]]],
    intervals: Mapping[str, Mapping[str, tuple[float, float]]] | None = None,
    *,
    unit: str = "percent",
    xlabel: str = "",
) -> Figure:
    """A score along a row of settings, a line a series: `{"stops": {"10 pairs": [0.7, 0.8, 0.9], "all": [1.0]}}`.

    Each value, of one seed, is a small mark; the line goes through their means; `intervals`, of the same shape, are
    bars from end to end. In percent, values are shares and the axis goes from 0 to 100; other units are shown as they
    are. Settings stand side by side in the order in which they come first. Raises ValueError for no series, more
    series than there are marks to tell apart, or a setting without any value.
    """
    if not 1 <= len(series) <= len(LINES):
        raise ValueError(f"expected 1 to {len(LINES)} series, got {len(series)}")
    empty = [f"{label}, {name}" for label, row in series.items() for name, found in row.items() if not len(found)]
    if empty:
        raise ValueError(f"no value to draw: {empty[0]}")
    names = list(dict.fromkeys(name for row in series.values() for name in row))
    figure, factor = Drawing(figsize=(7, 3.4), layout="constrained"), 100 if unit == "percent" else 1
    axes = figure.subplots()
    for place, (label, row) in enumerate(series.items()):
        colour, apart = MARKS[place][0], (place - (len(series) - 1) / 2) * 0.12
        where = {name: names.index(name) + apart for name in row}
        means = [factor * sum(found) / len(found) for found in row.values()]
        axes.plot(list(where.values()), means, LINES[place], color=colour, label=label)
        for name, found in row.items():
            axes.plot([where[name]] * len(found), [factor * value for value in found], LINES[place][0], color=colour,
                      markersize=3, alpha=0.6)  # fmt: skip
        for name, (low, high) in (intervals or {}).get(label, {}).items():
            axes.plot([where[name]] * 2, [factor * low, factor * high], "_-", color=colour, linewidth=1)
    axes.set_xticks(range(len(names)), names, parse_math=False)
    axes.set(xlabel=xlabel, ylabel=f"{unit}", **({"ylim": (-3, 103)} if unit == "percent" else {}))
    axes.legend()
    return figure


def effects(rows: Mapping[str, tuple[float, float, float]], unit: str = "points of a hundred") -> Figure:
    """Differences with their intervals, a row each, around a line at 0: `{"base -> tuned": (0.6, 0.5, 0.7)}`.

    A full mark says that 0 lies outside the interval, a hollow one that it lies inside: the effect may not be there.
    Values are shares unless another unit is given. Raises ValueError for no row.
    """
    if not rows:
        raise ValueError("no difference to draw")
    factor = 100 if unit == "points of a hundred" else 1
    figure = Drawing(figsize=(8, 0.8 + 0.32 * len(rows)), layout="constrained")
    axes, colour = figure.subplots(), MARKS[0][0]
    axes.axvline(0, color="0.4", linewidth=1)
    for place, ends in enumerate(rows.values()):
        value, low, high = (factor * end for end in ends)
        inside = low <= 0 <= high
        axes.plot([low, high], [place, place], "|-", color=colour, linewidth=1.5)
        axes.plot([value], [place], "o", color=colour, markerfacecolor="white" if inside else colour)
    axes.set_yticks(range(len(rows)), list(rows), parse_math=False)
    axes.set(xlabel=unit)
    axes.invert_yaxis()
    return figure
