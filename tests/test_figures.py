"""Figures, read back from what was drawn: lines, labels; and that a notebook shows them."""

import io
from typing import NamedTuple

from IPython.core.formatters import DisplayFormatter
from matplotlib.image import imread

from labutils.lesson.show import losses


class Look(NamedTuple):
    """What a figure needs of a training run's progress."""

    step: int
    loss: float
    held_out: float | None = None


def legend(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_a_run_and_its_held_out_looks():
    figure = losses([Look(1, 4.0), Look(2, 3.0, 3.5), Look(3, 2.0), Look(4, 1.0, 2.5)], base="tuned")
    every, looks = figure.axes[0].get_lines()
    assert every.get_xydata().tolist() == [[1, 4], [2, 3], [3, 2], [4, 1]]
    assert looks.get_xydata().tolist() == [[2, 3.5], [4, 2.5]]
    assert (every.get_linestyle(), looks.get_linestyle(), looks.get_marker()) == ("-", "--", "o")
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "loss, nats per token") and axes.get_ylim()[0] == 0
    assert repr(figure) == "tuned: 4.0 at 1, 1.0 at 4; held out: 3.5 at 2, 2.5 at 4"
    alone = losses([Look(1, 4.0), Look(2, 3.0)])
    assert (legend(figure), legend(alone)) == (["tuned", "held out"], ["trained"])


def test_a_notebook_shows_a_figure_as_a_picture():
    """As the value of a cell, in a kernel that never loaded pyplot; on white, so that both themes can read it."""
    figure = losses([Look(1, 4.0, 4.0)])
    formats, _ = DisplayFormatter().format(figure)
    assert set(formats) == {"text/plain", "image/png"}
    picture = imread(io.BytesIO(formats["image/png"]), format="png")
    assert picture.shape == (round(100 * figure.get_figheight()), round(100 * figure.get_figwidth()), 4)
    assert picture[0, 0].tolist() == [1, 1, 1, 1]
    assert (picture[:, :, :3] < 0.2).all(axis=2).any()
