"""The checkpoints of a training run, on a slider."""

from collections.abc import Sequence

import ipywidgets
from IPython.display import HTML

from labutils.lesson import show
from labutils.lesson.widgets import parts


def moments(rows: Sequence[dict]) -> parts.Box:
    """A slider through the checkpoints of a training run: how far it was, and how it went on from some phrases.

    A row holds "tokens", "loss", "bits_per_byte" and "samples", which maps phrases to what was written behind them;
    rows without samples are passed over. Raises ValueError when none has samples.
    """
    shown = [row for row in rows if row.get("samples")]
    if not shown:
        raise ValueError("no row holds samples: there is no moment to show")
    options = [(f"{row['tokens']:,} tokens trained on", i) for i, row in enumerate(shown)]
    slider = ipywidgets.SelectionSlider(options=options, description="moment", layout=parts.WIDE, readout=True)
    view = parts.View(_moment(shown[0]))
    slider.observe(lambda change: view.show(_moment(shown[change["new"]])), names="value")
    return parts.Box("checkpoints of a training run", [slider, view])


def moments_table(rows: Sequence[dict], phrase: str, limit: int = 110) -> HTML:
    """The same moments without a kernel: one phrase, a row a moment."""
    return show.table(
        [
            {"tokens trained on": f"{row['tokens']:,}", "bits per byte": f"{row['bits_per_byte']:.2f}",
             "it went on": phrase + row["samples"][phrase]}
            for row in rows if row.get("samples")
        ],
        limit,
    )  # fmt: skip


def _moment(row: dict) -> str:
    head = f"<div>loss {row['loss']:.2f} nats a token, {row['bits_per_byte']:.2f} bits a byte on pages set aside</div>"
    written = [{"phrase": phrase, "it went on": text} for phrase, text in row["samples"].items()]
    return head + show.table(written).data
