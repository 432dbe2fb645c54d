"""The learner's command `report`: its options, what it calls, the table it prints."""

import argparse
import json
import sys

from labutils.corpus import sources
from labutils.lesson import scores
from labutils.lesson.commandline_survey import columns, safe
from labutils.measure import report
from labutils.measure.report import Row
from labutils.measure.stages import SPLITS, STAGES, Stage


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
        tell=lambda line: print(safe(line, 200), file=sys.stderr),
    )
    print(json.dumps(list(map(as_object, rows)), indent=1) if asked.json else text(rows))
    return 0


def as_object(row: Row) -> dict:
    """A row for programs; "recorded" is there where it was not measured now."""
    fields = row._asdict()
    return fields if row.recorded else {name: value for name, value in fields.items() if name != "recorded"}


def text(rows: list[Row]) -> str:
    """A report card for people: the table, then its notes."""
    table = scores.cells(rows)
    lines = columns([[safe(name) for name in table[0]], *(list(row.values()) for row in table)])
    return "\n".join([*lines, "", *scores.notes(rows)])
