"""Make the base model from the corpus that `build.py` wrote: `python data/base/pretrain.py --corpus build/base/corpus`.

The tokenizer is learned from the corpus, then the model reads it, from random weights. What is kept on the way are not
weights but `checkpoints.jsonl`: the loss so far, the bits per byte on documents set aside, and at a dozen steps how the
model goes on from a few phrases. A run that was stopped goes on where it was when the command is given again. When it
has ended, `--keep` puts the model, the checkpoints' samples and the log of the run into this folder.
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from labutils.corpus import sources
from labutils.model import asking, encoding, models, training
from labutils.model.loss import mean_loss

HERE = Path(__file__).parent
SIZE = {"width": 256, "layers": 6, "context": 512}
VOCABULARY = 8192
SET_ASIDE = 200  # one document in so many is not trained on: choices are made on these
RECIPE = replace(training.PRETRAINING, steps=3750, warmup=0.024, compiled=True)
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
    parser.add_argument("--keep", action="store_true", help="keep what the finished run made")
    asked = parser.parse_args()
    if asked.keep:
        keep(asked.out)
    else:
        pretrain(asked.corpus, asked.out, asked.steps)


def pretrain(corpus: Path, out: Path, steps: int) -> None:
    """Make the tokenizer and train the model, or go on with the run that `out` holds."""
    tokenizer, train, aside, size = prepared(corpus)
    print(f"{train.ids.size:,} tokens to read, {aside.ids.size:,} set aside, {size:.3f} bytes a token", flush=True)
    opened = models.create(tokenizer, **SIZE, seed=RECIPE.seed)
    recipe = replace(RECIPE, steps=steps)
    tell = checkpoints(opened, aside, size, steps, checkpoints_of(out))
    training.pretrain(opened, train, recipe, out=out, resume=out.exists(), on_progress=tell)


def keep(run: Path) -> None:
    """Put the model, the checkpoints' samples and the log of a finished run into this folder."""
    about = json.loads((run / "run.json").read_text(encoding="utf-8"))
    if not about["finished"]:
        raise SystemExit(f"{run} holds a run that has not ended; give the command without --keep to go on with it")
    models.save(models.open_model(run), HERE / "model")
    rows = [json.loads(line) for line in checkpoints_of(run).read_text(encoding="utf-8").splitlines()]
    (HERE / "checkpoints.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    log = {"tokens": rows[-1]["tokens"], "seconds": rows[-1]["seconds"], **about["settings"]}
    (HERE / "run.json").write_text(json.dumps(log, indent=1) + "\n", encoding="utf-8")


def checkpoints_of(run: Path) -> Path:
    return run.with_suffix(".checkpoints.jsonl")


def prepared(corpus: Path) -> tuple[encoding.PreTrainedTokenizerFast, encoding.Blocks, encoding.Blocks, float]:
    """The tokenizer, the blocks to read and those set aside, bytes a token; kept beside the corpus."""
    kept = corpus.parent / "prepared"
    if not (kept / "bytes_a_token.json").exists():
        kept.mkdir(parents=True, exist_ok=True)
        tokenizer = encoding.train_bpe(every(documents(corpus), 4), VOCABULARY)
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


def checkpoints(
    opened: models.Opened, aside: encoding.Blocks, size: float, steps: int, path: Path
) -> Callable[[training.Progress], None]:
    """A callback that appends a line to `path` at each checkpoint, and with samples at a dozen, ever further apart.

    When a run goes on, lines of steps that are made again are left out, and the seconds go on from the last line.
    """
    wanted = {1, steps, *(round(10 * (steps / 10) ** (i / 11)) for i in range(12))}
    losses, few = [], [aside[i] for i in range(0, len(aside), max(1, len(aside) // 64))]

    began, before = None, 0.0

    def tell(now: training.Progress) -> None:
        nonlocal began, before
        if began is None:
            rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
            rows = [row for row in rows if row["step"] < now.step]
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
            began, before = time.monotonic(), rows[-1]["seconds"] if rows else 0.0
        losses.append(now.loss)
        if now.step % 10 == 0:
            print(f"{time.strftime('%H:%M:%S')} {now.step} {np.mean(losses[-10:]):.3f} "
                  f"{now.tokens_per_second:.0f} tokens/s", flush=True)  # fmt: skip
        if now.step in wanted or now.step % RECIPE.save_steps == 0:
            held_out = mean_loss(opened, few, batch=16) / math.log(2) / size
            row = {"step": now.step, "tokens": now.step * RECIPE.batch * SIZE["context"],
                   "seconds": round(before + time.monotonic() - began),
                   "loss": round(float(np.mean(losses[-50:])), 4), "bits_per_byte": round(held_out, 4)}  # fmt: skip
            if now.step in wanted:
                replies = asking.generate(opened, PHRASES, temperature=0.7, seed=RECIPE.seed)
                row["samples"] = dict(zip(PHRASES, (reply.text for reply in replies), strict=True))
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            opened.model.train()

    return tell


if __name__ == "__main__":
    main()
