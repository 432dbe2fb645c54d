"""Which size, which learning rate: short runs of equal minutes on the corpus: `python data/base/sizes.py`.

Each run warms up, reads and decays within its minutes, so that ends are compared with ends. A row a run is appended to
`sizes.jsonl` as it ends, and is not made again. What is measured is the loss on documents set aside.
`--longer` runs nothing: it says what the looks of the long run (`checkpoints.jsonl`) promise of a longer one.
"""

import argparse
import json
import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.optimize import curve_fit

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
LONGER = (30.72, 43.3, 100, 200)  # million tokens: as it was, the corpus once, more than twice, nearly five times


def main() -> None:
    parser = argparse.ArgumentParser(description="Short runs of several sizes and rates; what a longer run promises.")
    parser.add_argument("--longer", action="store_true", help="run nothing, say what a longer run promises")
    if parser.parse_args().longer:
        print("\n".join(f"{tokens:g} million tokens: {bits:+.3f} bits a byte" for tokens, bits in longer().items()))
        return
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


def longer() -> dict[float, float]:
    """Bits a byte that a run of so many million tokens would end with beyond those of the base.

    a + b * tokens ** -c is laid through the looks while the rate was constant (Hoffmann et al. 2022, arXiv 2203.15556,
    equation 2, one size); what the falling rate brings in the end is taken to be the same.
    """
    looks = [json.loads(line) for line in (HERE / "checkpoints.jsonl").read_text(encoding="utf-8").splitlines()]
    constant = [look for look in looks if 8e6 <= look["tokens"] <= 0.8 * looks[-1]["tokens"]]
    tokens, bits = (np.array([look[key] for look in constant]) for key in ("tokens", "bits_per_byte"))

    def curve(millions, a, b, c):
        return a + b * millions**-c

    found, _ = curve_fit(curve, tokens / 1e6, bits, p0=(1, 1, 0.5))
    return {millions: float(curve(millions, *found) - curve(LONGER[0], *found)) for millions in LONGER}


def rows() -> list[dict]:
    return [json.loads(line) for line in ROWS.read_text(encoding="utf-8").splitlines()] if ROWS.exists() else []


if __name__ == "__main__":
    main()
