"""General text among the pairs, on which a model that is tuned is its own teacher (replay and knowledge distillation).

The text is docstrings of packages that the set-up installs: every learner has it, and it is of the kind that `base`
was trained on. It is not trained as in pretraining: what is kept is the model's predictions on it, the probabilities
of all tokens at each place. What forgetting is measured on (`measure.held_out.documents`) is not among it.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, zip_longest

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from labutils import machine, ranks
from labutils.corpus.docstrings import docstrings
from labutils.model.encoding import DISTILLED
from labutils.model.recipes import Recipe

PACKAGES = (
    "torch", "transformers", "scipy", "sympy", "pandas", "scikit-learn",
    "matplotlib", "datasets", "numpy", "huggingface-hub", "peft", "accelerate",
)  # fmt: skip
LENGTH = 128  # tokens of a row of general text


def mixed(examples: Sequence[dict], tokenizer: PreTrainedTokenizerBase, recipe: Recipe) -> tuple[list[dict], Recipe]:
    """The examples of a whole run, with general text for `recipe.replay` of the tokens, and the recipe for them.

    The number of updates stays what it was, and each still has `recipe.batch` of the examples, in the mean; the text
    comes on top. It is read once, while examples come again each epoch, so that replaying it is no learning by heart.
    The seed decides which text. Raises ValueError where the packages hold too little of it.
    """
    if not recipe.replay:
        return list(examples), recipe
    steps = recipe.total_steps(len(examples))
    whole = [examples[i % len(examples)] for i in range(steps * min(recipe.batch, len(examples)))]
    tokens = sum(len(example["input_ids"]) for example in whole)
    rows = round(tokens * recipe.replay / (1 - recipe.replay) / LENGTH)
    batch = -(-(len(whole) + rows) // (steps * ranks.size())) * ranks.size()  # which processes can share
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
