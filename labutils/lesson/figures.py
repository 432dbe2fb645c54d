"""Values -> figures, readable without colour and in both themes. Returned, never shown; nothing computed."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

MARKS = [("#0072B2", "//"), ("#E69F00", ".."), ("#009E73", "xx"), ("#CC79A7", "\\\\")]  # Okabe and Ito 2008, hatched


def shares(
    columns: Mapping[str, Mapping[str, float]], errors: Mapping[str, Mapping[str, float]] | None = None
) -> Figure:
    """Compositions as horizontal bars, one bar a column, side by side for each row: `{"sample": {"Python": 0.4}}`.

    Shares are between 0 and 1; `errors`, of the same shape, are drawn to both sides of a bar's end.
    """
    names = sorted({name for column in columns.values() for name in column}, key=lambda name: -max(_of(columns, name)))
    figure = Figure(figsize=(8, 0.6 + 0.34 * len(names) * max(1, len(columns) / 2)), layout="constrained")
    axes, height = figure.subplots(), 0.8 / len(columns)
    for place, ((label, column), (colour, hatch)) in enumerate(zip(columns.items(), MARKS, strict=False)):
        error = [100 * (errors or {}).get(label, {}).get(name, 0) for name in names]
        where = [i + (place - (len(columns) - 1) / 2) * height for i in range(len(names))]
        values = [100 * column.get(name, 0) for name in names]
        axes.barh(where, values, height, xerr=error, label=label, color=colour, hatch=hatch, edgecolor="white")
    axes.set(yticks=range(len(names)), yticklabels=names, xlabel="share in percent")
    axes.invert_yaxis()
    axes.legend(loc="lower right")
    return figure


def losses(history: Sequence, base: str = "trained") -> Figure:
    """The loss of a run over its steps: every step, and the held-out looks between them."""
    figure = Figure(figsize=(7, 3), layout="constrained")
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
