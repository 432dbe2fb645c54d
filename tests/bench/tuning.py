"""What is measured of a rival in one process: its speed, and its way to a held-out loss; beside the CPU's own peak."""

import json
import re
import time
from pathlib import Path

import torch

from labutils import places
from labutils.model import costs, encoding, models
from labutils.model.loss import mean_loss
from labutils.pairs.records import read_jsonl

from .clock import Clock
from .rivals import RIVALS, Run

SIDE = 2048  # of the square matrices whose product is the peak
STEPS, BATCH = 6, 48  # updates at least, and pairs an update at most, where growth is measured
COMPANY = places.DATA / "company"


def speed(job: dict, work: Path) -> dict:
    """Tokens a second of a rival that reads its examples once, its peak memory, its share of the matrix peak.

    The share is 6 N FLOPs a token (`costs.training_flops`), whatever a rival leaves out or does twice, by the fastest
    product of two matrices in the rival's own precision, taken in the same process before the model is there.
    """
    peaks = matrix()
    opened, examples, _ = read(job, work)
    clock = Clock(opened.model)
    tune(job, Run(opened, examples, clock, seed=job["seed"]))
    tokens, padding = clock.speed()
    flops = costs.training_flops(models.weights(opened.model), tokens)
    return {
        "tokens_a_second": tokens,
        "tokens": clock.moments[-1].tokens,
        "padding": padding,
        "megabytes": peak_memory(),
        "share": flops / peaks[RIVALS[job["rival"]].precision],
        **peaks,
    }


def race(job: dict, work: Path) -> dict:
    """The held-out loss of a rival on its way, as [seconds, tokens, nats a token]; it ends at `until` where one is
    given.
    """
    opened, examples, held_out = read(job, work)
    held_out = held_out[:: job["held"]]
    clock = Clock(opened.model, lambda: mean_loss(opened, held_out), job["look"], job.get("until"))
    tune(job, Run(opened, examples, clock, job["epochs"], job["rate"], job["seed"]))
    return {"looks": clock.looks}


def growth(job: dict, work: Path) -> dict:
    """Tokens a second and peak memory of this course with AdamW, for a size of the model and a number of pairs.

    A size is [width, layers] of random weights with the tokenizer of `base`, or the name of a model. Pairs are the
    company's, again and again where more are asked for; there are at least STEPS updates.
    """
    opened = models.open_model(job["size"] if isinstance(job["size"], str) else "base")
    if not isinstance(job["size"], str):
        opened = models.create(opened.tokenizer, width=job["size"][0], layers=job["size"][1])
    company = encoding.encode_all(read_jsonl(COMPANY / "train.jsonl"), "lecture", opened.tokenizer).examples
    clock = Clock(opened.model)
    examples = [company[i % len(company)] for i in range(job["pairs"])]
    rival = RIVALS["ours, adamw"]
    rival.tune(Run(opened, examples, clock, max(1, STEPS * BATCH / len(examples)), seed=job["seed"]), rival.settings)
    numbers = {"weights": models.weights(opened.model), "tokens_a_second": clock.speed()[0]}
    return numbers | {"megabytes": peak_memory()}


def tune(job: dict, run: Run) -> None:
    rival = RIVALS[job["rival"]]
    rival.tune(run, rival.settings)


def read(job: dict, work: Path) -> tuple[models.Opened, list[dict], list[dict]]:
    """The model, every n-th of its examples, and the held-out ones."""
    examples = json.loads(file_of(job["model"], work).read_text(encoding="utf-8"))
    return models.open_model(job["model"]), examples["train"][:: job["every"]], examples["dev"]


def file_of(model: str, work: Path) -> Path:
    """Where the examples of a model lie: the same ids for every rival."""
    return work / f"{Path(model).name}.json"


def matrix() -> dict[str, float]:
    """FLOPs a second of the fastest of ten products of two square matrices, in fp32 and bf16."""
    peaks = {}
    for name, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        one, other = torch.randn(2, SIDE, SIDE).to(kind)
        seconds = []
        for _ in range(10):
            began = time.perf_counter()
            one @ other
            seconds.append(time.perf_counter() - began)
        peaks[name] = 2 * SIDE**3 / min(seconds)
    return peaks


def peak_memory() -> float | None:
    """The highest mark of this process in MB; None where the system tells none (Linux does)."""
    status = Path("/proc/self/status")  # not getrusage: there a child begins with its parent's mark
    return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1e3 if status.is_file() else None
