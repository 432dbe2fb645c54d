"""Values -> figures, readable without colour and in both themes. Returned, never shown; nothing computed."""

import io
from collections.abc import Sequence

from matplotlib.figure import Figure

BLUE, ORANGE = "#0072B2", "#E69F00"  # Okabe and Ito 2008


class Drawing(Figure):
    """A figure that a notebook shows where it is a cell's value, though pyplot was never loaded."""

    def _repr_png_(self) -> bytes:
        image = io.BytesIO()
        self.savefig(image, format="png")
        return image.getvalue()

    def __repr__(self) -> str:
        """Where each line begins and ends, for a reader who cannot see it."""
        ends = {line.get_label(): line.get_xydata()[[0, -1]] for axes in self.axes for line in axes.get_lines()}
        return "; ".join(f"{name}: {a[1]:.1f} at {a[0]:.0f}, {b[1]:.1f} at {b[0]:.0f}" for name, (a, b) in ends.items())


def losses(history: Sequence, base: str = "trained") -> Figure:
    """The loss of a run over its steps: every step, and the held-out looks between them."""
    figure = Drawing(figsize=(7, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot([p.step for p in history], [p.loss for p in history], color=BLUE, alpha=0.6, label=base)
    looks = [(p.step, p.held_out) for p in history if p.held_out is not None]
    if looks:
        axes.plot(*zip(*looks, strict=True), "o--", color=ORANGE, label="held out")
    axes.set(xlabel="step", ylabel="loss, nats per token", ylim=(0, None))
    axes.legend()
    return figure


def answers(counts: Sequence[tuple[str, int]], title: str) -> Figure:
    """How many people said what, large enough for a room; the words are shown as they are, never set as formulas."""
    figure = Drawing(figsize=(12, 1.2 + 0.8 * len(counts)), layout="constrained")
    axes, total = figure.subplots(), sum(count for _, count in counts)
    shares = [100 * count / total for _, count in counts]
    axes.bar_label(axes.barh(range(len(counts)), shares, color=BLUE), fmt="%.0f %%", padding=5, fontsize=22)
    axes.set_yticks(range(len(counts)), [said for said, _ in counts], fontsize=22, parse_math=False)
    axes.set_title(f"{title} (n = {total})", fontsize=22, parse_math=False)
    axes.set(xlim=(0, 110), xticks=[])
    axes.invert_yaxis()
    return figure
