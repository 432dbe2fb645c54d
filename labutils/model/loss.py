"""The one loss of every stage: the cross-entropy of the next token. Nothing here changes a weight."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch.nn.functional import cross_entropy, kl_div
from transformers import PreTrainedModel

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
        gradients = {i: torch.cat(parts) if i == 0 else parts[0] for i, parts in found.items()}
        ctx.gradients = gradients
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
        model._plain_head = _try_plain_head(model)
    return model._plain_head


@torch.no_grad()
def _try_plain_head(model: PreTrainedModel) -> bool:
    ids = torch.tensor([[0, 1, 2]], device=model.device)
    training = model.training
    model.eval()
    with precision(model.device.type):
        hidden = model.base_model(input_ids=ids, use_cache=False).last_hidden_state
        plain = model.get_output_embeddings()(hidden).float()
        whole = model(input_ids=ids, use_cache=False).logits.float()
    model.train(training)
    return model.base_model is not model and torch.equal(plain, whole)
