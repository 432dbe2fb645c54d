"""General text among the pairs, so that a model that is tuned keeps what it was trained on (replay, or rehearsal).

The text is docstrings of packages that the set-up installs: every learner has it, and it is of the kind that `base`
was trained on. What forgetting is measured on (`measure.held_out.documents`) is not among it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, zip_longest

from transformers import PreTrainedTokenizerBase

from labutils import ranks
from labutils.corpus.docstrings import docstrings
from labutils.model.encoding import blocks
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
    """So many rows of LENGTH tokens from docstrings, a document of each of PACKAGES in turn; every token is trained.

    Raises ValueError when their docstrings hold fewer tokens.
    """
    texts, tokens = [], 0
    for text in _pages(seed) if rows else ():
        texts.append(text)
        tokens += len(tokenizer.encode(text, add_special_tokens=False)) + 1
        if tokens >= rows * LENGTH:
            return list(blocks(texts, tokenizer, LENGTH))[:rows]
    if rows:
        raise ValueError(f"expected {rows * LENGTH:,} tokens of general text, {', '.join(PACKAGES)} hold {tokens:,}")
    return []


def _pages(seed: int) -> Iterator[str]:
    streams = [docstrings(package, seed=seed, plain=False) for package in PACKAGES]
    return (page["text"] for page in chain.from_iterable(zip_longest(*streams)) if page)
