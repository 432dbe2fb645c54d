"""The learner's command `experiment`: its options, which recorded result it makes again, what it prints."""

import argparse
import sys
from collections.abc import Sequence

from labutils.lesson.commandline import progress_line
from labutils.measure import experiments, prompted
from labutils.measure.grid import recording
from labutils.measure.grid.plans import PLANS, plan_of
from labutils.measure.grid.recording import Wanted


def experiment_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help=", ".join(names()))
    parser.add_argument("--points", metavar="A,B", type=_parts, help="only these points of it, by name")
    parser.add_argument("--limit", type=int, help="make at most this many results now; the others later")
    parser.add_argument(
        "--list", action="store_true", help="say what it consists of and what is recorded; make nothing"
    )


def experiment_command(asked: argparse.Namespace) -> int:
    if asked.name not in names():
        raise ValueError(f"no experiment {asked.name!r}; there are {', '.join(names())}")
    if asked.limit is not None and asked.limit < 1:
        raise ValueError(f"--limit must be at least 1, got {asked.limit}")
    if asked.name in PLANS:
        return _grid(asked)
    if asked.points or asked.limit or asked.list:
        raise ValueError(f"{asked.name} is one result; only {', '.join(PLANS)} consist of points")
    return _prompted(asked.name) if asked.name in prompted.PLANS else _before_and_after(asked.name)


def names() -> list[str]:
    """Every recorded result that can be made again."""
    return [*experiments.EXPERIMENTS, *prompted.PLANS, *PLANS]


def table(found: Sequence[Wanted]) -> str:
    """A line a point: which seeds are recorded, which are missing, and the minutes that the recorded ones took."""
    rows = []
    for point in dict.fromkeys(each.point for each in found):
        here = [each for each in found if each.point == point]
        seeds = " ".join(f"{each.seed}" if each.line else f"({each.seed})" for each in here)
        minutes = sum(each.line["about"]["minutes"] for each in here if each.line)
        rows.append(f"{point:<36} {seeds:<18} {minutes:7.1f}")
    return "\n".join([f"{'point':<36} {'seeds (missing)':<18} minutes", *rows])


def _grid(asked: argparse.Namespace) -> int:
    def tell(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    if asked.list:
        print(table(recording.state(asked.name)))
        return 0
    chosen = asked.points or tuple(plan_of(asked.name))
    found = recording.run(asked.name, chosen, asked.limit, tell=tell, on_progress=progress_line)
    print(table(found))
    left = [each for each in found if each.line is None and each.point in chosen]
    return 1 if left and not asked.limit else 0


def _before_and_after(name: str) -> int:
    record = experiments.run(name, progress_line)
    for score in ("fact_hits", "refuses_off_topic", "refuses_real", "stops"):
        print(f"{score:<18} before {record['before'][score]}   after {record['after'][score]}")
    return 0


def _prompted(name: str) -> int:
    prompted.run(name, progress_line)
    print(f"{experiments.RECORDED / name}.json")
    return 0


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
