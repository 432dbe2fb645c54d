"""The commands about files of pairs, `validate` and `convert`: their options, what they call, what they print.

The work is done in `pairs`; everything printed here that comes from a file is made harmless first.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from labutils import machine
from labutils.pairs import conversion, exchange, templates, validation
from labutils.pairs.validation.problems import ERROR, NOTE, WARNING, Progress

ROWS = 5  # of one kind that the table shows
SMOLLM2 = 134_515_008  # weights; training takes 6 operations a weight and token (Kaplan et al. 2020)
REACHED = 0.74  # of the speed of a matrix product, measured in training smollm2 in fp32: 169 tokens/s at 184 GFLOP/s
BF16_GAIN = 2.2  # 368 tokens/s there with bf16


def validate_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="pairs, one JSON object a line")
    parser.add_argument("--split-with", metavar="FILE", help="the other side of a split: what leaks between both")
    parser.add_argument("--json", action="store_true", help="a list of objects for programs")
    parser.add_argument("--max-length", type=int, default=512, metavar="N", help="tokens that a pair may have (512)")
    parser.add_argument("--template", default="lecture", help=f"{', '.join(templates.TEMPLATES)}, or a template itself")
    parser.add_argument("--model", metavar="NAME", help="count with this model's tokenizer; else 4 characters a token")
    parser.add_argument("--tokens-per-second", type=float, metavar="N", help="training speed, as `finetune` shows it")
    parser.add_argument("--repair", metavar="OUT", help="write a repaired copy, and OUT.changes.jsonl")


def validate_command(asked: argparse.Namespace) -> int:
    if asked.tokens_per_second is not None and not asked.tokens_per_second > 0:
        raise ValueError(f"--tokens-per-second must be above 0, got {asked.tokens_per_second:g}")
    problems = validation.validate(
        asked.file,
        tokenizer=tokenizer(asked.model) if asked.model else None,
        max_length=asked.max_length,
        template=asked.template,
        split_with=asked.split_with,
        tokens_per_second=asked.tokens_per_second or smollm2_speed(),
        on_progress=progress_line(),
    )
    report = validation.repair(asked.file, asked.repair, filter(None, [asked.split_with])) if asked.repair else None
    if asked.json:
        print(json.dumps([as_object(problem) for problem in problems], indent=1))
    else:
        print("\n".join(table(problems)))
        print(f"{plain(Path(asked.file).name)}: {total(problems)}")
        if not asked.tokens_per_second:
            print("minutes: for smollm2, estimated from a matrix product; `finetune` shows the real tokens a second")
    if report:
        print("\n".join(repaired(report)), file=sys.stderr if asked.json else sys.stdout)
    return 1 if any(problem.severity == ERROR for problem in problems) else 0


def convert_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="JSON Lines, or one JSON list")
    parser.add_argument(
        "--to", metavar="FORM", choices=conversion.FORMS, required=True, help=", ".join(conversion.FORMS)
    )
    parser.add_argument("--out", metavar="FILE", required=True, help="the file to write")
    parser.add_argument("--template", default="lecture", help='how a pair is written in the form "text"')


def convert_command(asked: argparse.Namespace) -> int:
    count = exchange.convert_file(asked.file, asked.to, asked.out, asked.template)
    print(f"{asked.out}: {count} lines")
    return 0


def as_object(problem: validation.Problem) -> dict:
    """A problem for programs; "lines" is there where it ties several."""
    fields = problem._asdict()
    return fields if problem.lines else {name: value for name, value in fields.items() if name != "lines"}


def table(problems: list[validation.Problem]) -> Iterator[str]:
    """Problems by kind, errors first: what to do once, then at most ROWS lines, the others counted."""
    order = {ERROR: 0, WARNING: 1, NOTE: 2}
    kinds: dict[tuple[str, str, str], list[validation.Problem]] = {}
    for problem in sorted(problems, key=lambda problem: (order[problem.severity], problem.code, problem.line)):
        kinds.setdefault((problem.severity, problem.code, problem.fix), []).append(problem)
    for (severity, code, fix), found in kinds.items():
        yield f"{severity:<8} {code}: {plain(fix)}"
        for problem in found[:ROWS]:
            where = f"line {problem.line}" if problem.line else "the file"
            yield f"  {where:<12} {plain(problem.cause)}"
        if len(found) > ROWS:
            yield f"  {'':<12} and {len(found) - ROWS:,} more"


def total(problems: list[validation.Problem]) -> str:
    """total([...]) -> "1 error, 0 warnings, 2 notes"."""
    counts = Counter(problem.severity for problem in problems)
    return ", ".join(f"{counts[name]:,} {name}{'' if counts[name] == 1 else 's'}" for name in (ERROR, WARNING, NOTE))


def repaired(report: validation.Report) -> Iterator[str]:
    """What a repair did, and what is left to do by hand."""
    done = ", ".join(f"{code} {count:,}" for code, count in sorted(report.counts.items())) or "none"
    yield f"{plain(str(report.out))}: {report.written:,} of {report.read:,} lines; changes: {done}"
    yield f"every change is listed in {plain(str(report.changes))}; left in the copy: {total(report.left)}"


def plain(text: str) -> str:
    """A text on one line that does nothing to a terminal. plain("\\x1b[31m") -> "\\\\u001b[31m"."""
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text)


def progress_line() -> Callable[[Progress], None] | None:
    """What writes one line on stderr that writes over itself; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        return None
    started = time.monotonic()

    def tell(now: Progress) -> None:
        seconds = time.monotonic() - started
        left = seconds * (now.size - now.done) / max(1, now.done)
        line = f"{now.done / 1e6:,.0f} of {now.size / 1e6:,.0f} MB, {now.lines:,} lines, {left:,.0f} s left  "
        print(line, end="\r" if now.done < now.size else "\n", file=sys.stderr, flush=True)

    return tell


def tokenizer(model: str) -> Callable[[str], list[int]]:
    """The tokenizer of a model by name."""
    from labutils.model import models

    own = models.open_model(model).tokenizer
    return lambda text: own.encode(text, add_special_tokens=False)


def smollm2_speed() -> float:
    """About how many tokens a second smollm2 is trained with here: from the time of a matrix product, in 0.1 s.

    Rough: within a factor of two. The line that `finetune` writes while it runs tells the real speed.
    """
    import numpy as np

    side = 1024
    square = np.ones((side, side), np.float32)
    square @ square
    started = time.perf_counter()
    for _ in range(4):
        square @ square
    rate = 4 * 2 * side**3 / (time.perf_counter() - started)
    gain = BF16_GAIN if machine.cpu_flags() & machine.BF16 else 1
    return rate * REACHED * gain / (6 * SMOLLM2)
