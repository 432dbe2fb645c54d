"""How to train, as a value: steps, batch, rates, seed; and the general text that is read along with pairs."""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from labutils import machine
from labutils.corpus.sources import docstrings
from labutils.model.encoding import DISTILLED

OPTIMIZERS = ("adamw", "muon")
MOST = 1_000_000_000  # of anything that a run is told by


def check_setting(name: str, value: float, most: float = MOST) -> None:
    """Raises ValueError for a setting that is not above 0, over `most`, or no number."""
    if not 0 < value <= most:
        raise ValueError(f"{name} must be above 0 and at most {most:,}, got {value}")


@dataclass(frozen=True)
class Recipe:
    """How to train. `suited` has what suits a model of some size on pairs."""

    steps: int | None = None  # updates of the weights; None: as many as `epochs` take
    epochs: float = 3  # times that every example is read
    batch: int = 16  # examples an update
    learning_rate: float = 3e-4  # the highest one
    warmup: float = 0.1  # share of the steps in which it rises from 0
    decay: float | None = None  # share of the steps in which it falls to 0; None: along a cosine, from the warm-up on
    weight_decay: float = 0.01
    replay: float = 0.0  # share of general text among the tokens, on which a model keeps its predictions from before
    optimizer: str = "adamw"  # or "muon": Muon for the matrices of the layers, AdamW for the rest
    compiled: bool = False  # whether PyTorch writes C++ for the layers first: a minute's wait, a fifth faster after
    seed: int = 0  # the order of the examples
    eval_steps: int = 10  # steps between two evaluations on the held-out examples
    save_steps: int = 50  # steps between two checkpoints

    def __post_init__(self) -> None:
        for name in ("steps", "epochs", "batch", "eval_steps", "save_steps"):
            if (value := getattr(self, name)) is not None:
                check_setting(name, value)
        check_setting("learning_rate", self.learning_rate, 1e38)  # what a weight can hold
        if not 0 <= self.replay < 1:
            raise ValueError(f"replay must be a share from 0 to below 1, got {self.replay}")
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer must be one of {', '.join(OPTIMIZERS)}, got {self.optimizer!r}")

    def total_steps(self, examples: int) -> int:
        """Updates for a number of examples. Recipe(epochs=3, batch=32).total_steps(1000) -> 96."""
        return self.steps or math.ceil(self.epochs * math.ceil(examples / self.batch))


FINETUNING = Recipe(epochs=3, learning_rate=4e-4, replay=0.15)
SMALL = 30_000_000  # weights: between `base`, which needs large steps and many readings, and `smollm2`
FINETUNING_SMALL = Recipe(epochs=6, batch=32, learning_rate=5e-3, optimizer="muon", replay=0.2)
UPDATING = replace(FINETUNING_SMALL, steps=60, learning_rate=2e-3)  # gently: what `finetuned` knows is to stay
PRETRAINING = Recipe(
    epochs=1, batch=16, learning_rate=4e-3, warmup=0.02, decay=0.2, weight_decay=0.1, optimizer="muon", save_steps=100
)


def suited(weights: int, *, adapters: bool = False) -> Recipe:
    """The recipe for tuning a model of that size on pairs; both were chosen on the company's dev questions, by
    what is learned and what is kept (`data/finetuned/README.md`).

    Adapters are trained by AdamW, at a common rate that was not chosen: Muon's steps are of full rank, theirs are not.
    """
    recipe = FINETUNING_SMALL if weights < SMALL else FINETUNING
    return replace(recipe, optimizer="adamw", learning_rate=2e-3) if adapters else recipe


# General text among the pairs, on which a model that is tuned is its own teacher (replay and knowledge distillation).
# The text is docstrings of packages that the set-up installs, of the kind that `base` was trained on. What is kept is
# the model's predictions on it, the probabilities of all tokens at each place. What forgetting is measured on
# (`measure.held_out.documents`) is not among it.

PACKAGES = (
    "torch", "transformers", "scipy", "sympy", "pandas", "scikit-learn",
    "matplotlib", "datasets", "numpy", "huggingface-hub", "peft", "accelerate",
)  # fmt: skip
LENGTH = 128  # tokens of a row of general text


def mixed(examples: Sequence[dict], tokenizer: PreTrainedTokenizerBase, recipe: Recipe) -> tuple[list[dict], Recipe]:
    """The examples of a whole run, with general text for `recipe.replay` of the tokens, and the recipe for them.

    The number of updates stays what it was, and each still has `recipe.batch` of the examples, in the mean; the text
    comes on top, each page once, so that replaying it is no learning by heart. The seed decides which text. Raises
    ValueError where the packages hold too little of it.
    """
    if not recipe.replay:
        return list(examples), recipe
    steps = recipe.total_steps(len(examples))
    whole = [examples[i % len(examples)] for i in range(steps * min(recipe.batch, len(examples)))]
    tokens = sum(len(example["input_ids"]) for example in whole)
    rows = round(tokens * recipe.replay / (1 - recipe.replay) / LENGTH)
    batch = -(-(len(whole) + rows) // (steps * machine.processes())) * machine.processes()  # which processes can share
    return whole + general(tokenizer, rows, recipe.seed), replace(recipe, steps=steps, batch=batch, replay=0.0)


def general(tokenizer: PreTrainedTokenizerBase, rows: int, seed: int) -> list[dict]:
    """`rows` rows of LENGTH tokens from docstrings, a document of each of PACKAGES in turn; every label is DISTILLED.

    Raises ValueError when their docstrings hold fewer tokens.
    """
    ids: list[int] = []
    for text in _pages(seed) if rows else ():
        ids += [*tokenizer.encode(text, add_special_tokens=False), tokenizer.eos_token_id]
        if len(ids) >= rows * LENGTH:
            break
    if len(ids) < rows * LENGTH:
        names = ", ".join(PACKAGES)
        raise ValueError(f"expected {rows * LENGTH:,} tokens of general text, {names} hold {len(ids):,}")
    cut = (ids[at : at + LENGTH] for at in range(0, rows * LENGTH, LENGTH))
    return [{"input_ids": row, "labels": [DISTILLED] * LENGTH} for row in cut]


def teacher(model: PreTrainedModel) -> Callable[[torch.Tensor], torch.Tensor]:
    """The predictions of a model as it is now, before any later training: ids that stand before a DISTILLED label, of
    whole rows of `general` one behind the other, to logits of shape (ids, vocabulary)."""
    bf16 = torch.cuda.is_available() or machine.bf16()
    frozen = copy.deepcopy(model).to(torch.bfloat16 if bf16 else torch.float32).eval()

    @torch.no_grad()
    def predictions(ids: torch.Tensor) -> torch.Tensor:
        return frozen.to(ids.device)(input_ids=ids.view(-1, LENGTH - 1), use_cache=False).logits.flatten(0, 1)

    return predictions


def _pages(seed: int) -> Iterator[str]:
    streams = [docstrings(package, seed=seed, plain=False) for package in PACKAGES]
    return (page["text"] for page in chain.from_iterable(zip_longest(*streams)) if page)
