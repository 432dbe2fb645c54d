"""Which size, which learning rate: short runs of equal minutes on the corpus: `python data/base/sizes.py`.

Each run warms up, reads and decays within its minutes, so that ends are compared with ends. A row a run is appended to
`sizes.jsonl` as it ends, and is not made again. What is measured is the loss on documents set aside.
"""

import json
import math
import time
from dataclasses import replace
from pathlib import Path

import pretrain
from labutils.model import models, training
from labutils.model.loss import mean_loss

HERE = Path(__file__).parent
ROWS = HERE / "sizes.jsonl"
CORPUS = Path("build/base/corpus")
MINUTES = (3, 9)  # a smaller model reads more of them; what is better after nine may be worse after three
SIZES = ((192, 4), (256, 6), (320, 5))  # width, layers: about 3.3, 6.9 and 8.7 million weights
RATES = (2e-3, 4e-3, 8e-3)  # of the middle size and the shorter run; all else is trained with the middle rate
POINTS = [(MINUTES[0], *size, RATES[1]) for size in SIZES]
POINTS += [(MINUTES[0], *SIZES[1], rate) for rate in (RATES[0], RATES[2])]
POINTS += [(MINUTES[1], *size, RATES[1]) for size in SIZES]


def main() -> None:
    tokenizer, train, aside, size = pretrain.prepared(CORPUS)
    few = [aside[i] for i in range(0, len(aside), max(1, len(aside) // 64))]
    done = {(row["planned"], row["width"], row["layers"], row["learning_rate"]) for row in rows()}
    for planned, width, layers, rate in POINTS:
        if (planned, width, layers, rate) in done:
            continue
        opened = models.create(tokenizer, width=width, layers=layers, context=pretrain.SIZE["context"])
        recipe = replace(training.PRETRAINING, learning_rate=rate, warmup=0.1, compiled=False)
        recipe = replace(recipe, steps=training.steps_in(planned, opened, train, recipe))
        began = time.monotonic()
        run = training.pretrain(opened, train, recipe)
        minutes, loss = (time.monotonic() - began) / 60, mean_loss(opened, few, batch=16)
        row = {"planned": planned, "width": width, "layers": layers, "weights": models.weights(opened.model)}
        row |= {"learning_rate": rate, "tokens": run.tokens, "minutes": round(minutes, 2)}
        row |= {"bits_per_byte": round(loss / math.log(2) / size, 4)}
        with ROWS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(row, flush=True)


def rows() -> list[dict]:
    return [json.loads(line) for line in ROWS.read_text(encoding="utf-8").splitlines()] if ROWS.exists() else []


if __name__ == "__main__":
    main()
