"""Is an effect there? Two points of an experiment compared, with both kinds of chance: other seeds, other questions."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from labutils.measure.grid.points import Result
from labutils.measure.intervals import Mean, Spread, over_seeds, paired


class Effect(NamedTuple):
    """How much higher a score is at the second of two points."""

    value: float
    seeds: Spread | None  # over runs with other seeds; None where no run has a seed to vary
    questions: Mean  # over other questions, or texts, of the kind
    share: bool  # whether it is a difference of shares; else one of losses, in their unit

    @property
    def there(self) -> bool:
        """Whether 0 lies outside both intervals: neither other seeds nor other questions would undo the difference."""
        ends = [(self.questions.low, self.questions.high)]
        if self.seeds:
            ends.append((self.seeds.low, self.seeds.high))
        return all(low > 0 for low, _ in ends) or all(high < 0 for _, high in ends)


def values(results: Sequence[Result], score: str) -> list[float]:
    """A score of each result, in their order. Raises KeyError for a score that was not measured."""
    return [_value(result, score) for result in results]


def measured(results: Sequence[Result], score: str) -> bool:
    """Whether a score was measured: `taught`, for one, needs facts that were taught."""
    card = results[0].card
    return score in card.losses or any(hit is not None for hit in card.judged.get(score, ()))


def effect(one: Sequence[Result], other: Sequence[Result], score: str) -> Effect:
    """How much higher a score is in the second of two rows of results, a result a seed.

    Runs of one seed are compared with each other: they drew the same pairs. A single run that is compared with several
    (a model before any training) is compared with each. For questions, the answers of all seeds are averaged first.
    For a loss, lower is better.

    Raises:
        ValueError: no seed in common, or other questions on the two sides.
        KeyError: a score that was not measured.
    """
    pairs = _matched(one, other)
    before, after = ([side[i] for side in pairs] for i in (0, 1))
    differences = np.subtract(values(after, score), values(before, score))
    seeds = over_seeds(differences) if max(len(one), len(other)) > 1 else None
    questions = _over_questions(before, after, score)
    return Effect(float(differences.mean()), seeds, questions, score not in before[0].card.losses)


def frame(found: Mapping[str, Sequence[Result]]) -> pd.DataFrame:
    """Results as a tidy table, a row for each run and score: "configuration", "seed", "score", "value".

    A share lies between 0 and 1, a loss is in its own unit: nats a token, or bits a byte.
    """
    rows = [
        {"configuration": name, "seed": result.seed, "score": score, "value": _value(result, score)}
        for name, results in found.items()
        for result in results
        for score in (*result.card.judged, *result.card.losses)
        if measured([result], score)
    ]
    return pd.DataFrame(rows)


def differences(found: Mapping[str, Sequence[Result]], one: str, other: str, scores: Mapping[str, str]) -> pd.DataFrame:
    """How much higher some scores are in the second of two configurations, seed by seed and question by question.

    A row for each score, by what the table calls it: {"facts right": "fact_hits"}. The columns are the mean difference,
    the ends of its 95 % confidence intervals over seeds and over questions, and whether neither of them holds zero.
    """
    effects = {label: effect(found[one], found[other], score) for label, score in scores.items()}
    rows = [
        {
            "difference": each.value,
            "over seeds, from": each.seeds.low if each.seeds else float("nan"),
            "to": each.seeds.high if each.seeds else float("nan"),
            "over questions, from": each.questions.low,
            "up to": each.questions.high,
            "excludes zero": each.there,
        }
        for each in effects.values()
    ]
    return pd.DataFrame(rows, index=pd.Index(list(effects), name=f"{other} minus {one}"))


def _value(result: Result, score: str) -> float:
    if not measured([result], score):
        raise KeyError(f"{score} was not measured; there are {', '.join([*result.card.judged, *result.card.losses])}")
    if score in result.card.losses:
        values, sizes, _ = result.card.losses[score]
        return sum(values) / sum(sizes)
    hits = [hit for hit in result.card.judged[score] if hit is not None]
    return sum(hits) / len(hits)


def _matched(one: Sequence[Result], other: Sequence[Result]) -> list[tuple[Result, Result]]:
    if len(one) == 1 or len(other) == 1:
        return [(first, second) for first in one for second in other]
    second = {result.seed: result for result in other}
    pairs = [(first, second[first.seed]) for first in one if first.seed in second]
    if not pairs:
        raise ValueError(f"no seed in common: {[r.seed for r in one]} and {[r.seed for r in other]}")
    return pairs


def _over_questions(before: Sequence[Result], after: Sequence[Result], score: str) -> Mean:
    old, new = ([_of_each(result, score) for result in side] for side in (before, after))
    if [one.keys() for one in old] != [other.keys() for other in new] or _sizes(before, score) != _sizes(after, score):
        raise ValueError(f"{score}: the two were not asked the same questions, or count other tokens")
    asked, sizes = sorted(set().union(*old)), _sizes(before, score)
    one, other = ([np.mean([each[i] for each in side if i in each]) for i in asked] for side in (old, new))
    return paired(one, other, [sizes[i] for i in asked] if sizes else None)


def _of_each(result: Result, score: str) -> dict[int, float]:
    """A value for each question, or text, by its place; those to which the score does not apply are left out."""
    if score in result.card.losses:
        found = result.card.losses[score].of_items()
        return dict(zip(found.items, found.values, strict=True))
    return {i: float(hit) for i, hit in enumerate(result.card.judged[score]) if hit is not None}


def _sizes(results: Sequence[Result], score: str) -> dict[int, int]:
    """The tokens of each answer, or bytes of each text, by its place; none for a share."""
    losses = [result.card.losses[score].of_items() for result in results if score in result.card.losses]
    return {item: size for loss in losses for item, size in zip(loss.items, loss.sizes, strict=True)}
