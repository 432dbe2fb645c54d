"""What is measured beside tuning: the survey of a corpus, the validation of a file, many questions at a time."""

import json
import random
import time
from pathlib import Path

from labutils import places
from labutils.corpus import sharded
from labutils.model import asking, models
from labutils.pairs.records import read_jsonl
from labutils.pairs.validation import validate

COMPANY = places.DATA / "company"
LIMIT = 40  # tokens of a reply


def survey(job: dict, work: Path) -> dict:
    """Documents and megabytes a second of one process that surveys files drawn from what is installed."""
    began = time.perf_counter()
    part = sharded.run(limit=job["documents"], processes=1)
    seconds = time.perf_counter() - began
    tallies = part.survey.tallies.values()
    return {
        "documents": sum(tally.documents for tally in tallies) / seconds,
        "megabytes": sum(tally.bytes for tally in tallies) / 1e6 / seconds,
    }


def validation(job: dict, work: Path) -> dict:
    """Megabytes a second of `validate` on pairs in the handbook's words."""
    path = work / f"pairs_{job['megabytes']}.jsonl"
    if not path.is_file():
        write_pairs(path, job["megabytes"])
    began = time.perf_counter()
    validate(path)
    return {"megabytes": path.stat().st_size / 1e6 / (time.perf_counter() - began)}


def write_pairs(path: Path, megabytes: float) -> None:
    """Different pairs up to a size."""
    draw, size = random.Random(0), 0
    words = (COMPANY / "handbook.md").read_text(encoding="utf-8").replace("#", "").split()
    beside = path.with_suffix(".part")
    with beside.open("wb") as file:
        for number in range(10**9):
            question = f"{' '.join(draw.choices(words, k=draw.randint(5, 14)))} {number}?"
            answer = f"{' '.join(draw.choices(words, k=draw.randint(8, 22)))}."
            size += file.write(json.dumps({"question": question, "answer": answer}).encode() + b"\n")
            if size >= megabytes * 1e6:
                break
    beside.replace(path)


def generation(job: dict, work: Path) -> dict:
    """Replies a second to the first dev questions, `batch` at a time."""
    opened = models.open_model(job["model"])
    questions = [pair["question"] for pair in read_jsonl(COMPANY / "dev.jsonl")[: job["questions"]]]
    asking.ask(opened, questions[:2], limit=2)  # makes room and code that the rest uses
    began = time.perf_counter()
    asking.ask(opened, questions, limit=LIMIT, batch=job["batch"])
    return {"replies": len(questions) / (time.perf_counter() - began)}
