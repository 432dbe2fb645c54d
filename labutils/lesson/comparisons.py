"""Points of an experiment -> tables and figures: means over seeds, curves, effects with both intervals."""

import math
from collections.abc import Mapping, Sequence

from IPython.display import HTML
from matplotlib.figure import Figure

from labutils.lesson import figures, show
from labutils.measure.grid.effects import Effect, measured, values
from labutils.measure.grid.points import Result
from labutils.measure.intervals import over_seeds


def means(found: Mapping[str, Sequence[Result]], scores: Mapping[str, str]) -> HTML:
    """A row a point, a column a score, by what the table calls it: the mean over the seeds, and their least and most.

    A score that was not measured at a point is "-".
    """
    return show.table(
        [
            {"point": name, **{label: _mean(results, score) for label, score in scores.items()}}
            for name, results in found.items()
        ]
    )


def curves(lines: Mapping[str, Mapping[str, Sequence[float]]], unit: str = "percent", xlabel: str = "") -> Figure:
    """Scores along points, as `effects.along` gives them, each with the interval of its mean over other seeds."""
    spreads = {
        label: {name: over_seeds(found) for name, found in line.items() if len(found) > 1}
        for label, line in lines.items()
    }
    ends = {
        label: {name: (spread.low, spread.high) for name, spread in line.items()} for label, line in spreads.items()
    }
    return figures.curves(lines, ends, unit=unit, xlabel=xlabel)


def effects(found: Mapping[str, Effect]) -> HTML:
    """A row an effect: the difference, its intervals over other seeds and over other questions, whether it is there."""
    return show.table([{"effect": name, **_row(effect)} for name, effect in found.items()])


def overview(found: Mapping[str, Effect]) -> Figure:
    """Differences of shares in one picture, each with the outer ends of its two intervals, so that a mark is full where
    an effect is there. Losses have another unit and are left out.
    """
    rows = {}
    for name, (value, seeds, questions, share) in found.items():
        if share:
            ends = [questions, *([seeds] if seeds else [])]
            low, high = min(end.low for end in ends), max(end.high for end in ends)
            rows[name] = value, max(-1, low), min(1, high)
    return figures.effects(rows)


def _row(effect: Effect) -> dict[str, str]:
    seeds = effect.seeds and math.isfinite(effect.seeds.low) and effect.seeds
    return {
        "difference": _number(effect.value, effect.share, signed=True),
        "with other seeds": _ends(seeds.low, seeds.high, effect.share) if seeds else "one run",
        "with other questions": _ends(effect.questions.low, effect.questions.high, effect.share),
        "there?": "yes" if effect.there else "not shown",
    }


def _mean(results: Sequence[Result], score: str) -> str:
    if not measured(results, score):
        return "-"
    spread, share = over_seeds(values(results, score)), score not in results[0].card.losses
    seen = f" ({_number(spread.least, share)} to {_number(spread.most, share)})" if spread.n > 1 else ""
    return _number(spread.mean, share) + seen


def _ends(low: float, high: float, share: bool) -> str:
    low, high = (max(-1, low), min(1, high)) if share else (low, high)  # few seeds reach past what a share can be
    return f"{_number(low, share, signed=True)} to {_number(high, share, signed=True)}"


def _number(value: float, share: bool, signed: bool = False) -> str:
    value = round(value, 2) + 0.0  # no "-0%"
    return f"{value:{'+' if signed else ''}{'.0%' if share else '.2f'}}"
