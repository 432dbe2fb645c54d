"""Attention of pairs that lie end to end in one row, without padding: each pair sees itself alone.

A row is what `transformers.DataCollatorWithFlattening` makes: `input_ids` and `labels` of shape (1, tokens), and
`position_ids`, which begin again at 0 with each pair. `sdpa` would multiply every pair with every other and mask the
result; here the layers see no padding, and attention alone fills short rows up to the longest pair of the batch.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel
from transformers.masking_utils import AttentionMaskInterface

from labutils.model.encoding import LENGTHS

NAME = "end_to_end"
WIDEST = 512  # tokens of the longest pair: a window of attention that is narrower would cut it
SHORT = 128  # tokens: up to here plain products are faster than torch's fused attention, whose way back is slow


def end_to_end(module, query, key, value, attention_mask, scaling=None, dropout=0.0, position_ids=None, **unused):
    """Causal attention as `transformers` calls it: query (1, heads, tokens, width), key and value with their own heads.

    Returns the attended values, (1, tokens, heads, width), and no weights. Raises ValueError for what it does not do:
    scores that are capped, sinks.
    """
    if asked := [name for name in ("softcap", "s_aux") if unused.get(name) is not None]:
        raise ValueError(f"attention end to end knows no {asked[0]}; the model reads padded rows")
    _, heads, tokens, width = query.shape
    scaling = width**-0.5 if scaling is None else scaling
    rows = _Rows(position_ids[0])
    q, k, v = (rows.fill(each.transpose(1, 2).reshape(tokens, -1)) for each in (query * scaling, key, value))
    q, k, v = (each.view(rows.count, rows.length, -1, width).transpose(1, 2) for each in (q, k, v))
    seen = (_plain if rows.length <= SHORT else _fused)(q, k, v, dropout)
    return rows.take(seen.transpose(1, 2).reshape(rows.count * rows.length, -1)).view(1, tokens, heads, width), None


def _plain(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, dropout: float) -> torch.Tensor:
    count, heads, length, width = q.shape
    groups = k.shape[1]
    shape = (count, groups, heads // groups * length, width)
    scores = (q.reshape(shape) @ k.transpose(2, 3)).view(count, groups, -1, length, length)
    later = torch.full((length, length), float("-inf"), dtype=q.dtype, device=q.device).triu(1)
    weights = torch.softmax(scores + later, -1).view(*shape[:3], length)
    weights = torch.nn.functional.dropout(weights, dropout) if dropout else weights
    return (weights @ v).view(count, heads, length, width)


def _fused(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, dropout: float) -> torch.Tensor:
    return scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True, scale=1.0, enable_gqa=True)


class _Rows:
    """Where the tokens of each pair lie, and where they go in rows as long as the longest pair."""

    def __init__(self, positions: torch.Tensor):
        starts = (positions == 0).nonzero()[:, 0]
        lengths = torch.diff(starts, append=starts.new_tensor([len(positions)]))
        self.count, self.length = len(starts), -(-int(lengths.max()) // LENGTHS) * LENGTHS
        places = torch.arange(self.length, device=positions.device)
        real = places < lengths[:, None]
        self.filled = torch.where(real, starts[:, None] + places, 0).flatten()  # of each place in the rows, its token
        self.empty = ~real.flatten()
        self.real = real.flatten().nonzero()[:, 0]

    def fill(self, tokens: torch.Tensor) -> torch.Tensor:
        """(tokens, numbers) -> (rows x length, numbers); padding is seen by padding alone."""
        return _Move.apply(tokens, self.filled, self.real, None)

    def take(self, rows: torch.Tensor) -> torch.Tensor:
        """The way back."""
        return _Move.apply(rows, self.real, self.filled, self.empty)


class _Move(torch.autograd.Function):
    """Rows by their numbers. Each token has one place, so gradients go back in the same way, and nothing is added."""

    @staticmethod
    def forward(ctx, values, to, back, empty):
        ctx.back, ctx.empty = back, empty
        return values.index_select(0, to)

    @staticmethod
    def backward(ctx, gradient):
        gradient = gradient.index_select(0, ctx.back)
        if ctx.empty is not None:
            gradient[ctx.empty] = 0
        return gradient, None, None, None


AttentionInterface.register(NAME, end_to_end)
AttentionMaskInterface.register(NAME, lambda *args, **kwargs: None)


@contextmanager
def attending(model: PreTrainedModel, wanted: bool) -> Iterator[None]:
    """Inside, a model reads pairs end to end where that is `wanted`."""
    config, before = model.config, model.config._attn_implementation
    config._attn_implementation = NAME if wanted else before
    try:
        yield
    finally:
        config._attn_implementation = before


@torch.no_grad()
def able(model: PreTrainedModel) -> bool:
    """Whether a model reads two texts in one row as its own attention reads each alone; tried, since some mix tokens by
    more than attention, or attend in ways of their own.

    Asked on a CPU: elsewhere, fused attention over padded rows is faster.
    """
    window = getattr(model.config, "sliding_window", None) or WIDEST
    if model.device.type != "cpu" or window < WIDEST:
        return False
    ids, places, training = torch.tensor([[0, 1, 2]]), torch.arange(3)[None], model.training
    model.eval()
    try:
        alone = model(input_ids=ids, use_cache=False).logits
        row, twice = torch.cat([ids.flip(1), ids], 1), torch.cat([places, places], 1)
        with attending(model, True):
            behind = model(input_ids=row, position_ids=twice, use_cache=False).logits[:, 3:]
        return bool((alone - behind).abs().max() <= 1e-4 * alone.abs().max())
    except Exception:  # of a making that takes no other attention, or no positions
        return False
    finally:
        model.train(training)
