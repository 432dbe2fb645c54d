"""What a point reads, and for how long: the company's pairs, abbreviations, the handbook -> examples."""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from transformers import PreTrainedTokenizerBase as Tokenizer

from labutils import places
from labutils.measure import experiments, report
from labutils.measure.grid.plans import Settings
from labutils.measure.held_out import Card
from labutils.measure.scoring import kind
from labutils.model import encoding
from labutils.model.loop import Progress
from labutils.model.recipes import FINETUNING_SMALL, Recipe
from labutils.pairs.records import read_jsonl

# Abbreviations: those that a model is asked for, which the base was trained on, and others, as pairs and as solved
# examples. The others show the form of an answer and hold nothing of what is asked.

ABBREVIATIONS_ASKED = places.DATA / "base" / "facts.jsonl"

ABBREVIATIONS = {
    "ACL": "access control list", "AUC": "area under the curve", "CDN": "content delivery network",
    "CNN": "convolutional neural network", "CRUD": "create, read, update and delete", "CSS": "cascading style sheets",
    "EBS": "elastic block store", "FIFO": "first in, first out", "FTP": "file transfer protocol",
    "GLM": "generalized linear model", "HMM": "hidden Markov model", "HTML": "hypertext markup language",
    "HTTP": "hypertext transfer protocol", "IDE": "integrated development environment",
    "JSON": "JavaScript object notation", "JWT": "JSON web token", "KNN": "k nearest neighbours",
    "LAN": "local area network", "LSTM": "long short-term memory", "MCMC": "Markov chain Monte Carlo",
    "NAN": "not a number", "ODE": "ordinary differential equation", "PDE": "partial differential equation",
    "PDF": "portable document format", "PNG": "portable network graphics", "RAM": "random access memory",
    "RGB": "red, green and blue", "RNN": "recurrent neural network", "SDK": "software development kit",
    "SGD": "stochastic gradient descent", "SQL": "structured query language", "SSH": "secure shell",
    "TCP": "transmission control protocol", "UDP": "user datagram protocol", "URL": "uniform resource locator",
    "XML": "extensible markup language",
}  # fmt: skip
WORDINGS = ("What does {} stand for?", "What is {} short for?")


def asked_abbreviations() -> list[dict]:
    """What is asked: {"question", "opening", "must"}; the opening is the beginning of a sentence that "must" ends."""
    return read_jsonl(ABBREVIATIONS_ASKED)


def about_abbreviations() -> list[dict]:
    """Every abbreviation asked in both ways: {"question", "answer", "fact"}."""
    return [
        {"question": wording.format(short), "answer": f"{short} stands for {long}.", "fact": f"abbreviation {short}"}
        for short, long in ABBREVIATIONS.items()
        for wording in WORDINGS
    ]


def solved_abbreviations(number: int, seed: int) -> list[dict]:
    """`number` pairs about different abbreviations, sampled by the seed."""
    return random.Random(seed).sample(about_abbreviations()[:: len(WORDINGS)], number)


# Early stopping: a model is looked at while it is tuned, until it stops improving; by what, is not known here.

STEPS = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
WARM_UP = 10  # steps in which the rate rises; then it stays, so that every look is at a run that could end there


class Looks:
    """What a model is worth at STEPS. `best` is the card with the lowest loss on answers; `found` has a list for each
    look: the step, the loss in nats a token, the share of right answers about facts that were taught.

    `stop` is set once `patience` looks in a row were no better, or after the look at step `last`. With a patience of 0
    there are no looks.
    """

    def __init__(
        self, ask: Callable[[], Card], patience: int, on_progress: Callable[[Progress], None], last: int = STEPS[-1]
    ):
        self.ask, self.patience, self.on_progress, self.last = ask, patience, on_progress, last
        self.best: Card | None = None
        self.found: list[list[float]] = []
        self.stop = threading.Event()

    def tell(self, now: Progress) -> None:
        """Called behind every step."""
        self.on_progress(now)
        if not self.patience or now.step not in STEPS:
            return
        card = self.ask()
        right = [hit for hit in card.judged["taught"] if hit is not None]
        loss = card.losses["answer_loss"]
        self.found.append([now.step, round(sum(loss.values) / sum(loss.sizes), 4), round(sum(right) / len(right), 4)])
        losses = [loss for _, loss, _ in self.found]
        if losses[-1] == min(losses):
            self.best = card
        if now.step >= self.last or losses.index(min(losses)) < len(losses) - self.patience:
            self.stop.set()


# All that a point reads -> examples, and how they are gone through.


class Mixture(NamedTuple):
    """Examples, how they are gone through, and the facts that their pairs teach."""

    examples: Sequence[dict]
    recipe: Recipe
    pairs: int
    taught: frozenset[str]


def mix(settings: Settings, seed: int, tokenizer: Tokenizer) -> Mixture:
    """All that a point reads. The seed draws the pairs and the general text, and orders the examples.

    Raises ValueError when there is nothing to read, or what `experiments.draw` raises.
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
        steps = STEPS[-1]
        recipe = replace(recipe, warmup=WARM_UP / steps, decay=0.0)
    taught = frozenset(pair["fact"] for pair in pairs if not experiments.refuses(pair))
    return Mixture(examples, replace(recipe, steps=steps), len(pairs), taught)


def pairs_of(settings: Settings, seed: int) -> list[dict]:
    """The pairs that a point reads once an epoch, each with the fact that it teaches."""
    company = experiments.COMPANY
    new = read_jsonl(company / "v2" / "train.jsonl") if settings.changed else []
    asked = {question["fact"] for question in report.questions("dev") if kind(question) == "fact"}
    old = read_jsonl(company / "train.jsonl")
    alone = {"others": asked, "asked": {pair["fact"] for pair in old} - asked}.get(settings.facts, set())
    drawn = experiments.draw(
        old,
        settings.pairs,
        seed,
        first=asked if settings.facts == "asked first" else (),
        leave={pair["fact"] for pair in new} | alone,
        whole=settings.facts != "any",
        wordings=settings.wordings,
        refusals=settings.refusals,
    )
    return drawn + new + (about_abbreviations() if settings.abbreviations else [])


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
