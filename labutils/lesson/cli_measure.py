"""The commands about results, `experiment` and `report`: their options, what they call, what they print."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence

from labutils.corpus import sources
from labutils.lesson.cli_model import progress_line
from labutils.lesson.terminal import columns, safe, tell
from labutils.measure import experiments, intervals, prompted, report
from labutils.measure.grid import effects, merging, recording
from labutils.measure.grid.plans import PLANS, plan_of
from labutils.measure.grid.points import Result
from labutils.measure.grid.recording import Wanted
from labutils.measure.report import SPLITS, STAGES, Row, Stage
from labutils.pairs.records import write_jsonl

# `experiment`


def experiment_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help=", ".join(names()))
    parser.add_argument("--points", metavar="A,B", type=_parts, help="only these points of it, by name")
    parser.add_argument("--limit", type=int, help="make at most this many results now; the others later")
    parser.add_argument(
        "--list", action="store_true", help="say what it consists of and what is recorded; make nothing"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="run it with this new seed, into a file of your own")
    parser.add_argument("--minutes", type=float, help="with --seed: begin no run that would end later")
    parser.add_argument("--merge", metavar="DIR", help="the runs in a folder's files, beside the recorded ones")
    parser.add_argument("--out", metavar="FILE", help="with --seed or --merge: the file to write")


def experiment_command(asked: argparse.Namespace) -> int:
    if asked.name not in names():
        raise ValueError(f"no experiment {asked.name!r}; there are {', '.join(names())}")
    if asked.limit is not None and asked.limit < 1:
        raise ValueError(f"--limit must be at least 1, got {asked.limit}")
    if asked.minutes is not None and (asked.seed is None or not asked.minutes > 0):
        raise ValueError(f"--minutes must be above 0, and needs --seed, got {asked.minutes:g}")
    if asked.name in PLANS:
        check_pairs(asked)
        return _merged(asked) if asked.merge else _grid(asked) if asked.seed is None else _own(asked)
    if asked.points or asked.limit or asked.list or asked.merge or asked.out or asked.seed is not None:
        raise ValueError(f"{asked.name} is one result; only {', '.join(PLANS)} consist of points")
    return _prompted(asked.name) if asked.name in prompted.PLANS else _before_and_after(asked.name)


TOGETHER = {"list": (), "merge": ("out",), "seed": ("points", "minutes", "out")}


def check_pairs(asked: argparse.Namespace) -> None:
    """Raises ValueError for options of which one would be passed over."""
    given = [name for name in (*TOGETHER, "points", "limit", "out") if getattr(asked, name) not in (None, False)]
    if "out" in given and given[0] not in TOGETHER:
        raise ValueError("--out needs --seed or --merge")
    if unused := [name for name in given[1:] if name not in TOGETHER.get(given[0], ("points", "limit"))]:
        raise ValueError(f"--{unused[0]} does nothing beside --{given[0]}: leave one of them out")


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


def _own(asked: argparse.Namespace) -> int:
    out = asked.out or f"{asked.name}-seed-{asked.seed}.jsonl"
    minutes, chosen = asked.minutes or float("inf"), asked.points or ()
    lines = merging.run_seed(asked.name, asked.seed, out, minutes, chosen, tell=tell, on_progress=progress_line)
    print(f"{out}: {len(lines)} runs with seed {asked.seed}. Hand in this file")
    return 0 if lines else 1


def _merged(asked: argparse.Namespace) -> int:
    found = merging.merge(asked.name, asked.merge)
    for line in found.refused:
        tell(f"left out: {line}")
    if not found.lines:
        raise ValueError(f"no run of {asked.name} in {asked.merge}: nothing to merge")
    if asked.out:
        write_jsonl(found.lines, asked.out)
    recorded = recording.results(asked.name)
    for point, own in found.results.items():
        rows = cells([*over("recorded", recorded[point]), *over("merged", own)])
        print("\n".join([point, *columns([list(rows[0]), *(list(row.values()) for row in rows)]), ""]))
    print("Means of the recorded and of the merged runs, 95 % intervals over seeds; n: how many runs.")
    return 0


def over(stage: str, some: Sequence[Result]) -> list[Row]:
    """The scores of some runs that differ in their seed, each with its interval over seeds."""
    names = [name for name in FORMS if effects.measured(some, name)]
    spreads = {name: intervals.over_seeds(effects.values(some, name)) for name in names}
    return [Row(stage, name, each.mean, each.low, each.high, each.n) for name, each in spreads.items()]


def _grid(asked: argparse.Namespace) -> int:
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


# The rows of a report card -> the cells of a table and the notes under it.


def percent(value: float, low: float, high: float) -> str:
    return f"{value:.0%} ({100 * low:.0f} to {100 * high:.0f})"


def number(value: float, low: float, high: float) -> str:
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


FORMS: Mapping[str, tuple[str, Callable[[float, float, float], str]]] = {
    "fact_hits": ("facts right", percent),
    "exact": ("right word for word", percent),
    "format": ("keeps the format", percent),
    "stops": ("stops by itself", percent),
    "refuses_off_topic": ("off-topic refused", percent),
    "refuses_real": ("real questions refused (less is better)", percent),
    "abstains": ("what nobody can know: not answered", percent),
    "answer_loss": ("loss on right answers, nats a token (less is better)", number),
    "bits_per_byte": ("held-out text, bits a byte (less is better)", number),
}


def cells(rows: Sequence) -> list[dict[str, str]]:
    """A row of cells a score, a column a stage, both in the order in which they come; `n` is how many were counted.

    Rows have stage, score, value, low, high, n, recorded, as `measure.report.Row`. A score that a stage lacks is "-".
    Row("base", "stops", 0.5, 0.2, 0.8, 8) -> {"score": "stops by itself", "base": "50% (20 to 80)", "n": "8"}
    """
    heads = {row.stage: f"{row.stage} (recorded)" if row.recorded else row.stage for row in rows}
    found = {(row.score, row.stage): row for row in rows}
    table = []
    for score in dict.fromkeys(row.score for row in rows):
        label, form = FORMS.get(score, (score, number))
        shown = {stage: found.get((score, stage)) for stage in heads}
        counts = sorted({row.n for row in shown.values() if row})
        values = {heads[stage]: form(row.value, row.low, row.high) if row else "-" for stage, row in shown.items()}
        table.append({"score": label, **values, "n": " or ".join(f"{n:,}" for n in counts)})
    return table


def notes(rows: Sequence) -> list[str]:
    """What a reader of the card has to know, a sentence each; only what these rows need."""
    stages, scores = {row.stage for row in rows}, {row.score for row in rows}
    smollm2 = any(stage.startswith("smollm2") for stage in stages)
    said = ["In brackets: the 95 % confidence interval, over questions or texts."]
    if any(row.recorded for row in rows):
        said.append("Columns marked recorded were measured earlier; they are in data/recorded/report.json.")
    if smollm2:
        said.append("smollm2 was already tuned to follow instructions by its makers.")
    if smollm2 and "answer_loss" in scores:
        said.append("Its tokens are others, so its loss a token is not to be compared with that of the others.")
    if smollm2 and "bits_per_byte" in scores:
        said.append("It may have been trained on the text that the base was not.")
    return said


# `report`


def report_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", metavar="DIR", nargs="+", action="extend", default=[],
        help=f"only these: a stage ({', '.join(STAGES)}), a known name, a folder, or a hub id",
    )  # fmt: skip
    parser.add_argument("--template", default="lecture", help="the prompt template of models that are no stage")
    parser.add_argument("--split", choices=SPLITS, default="test", help="dev: to choose by; test: to report")
    parser.add_argument("--held-out", metavar="FILE", help='documents for bits per byte, one {"text"} a line')
    parser.add_argument("--fp32", action="store_true", help="losses without bfloat16: slower, all digits")
    parser.add_argument("--record", action="store_true", help="keep the stages' scores in data/recorded/report.json")
    parser.add_argument("--json", action="store_true", help="a list of objects for programs")


def report_command(asked: argparse.Namespace) -> int:
    stages = {name: STAGES.get(name, Stage(name, asked.template)) for name in asked.model}
    texts = [document["text"] for document in sources.jsonl(asked.held_out)] if asked.held_out else None
    if texts == []:
        raise ValueError(f"{asked.held_out} holds no text")
    rows = report.of_stages(
        stages or None,
        asked.split,
        texts=texts,
        fp32=asked.fp32,
        record=asked.record,
        tell=tell,
    )
    print(json.dumps(list(map(as_object, rows)), indent=1) if asked.json else report_text(rows))
    return 0


def as_object(row: Row) -> dict:
    """A row for programs; "recorded" is there where it was not measured now."""
    fields = row._asdict()
    return fields if row.recorded else {name: value for name, value in fields.items() if name != "recorded"}


def report_text(rows: list[Row]) -> str:
    """A report card for people: the table, then its notes."""
    table = cells(rows)
    lines = columns([[safe(name) for name in table[0]], *(list(row.values()) for row in table)])
    return "\n".join([*lines, "", *notes(rows)])
