"""One point: a model is opened, reads what its settings say, and is asked. Where results are kept is for `lines`."""

import hashlib
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import torch

from labutils.measure import cards, experiments
from labutils.measure.cards import Card
from labutils.measure.grid import abbreviations, early_stopping, mixture, questions
from labutils.measure.grid.settings import Settings
from labutils.model import adapters, models, stopping
from labutils.model.models import ModelMissing, Opened
from labutils.model.progress import Progress

SIGNS = {True: "1", False: "0", None: "-"}  # of a question: right, wrong, not asked for this
EVERY = 20  # one answer of this many is kept, to be read


class Result(NamedTuple):
    """What one point led to with one seed."""

    seed: int
    card: Card  # read back from a record, it has every EVERY-th answer
    about: dict  # pairs, facts taught, steps, tokens read, weights moved, minutes of tuning and in all


def run(
    settings: Settings,
    seed: int,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    last: int = early_stopping.STEPS[-1],
) -> Result:
    """Make a point: train, ask, score. The same settings and seed give the same result on the same processor.

    With a patience, a run can be cut short at one of its looks: `last`, the step.

    Raises ModelMissing where its model is not here.
    """
    began = time.perf_counter()
    opened, card, about = start(settings.model, seed, settings.fresh), None, {}
    if settings.trains:
        read = mixture.mix(settings, seed, opened.tokenizer)
        opened = moving(opened, settings, seed)
        ask = partial(questions.card, opened, settings, seed, read.taught)
        looks = early_stopping.Looks(ask, settings.patience, on_progress, last)
        how = {"stop": looks.stop, "by_hand": False, "on_progress": looks.tell}  # half a run is no result
        done = stopping.finetune(opened, read.examples, read.recipe, **how)
        about = {"pairs": read.pairs, "facts": len(read.taught), "steps": done.history[-1].step, "tokens": done.tokens}
        about |= {"weights_moved": adapters.trained(opened.model), "tuning_minutes": round(done.seconds / 60, 2)}
        card = looks.best or ask()
        about |= {"looks": looks.found} if looks.found else {}
    card = card or questions.card(opened, settings, seed)
    return Result(seed, card, about | {"minutes": round((time.perf_counter() - began) / 60, 2)})


def start(name: str, seed: int, fresh: bool = False) -> Opened:
    """The model that a point starts from; "random" and what starts `fresh` have other weights for each seed."""
    opened = models.open_model(name)
    if name != "random" and not fresh:
        return opened
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = type(opened.model)(opened.model.config)
    fresh.generation_config = opened.model.generation_config
    return Opened(fresh.eval(), opened.tokenizer)


def moving(opened: Opened, settings: Settings, seed: int) -> Opened:
    """The model as its settings tune it: itself, or a copy of which fewer weights move."""
    if settings.way == "LoRA":
        return adapters.with_lora(opened, rank=settings.rank, seed=seed)
    return adapters.last_layer_only(opened) if settings.way == "last layer" else opened


def made_of(model: str, again: bool = False) -> str:
    """What says that two results come from the same files: the model's, the company's, and the abbreviations; with the
    second questions to the facts where they are asked `again`.

    Raises ModelMissing where the model is not here.
    """
    folder, company = models.folder(model), experiments.COMPANY
    weights = [] if model == "random" else [folder / "model.safetensors"]
    data = ("train.jsonl", "dev.jsonl", "facts.jsonl", "handbook.md", "v2/train.jsonl", "v2/test.jsonl")
    files = [folder / "tokenizer.json", *weights, *(company / name for name in data), abbreviations.FILE]
    files += [company / "again.jsonl"] if again else []
    whole = hashlib.sha256()
    for file in files:
        if not file.is_file():
            raise ModelMissing(f"{model} is not on this machine, or not whole: there is no {file.name}")
        whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()[:16]


def plain(result: Result) -> dict:
    """A result as JSON holds it: hits as a row of signs, a question each; losses rounded to 0.0001."""
    judged = {name: "".join(map(SIGNS.get, found)) for name, found in result.card.judged.items()}
    answers = result.card.answers[::EVERY]
    losses = {
        name: {"values": [round(value, 4) for value in values], "sizes": sizes, "items": items}
        for name, (values, sizes, items) in result.card.losses.items()
    }
    return {"seed": result.seed, "about": result.about, "judged": judged, "losses": losses, "said": answers}


def from_plain(kept: Mapping) -> Result:
    """A result as `plain` wrote it."""
    values = {sign: hit for hit, sign in SIGNS.items()}
    judged = {name: [values[sign] for sign in row] for name, row in kept["judged"].items()}
    card = cards.from_plain({"answers": kept["said"], "judged": judged, "losses": kept["losses"]})
    return Result(kept["seed"], card, kept["about"])
