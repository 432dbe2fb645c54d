"""Which measurements are made, in which order: rivals take turns in rounds, so that a slow minute slows them all."""

import math
from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from labutils.model import recipes

from .book import Book
from .rivals import BEST, DEFAULTS, OURS, PIECES


class Plan(NamedTuple):
    """How much is read, so that the slowest rival takes a minute or two."""

    every: int  # one pair in so many is read for speed
    batch: int  # the most pairs an update among which TRL's best settings are looked for: as many as ours
    race_every: int  # one pair in so many is read on the way to a loss
    epochs: float  # of that way
    look: int  # tokens between two looks at the held-out loss
    rates: tuple[float, ...]  # that every rival tries; none: no race
    held: int  # one in so many dev questions is looked at meanwhile
    questions: int  # asked in batches and one by one
    ours: tuple[str, ...]  # of `rivals.OURS`


class Bench(NamedTuple):
    """A model, how much of the pairs it reads, and what has been measured of it."""

    model: str
    plan: Plan
    book: Book


SMALL = Plan(2, recipes.FINETUNING_SMALL.batch, 3, 2, 8000, (1e-3, 2e-3, 4e-3), 1, 64, tuple(OURS))
LARGE = Plan(24, recipes.FINETUNING.batch, 12, 2, 3000, (3e-4, 1e-3), 6, 16, ("ours",))  # of rates two: they are slow
BATCHES = {"one by one": 1, "in batches": 32}
SIZES, SOME = ([256, 6], [384, 8], [512, 10], "smollm2"), 96  # 7, 17, 34 and 135 million weights; pairs for each
PAIRS = (10, 100, 1000, 10_000)


def plan_of(weights: int) -> Plan:
    """The plan for a model of so many weights."""
    return SMALL if weights < recipes.SMALL else LARGE


def speeds(bench: Bench, rounds: int) -> Iterator[dict]:
    """Every rival once a round, and ours without each piece; TRL with every setting in the first, then the fastest."""
    model, plan, _ = bench
    best = [name for name, rival in BEST.items() if rival.settings["per_device_train_batch_size"] <= plan.batch]
    pieces = [name for name in PIECES if plan is not LARGE or name != "ours, whole batches"]
    for seed in range(rounds):
        for rival in (*DEFAULTS, *(best if seed == 0 else [fastest(bench)]), *plan.ours, *pieces):
            yield {"measure": "speed", "model": model, "rival": rival, "every": plan.every, "seed": seed}


def search(bench: Bench) -> Iterator[dict]:
    """Every rival with every rate, once."""
    for rate in bench.plan.rates:
        for rival in racers(bench):
            yield _race(bench, rival, rate, seed=0)


def races(bench: Bench, rounds: int) -> Iterator[dict]:
    """Every rival with its rate to the loss that all can reach, in orders of the pairs that the search has not seen."""
    until = target(bench)
    for seed in range(1, rounds + 1):
        for rival in racers(bench):
            yield _race(bench, rival, rate_of(rival, bench), seed) | {"until": until}


def asking(bench: Bench, rounds: int) -> Iterator[dict]:
    """The same questions one by one and in batches."""
    for seed in range(rounds):
        for batch in BATCHES.values():
            about = {"questions": bench.plan.questions, "batch": batch, "seed": seed}
            yield {"measure": "generation", "model": bench.model, **about}


def profiles(bench: Bench) -> Iterator[dict]:
    """Where the time of a step of ours goes."""
    yield {"measure": "profile", "model": bench.model}


def growths(rounds: int, sizes: Sequence[object] = SIZES) -> Iterator[dict]:
    """Sizes with so many pairs, and numbers of pairs with the first of the sizes."""
    for seed in range(rounds):
        for size, pairs in [*((size, SOME) for size in sizes), *((sizes[0], pairs) for pairs in PAIRS)]:
            yield {"measure": "growth", "size": size, "pairs": pairs, "seed": seed}


def without_model(rounds: int) -> Iterator[dict]:
    """The survey of installed files and the validation of pairs."""
    for seed in range(rounds):
        yield {"measure": "survey", "documents": 2000, "seed": seed}
        yield {"measure": "validation", "megabytes": 10, "seed": seed}


def racers(bench: Bench) -> list[str]:
    """The defaults, TRL with the settings that were fastest here, and ours."""
    return [*DEFAULTS, fastest(bench), *bench.plan.ours]


def fastest(bench: Bench) -> str:
    """The settings of TRL with the most tokens a second."""

    def speed(name: str) -> float:
        found = [row["found"] for row in bench.book.found(measure="speed", rival=name)]
        return median([row["tokens_a_second"] for row in found if "error" not in row] or [0])

    return max(BEST, key=speed)


def target(bench: Bench) -> float:
    """The held-out loss that every rival reaches with one rate or another, 2 % and up to a twentieth above."""
    lowest = [
        min((loss for rate in bench.plan.rates for *_, loss in tried(rival, rate, bench)), default=0)
        for rival in racers(bench)
    ]
    return math.ceil(20 * 1.02 * max(lowest)) / 20


def rate_of(rival: str, bench: Bench) -> float:
    """The rate with which a rival came to the target after the fewest tokens; tokens, since seconds vary."""
    until = target(bench)

    def tokens(rate: float) -> float:
        return min((tokens for _, tokens, loss in tried(rival, rate, bench) if loss <= until), default=math.inf)

    return min(bench.plan.rates, key=tokens)


def tried(rival: str, rate: float, bench: Bench) -> list[list[float]]:
    """The looks of a rival with a rate in the search; none where the rate was too high for it."""
    rows = bench.book.found(measure="race", rival=rival, rate=rate, until=None)
    looks = [look for row in rows for look in row["found"].get("looks", [])]
    return [look for look in looks if math.isfinite(look[-1])]


def _race(bench: Bench, rival: str, rate: float, seed: int) -> dict:
    plan = bench.plan
    about = {"every": plan.race_every, "epochs": plan.epochs, "look": plan.look, "held": plan.held}
    about |= {"rate": rate, "seed": seed}
    return {"measure": "race", "model": bench.model, "rival": rival, **about}
