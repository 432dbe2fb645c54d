"""Ask a model: prompts in, replies out, many at a time; and what it expects next. Decoding settings live here alone."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from transformers import GenerationConfig

from labutils.model.encoding import pad_id, prompt_ids
from labutils.model.loss import precision
from labutils.model.models import Opened
from labutils.pairs import templates


class Reply(NamedTuple):
    """What a model wrote behind a prompt, and whether it ended by itself (or was cut at the limit)."""

    text: str
    stopped: bool


def generate(
    opened: Opened,
    prompts: Sequence[str],
    *,
    limit: int = 60,
    temperature: float = 0.0,
    repetition_penalty: float = 1.0,
    seed: int = 0,
    batch: int = 32,
) -> list[Reply]:
    """Let a model go on from each prompt until it ends the text or has written `limit` tokens.

    Temperature 0 takes the likeliest token each time (greedy); above 0 it draws, the same for the same seed. A
    repetition penalty above 1 makes tokens that occur already less likely (Keskar et al. 2019, arXiv 1909.05858,
    section 4.1, with 1.2), since small models go round in circles. Raises ValueError for an empty prompt.
    """
    if any(not prompt for prompt in prompts):
        raise ValueError("a prompt is empty: a model needs at least one token to go on from")
    ids = [prompt_ids(prompt, opened.tokenizer) for prompt in prompts]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    replies: dict[int, Reply] = {}
    how = {"max_new_tokens": limit, "repetition_penalty": repetition_penalty, "do_sample": bool(temperature)}
    if temperature:
        how |= {"temperature": temperature, "top_k": 0}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            replies |= zip(rows, _continue(opened, [ids[i] for i in rows], how), strict=True)
    return [replies[i] for i in range(len(prompts))]


def ask(opened: Opened, questions: Sequence[str], *, template: str = "lecture", limit: int = 60, **how) -> list[Reply]:
    """Ask questions through a template; the replies are the answers alone. Other settings as in `generate`."""
    prompts = [templates.prompt(template, question) for question in questions]
    return [
        Reply(templates.before_next(template, text), stopped)
        for text, stopped in generate(opened, prompts, limit=limit, **how)
    ]


@torch.inference_mode()
def _continue(opened: Opened, ids: list[list[int]], how: dict) -> list[Reply]:
    """One batch, left-padded, so that every row ends where its reply begins."""
    model, tokenizer = opened
    longest, filler, end = max(map(len, ids)), pad_id(tokenizer), tokenizer.eos_token_id
    rows = torch.tensor([[filler] * (longest - len(row)) + row for row in ids], device=model.device)
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in ids], device=model.device)
    settings = GenerationConfig(pad_token_id=filler, eos_token_id=end, **how)
    with precision(model.device.type):
        written = model.generate(rows, attention_mask=mask, generation_config=settings)[:, longest:].tolist()
    return [_reply(row, tokenizer, end) for row in written]


def _reply(row: list[int], tokenizer, end: int) -> Reply:
    stopped = end in row
    kept = row[: row.index(end)] if stopped else row
    return Reply(tokenizer.decode(kept, skip_special_tokens=True), stopped)


# What a model expects next: the likeliest tokens behind a text, with their probabilities.


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
