"""Make the base model from the corpus that `build.py` wrote: `python data/base/pretrain.py --corpus build/base/corpus`.

The tokenizer is learned from the corpus, then the model reads it, from random weights. What is kept on the way are not
weights but `moments.jsonl`: at a dozen steps the losses so far, the bits per byte on documents set aside, and how the
model goes on from a few phrases. A run that was stopped goes on where it was when the command is given again.
"""

import argparse
import json
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from labutils.corpus import sources
from labutils.model import asking, encoding, models, tokenizers, training
from labutils.model.loss import mean_loss

SIZE = {"width": 256, "layers": 6, "context": 512}
VOCABULARY = 8192
SET_ASIDE = 200  # one document in so many is not trained on: choices are made on these
RECIPE = replace(training.PRETRAINING, steps=9000, learning_rate=3e-3, compiled=True, keep_every=100)
PHRASES = (
    "The function returns", "If you want to", "The most important thing about", "A list is", "In this section we",
    "Before you begin, make sure", "When a user", "It is not possible to", "The following example shows how to",
    "One of the reasons",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="Pretrain the base model.")
    parser.add_argument("--corpus", type=Path, default=Path("build/base/corpus"))
    parser.add_argument("--out", type=Path, default=Path("build/base/run"))
    parser.add_argument("--steps", type=int, default=RECIPE.steps)
    asked = parser.parse_args()
    tokenizer, train, aside, size = prepared(asked.corpus)
    print(f"{train.ids.size:,} tokens to read, {aside.ids.size:,} set aside, {size:.3f} bytes a token", flush=True)
    opened = models.create(tokenizer, **SIZE, seed=RECIPE.seed)
    recipe = replace(RECIPE, steps=asked.steps)
    tell = moments(opened, aside, size, asked.steps, asked.out.with_suffix(".moments.jsonl"))
    training.pretrain(opened, train, recipe, out=asked.out, resume=asked.out.exists(), on_progress=tell)


def prepared(corpus: Path) -> tuple[tokenizers.PreTrainedTokenizerFast, encoding.Blocks, encoding.Blocks, float]:
    """The tokenizer, the blocks to read and those set aside, bytes a token; kept beside the corpus."""
    kept = corpus.parent / "prepared"
    if not (kept / "bytes_a_token.json").exists():
        kept.mkdir(parents=True, exist_ok=True)
        tokenizer = tokenizers.train_bpe(every(documents(corpus), 4), VOCABULARY)
        tokenizer.save_pretrained(kept)
        for name, wanted in (("train", False), ("aside", True)):
            texts = (text for i, text in enumerate(documents(corpus)) if (i % SET_ASIDE == 0) is wanted)
            np.save(kept / f"{name}.npy", encoding.blocks(texts, tokenizer, SIZE["context"]).ids)
        texts = list(every(documents(corpus), SET_ASIDE))
        count = sum(map(len, tokenizer(texts, add_special_tokens=False)["input_ids"])) + len(texts)
        (kept / "bytes_a_token.json").write_text(json.dumps(sum(len(text.encode()) for text in texts) / count))
    train, aside = (encoding.Blocks(np.load(kept / f"{name}.npy")) for name in ("train", "aside"))
    tokenizer = models.AutoTokenizer.from_pretrained(kept)
    return tokenizer, train, aside, json.loads((kept / "bytes_a_token.json").read_text())


def documents(corpus: Path) -> Iterator[str]:
    """The texts of the corpus, prose and code as they come."""
    for name in ("prose", "code"):
        for document in sources.jsonl(corpus / f"{name}.jsonl"):
            yield document["text"]


def every(texts: Iterable[str], nth: int) -> Iterator[str]:
    yield from (text for i, text in enumerate(texts) if i % nth == 0)


def moments(opened: models.Opened, aside: encoding.Blocks, size: float, steps: int, path: Path):
    """A callback that appends a line to `path` at each of a dozen steps, further apart as the run goes on."""
    wanted = {1, steps, *(round(10 * (steps / 10) ** (i / 11)) for i in range(12))}
    losses, few = [], [aside[i] for i in range(0, len(aside), max(1, len(aside) // 64))]

    def tell(now: training.Progress) -> None:
        losses.append(now.loss)
        if now.step % 10 == 0:
            print(f"{time.strftime('%H:%M:%S')} {now.step} {np.mean(losses[-10:]):.3f} "
                  f"{now.tokens_per_second:.0f} tokens/s", flush=True)  # fmt: skip
        if now.step in wanted or now.step % 250 == 0:
            held_out = mean_loss(opened, few, batch=16) / math.log(2) / size
            row = {"step": now.step, "tokens": now.step * RECIPE.batch * SIZE["context"],
                   "loss": round(float(np.mean(losses[-50:])), 4), "bits_per_byte": round(held_out, 4)}  # fmt: skip
            if now.step in wanted:
                replies = asking.generate(opened, PHRASES, temperature=0.7, seed=RECIPE.seed)
                row["samples"] = [reply.text for reply in replies]
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            opened.model.train()

    return tell


if __name__ == "__main__":
    main()
