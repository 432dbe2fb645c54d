"""Rows -> medians, their ranges, and ratios of ours to a rival's, taken within a round. A spread is [median, lowest,
highest] of the rounds.
"""

import json
from statistics import median

from .book import Book
from .plan import BATCHES, Bench, fastest, racers, rate_of, target
from .rivals import RIVALS

Spread = list[float] | None


def summary(benches: list[Bench], rest: Book) -> dict:
    """Everything that the page shows; a stage without rows is empty."""
    return {
        "about": rest.about,
        "models": {bench.model: of_model(bench) for bench in benches},
        "growth": growth(rest),
        "survey": {name: spread(rest, name, measure="survey") for name in ("documents", "megabytes")},
        "validation": {"megabytes": spread(rest, "megabytes", measure="validation")},
    }


def growth(rest: Book) -> list[dict]:
    """For each size and number of pairs the weights, the tokens a second and the memory."""
    asked = {json.dumps([row["job"]["size"], row["job"]["pairs"]]): row["job"] for row in rest.found(measure="growth")}
    names = ("weights", "tokens_a_second", "megabytes")
    wanted = [{key: job[key] for key in ("measure", "size", "pairs")} for job in asked.values()]
    return [job | {name: spread(rest, name, **job) for name in names} for job in wanted]


def of_model(bench: Bench) -> dict:
    """What was measured of one model."""
    book = bench.book
    raced = any("until" in row["job"] for row in book.found(measure="race"))
    return {
        "matrix": {kind: spread(book, kind, measure="speed") for kind in ("fp32", "bf16")},
        "speed": [speed(bench, rival) for rival in RIVALS if book.found(measure="speed", rival=rival)],
        "loss": target(bench) if raced else None,
        "race": [race(bench, rival) for rival in racers(bench)] if raced else [],
        "replies": {
            name: spread(book, "replies", measure="generation", batch=batch) for name, batch in BATCHES.items()
        },
        "profile": [row["found"] for row in book.found(measure="profile") if "error" not in row["found"]],
    }


def speed(bench: Bench, rival: str) -> dict:
    """A rival's tokens a second, how many times as many each of ours reads, its padding, memory, share of the peak."""
    wanted = {"measure": "speed", "rival": rival}
    found = {name: spread(bench.book, name, **wanted) for name in ("tokens_a_second", "padding", "megabytes", "share")}
    errors = [row["found"]["error"] for row in bench.book.found(**wanted) if "error" in row["found"]]
    best = {"best": rival == fastest(bench), "error": errors[0] if errors else None}
    return {
        "rival": rival,
        **best,
        **found,
        "ratios": {name: _spread(ratios(bench.book, name, rival)) for name in bench.plan.ours},
    }


def ratios(book: Book, own: str, rival: str) -> list[float]:
    """Tokens a second of one of ours by those of a rival, of the rounds in which both ran."""
    ours, theirs = (
        {row["job"]["seed"]: row["found"].get("tokens_a_second") for row in book.found(measure="speed", rival=name)}
        for name in (own, rival)
    )
    return [ours[seed] / theirs[seed] for seed in ours if own != rival and ours[seed] and theirs.get(seed)]


def race(bench: Bench, rival: str) -> dict:
    """A rival's rate, in how many of its runs it reached the loss, and the tokens and seconds until then."""
    until = target(bench)
    runs = bench.book.found(measure="race", rival=rival, until=until)
    reached = [look for row in runs for look in row["found"].get("looks", []) if look[-1] <= until]
    return {
        "rival": rival,
        "rate": rate_of(rival, bench),
        "runs": len(runs),
        "reached": len(reached),
        "tokens": _spread([tokens for _, tokens, _ in reached]),
        "seconds": _spread([seconds for seconds, *_ in reached]),
    }


def spread(book: Book, name: str, **wanted: object) -> Spread:
    """The spread of a number over the rows that have it."""
    found = [row["found"] for row in book.found(**wanted)]
    return _spread([each[name] for each in found if each.get(name) is not None])


def _spread(values: list[float]) -> Spread:
    return [median(values), min(values), max(values)] if values else None
