"""The one loss of every stage, the cross-entropy of the next token; and attention of rows that hold several texts.

Nothing here changes a weight.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch.nn.functional import cross_entropy, dropout, kl_div, scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel
from transformers.masking_utils import AttentionMaskInterface

from labutils import machine
from labutils.model.encoding import DISTILLED, IGNORED, LENGTHS, pad, pad_id
from labutils.model.models import Opened

CHUNK = 1024  # positions whose logits exist at the same time: 1024 x 8192 numbers stay close to the processor


def next_token_loss(
    logits: torch.Tensor, labels: torch.Tensor, count: int | torch.Tensor | None = None
) -> torch.Tensor:
    """The mean cross-entropy, in nats, of each token given the ones before it, where its label is not IGNORED.

    `logits` (batch, length, vocabulary) at place i are compared with `labels` (batch, length) at place i + 1. This is
    the loss of pretraining and of fine-tuning alike. `count` replaces the number of labels that the sum is divided
    by, for a batch that is worked through in parts.
    """
    targets = labels[:, 1:].reshape(-1)
    guesses = logits[:, :-1].reshape(-1, logits.shape[-1]).float()
    total = cross_entropy(guesses, targets, ignore_index=IGNORED, reduction="sum")
    return total / (count if count is not None else (targets != IGNORED).sum())


def loss_of(
    model: PreTrainedModel,
    rows: Mapping[str, torch.Tensor],
    labels: torch.Tensor,
    count: int | torch.Tensor | None = None,
    teacher: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> torch.Tensor:
    """`next_token_loss` of a model on rows, without logits for the places whose label is IGNORED, or for all at once.

    The logits of a batch take more memory than the model; made for CHUNK positions at a time, and only where they
    count, they cost half the time. Equal to `next_token_loss(model(**rows).logits, labels)` but for rounding.

    Where a label is DISTILLED, the loss is the Kullback-Leibler divergence of the prediction from that of `teacher`,
    which makes the logits of these places from their ids (knowledge distillation: Hinton et al. 2015, arXiv 1503.02531;
    against forgetting: Li and Hoiem 2016, "Learning without forgetting", arXiv 1606.09282).
    """
    targets = labels[:, 1:]
    counted, distilled = targets >= 0, targets == DISTILLED
    if plain_head(model):
        hidden = model.base_model(**rows, use_cache=False).last_hidden_state[:, :-1]
        head = model.get_output_embeddings()
        total = _HeadLoss.apply(hidden[counted], targets[counted], head, *head.parameters())
    else:
        hidden, head = model(**rows, use_cache=False).logits[:, :-1], torch.nn.Identity()
        total = cross_entropy(hidden[counted].float(), targets[counted], reduction="sum")
    if distilled.any():
        wanted = teacher(rows["input_ids"][:, :-1][distilled]).float().log_softmax(-1)
        found = head(hidden[distilled]).float().log_softmax(-1)
        total = total + kl_div(found, wanted, reduction="sum", log_target=True)
    return total / (count if count is not None else (counted | distilled).sum())


def precision(device: str, fp32: bool = False, *, cached: bool = True) -> torch.autocast:
    """bfloat16 products where the processor has them, float32 elsewhere or where asked; the weights stay float32.

    With `cached` a weight that is used twice is rounded once. The cache belongs to all threads: without it, none waits
    for another.
    """
    wanted = not fp32 and (device != "cpu" or machine.bf16())
    return torch.autocast(device, torch.bfloat16, enabled=wanted, cache_enabled=cached)


def mean_loss(opened: Opened, examples: Sequence[dict], batch: int = 32) -> float:
    """The loss over many examples, in nats per trained token: every token weighs the same."""
    nats, tokens = each_loss(opened, examples, batch)
    if not sum(tokens):
        raise ValueError("no label counts in these examples: there is nothing to measure a loss on")
    return sum(nats) / sum(tokens)


@torch.no_grad()
def each_loss(
    opened: Opened, examples: Sequence[dict], batch: int = 32, *, fp32: bool = False
) -> tuple[list[float], list[int]]:
    """The summed loss of each example, in nats, and its trained tokens, in the examples' order; batches by length."""
    model, device, training = opened.model, opened.model.device, opened.model.training
    nats, tokens = [0.0] * len(examples), [0] * len(examples)
    model.eval()
    order = sorted(range(len(examples)), key=lambda i: len(examples[i]["input_ids"]))
    for start in range(0, len(order), batch):
        places = order[start : start + batch]
        padded = pad([examples[i] for i in places], pad_id(opened.tokenizer), LENGTHS)
        rows = {name: values.to(device) for name, values in padded.items()}
        labels = rows.pop("labels")
        with precision(device.type, fp32):
            sums = token_losses(model, rows, labels).sum(dim=1, dtype=torch.float64).tolist()
        counts = (labels[:, 1:] != IGNORED).sum(dim=1).tolist()
        for i, total, count in zip(places, sums, counts, strict=True):
            nats[i], tokens[i] = total, count
    model.train(training)
    return nats, tokens


@torch.no_grad()
def token_losses(model: PreTrainedModel, rows: Mapping[str, torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
    """What `loss_of` sums: the nats of each next token, (batch, length - 1), 0 where the label is IGNORED."""
    targets = labels[:, 1:]
    counted = targets != IGNORED
    losses = torch.zeros(targets.shape, device=labels.device)
    if plain_head(model):
        states = model.base_model(**rows, use_cache=False).last_hidden_state[:, :-1][counted]
        head = model.get_output_embeddings()
    else:
        states, head = model(**rows, use_cache=False).logits[:, :-1][counted], torch.nn.Identity()
    parts = zip(states.split(CHUNK), targets[counted].split(CHUNK), strict=True)
    losses[counted] = torch.cat([cross_entropy(head(part).float(), wanted, reduction="none") for part, wanted in parts])
    return losses


class _HeadLoss(torch.autograd.Function):
    """The summed cross-entropy of a linear head, and its gradients, chunk by chunk in the forward pass.

    After Hsu et al. 2024, "Liger Kernel" (arXiv 2410.10989), section 3.2: the logits of a chunk are gone before those
    of the next are made.
    """

    @staticmethod
    def forward(ctx, hidden, targets, head, *weights):
        wanted = [i for i in (0, *range(3, 3 + len(weights))) if ctx.needs_input_grad[i]]
        inputs = (hidden, None, None, *weights)
        found: dict[int, list[torch.Tensor]] = {i: [] for i in wanted}  # of weights one, to which chunks add
        total = hidden.new_zeros((), dtype=torch.float32)
        for start in range(0, max(1, len(targets)), CHUNK):
            part = hidden[start : start + CHUNK].detach().requires_grad_(bool(wanted))
            with torch.set_grad_enabled(bool(wanted)):
                loss = cross_entropy(head(part).float(), targets[start : start + CHUNK], reduction="sum")
            total += loss.detach()
            if wanted:
                gradients = torch.autograd.grad(loss, [part if i == 0 else inputs[i] for i in wanted])
                for i, gradient in zip(wanted, gradients, strict=True):
                    if i == 0 or not found[i]:
                        found[i].append(gradient)
                    else:
                        found[i][0] += gradient
        ctx.gradients = {i: torch.cat(parts) if i == 0 else parts[0] for i, parts in found.items()}
        ctx.inputs = len(inputs)
        return total

    @staticmethod
    def backward(ctx, gradient):
        gradients = ctx.__dict__.pop("gradients")  # changed in place, so a second way back has none
        return tuple(gradients[i].mul_(gradient) if i in gradients else None for i in range(ctx.inputs))


def plain_head(model: torch.nn.Module) -> bool:
    """Whether a model's logits are its output layer on its last hidden states, and nothing more; tried once a model.

    Some models scale or cap their logits, and a model spread over processes must be called as a whole.
    """
    if not isinstance(model, PreTrainedModel):
        return False
    if not hasattr(model, "_plain_head"):
        ids = torch.tensor([[0, 1, 2]], device=model.device)
        training = model.training
        model.eval()
        with torch.no_grad(), precision(model.device.type):
            hidden = model.base_model(input_ids=ids, use_cache=False).last_hidden_state
            plain = model.get_output_embeddings()(hidden).float()
            whole = model(input_ids=ids, use_cache=False).logits.float()
        model.train(training)
        model._plain_head = model.base_model is not model and torch.equal(plain, whole)
    return model._plain_head


# Attention of texts that lie end to end in one row, without padding: each sees itself alone.
#
# A row is what `transformers.DataCollatorWithFlattening` makes: `input_ids` and `labels` of shape (1, tokens), and
# `position_ids`, which begin again at 0 with each text. `sdpa` would multiply every text with every other and mask the
# result; here the layers see no padding, and attention alone fills short rows up to the longest text of the batch.

END_TO_END = "end_to_end"  # its name in `transformers`
WIDEST = 512  # tokens of the longest text: a window of attention that is narrower would cut it
SHORT = 128  # tokens: up to here plain products are faster than torch's fused attention, whose way back is slow


def end_to_end(module, query, key, value, attention_mask, scaling=None, dropout=0.0, position_ids=None, **unused):
    """Causal attention as `transformers` calls it: query (1, heads, tokens, width), key and value with their own heads.

    Returns the attended values, (1, tokens, heads, width), and no weights. Raises ValueError for capped scores, sinks.
    """
    if asked := [name for name in ("softcap", "s_aux") if unused.get(name) is not None]:
        raise ValueError(f"attention end to end knows no {asked[0]}; the model reads padded rows")
    _, heads, tokens, width = query.shape
    scaling = width**-0.5 if scaling is None else scaling
    rows = _Rows(position_ids[0])
    q, k, v = (rows.fill(each.transpose(1, 2).reshape(tokens, -1)) for each in (query * scaling, key, value))
    q, k, v = (each.view(rows.count, rows.length, -1, width).transpose(1, 2) for each in (q, k, v))
    if rows.length <= SHORT:
        seen = _plain(q, k, v, dropout)
    else:
        seen = scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True, scale=1.0, enable_gqa=True)
    return rows.take(seen.transpose(1, 2).reshape(rows.count * rows.length, -1)).view(1, tokens, heads, width), None


def _plain(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, chance: float) -> torch.Tensor:
    count, heads, length, width = q.shape
    groups = k.shape[1]
    shape = (count, groups, heads // groups * length, width)
    scores = (q.reshape(shape) @ k.transpose(2, 3)).view(count, groups, -1, length, length)
    later = torch.full((length, length), float("-inf"), dtype=q.dtype, device=q.device).triu(1)
    weights = torch.softmax(scores + later, -1).view(*shape[:3], length)
    weights = dropout(weights, chance) if chance else weights
    return (weights @ v).view(count, heads, length, width)


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


AttentionInterface.register(END_TO_END, end_to_end)
AttentionMaskInterface.register(END_TO_END, lambda *args, **kwargs: None)


@contextmanager
def attending(model: PreTrainedModel, wanted: bool) -> Iterator[None]:
    """Inside, a model reads pairs end to end where that is `wanted`."""
    config, before = model.config, model.config._attn_implementation
    config._attn_implementation = END_TO_END if wanted else before
    try:
        yield
    finally:
        config._attn_implementation = before


@torch.no_grad()
def reads_end_to_end(model: PreTrainedModel) -> bool:
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
