"""Figures, read back from what was drawn: bars, errors, lines, labels; and that a notebook shows them."""

import io
from typing import NamedTuple

import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.colors import to_hex
from matplotlib.image import imread

from labutils.lesson.figures import MARKS, losses, shares

SHARES = {"first": {"Python": 0.5, "JSON": 0.25}, "fair": {"Python": 0.125, "XML": 0.75}}


class Look(NamedTuple):
    """What a figure needs of a training run's progress."""

    step: int
    loss: float
    held_out: float | None = None


def bars(figure) -> list[list[tuple[float, float]]]:
    """For each column the (middle, length) of its bars, from the first row on."""
    (axes,) = figure.axes
    columns = [c for c in axes.containers if hasattr(c, "patches")]
    return [[(round(b.get_y() + b.get_height() / 2, 6), b.get_width()) for b in column] for column in columns]


def rows(figure) -> list[str]:
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def ends(figure) -> list[list[list[list[float]]]]:
    """For each column the two ends, left and right, of its error bars in percent."""
    drawn = [c.errorbar.lines[2][0].get_segments() for c in figure.axes[0].containers if hasattr(c, "patches")]
    return [[[end[0] for end in segment] for segment in column] for column in drawn]


def legend(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_bars_lie_in_rows_by_their_largest_share():
    figure = shares(SHARES)
    assert rows(figure) == ["XML", "Python", "JSON"]
    assert bars(figure) == [[(-0.2, 0), (0.8, 50), (1.8, 25)], [(0.2, 75), (1.2, 12.5), (2.2, 0)]]
    assert legend(figure) == ["first", "fair"]
    (axes,) = figure.axes
    assert axes.get_xlabel() == "share in percent"
    assert axes.yaxis_inverted() and list(axes.get_yticks()) == [0, 1, 2]


def test_one_column_lies_on_its_ticks():
    assert bars(shares({"all": {"a": 0.1, "b": 0.9}})) == [[(0, 90), (1, 10)]]


def test_equal_shares_come_by_name():
    names = [f"set {i}" for i in range(20)]
    figure = shares({"a": dict.fromkeys(reversed(names), 0.05), "b": {"set 7": 0.06}})
    assert rows(figure) == ["set 7", *sorted(set(names) - {"set 7"})]


def test_errors_stand_on_both_sides_of_a_bars_end():
    figure = shares(SHARES, {"fair": {"Python": 0.0625, "XML": 0.25}})
    assert ends(figure) == [[[0, 0], [50, 50], [25, 25]], [[50, 100], [6.25, 18.75], [0, 0]]]


def test_columns_differ_without_colour():
    figure = shares({name: {"a": 0.25} for name in "wxyz"})
    drawn = [(to_hex(c[0].get_facecolor()).upper(), c[0].get_hatch()) for c in figure.axes[0].containers if c[0]]
    drawn = [mark for mark in drawn if mark[1]]
    assert drawn == MARKS and len({hatch for _, hatch in drawn}) == 4


@pytest.mark.parametrize("columns", [0, 5])
def test_no_column_and_too_many(columns):
    with pytest.raises(ValueError, match=rf"^expected 1 to 4 columns, got {columns}$"):
        shares({str(i): {"a": 0.2} for i in range(columns)})


@pytest.mark.parametrize("name", ["$5 and $6", r"$\frac$", "_hidden", "a\nb", "", "<b>"])
def test_a_row_bears_its_name_whatever_it_is(name):
    figure = shares({"a": {name: 0.5, "other": 0.4}})
    figure.draw_without_rendering()
    assert rows(figure) == [name, "other"]
    assert figure.axes[0].get_yticklabels()[0].get_parse_math() is False


def test_a_run_and_its_held_out_looks():
    figure = losses([Look(1, 4.0), Look(2, 3.0, 3.5), Look(3, 2.0), Look(4, 1.0, 2.5)], base="tuned")
    every, looks = figure.axes[0].get_lines()
    assert every.get_xydata().tolist() == [[1, 4], [2, 3], [3, 2], [4, 1]]
    assert looks.get_xydata().tolist() == [[2, 3.5], [4, 2.5]]
    assert (every.get_linestyle(), looks.get_linestyle(), looks.get_marker()) == ("-", "--", "o")
    assert legend(figure) == ["tuned", "held out"]
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "loss, nats per token")
    assert axes.get_ylim()[0] == 0 and axes.get_ylim()[1] > 4


def test_a_run_without_held_out_looks():
    figure = losses([Look(1, 4.0), Look(2, 3.0)])
    assert legend(figure) == ["trained"]
    assert [line.get_xydata().tolist() for line in figure.axes[0].get_lines()] == [[[1, 4], [2, 3]]]


@pytest.mark.parametrize(
    "draw",
    [lambda: shares(SHARES), lambda: losses([Look(1, 4.0, 4.0)])],
    ids=["shares", "losses"],
)
def test_a_notebook_shows_a_figure_as_a_picture(draw):
    """As the value of a cell, in a kernel that never loaded pyplot; on white, so that both themes can read it."""
    figure = draw()
    formats, _ = DisplayFormatter().format(figure)
    assert set(formats) == {"text/plain", "image/png"}
    picture = imread(io.BytesIO(formats["image/png"]), format="png")
    assert picture.shape == (round(100 * figure.get_figheight()), round(100 * figure.get_figwidth()), 4)
    assert picture[0, 0].tolist() == [1, 1, 1, 1]
    assert (picture[:, :, :3] < 0.2).all(axis=2).any()
