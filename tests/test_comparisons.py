"""Points as tables and figures: means with their seeds, curves with intervals, effects with both kinds of chance."""

import math

import pytest

from labutils.lesson import comparisons
from labutils.measure.cards import Card
from labutils.measure.grid.effects import along, compare
from labutils.measure.grid.points import Result
from labutils.measure.held_out import Losses


def point(*rows: str) -> list[Result]:
    """A result a row of hits; each has a loss of 1 and 2 nats a token as well."""
    hits = [[{"1": True, "0": False, "-": None}[sign] for sign in row] for row in rows]
    losses = {"loss": Losses([1.0, 2.0], [1, 1], [0, 1])}
    return [Result(seed, Card([], {"hits": found}, losses), {}) for seed, found in enumerate(hits)]


FOUND = {"none": point("0000"), "some": point("1100", "1000", "1110"), "other": point("----")}


def cells(table) -> list[str]:
    """The texts of a table's cells, row by row, header first."""
    return [part.split("<")[0] for part in table.data.replace("</th>", "<").split(">")[1:] if part.split("<")[0]]


def test_means_and_what_the_seeds_led_to():
    assert cells(comparisons.means(FOUND, {"right": "hits", "loss": "loss"})) == [
        *("point", "right", "loss"),
        *("none", "0%", "1.50"),
        *("some", "50% (25% to 75%)", "1.50 (1.50 to 1.50)"),
        *("other", "-", "1.50"),
    ]


def test_effects_with_both_intervals():
    found = compare(FOUND, "none", "some", {"right": "hits"}) | compare(FOUND, "none", "none", {"loss": "loss"})
    half = 4.303 * 0.25 / math.sqrt(3)
    assert found["right: some, not none"].seeds.low == pytest.approx(0.5 - half)
    row = cells(comparisons.effects(found))
    assert row[:5] == ["effect", "difference", "with other seeds", "with other questions", "there?"]
    assert row[5:8] == ["right: some, not none", "+50%", f"{0.5 - half:+.0%} to +100%"]  # no share grows by more
    assert row[9] == "not shown"
    assert row[10:] == ["loss: none, not none", "+0.00", "one run", "+0.00 to +0.00", "not shown"]


def test_nothing_has_no_sign_of_its_own():
    one, other = point("1" * 300), point("1" * 299 + "0")
    row = cells(comparisons.effects(compare({"one": one, "other": other}, "one", "other", {"right": "hits"})))
    assert row[6] == "+0%" and "-0%" not in " ".join(row)


def test_an_effect_that_is_there():
    sure = {"none": point(*["0" * 9] * 3), "all": point(*["1" * 9] * 3)}
    assert cells(comparisons.effects(compare(sure, "none", "all", {"right": "hits"})))[-1] == "yes"


def test_curves_leave_out_what_was_not_measured_and_the_interval_of_one_run():
    line = along(FOUND, FOUND, "hits")
    assert line == {"none": [0.0], "some": [0.5, 0.25, 0.75]}
    figure = comparisons.curves({"right": line}, xlabel="pairs")
    drawn = [artist.get_xydata().tolist() for artist in figure.axes[0].get_lines()]
    half = 100 * 4.303 * 0.25 / math.sqrt(3)
    assert drawn[0] == [[0, 0], [1, 50]] and len(drawn) == 4
    assert [y for _, y in drawn[-1]] == pytest.approx([50 - half, 50 + half])
    assert comparisons.curves({"loss": along(FOUND, ["none"], "loss")}, "nats").axes[0].get_ylabel() == "nats"


def test_an_overview_has_the_outer_ends_and_full_marks_where_effects_are_there():
    points = {
        "none": point(*["0" * 40] * 3),
        "all": point(*["1" * 40] * 3),
        "few": point(*["1" + "0" * 39] * 3),
        "one": point("1" * 40),
        "unsteady": point("1" * 40, "0" * 40, "1" * 20 + "0" * 20),
    }
    found = {name: compare(points, "none", name, {"right": "hits"})[f"right: {name}, not none"] for name in points}
    lines = comparisons.overview(found | compare(points, "none", "all", {"loss": "loss"})).axes[0].get_lines()
    full = [line.get_markerfacecolor() != "white" for line in lines[2::2]]
    assert full == [effect.there for effect in found.values()] == [False, True, False, True, False]
    assert lines[1 + 2 * 4].get_xdata().tolist() == pytest.approx([-74.2, 100], abs=0.1)
    whole, half = comparisons.overview({"a": found["unsteady"]}).axes[0].get_lines()[1:]
    assert whole.get_xdata()[1] == 100 and half.get_xdata()[0] == 50


def test_names_are_escaped():
    assert "<b>" not in comparisons.means({"<b>": point("1")}, {"<i>": "hits"}).data
    assert "<b>" not in comparisons.effects(compare(FOUND, "none", "some", {"<b>": "hits"})).data
