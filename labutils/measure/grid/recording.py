"""Experiments are run, gone on with, and read back: each point and seed that is not yet in the record is made."""

import gc
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from labutils.measure import experiments
from labutils.measure.grid import points
from labutils.measure.grid.plans import PLANS, Settings, from_plain, plain, plan_of
from labutils.measure.grid.points import Result
from labutils.model.loop import Progress
from labutils.model.models import ModelMissing
from labutils.pairs.records import write_jsonl

# The record: a JSON line for each result, kept as soon as it is there.


def record_path(name: str) -> Path:
    """Where an experiment is recorded."""
    return experiments.RECORDED / f"{name}.jsonl"


@contextmanager
def alone(name: str) -> Iterator[None]:
    """While this process, and no other, writes a record. Raises ValueError where another one does.

    The system frees the lock when a process dies.
    """
    experiments.WORK.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(experiments.WORK / f"{name}.lock", timeout=0):
            yield
    except Timeout:
        raise ValueError(f"{name} is being recorded by another process; wait until it has ended, or stop it") from None


def read_record(name: str) -> list[dict]:
    """All lines of a record in their order; none where there is no record.

    What stands behind the last end of a line was cut off in the middle of writing, and is passed over. Raises
    ValueError naming any other line that is no JSON object.
    """
    file, found = record_path(name), []
    whole = file.read_bytes().split(b"\n")[:-1] if file.is_file() else []
    for number, line in enumerate(whole, 1):
        try:
            found.append(dict(json.loads(line)))
        except (ValueError, TypeError):
            raise ValueError(f"{file}, line {number}: expected a JSON object, got {line[:60]!r}") from None
    return found


def append_line(name: str, line: dict) -> None:
    """One more line at the end; where that fails (a full disk, a kill), the record is what it was."""
    write_record(name, [*read_record(name), line])


def write_record(name: str, lines: Sequence[dict]) -> None:
    """The whole record anew, or, on any error, the old one as it was."""
    experiments.RECORDED.mkdir(parents=True, exist_ok=True)
    write_jsonl(lines, record_path(name))


# The experiment: what is wanted, made, and read back.


class Wanted(NamedTuple):
    """One result that an experiment consists of, and its line where it is recorded."""

    point: str
    settings: Settings
    seed: int
    line: dict | None


def run(
    name: str,
    chosen: Collection[str] = (),
    limit: int | None = None,
    *,
    tell: Callable[[str], None] = lambda line: None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> list[Wanted]:
    """Make what is missing of an experiment, each result kept before the next is begun; all of it as it then stands.

    What another experiment has recorded with the same settings is taken from there. A point whose model is not here is
    left out, and told. When nothing is missing any more, the record is put into the order of the plan.

    Args:
        name: one of `plans.PLANS`.
        chosen: only these points; all of them without it.
        limit: add at most this many results.
        tell: gets a line for each.
        on_progress: as for `training.finetune`.

    Raises:
        ValueError: an unknown experiment or point, or another process records this experiment.
    """
    unknown = [point for point in chosen if point not in plan_of(name)]
    if unknown:
        raise ValueError(f"{name} has no point {unknown[0]!r}; it has {', '.join(plan_of(name))}")
    with alone(name):
        missing = [each for each in state(name) if each.line is None and (not chosen or each.point in chosen)]
        for point, settings, seed, _ in missing[:limit]:
            try:
                line = elsewhere(settings, seed) or make(settings, seed, on_progress)
            except ModelMissing as problem:
                tell(f"{point}, seed {seed}: left out, {problem}")
                continue
            append_line(name, line | {"point": point})
            gc.collect()  # a Trainer refers to itself, and its model stays in memory until somebody looks for circles
            tell(f"{point}, seed {seed}: {line['about']['minutes']:.1f} minutes")
        found = state(name)
        if all(each.line for each in found):
            write_record(name, [each.line for each in found])
    return found


def state(name: str) -> list[Wanted]:
    """Everything that an experiment consists of, in its order, with the lines that are recorded.

    A line counts where settings and seed are those of the plan, and the files it was made of are those of today (or
    its model is not here, so that nobody can tell).
    """
    kept, today = read_record(name), cache(_hash)
    return [
        Wanted(
            point, settings, seed, _current([line for line in kept if line["point"] == point], settings, seed, today)
        )
        for point, (settings, seeds) in plan_of(name).items()
        for seed in seeds
    ]


def elsewhere(settings: Settings, seed: int) -> dict | None:
    """A line with these settings, of today's files, in the record of any experiment."""
    found = (_current(read_record(name), settings, seed, _hash) for name in PLANS)
    return next(filter(None, found), None)


def make(settings: Settings, seed: int, on_progress: Callable[[Progress], None]) -> dict:
    """A line of a record, but for the name of its point. Raises ModelMissing where the model is not here."""
    made_of = points.made_of(settings.model, "taught" in settings.asked)
    about = {"settings": plain(settings), "made_of": made_of, "versions": experiments.versions()}
    return {"point": "", **about, **points.plain(points.run(settings, seed, on_progress))}


def results(name: str) -> dict[str, list[Result]]:
    """What is recorded of an experiment: the results of each point in its plan, a seed each, with the files they
    were made. Points without any are left out.

    Raises FileNotFoundError where nothing is recorded, naming the command that records it.
    """
    kept, found = read_record(name), {}
    for point, (settings, seeds) in plan_of(name).items():
        alike = {line["seed"]: line for line in kept if line["point"] == point and _is(line, settings)}
        found[point] = [points.from_plain(alike[seed]) for seed in seeds if seed in alike]
    if not any(found.values()):
        raise FileNotFoundError(f"no record of {name}; make it with: python3 -m labutils experiment {name}")
    return {point: some for point, some in found.items() if some}


def _current(
    kept: Sequence[dict], settings: Settings, seed: int, today: Callable[[str, bool], str | None]
) -> dict | None:
    alike = (line for line in kept if line["seed"] == seed and _is(line, settings))
    return next(
        (line for line in alike if today(settings.model, "taught" in settings.asked) in (None, line["made_of"])), None
    )


def _is(line: dict, settings: Settings) -> bool:
    return from_plain(line["settings"]) == settings


def _hash(model: str, again: bool) -> str | None:
    try:
        return points.made_of(model, again)
    except ModelMissing:
        return None
