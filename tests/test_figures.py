"""Figures, read back from what was drawn: lines, labels; and that a notebook shows them."""

import io
from typing import NamedTuple

import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.image import imread

from labutils.lesson.figures import LINES, curves, effects, losses


class Look(NamedTuple):
    """What a figure needs of a training run's progress."""

    step: int
    loss: float
    held_out: float | None = None


def rows(figure) -> list[str]:
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def legend(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


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


CURVES = {"stops": {"10 pairs": [0.5, 0.75], "all": [1.0]}, "facts": {"none": [0.0], "10 pairs": [0.25]}}
EFFECTS = {"a -> b": (0.5, 0.25, 0.75), "b -> c": (0.125, -0.25, 0.5), "c -> d": (-0.5, -0.75, -0.25)}


def drawn(figure) -> list[tuple[list[list[float]], str]]:
    """The points of each line, rounded, and its label ("" where the legend leaves it out)."""
    lines = figure.axes[0].get_lines()
    labels = [line.get_label() for line in lines]
    ends = [[[round(x, 6), round(y, 6)] for x, y in line.get_xydata().tolist()] for line in lines]
    return [(points, "" if label.startswith("_") else label) for points, label in zip(ends, labels, strict=True)]


def test_a_curve_goes_through_the_means_and_shows_every_seed():
    figure = curves(CURVES, {"stops": {"10 pairs": (0.25, 1.0)}}, xlabel="pairs")
    assert drawn(figure) == [
        ([[-0.06, 62.5], [0.94, 100]], "stops"),
        ([[-0.06, 50], [-0.06, 75]], ""),
        ([[0.94, 100]], ""),
        ([[-0.06, 25], [-0.06, 100]], ""),
        ([[2.06, 0], [0.06, 25]], "facts"),
        ([[2.06, 0]], ""),
        ([[0.06, 25]], ""),
    ]
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["10 pairs", "all", "none"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("pairs", "percent") and axes.get_ylim() == (-3, 103)
    assert legend(figure) == ["stops", "facts"]


def test_another_unit_is_shown_as_it_is():
    figure = curves({"base": {"no": [1.25]}}, unit="bits per byte")
    assert drawn(figure)[0] == ([[0, 1.25]], "base")
    assert figure.axes[0].get_ylabel() == "bits per byte"


def test_series_differ_without_colour():
    figure = curves({name: {"x": [0.5], "y": [0.5]} for name in "abcd"})
    looks = [(line.get_marker(), line.get_linestyle()) for line in figure.axes[0].get_lines()[::3]]
    assert len(set(looks)) == len({marker for marker, _ in looks}) == len(LINES) == 4


@pytest.mark.parametrize(
    ("series", "words"),
    [
        ({}, "expected 1 to 4 series, got 0"),
        ({str(i): {"x": [1]} for i in range(5)}, "expected 1 to 4 series, got 5"),
        ({"stops": {"all": []}}, "no value to draw: stops, all"),
    ],
)
def test_curves_that_cannot_be_drawn(series, words):
    with pytest.raises(ValueError, match=f"^{words}$"):
        curves(series)


def test_effects_lie_around_zero_and_show_whether_they_are_there():
    figure = effects(EFFECTS)
    lines = figure.axes[0].get_lines()
    assert lines[0].get_xdata() == [0, 0]
    assert [line.get_xydata().tolist() for line in lines[1:3]] == [[[25, 0], [75, 0]], [[50, 0]]]
    full = [line.get_markerfacecolor() != "white" for line in lines[2::2]]
    assert full == [True, False, True]
    assert rows(figure) == list(EFFECTS) and figure.axes[0].yaxis_inverted()
    assert figure.axes[0].get_xlabel() == "points of a hundred"


def test_an_effect_in_another_unit_and_none():
    figure = effects({"a": (0.5, 0.0, 1.0)}, unit="bits per byte")
    assert figure.axes[0].get_lines()[1].get_xdata().tolist() == [0, 1]
    assert figure.axes[0].get_lines()[2].get_markerfacecolor() == "white", "an interval that ends at 0 holds it"
    with pytest.raises(ValueError, match=r"^no difference to draw$"):
        effects({})


@pytest.mark.parametrize("name", ["$5 and $6", "_hidden", "<b>"])
def test_settings_and_effects_bear_their_names(name):
    for figure in (curves({"a": {name: [0.5]}}), effects({name: (0.5, 0.25, 0.75)})):
        figure.draw_without_rendering()
    assert rows(figure) == [name]
    assert figure.axes[0].get_yticklabels()[0].get_parse_math() is False


@pytest.mark.parametrize(
    "draw",
    [lambda: losses([Look(1, 4.0, 4.0)]), lambda: curves(CURVES), lambda: effects(EFFECTS)],
    ids=["losses", "curves", "effects"],
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
