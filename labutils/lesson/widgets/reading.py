"""The checkpoints of a training run, on a slider."""

from collections.abc import Sequence

import ipywidgets
from IPython.display import HTML

from labutils.lesson import show
from labutils.lesson.widgets import parts


def checkpoints(rows: Sequence[dict]) -> parts.Box:
    """A slider through the checkpoints of a training run: how far it was, and how it continued some phrases.

    A row holds "tokens", "loss", "bits_per_byte" and "samples", which maps phrases to what was written after them;
    rows without samples are passed over. Raises ValueError when none has samples.
    """
    shown = [row for row in rows if row.get("samples")]
    if not shown:
        raise ValueError("no row holds samples: there is no checkpoint to show")
    options = [(f"{row['tokens']:,} tokens", i) for i, row in enumerate(shown)]
    wide = {"description_width": "initial"}
    slider = ipywidgets.SelectionSlider(options=options, description="checkpoint", style=wide, layout=parts.WIDE)
    view = parts.View(_checkpoint(shown[0]))
    slider.observe(lambda change: view.show(_checkpoint(shown[change["new"]])), names="value")
    return parts.Box("checkpoints of a training run", [slider, view])


def checkpoints_table(rows: Sequence[dict], phrase: str, limit: int = 110) -> HTML:
    """The same without a kernel: one phrase, a row for each checkpoint."""
    return show.table(
        [
            {"tokens": f"{row['tokens']:,}", "bits per byte": f"{row['bits_per_byte']:.2f}",
             "continuation": phrase + row["samples"][phrase]}
            for row in rows if row.get("samples")
        ],
        limit,
    )  # fmt: skip


def _checkpoint(row: dict) -> str:
    bits = f"{row['bits_per_byte']:.2f} bits per byte on held-out pages"
    head = f"<div>loss {row['loss']:.2f} nats per token, {bits}</div>"
    written = [{"phrase": phrase, "continuation": text} for phrase, text in row["samples"].items()]
    return head + show.table(written).data
