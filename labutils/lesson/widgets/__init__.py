"""ipywidgets, one line to call, at most three controls each. No logic: what is shown is computed in other subpackages.

Each comes with a still rendering (`..._table`, `..._bars`, `..._view`) for readers without a kernel. Models are opened
and PyTorch is loaded when a widget asks for them, not before.
"""

from labutils.lesson.widgets.data_widgets import corpus, corpus_table, playground, playground_view
from labutils.lesson.widgets.model_widgets import (
    Watched,
    before_after,
    before_after_table,
    checkpoints,
    checkpoints_table,
    dashboard,
    dashboard_view,
    explorer,
    explorer_bars,
)

__all__ = [
    "Watched",
    "before_after",
    "before_after_table",
    "checkpoints",
    "checkpoints_table",
    "corpus",
    "corpus_table",
    "dashboard",
    "dashboard_view",
    "explorer",
    "explorer_bars",
    "playground",
    "playground_view",
]
