"""What a point reads: pairs, the handbook, general text -> examples, and how they are gone through."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from transformers import PreTrainedTokenizerBase as Tokenizer

from labutils.measure import experiments, stages
from labutils.measure.grid import abbreviations, draws, early_stopping
from labutils.measure.grid.settings import Settings
from labutils.measure.scoring import kind
from labutils.model import encoding
from labutils.model.recipes import FINETUNING_SMALL, Recipe
from labutils.pairs.records import read_jsonl


class Mixture(NamedTuple):
    """Examples, how they are gone through, and the facts that their pairs teach."""

    examples: Sequence[dict]
    recipe: Recipe
    pairs: int
    taught: frozenset[str]


def mix(settings: Settings, seed: int, tokenizer: Tokenizer) -> Mixture:
    """All that a point reads. The seed draws the pairs and the general text, and orders the examples.

    Raises ValueError when there is nothing to read, or what `draws.draw` raises.
    """
    if not settings.trains:
        raise ValueError("these settings read nothing: no pairs, no handbook")
    pairs = pairs_of(settings, seed)
    examples = encode(pairs + paragraphs() * settings.handbook, settings, tokenizer)
    recipe = replace(
        FINETUNING_SMALL,
        epochs=settings.epochs,
        batch=min(settings.batch, len(examples)),
        learning_rate=settings.learning_rate,
        optimizer=settings.optimizer,
        replay=settings.general,
        seed=seed,
    )
    steps = max(settings.least, recipe.total_steps(len(examples)))
    if settings.patience:
        steps = early_stopping.STEPS[-1]
        recipe = replace(recipe, warmup=early_stopping.WARM_UP / steps, decay=0.0)
    taught = frozenset(pair["fact"] for pair in pairs if not draws.refuses(pair))
    return Mixture(examples, replace(recipe, steps=steps), len(pairs), taught)


def pairs_of(settings: Settings, seed: int) -> list[dict]:
    """The pairs that a point reads once an epoch, each with the fact that it teaches."""
    company = experiments.COMPANY
    new = read_jsonl(company / "v2" / "train.jsonl") if settings.changed else []
    asked = {question["fact"] for question in stages.questions("dev") if kind(question) == "fact"}
    old = read_jsonl(company / "train.jsonl")
    alone = {"others": asked, "asked": {pair["fact"] for pair in old} - asked}.get(settings.facts, set())
    drawn = draws.draw(
        old,
        settings.pairs,
        seed,
        first=asked if settings.facts == "asked first" else (),
        leave={pair["fact"] for pair in new} | alone,
        whole=settings.facts != "any",
        wordings=settings.wordings,
        refusals=settings.refusals,
    )
    return drawn + new + (abbreviations.pairs() if settings.abbreviations else [])


def paragraphs() -> list[dict]:
    """The handbook as plain text, a paragraph a record, headings left out."""
    lines = (experiments.COMPANY / "handbook.md").read_text(encoding="utf-8").splitlines()
    return [{"text": line} for line in lines if line and not line.startswith("#")]


def encode(records: Sequence[dict], settings: Settings, tokenizer: Tokenizer) -> list[dict]:
    """Examples of records, with or without an end-of-text behind each."""
    examples = encoding.encode_all(records, settings.template, tokenizer, loss_on=settings.loss_on).examples
    if settings.ending:
        return examples
    return [{name: values[:-1] for name, values in example.items()} for example in examples]
