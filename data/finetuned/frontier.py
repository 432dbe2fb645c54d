"""What a tuned model knows against what it has kept: `python data/finetuned/frontier.py`.

Each recipe of RECIPES that has no line in `frontier.jsonl` is run on all of the company's pairs, saved as it would
ship, and measured: facts and manners on the `dev` questions, invented products, and bits a byte on text that no recipe
replays - the six packages held out from the base's corpus, and e-mails of a bundled task. Then the figure and the
table of the card are made anew. Needs `build/base/held_out.jsonl` (`data/base/build.py`); `--draw` runs nothing.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import matplotlib
from matplotlib.figure import Figure

from labutils import places
from labutils.lesson.cli_model import progress_line
from labutils.measure import experiments, held_out, report
from labutils.model import encoding, models, recipes, training
from labutils.pairs.records import read_jsonl

sys.path.insert(0, str(places.DATA / "base"))
import measure

HERE = Path(__file__).parent
RECORD, RUNS = HERE / "frontier.jsonl", places.ROOT / "build" / "frontier"
UNTUNED = recipes.Recipe(steps=1)  # as the recipe of a model that is measured as it is
WAYS = {  # each with its mark and its colour (Okabe and Ito 2008)
    "not tuned": ("s", "#000000"),
    "pairs alone": ("o", "#D55E00"),
    "averaged with old weights": ("v", "#CC79A7"),
    "general text, trained on": ("^", "#E69F00"),
    "general text, distilled": ("D", "#0072B2"),
}
SHOWN = ("refuses_off_topic", "refuses_real", "abstains", "format", "stops")
TABLE, END = "<!-- frontier.py -->", "<!-- end of frontier.py -->"


class Tried(NamedTuple):
    """A way to tune a model."""

    model: str
    recipe: recipes.Recipe
    text: bool = False  # whether general text is trained on as in pretraining; else the model is its own teacher on it
    old: float = 0.0  # the share of the old weights in an average with the new ones, afterwards


def muon(rate: float, epochs: float, replay: float = 0, batch: int = 48, seed: int = 0, **more) -> Tried:
    settings = {"epochs": epochs, "batch": batch, "learning_rate": rate, "replay": replay, "seed": seed}
    return Tried("base", recipes.Recipe(optimizer="muon", **settings), **more)


RECIPES = [
    Tried("base", UNTUNED),
    muon(6e-3, 5),
    muon(6e-3, 5, old=0.2),
    muon(6e-3, 5, old=0.4),
    muon(2e-3, 8, 0.3, 32, text=True),
    muon(3e-3, 8, 0.3, text=True),
    muon(3e-3, 8, 0.3),
    muon(6e-3, 5, 0.2),
    muon(6e-3, 8, 0.2),
    muon(5e-3, 6, 0.2, 32),
    muon(5e-3, 6, 0.2, 32, seed=1),
    muon(5e-3, 6, 0.2, 32, seed=2),
    Tried("base", recipes.Recipe(epochs=5, batch=32, learning_rate=2e-3, replay=0.2)),
    Tried("smollm2", UNTUNED),
    Tried("smollm2", recipes.Recipe(epochs=2, learning_rate=4e-4, replay=0.15)),
    Tried("smollm2", recipes.Recipe(epochs=3, learning_rate=4e-4, replay=0.15)),
]


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the recipes that have no line yet, and draw.")
    parser.add_argument("--draw", action="store_true", help="make the figure and the table from what is recorded")
    if not parser.parse_args().draw:
        for tried in RECIPES:
            if line_of(tried) is None:
                with RECORD.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(run(tried)) + "\n")
    kept = [line for line in map(line_of, RECIPES) if line]
    matplotlib.rcParams["svg.hashsalt"] = "frontier"  # the same points, the same file
    drawing(kept).savefig(HERE / "frontier.svg", metadata={"Date": None})
    card = HERE / "README.md"
    before, _, rest = card.read_text(encoding="utf-8").partition(TABLE)
    places.write(card, f"{before}{TABLE}\n\n{table(kept)}\n\n{rest[rest.index(END) :]}")


def plain(tried: Tried) -> dict:
    """What makes a line the line of this way."""
    return {**tried._asdict(), "recipe": asdict(tried.recipe)}


def line_of(tried: Tried) -> dict | None:
    return next((line for line in lines() if {key: line[key] for key in plain(tried)} == plain(tried)), None)


def lines() -> list[dict]:
    return read_jsonl(RECORD) if RECORD.is_file() else []


def folder(tried: Tried) -> Path:
    """Where the model of this way is: its own folder of all of them."""
    return RUNS / hashlib.sha256(json.dumps(plain(tried)).encode()).hexdigest()[:16]


def run(tried: Tried) -> dict:
    """Tune a model in one way, save it as it would ship, and measure it; the line to record."""
    opened, tokens, began = models.open_model(tried.model), 0, time.perf_counter()
    before = {name: values.clone() for name, values in opened.model.state_dict().items()}
    if tried.old:
        new = models.open_model(folder(tried._replace(old=0.0))).model.state_dict()
        opened.model.load_state_dict({name: new[name].lerp(before[name], tried.old) for name in new})
    elif tried.recipe != UNTUNED:
        tokens = tuned(opened, tried)
    seconds = round(time.perf_counter() - began)
    models.save(opened, folder(tried))
    about = {"seconds": seconds, "tokens": tokens, "versions": experiments.versions()}
    return plain(tried) | about | {"scores": scores(models.open_model(folder(tried)))}


def tuned(opened: models.Opened, tried: Tried) -> int:
    """Tune a model on all of the company's pairs; the tokens that it read."""
    pairs, recipe = read_jsonl(places.DATA / "company" / "train.jsonl"), tried.recipe
    examples = encoding.encode_all(pairs, "lecture", opened.tokenizer).examples
    if tried.text:
        examples, recipe = recipes.mixed(examples, opened.tokenizer, recipe)
        for row in (row for row in examples if encoding.DISTILLED in row["labels"]):
            row["labels"] = row["input_ids"]
    return training.finetune(opened, examples, recipe, on_progress=progress_line).tokens


def drawing(kept: Sequence[Mapping]) -> Figure:
    """Facts against bits a byte on the held-out packages, a point for each line of the table, a mark for each way."""
    figure = Figure(figsize=(9, 4.5), layout="constrained", facecolor="white")
    models = list(dict.fromkeys(line["model"] for line in kept))
    parts = figure.subplots(1, len(models), sharex=True, sharey=True, squeeze=False)[0]
    for way, (mark, color) in WAYS.items():
        for axes, model in zip(parts, models, strict=True):
            for line in (line for line in kept if line["model"] == model and kind(line) == way):
                value, low, high, _ = (100 * share for share in line["scores"]["fact_hits"])
                bits = line["scores"]["packages"]["over all"][0]
                axes.errorbar(bits, value, [[value - low], [high - value]], fmt=mark, color=color, alpha=0.7)
            axes.set(title=model, xlabel="bits a byte on held-out packages", ylim=(-3, 103))
        parts[0].plot([], [], mark, color=color, label=way)
    parts[0].set(ylabel="dev facts right, in percent")
    parts[0].legend(loc="lower right")
    return figure


def kind(line: Mapping) -> str:
    """The way of a line, one of WAYS."""
    recipe, (untuned, alone, averaged, trained, distilled) = line["recipe"], WAYS
    if recipe == asdict(UNTUNED):
        return untuned
    if recipe["replay"]:
        return trained if line["text"] else distilled
    return averaged if line["old"] else alone


def table(kept: Sequence[Mapping]) -> str:
    """The same in Markdown, a line for each, with the other scores."""
    bits = ("held-out packages, bits a byte", "networkx as in the report card", "e-mails")
    heads = ("", "model", "recipe", "million tokens", "facts right (95 %)", *SHOWN, *bits)
    rows = [heads, ["--:", "---", "---", "--:", "---", *("--:" for _ in heads[5:])]]
    for number, line in enumerate(kept, 1):
        scores = line["scores"]
        value, low, high, _ = scores["fact_hits"]
        facts = f"{value:.0%} ({low:.0%} to {high:.0%})"
        shares = [f"{scores[name][0]:.0%}" for name in SHOWN]
        texts = (scores["packages"]["over all"], scores["documents"], scores["e-mails"])
        row = [number, line["model"], called(line), f"{line['tokens'] / 1e6:.2f}", facts, *shares]
        rows.append(row + [f"{score[0]:.2f}" for score in texts])
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def called(line: Mapping) -> str:
    """A recipe in words: "Muon 0.003, 8 epochs of 48; distilled on 30% general text"."""
    recipe = line["recipe"]
    if recipe == asdict(UNTUNED):
        return "not tuned"
    text = f"{ {'muon': 'Muon', 'adamw': 'AdamW'}[recipe['optimizer']] } {recipe['learning_rate']:g}, "
    text += f"{recipe['epochs']:g} epochs of {recipe['batch']}"
    kind = "trained on" if line["text"] else "distilled on"
    text += f"; {kind} {recipe['replay']:.0%} general text" * (recipe["replay"] > 0)
    return (
        text
        + f"; then {line['old']:.0%} old weights" * (line["old"] > 0)
        + f"; seed {recipe['seed']}" * (recipe["seed"] > 0)
    )


def scores(opened: models.Opened) -> dict[str, list]:
    """Every score of a model with its interval: {"fact_hits": [value, low, high, n]}."""
    asked = report.questions("dev") + experiments.invented(experiments.COMPANY / "invented.jsonl", "dev")
    mails = held_out.bits_per_byte(opened, list(e_mails())).score()
    found = held_out.measure(opened, asked).scores() | {"e-mails": mails}
    found["documents"] = held_out.bits_per_byte(opened, held_out.documents()).score()
    packages = measure.of_packages(opened, measure.unread(places.ROOT / "build" / "base" / "held_out.jsonl"))
    return {name: [round(value, 4) for value in score] for name, score in found.items()} | {"packages": packages}


def e_mails() -> Iterator[str]:
    """The e-mails of a bundled task: English of another kind than documentation."""
    for record in read_jsonl(places.DATA / "tasks" / "emails" / "dev.jsonl"):
        yield max((value for value in record.values() if isinstance(value, str)), key=len)


if __name__ == "__main__":
    main()
