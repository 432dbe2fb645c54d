"""Ideas of the course as drawings: SVG of boxes, tokens and arrows, readable in the light and the dark theme.

Owns the shapes and the nine drawings. Numbers in them come from the arguments, a tokenizer or the files of the course.
"""

import base64
import json
import random
import textwrap
from collections.abc import Callable, Mapping, Sequence
from html import escape
from itertools import pairwise
from math import atan2, degrees
from typing import Self

from labutils.model.chats import encode as encode_chat
from labutils.model.encoding import IGNORED, bundled, encode
from labutils.model.models import Tokenizer
from labutils.pairs.records import read_jsonl
from labutils.pairs.templates import prompt
from labutils.pairs.validation.turns import said
from labutils.places import DATA

WIDTH = 720  # of a cell's output where JupyterLab is 1024 pixels wide, the side bar closed
MODEL = DATA / "base" / "model"
BLUE, ORANGE, GREEN, RED = "0,114,178", "230,159,0", "0,158,115", "213,94,0"  # Okabe and Ito 2008
STRONG, QUIET = 'font-weight="600"', 'opacity=".75"'


class Picture:
    """A drawing that a notebook shows where it is a cell's value: an SVG in the page's text colour, or what it says.

    JupyterLab drops the SVG where it does not trust a notebook; then the same picture, an image on a white card, is
    left of the SVG's description.
    """

    def __init__(self, title: str):
        self.title, self.says, self.height, self.shapes = title, "", 0.0, []

    def done(self, says: str, height: float) -> Self:
        """The finished drawing, with what it says in words, and its height."""
        self.says, self.height = says, height
        return self

    def __repr__(self) -> str:
        return f"{self.title}. {self.says}"

    def _repr_html_(self) -> str:
        card = base64.b64encode(self.svg(12, "background:white;color:#222").encode()).decode()
        image = f'<img alt="{escape(repr(self))}" src="data:image/svg+xml;base64,{card}">'
        return f'<div style="font-size:0">{self.svg(2, inside=image)}</div>'  # 0: hides the words of a dropped SVG

    def svg(self, edge: int, style: str = "", inside: str = "") -> str:
        """The SVG element with `edge` pixels around it; `inside` goes into its description."""
        wide, high = WIDTH + 2 * edge, self.height + 2 * edge
        size = (
            f'viewBox="{-edge} {-edge} {wide:g} {high:g}" width="{wide:g}" role="img" aria-label="{escape(repr(self))}"'
        )
        style = f"max-width:100%;height:auto;font:13px sans-serif;{style}"
        title = f"<title>{escape(self.title)}</title><desc>{inside}</desc>"
        shapes = "".join(self.shapes)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} fill="currentColor" style="{style}">{title}{shapes}</svg>'
        )

    def text(self, x: float, y: float, words: str, anchor: str = "start", extra: str = "") -> None:
        """One line of words; `y` is its base line."""
        self.shapes.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {extra}>{escape(words)}</text>')

    def box(self, x: float, y: float, wide: float, high: float, lines: Sequence[str] = (), tint: str = "",
            dashed: bool = False) -> None:  # fmt: skip
        """A rectangle, tinted or empty, with lines in its middle, the first of them strong."""
        colour = f'fill="rgba({tint},.22)" stroke="rgb({tint})"' if tint else 'fill="none" stroke="rgb(128,128,128)"'
        place = f'x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" rx="3"'
        stroke = 'stroke-dasharray="4 3"' if dashed else ""
        self.shapes.append(f"<rect {place} {colour} {stroke}/>")
        for i, line in enumerate(lines):
            base = y + high / 2 + 5 - 9.5 * (len(lines) - 1) + 19 * i
            self.text(x + wide / 2, base, line, "middle", QUIET if i else STRONG)

    def chip(self, x: float, y: float, wide: float, piece: str, tint: str = "", dashed: bool = False) -> None:
        """A token in its box, in letters of one width, small enough to fit."""
        self.box(x, y, wide, 28, (), tint, dashed)
        size = min(13.0, (wide - 4) / max(1, len(piece)) / 0.61)
        self.text(x + wide / 2, y + 19, piece, "middle", f'style="font:{size:.1f}px monospace"')

    def line(self, x: float, y: float, to_x: float, to_y: float, extra: str = "") -> None:
        """A straight line."""
        ends = f'x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"'
        self.shapes.append(f'<line {ends} stroke="currentColor" stroke-width="1.5" {extra}/>')

    def arrow(self, x: float, y: float, to_x: float, to_y: float) -> None:
        """A line with a head at its second end."""
        turn = f"translate({to_x:.1f} {to_y:.1f}) rotate({degrees(atan2(to_y - y, to_x - x)):.1f})"
        self.line(x, y, to_x, to_y)
        self.shapes.append(f'<path d="M1 0 L-8 -4.5 L-8 4.5 Z" transform="{turn}"/>')


def stages(trained_on: Sequence[tuple[str, str]] = ()) -> Picture:
    """Four stages of one model and what each is trained on: three pairs of (what, how much), else the course's own."""
    tokens = json.loads((DATA / "base" / "run.json").read_text(encoding="utf-8"))["tokens"]
    company, support = (len(read_jsonl(DATA / name / "train.jsonl")) for name in ("company", "tasks/support"))
    own = [("unlabelled text", f"{tokens:,} tokens"), ("question-answer pairs", f"{company:,} pairs"),
           ("pairs of one task", f"{support:,} pairs")]  # fmt: skip
    names = {"random": "writes noise", "base": "continues a page", "finetuned": "answers and stops",
             "specialist": "does one task"}  # fmt: skip
    drawn, says = Picture("Four stages of a model"), ", ".join(names)
    for i, (name, does) in enumerate(names.items()):
        drawn.box(196 * i, 0, 132, 58, [name, does], ("", BLUE, GREEN, ORANGE)[i])
    verbs = ("pretrain on", "finetune on", "finetune again on")
    for i, (verb, (what, size)) in enumerate(zip(verbs, trained_on or own, strict=True)):
        drawn.arrow(196 * i + 136, 29, 196 * i + 192, 29)
        drawn.arrow(196 * i + 164, 96, 196 * i + 164, 38)
        drawn.box(196 * i + 82, 97, 164, 66, [verb, what, size], dashed=True)
        says += f"; {verb} {what}, {size}"
    return drawn.done(says + ".", 163)


def shift(text: str = "The cat sat on the mat.", tokenizer: Tokenizer | None = None) -> Picture:
    """Inputs and targets of a short text, one under the other: each target is the input that comes next."""
    tokenizer, drawn = tokenizer or bundled(), Picture("Targets are the inputs shifted by one")
    pieces = _pieces(tokenizer.encode(text), tokenizer)
    wide = (WIDTH - 72) / max(1, len(pieces) - 1)
    drawn.text(0, 19, "input")
    drawn.text(0, 93, "target")
    for i, (given, wanted) in enumerate(pairwise(pieces)):
        x = 80 + wide * i
        drawn.chip(x, 0, wide - 8, given)
        drawn.chip(x, 74, wide - 8, wanted, ORANGE)
        drawn.arrow(x + wide / 2 - 4, 32, x + wide / 2 - 4, 71)
        if i:  # from a target to the same token as the next input
            drawn.line(x - 14, 71, x + 6, 31, 'stroke-dasharray="2 3" opacity=".6"')
    drawn.text(80, 126, "A target is the token that comes next. Dotted: the same token, one place on.", extra=QUIET)
    return drawn.done(f"Inputs: {' '.join(pieces[:-1])}. Targets: {' '.join(pieces[1:])}", 130)


def mask(question: str = "What colour is a Plover?", answer: str = "Ochre yellow.", template: str = "lecture",
         tokenizer: Tokenizer | None = None) -> Picture:  # fmt: skip
    """A pair as tokens with their labels: the prompt is ignored, the answer and its end are trained."""
    tokenizer, drawn = tokenizer or bundled(), Picture("Labels of a pair")
    example = encode(prompt(template, question), answer, tokenizer)
    x, y, labels = 0.0, 30, example["labels"]
    for piece, label in zip(_pieces(example["input_ids"], tokenizer), labels, strict=True):
        wide = max(8.2 * len(piece) + 8, 36)
        if x + wide > WIDTH:
            x, y = 0.0, y + 62
        drawn.chip(x, y, wide, piece, ORANGE if label != IGNORED else "", dashed=label == IGNORED)
        drawn.text(x + wide / 2, y + 44, str(label), "middle", QUIET if label == IGNORED else STRONG)
        x += wide + 4
    ignored = labels.count(IGNORED)
    says = (f"prompt: {ignored} tokens, label {IGNORED}, ignored",
            f"answer and its end: {len(labels) - ignored} tokens, trained")  # fmt: skip
    for x, words, tint in ((0, says[0], ""), (WIDTH / 2, says[1], ORANGE)):
        drawn.box(x, 0, 14, 14, (), tint, dashed=not tint)
        drawn.text(x + 22, 12, words)
    return drawn.done(f"{says[0]}; {says[1]}.", y + 48)


def conversation(record: Mapping | None = None, tokenizer: Tokenizer | None = None) -> Picture:
    """A conversation turn by turn: who speaks, what is said, how many of its tokens are trained. Without a record, the
    company's shortest dialogue with a tool."""
    tokenizer, drawn, y = tokenizer or bundled(), Picture("Which turns of a conversation are trained"), 0.0
    if record is None:
        calling = (row for row in read_jsonl(DATA / "company" / "dialogues.jsonl") if "tools" in row)
        record = min(calling, key=lambda row: len(json.dumps(row)))
    for message in record["messages"]:
        role = message["role"]
        trains = role == "assistant" and message.get("weight") != 0
        tint = ORANGE if trains else ""
        called = "calls a tool" if message.get("tool_calls") else ""
        lines = textwrap.wrap(said(message), 66, break_long_words=True)
        high = 16 + 19 * len(lines)
        drawn.text(0, y + 21, role, extra=STRONG)
        drawn.text(0, y + 39, called or ("weight 0" if message.get("weight") == 0 else ""), extra=QUIET)
        drawn.box(96, y, 500, high, (), tint, dashed=not trains)
        for i, line in enumerate(lines):
            drawn.text(108, y + 21 + 19 * i, line)
        drawn.text(608, y + 21, "trained" if trains else "ignored", extra=STRONG if trains else QUIET)
        y += max(high, 44 if called else 0) + 10
    labels = encode_chat(record, tokenizer)["labels"]
    count = sum(label != IGNORED for label in labels)
    says = f"{count} of {len(labels)} tokens are trained: each turn of the assistant with the token that ends it"
    drawn.text(0, y + 12, f"{says}.", extra=QUIET)
    return drawn.done(f"{says}. Turns: {', '.join(message['role'] for message in record['messages'])}.", y + 16)


def padding(question: str = "Hi", answer: str = "Hello.", places: int = 3,
            tokenizer: Tokenizer | None = None) -> Picture:  # fmt: skip
    """A short row padded with end-of-text: labels by value train the prompt and ignore the end with the padding."""
    tokenizer, drawn = tokenizer or bundled(), Picture("The trap of padding with end-of-text")
    example, end = encode(question, answer, tokenizer), tokenizer.eos_token_id
    ids, by_place = example["input_ids"] + [end] * places, example["labels"] + [IGNORED] * places
    by_value = [IGNORED if id == end else id for id in ids]
    pieces = ["end" if id == end else piece for id, piece in zip(ids, _pieces(ids, tokenizer), strict=True)]
    wide, short = (WIDTH - 124) / len(ids), len(ids) - places
    for row, (name, cells) in enumerate(
        {"tokens": pieces, "ids": ids, "labels, by value": by_value, "labels, by place": by_place}.items()
    ):
        drawn.text(0, 41 + 40 * row, name, extra=STRONG if row > 1 else "")
        for i, cell in enumerate(cells):
            tint = "" if row < 2 else ORANGE if cell != IGNORED else RED if by_place[i] != IGNORED else ""
            drawn.chip(130 + wide * i, 22 + 40 * row, wide - 6, str(cell), tint, dashed=i >= short)
    drawn.text(130 + wide * (short - 1) + (wide - 6) / 2, 12, "the end", "middle", STRONG)
    for i, part in ((0, "prompt"), (example["labels"].count(IGNORED), "answer"), (short, "padding")):
        drawn.text(130 + wide * i, 12, part, extra=QUIET)
    drawn.text(0, 202, f"Padding is {tokenizer.eos_token}, too. Ignored by its value, the end is never trained, "
               "and the model never learns to stop.", extra=QUIET)  # fmt: skip
    counts = [sum(label != IGNORED for label in labels) for labels in (by_place, by_value)]
    return drawn.done(f"Labels by place train {counts[0]} tokens: the answer and its end. Labels by value train "
                      f"{counts[1]}: the prompt and the answer, not the end.", 206)  # fmt: skip


def leak(records: Sequence[Mapping[str, str]] = (), seed: int = 0) -> Picture:
    """A split at random, which leaves wordings of one fact on both sides, beside a split by fact, which does not.

    Records have a "fact" and a "question"; three wordings of the first three facts are drawn, by default the company's.
    """
    facts: dict[str, list[str]] = {}
    for record in records or read_jsonl(DATA / "company" / "train.jsonl"):
        facts.setdefault(record["fact"], []).append(record["question"])
    facts = {letter: asked[:3] for letter, asked in zip("ABC", facts.values(), strict=False)}
    everything = [(letter, i) for letter, asked in facts.items() for i in range(len(asked))]
    by_fact = [place for place in everything if place[0] == max(facts)]
    splits = {"at random": random.Random(seed).sample(everything, len(by_fact)), "by fact": by_fact}
    drawn, says = Picture("A split that leaks, and one that does not"), []
    for x, (name, held) in zip((0, WIDTH / 2 + 16), splits.items(), strict=True):
        train = [place for place in everything if place not in held]
        leaked = [place for place in held if place[0] in {letter for letter, _ in train}]
        drawn.text(x, 12, f"Split {name}", extra=STRONG)
        for left, label, side in ((x, "training", train), (x + 180, "held out", held)):
            drawn.box(left, 22, 164, 142)
            drawn.text(left + 12, 42, label, extra=QUIET)
            for row, (letter, tint) in enumerate(zip(facts, (BLUE, GREEN, ORANGE), strict=False)):
                for column, place in enumerate(place for place in side if place[0] == letter):
                    lost = place in leaked
                    at = left + 12 + 48 * column, 54 + 35 * row
                    drawn.chip(*at, 40, f"{letter}{place[1] + 1}", RED if lost else tint, dashed=lost)
        says.append(f"{len(leaked)} of {len(held)} held out have a sibling in training")
        drawn.text(x, 186, says[-1])
    first = [f"A{i + 1} “{textwrap.shorten(asked, 55, placeholder=' …')}”" for i, asked in enumerate(facts["A"][:2])]
    drawn.text(0, 210, f"Siblings ask for one fact: {', '.join(first)}", extra=QUIET)
    return drawn.done(f"At random, {says[0]}; by fact, {says[1]}.", 214)


def update(weight: float = 3, rate: float = 0.5, loss: Callable[[float], float] | None = None) -> Picture:
    """One update of one weight, in numbers and on the curve of its loss: the loss, the gradient, the step."""
    loss = loss or (lambda weight: (weight - 1) ** 2 / 2 + 0.5)
    gradient = (loss(weight + 1e-4) - loss(weight - 1e-4)) / 2e-4
    after = weight - rate * gradient
    steps = (("1. Loss", "how wrong is the model on this batch?", f"{loss(weight):.2f}"),
             ("2. Gradient", "how does the loss change with the weight?", f"{gradient:+.2f}"),
             ("3. Step", "weight - rate × gradient", f"{weight:g} - {rate:g} × {gradient:.2f} = {after:.2f}")
    )  # fmt: skip
    drawn, far = Picture("One update of the weights"), abs(weight - after) or 1
    for y, (name, asks, number), tint in zip((0, 62, 124), steps, (RED, BLUE, GREEN), strict=True):
        drawn.box(0, y, 390, 52, (), tint)
        drawn.text(12, y + 21, name, extra=STRONG)
        drawn.text(12, y + 41, asks, extra=QUIET)
        drawn.text(378, y + 21, number, "end", STRONG)
    span = [min(weight, after) - 3 * far + i * far * 4.6 / 40 for i in range(41)]
    lowest, highest = min(map(loss, span)), max(map(loss, span))

    def place(at: float, height: float) -> tuple[float, float]:
        up = (height - lowest) / (highest - lowest or 1)
        return 440 + 276 * (at - span[0]) / (span[-1] - span[0]), 136 - 126 * up

    points = " ".join("{:.1f},{:.1f}".format(*place(at, loss(at))) for at in span)
    drawn.shapes.append(f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="2"/>')
    drawn.line(430, 0, 430, 166)
    drawn.line(430, 166, 720, 166)
    drawn.text(438, 11, "loss", extra=QUIET)
    drawn.text(438, 158, "weight", extra=QUIET)
    old, new = place(weight, loss(weight)), place(after, loss(after))
    for (x, y), number, tint in ((old, weight, RED), (new, after, GREEN)):
        drawn.line(x, y, x, 166, 'stroke-dasharray="3 3" opacity=".6"')
        drawn.shapes.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="rgb({tint})"/>')
        drawn.text(x, 182, f"{number:.2f}", "middle")
    tangent = [place(weight + way * far * 0.7, loss(weight) + way * far * 0.7 * gradient) for way in (-1, 0.6)]
    drawn.line(*tangent[0], *tangent[1], 'stroke-dasharray="5 3"')
    drawn.arrow(old[0], 150, new[0], 150)
    drawn.text(0, 202, "Every weight has its own gradient and moves in the same step. Then the next batch comes.",
               extra=QUIET)  # fmt: skip
    says = f"Loss {loss(weight):.2f}, gradient {gradient:+.2f}, step from {weight:g} to {after:.2f}"
    return drawn.done(f"{says}, loss then {loss(after):.2f}.", 206)


def lora(shape: tuple[int, int] | None = None, rank: int = 8) -> Picture:
    """A frozen matrix beside the pair of thin ones that LoRA trains, drawn to scale, with their weights counted."""
    config = json.loads((MODEL / "config.json").read_text(encoding="utf-8"))
    rows, columns = shape or (config["hidden_size"], config["intermediate_size"])
    whole, pair, scale = rows * columns, rank * (rows + columns), min(270 / columns, 200 / rows)
    wide, high, thin = columns * scale, rows * scale, max(5, rank * scale)
    b, a, middle, drawn = wide + 60, wide + 60 + thin + 50, 24 + high / 2, Picture("LoRA beside a frozen matrix")
    drawn.box(0, 24, wide, high, ["frozen"], dashed=True)
    drawn.box(b, 24, thin, high, (), ORANGE)
    drawn.box(a, middle - thin / 2, wide, thin, (), ORANGE)
    drawn.text((wide + b) / 2, middle + 6, "+", "middle", 'style="font-size:20px"')
    drawn.text((b + thin + a) / 2, middle + 6, "×", "middle", 'style="font-size:20px"')
    drawn.text(0, 13, "a matrix of the model")
    drawn.text(b, 13, "two thin ones, trained")
    counts = (f"W: {rows} × {columns} = {whole:,}", f"B: {rows} × {rank} = {rows * rank:,}",
              f"A: {rank} × {columns} = {rank * columns:,}")  # fmt: skip
    drawn.text(0, 44 + high, counts[0])
    drawn.text(b, 44 + high, counts[1])
    drawn.text(a + wide, 44 + high, counts[2], "end")
    says = f"{pair:,} weights are trained instead of {whole:,}: {pair / whole:.1%}."
    drawn.text(0, 70 + high, says, extra=STRONG)
    return drawn.done(f"{'; '.join(counts)}. {says}", 74 + high)


def tasks(extraction: tuple[str, str] | None = None, expansion: tuple[str, str] | None = None) -> Picture:
    """A task that reads much and writes little, and one that reads little and writes much; by default the course's."""
    support, emails = (read_jsonl(DATA / "tasks" / name / "train.jsonl") for name in ("support", "emails"))
    email = min(emails, key=lambda row: len(row["response"]))
    extraction = extraction or (support[0]["input"], support[0]["output"])
    expansion = expansion or (email["instruction"], email["response"])
    y, says, drawn = 0.0, [], Picture("Two kinds of tasks")
    for name, texts, left, tint in (("Extraction", extraction, 400, BLUE), ("Expansion", expansion, 240, ORANGE)):
        read, written = (len(text.split()) for text in texts)
        says.append(f"{name}: {read} words read, {written} written")
        drawn.text(0, y + 12, says[-1], extra=STRONG)
        sides = []
        for x, wide, text in zip((0, left + 80), (left, WIDTH - left - 80), texts, strict=True):
            sides.append(
                (x, wide, [part for line in text.split("\n") for part in textwrap.wrap(line, int((wide - 20) / 7.4))])
            )
        high = 18 + 18 * max(len(lines) for *_, lines in sides)
        drawn.text(left + 40, y + 14 + high / 2, "model", "middle", QUIET)
        drawn.arrow(left + 12, y + 24 + high / 2, left + 68, y + 24 + high / 2)
        for (x, wide, lines), colour in zip(sides, ("", tint), strict=True):
            top = y + 24 + (high - 18 - 18 * len(lines)) / 2
            drawn.box(x, top, wide, 18 + 18 * len(lines), (), colour)
            for i, line in enumerate(lines):
                drawn.text(x + 10, top + 22 + 18 * i, line)
        y += high + 46
    return drawn.done("; ".join(says) + ".", y - 22)


def _pieces(ids: Sequence[int], tokenizer: Tokenizer) -> list[str]:
    """Tokens as text, spaces and line breaks visible."""
    return [tokenizer.decode([id]).replace(" ", "·").replace("\n", "⏎") for id in ids]
