"""One experiment on many machines: each runs it with a seed of its own, and the files are merged, none of them trusted.

A file holds a line for each run, as a record does, but no answers. A run is merged only where its settings, its model
and its data are those of this course's record, and its numbers have the form of that record's.
"""

import json
import math
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from labutils import places
from labutils.measure.grid import points, recording
from labutils.measure.grid.plans import Settings, from_plain, plain, plan_of
from labutils.measure.grid.points import Result
from labutils.model.loop import Progress
from labutils.model.models import ModelMissing
from labutils.pairs.records import write_jsonl

MOST_BYTES = 5_000_000  # of one file: a run takes 5,000
MOST_SEED = 2**31
PARTS = ("values", "sizes", "items")  # of a loss


class Merged(NamedTuple):
    """The runs of many files, and a sentence for each file, or part of one, that was left out."""

    lines: list[dict]  # in the order of the plan, then by seed
    refused: list[str]

    @property
    def results(self) -> dict[str, list[Result]]:
        """The results of each configuration, a seed each."""
        names = dict.fromkeys(line["point"] for line in self.lines)
        return {name: [points.from_plain(line) for line in self.lines if line["point"] == name] for name in names}


def run_seed(
    name: str,
    seed: int,
    out: str | Path,
    minutes: float = math.inf,
    chosen: Collection[str] = (),
    *,
    tell: Callable[[str], None] = lambda line: None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> list[dict]:
    """Run an experiment with one new seed, each run kept in `out` before the next is begun; what is there is not made
    again. Returns all lines of `out`.

    Args:
        minutes: no run is begun that would end later, if it took as long as the longest so far.
        chosen, tell, on_progress: as for `recording.run`. Without a choice, every configuration that has several seeds.

    Raises:
        ValueError: an unknown experiment or configuration, a seed that is recorded, a configuration whose run could not
            be merged, or a file that holds anything else.
    """
    plan, out, began, longest = repeated(name, chosen), Path(out), time.monotonic(), 0.0
    record = today(name)
    for point in plan:
        check_seed(name, point, seed)
        if point not in record:
            raise ValueError(
                f"{point!r} is not recorded with the settings, the model and the data that are here, so its run could "
                "not be merged: use the course as it was handed out, or choose others with --points"
            )
    lines = parsed(name, record, out.read_bytes()) if out.exists() else []
    if others := {line["seed"] for line in lines} - {seed}:
        raise ValueError(f"{out} holds seed {min(others)}, not {seed}: give the name of another file")
    for point, settings in plan.items():
        before = time.monotonic()
        if any(line["point"] == point for line in lines) or before - began + longest > 60 * minutes:
            continue
        try:
            lines.append(slim(recording.make(settings, seed, on_progress) | {"point": point}))
        except ModelMissing as problem:
            tell(f"{point}: left out, {problem}")
            continue
        write_jsonl(lines, out)
        longest = max(longest, time.monotonic() - before)
        tell(f"{point}, seed {seed}: {lines[-1]['about']['minutes']:.1f} minutes")
    return lines


def repeated(name: str, chosen: Collection[str] = ()) -> dict[str, Settings]:
    """The configurations of an experiment that have several seeds, by name. Raises ValueError for another choice."""
    found = {point: settings for point, (settings, seeds) in plan_of(name).items() if len(seeds) > 1}
    if unknown := [point for point in chosen if point not in found]:
        raise ValueError(f"{name} repeats no {unknown[0]!r} with other seeds; it repeats {', '.join(found)}")
    return {point: settings for point, settings in found.items() if not chosen or point in chosen}


def merge(name: str, source: str | Path) -> Merged:
    """The runs of an experiment in a file, or in all `.jsonl` files of a folder. A file of which anything is wrong is
    left out whole, a seed that comes twice counts once. Raises ValueError for an unknown experiment, FileNotFoundError.
    """
    files, refused = places.gather(source, ".jsonl", MOST_BYTES, partial(parsed, name, today(name)))
    found = {}
    for path, lines in files.items():
        if again := [line for line in lines if (line["point"], line["seed"]) in found]:
            refused.append(f"{path}: seed {again[0]['seed']} of {again[0]['point']!r} is in a file before it, left out")
        found = {(line["point"], line["seed"]): line for line in lines} | found
    order = list(plan_of(name))
    return Merged([found[key] for key in sorted(found, key=lambda key: (order.index(key[0]), key[1]))], refused)


def today(name: str) -> dict[str, dict]:
    """A recorded run of each configuration, of today's files: what the run of somebody else has to be like."""
    return {each.point: each.line for each in recording.state(name) if each.line}


def parsed(name: str, record: Mapping[str, dict], data: bytes) -> list[dict]:
    """The runs in a file, checked. Raises ValueError with the line and what is wrong with it."""
    lines = data.decode().removesuffix("\n").split("\n")
    for number, line in enumerate(lines, 1):
        try:
            lines[number - 1] = checked(name, record, json.loads(line))
        except (TypeError, KeyError, AttributeError, OverflowError, RecursionError, json.JSONDecodeError):
            raise ValueError(f"line {number} is no run as `experiment {name} --seed N` writes it") from None
        except ValueError as problem:
            raise ValueError(f"line {number}: {problem}") from None
    return lines


def checked(name: str, record: Mapping[str, dict], line: dict) -> dict:
    """One run, reduced to what is merged. Raises ValueError where it is not like the record."""
    if (point := line["point"]) not in record:
        raise ValueError(f"{str(point)[:40]!r} is no recorded configuration of {name}")
    own = record[point]
    if from_plain(line["settings"]) != from_plain(own["settings"]):
        different = [key for key, value in own["settings"].items() if line["settings"].get(key, value) != value]
        raise ValueError(f"{point!r} has other settings than here ({', '.join(different) or 'unknown ones'})")
    if line["made_of"] != own["made_of"]:
        raise ValueError(f"{point!r} was made of another model or other data than are here")
    check_seed(name, point, line["seed"])
    line |= {"judged": {score: line["judged"].get(score, "") for score in own["judged"]}}  # newer scores are dropped
    line |= {"losses": {loss: line["losses"][loss] for loss in own["losses"]}}
    if form(line) != form(own):
        raise ValueError(f"{point!r} has other scores or questions than here")
    silent = [score for score, row in line["judged"].items() if set(row) == {"-"} != set(own["judged"][score])]
    if silent:
        raise ValueError(f"{point!r} has no answer that counts for {silent[0]}")
    if not 0 <= float(line["about"]["minutes"]) < math.inf:
        raise ValueError("a run takes 0 minutes or more")
    return slim(line)


def check_seed(name: str, point: str, seed: object) -> None:
    """Raises ValueError for anything but a whole number that no recorded run of this configuration has as its seed."""
    if type(seed) is not int or not 0 <= seed < MOST_SEED:
        raise ValueError(f"a seed must be a whole number from 0 to {MOST_SEED - 1}, got {str(seed)[:40]}")
    if seed in plan_of(name)[point].seeds:
        raise ValueError(f"seed {seed} of {point!r} is recorded already; take one that is new, such as {seed + 100}")


def form(line: Mapping) -> tuple[dict, dict]:
    """What two runs of a configuration have in common: how many questions each score has; and of each loss how many
    values, its sizes and its items. Where the seed draws the facts that are taught and asked, these differ: then the
    number of sizes, and whether the items are those of the score `taught`.

    Raises ValueError, TypeError or OverflowError for signs, numbers or lists that no run has.
    """
    judged, taught, losses = line["judged"], "taught" in from_plain(line["settings"]).asked, {}
    if not set().union(*judged.values()) <= set(points.SIGNS.values()):
        raise ValueError("a score has other signs than 0, 1 and -")
    for name, loss in line["losses"].items():
        values, sizes, items = (loss[part] for part in PARTS)
        if not all(map(math.isfinite, [*values, *sizes, *items])) or min(sizes) <= 0:
            raise ValueError("a loss has numbers that none can have")
        if taught and name == "answer_loss":
            sizes, items = len(sizes), items == [i for i, sign in enumerate(judged["taught"]) if sign != "-"]
        losses[name] = len(values), sizes, items
    return {name: len(row) for name, row in judged.items()}, losses


def slim(line: Mapping) -> dict:
    """A run without its answers, which are text that nobody has checked."""
    return {name: line[name] for name in ("point", "made_of", "seed")} | {
        "settings": plain(from_plain(line["settings"])),
        "about": {"minutes": round(float(line["about"]["minutes"]), 2)},
        "judged": dict(line["judged"]),
        "losses": {name: {part: loss[part] for part in PARTS} for name, loss in line["losses"].items()},
        "said": [],
    }
