"""What the base is worth on packages that it was never shown: `python data/base/measure.py`.

Bits per byte on the documentation of each held-out package, for random weights, a model that read for a minute, the
base, and smollm2; and how the base goes on from ten phrases. Written to `scores.json`. Needs the corpus (`build.py`).
"""

import argparse
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pretrain
from labutils.corpus import sources
from labutils.measure import experiments, held_out
from labutils.measure.intervals import Mean
from labutils.model import asking, models, training

BYTES = 120_000  # of each held-out package: its first documents, in the corpus's shuffled order
MINUTE = replace(
    training.PRETRAINING, steps=None, batch=8, learning_rate=8e-3, warmup=0.1, decay=0.5
)  # as notebook 02 has it; its steps are those of one minute
SEED = 0
PENALTY = 1.2  # Keskar et al. 2019: without it, a model of this size goes round in circles too often to be read


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the base on held-out packages.")
    parser.add_argument("--corpus", type=Path, default=Path("build/base/corpus"))
    asked = parser.parse_args()
    texts = unread(asked.corpus.parent / "held_out.jsonl")
    stages = {name: models.open_model(name) for name in ("random", "base", "smollm2")}
    scores = {name: of_packages(opened, texts) for name, opened in stages.items()}
    scores["one minute"] = of_packages(minute(asked.corpus), texts)
    whole = {name: score["over all"][0] for name, score in scores.items()}
    closed = (whole["random"] - whole["base"]) / (whole["random"] - whole["smollm2"])
    samples = written(stages["base"], SEED, PENALTY)
    ten_seeds = [text for seed in range(10) for text in written(stages["base"], seed, PENALTY)]
    plain = [text for seed in range(10) for text in written(stages["base"], seed, 1.0)]
    found = {
        "bits_per_byte": scores,  # [value, low, high, documents]
        "closed": round(closed, 4),
        "samples": samples,
        "loops": [loops(text) for text in samples],
        "loops_of_100": {"with the penalty": sum(map(loops, ten_seeds)), "without": sum(map(loops, plain))},
        "seed": SEED,
        "repetition_penalty": PENALTY,
        "versions": experiments.versions(),
    }
    (pretrain.HERE / "scores.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


def written(opened: models.Opened, seed: int, penalty: float) -> list[str]:
    """How a model goes on from the ten phrases, at temperature 0.7."""
    replies = asking.generate(
        opened, pretrain.PHRASES, limit=60, temperature=0.7, repetition_penalty=penalty, seed=seed
    )
    return [phrase + reply.text for phrase, reply in zip(pretrain.PHRASES, replies, strict=True)]


def unread(path: Path) -> dict[str, list[str]]:
    """The documents of each held-out package, up to BYTES of it."""
    texts, sizes = defaultdict(list), defaultdict(int)
    for document in sources.jsonl(path):
        package = document["meta"]["package"]
        if sizes[package] < BYTES:
            texts[package].append(document["text"])
            sizes[package] += len(document["text"].encode())
    return dict(sorted(texts.items()))


def of_packages(opened: models.Opened, texts: dict[str, list[str]]) -> dict[str, list]:
    """Bits per byte of each package and of all together, with the interval over documents."""
    losses = {name: held_out.bits_per_byte(opened, some) for name, some in texts.items()}
    return {name: _plain(loss.score()) for name, loss in (losses | {"over all": _together(losses)}).items()}


def _together(losses: dict[str, held_out.Losses]) -> held_out.Losses:
    values, sizes, items = [], [], []
    for loss in losses.values():
        first = max(items, default=-1) + 1
        values += loss.values
        sizes += loss.sizes
        items += [first + item for item in loss.items]
    return held_out.Losses(values, sizes, items)


def _plain(score: Mean) -> list:
    return [*(round(value, 4) for value in score[:3]), score.n]


def minute(corpus: Path) -> models.Opened:
    """A model with fresh weights that read the corpus for one minute on this machine."""
    tokenizer, blocks, _, _ = pretrain.prepared(corpus)
    opened = models.create(tokenizer, **pretrain.SIZE, seed=SEED)
    steps = training.steps_in(1, opened, blocks, MINUTE)
    training.pretrain(opened, blocks, replace(MINUTE, steps=steps))
    return opened


def loops(text: str, words: int = 4) -> bool:
    """Whether a run of four words comes three times: the sign of a model that goes round in a circle."""
    said = text.lower().split()
    runs = [tuple(said[i : i + words]) for i in range(len(said) - words + 1)]
    return any(runs.count(run) >= 3 for run in set(runs))


if __name__ == "__main__":
    main()
