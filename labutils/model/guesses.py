"""What a model expects next: the likeliest tokens behind a text, with their probabilities. Nothing is written here;
that is for `asking`.
"""

from typing import NamedTuple

import torch

from labutils.model.encoding import prompt_ids
from labutils.model.loss import precision
from labutils.model.models import Opened


class Guess(NamedTuple):
    """A token as text, its id, and the probability that the model gives it."""

    token: str
    id: int
    probability: float


class Guesses(NamedTuple):
    """The likeliest tokens, the likeliest first, and how undecided the model is: the number of equally likely tokens.

    `choices` is the exponential of the entropy; the vocabulary's size for a model that knows nothing, 1 for a sure one.
    """

    likeliest: list[Guess]
    choices: float


@torch.inference_mode()
def next_token(opened: Opened, text: str, k: int = 10) -> Guesses:
    """The `k` likeliest tokens behind a text; of a text that is too long for the model, behind its end.

    Raises ValueError for an empty text.
    """
    if not text:
        raise ValueError("the text is empty: a model needs at least one token to go on from")
    model, tokenizer = opened
    ids = prompt_ids(text, tokenizer)[-model.config.max_position_embeddings :]
    row = torch.tensor([ids], device=model.device)
    with precision(model.device.type):
        logits = model(row, use_cache=False).logits[0, -1].float()
    chances = logits.softmax(-1)
    best = chances.topk(min(k, len(chances)))
    found = [
        Guess(tokenizer.decode([id]), id, p) for p, id in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]
    return Guesses(found, torch.special.entr(chances).sum().exp().item())
