"""The card of a tuned model, as hubs show it: what it comes from, what it read, what it scored, where it ends.

After Mitchell et al. 2019, "Model Cards for Model Reporting", arXiv 1810.03993. Nothing is measured here.
"""

import html
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import huggingface_hub

from labutils import places
from labutils.measure.intervals import Score
from labutils.model.recipes import Recipe


class About(NamedTuple):
    """What a card says, in the maker's own words; scores come measured."""

    title: str
    base: str  # the model whose weights the tuning began with: a known name, or a hub id
    data: str  # what it was tuned on, and how much of it
    scores: Mapping[str, Mapping[str, Score]]  # of each stage: {"before": {"fact_hits": ...}, "after": ...}
    questions: str  # what the scores were measured on
    limits: str  # what it cannot do, and should not be used for
    licence: str = "other"  # as hubs name it: "apache-2.0", "cc-by-4.0"


def text(about: About, recipe: Recipe) -> str:
    """The card in Markdown: front matter for a hub, then what it was made from and how, scores with their intervals.

    A base without "/" is a name of this course, so the front matter leaves it out. What is written into a table or
    between headings is escaped. Raises ValueError for an empty field, and for no scores.
    """
    empty = [name for name, value in about._asdict().items() if not value]
    if empty:
        raise ValueError(f"a card says something in every field; empty: {', '.join(empty)}")
    meta = huggingface_hub.ModelCardData(
        license=about.licence, base_model=about.base if "/" in about.base else None, pipeline_tag="text-generation"
    )
    texts = (about.title, about.base, about.data, about.limits, about.questions)
    title, base, data, limits, questions = map(_safe, texts)
    settings = "\n".join(f"| {name} | {value} |" for name, value in asdict(recipe).items() if value is not None)
    return (
        f"---\n{meta.to_yaml()}\n---\n\n# {title}\n\nTuned from `{base}`. Licence: {_safe(about.licence)}.\n\n"
        f"## What it read\n\n{data}\n\n## How it was tuned\n\n| setting | value |\n|---|---|\n{settings}\n\n"
        f"## What it scores\n\nOn {questions}; in brackets the 95 % interval.\n\n{_table(about.scores)}\n\n"
        f"## Limits\n\n{limits}\n"
    )


def write(folder: str | Path, about: About, recipe: Recipe) -> Path:
    """Put the card into a model's folder as README.md, whole or not at all; its path.

    Raises ValueError as `text` does, FileNotFoundError for a folder that holds no model.
    """
    folder = Path(folder)
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(f"{folder} holds no model: expected the folder that `models.save` wrote")
    places.write(folder / "README.md", text(about, recipe))
    return folder / "README.md"


def _table(scores: Mapping[str, Mapping[str, Score]]) -> str:
    names = list(dict.fromkeys(name for stage in scores.values() for name in stage))
    head = f"| score | {' | '.join(map(_safe, scores))} |\n|---|{'---|' * len(scores)}"
    rows = [f"| {_safe(name)} | {' | '.join(str(of.get(name, '')) for of in scores.values())} |" for name in names]
    return "\n".join([head, *rows])


def _safe(words: str) -> str:
    """Words that cannot become markup or end a table's cell."""
    return html.escape(words, quote=False).replace("|", "&#124;").replace("`", "&#96;")
