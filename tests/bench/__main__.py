"""`python -m tests.bench`: measure all rivals in one run, go on where it was stopped, keep the result."""

import argparse
import hashlib
import json
import platform
import re
import sys
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from labutils import machine, places
from labutils.measure.experiments import versions
from labutils.model import encoding, models
from labutils.pairs.records import read_jsonl

from . import page, plan
from .book import Book, in_a_fresh_process
from .plan import Bench
from .summary import summary
from .tuning import file_of

STAGES = ("speed", "race", "others", "profile", "growth")
COMPANY = places.DATA / "company"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure all rivals in one run.")
    parser.add_argument("--models", nargs="+", metavar="NAME", default=["base", "smollm2"])
    parser.add_argument("--stages", nargs="*", choices=STAGES, default=STAGES, help="none: show what was measured")
    parser.add_argument("--rounds", type=int, default=3, help="times that every rival takes its turn")
    parser.add_argument("--work", type=Path, default=places.ROOT / "build" / "bench", help="where rows are kept")
    parser.add_argument("--keep", action="store_true", help="put the result into docs/speed.md")
    asked = parser.parse_args(argv)
    work = asked.work.resolve()
    here = {"versions": {**versions(), "trl": version("trl")}, "cores": machine.cores(), "processor": processor()}
    rest = Book(work / "rows.jsonl", here)
    benches = [prepare(model, work, here) for model in asked.models]
    for stage in asked.stages:
        run(stage, benches, rest, asked.rounds, work)
    found = summary(benches, rest)
    print(page.tables(found))
    if asked.keep:
        page.keep(found)
    return 0


def processor() -> str:
    """The processor's name, as its system tells it."""
    told = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", told.read_text()) if told.is_file() else None
    return found[1] if found else platform.processor() or platform.machine()


def prepare(model: str, work: Path, here: dict) -> Bench:
    """A model with its book, and its examples in a file, the same for every rival."""
    opened = models.open_model(model)
    files = {name: read_jsonl(COMPANY / f"{name}.jsonl") for name in ("train", "dev")}
    examples = {name: encoding.encode_all(pairs, "lecture", opened.tokenizer)[0] for name, pairs in files.items()}
    file_of(model, work).write_text(json.dumps(examples), encoding="utf-8")
    content = (models.folder(model) / "model.safetensors").read_bytes()
    about = {**here, "weights": hashlib.sha256(content).hexdigest()[:16]}
    book = Book(work / f"rows_{Path(model).name}.jsonl", about)
    return Bench(model, plan.plan_of(models.weights(opened.model)), book)


def run(stage: str, benches: list[Bench], rest: Book, rounds: int, work: Path) -> None:
    """Every measurement of a stage that no book holds yet."""
    for bench in benches:
        if stage == "speed":
            measure(plan.speeds(bench, rounds), bench.book, work)
        elif stage == "race" and bench.plan.rates:
            measure(plan.search(bench), bench.book, work)
            measure(plan.races(bench, rounds), bench.book, work)
        elif stage == "others":
            measure(plan.asking(bench, rounds), bench.book, work)
        elif stage == "profile":
            measure(plan.profiles(bench), bench.book, work)
    if stage == "others":
        measure(plan.without_model(rounds), rest, work)
    if stage == "growth":
        measure(
            plan.growths(rounds, [size for size in plan.SIZES if size != "smollm2" or models.available(size)]),
            rest,
            work,
        )


def measure(jobs: Iterable[dict], book: Book, work: Path) -> None:
    """Jobs one after the other, each in a fresh process, with a line on stderr of what is done and what came out."""

    def ask(job: dict) -> dict:
        what = " ".join(str(value) for name, value in job.items() if name not in ("every", "epochs", "look"))
        print(f"{time.strftime('%H:%M:%S')} {what}", end=": ", file=sys.stderr, flush=True)
        found = in_a_fresh_process(job, work)
        shown = found["looks"][-1:] if "looks" in found else found
        print(json.dumps(shown), file=sys.stderr, flush=True)
        return found

    for job in jobs:
        book.measure(job, ask)


if __name__ == "__main__":
    sys.exit(main())
