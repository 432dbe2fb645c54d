"""Working weights in bfloat16 with float32 masters, moved by AdamW, or by Muon where matrices are. No data, no loss."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch
from transformers import PreTrainedModel

PART = 8_000_000  # weights whose float32 gradients exist at the same time, in each of two threads
Masters = Mapping[torch.nn.Parameter, torch.Tensor]  # of a model's weights: the numbers that updates are added to


def halves() -> ThreadPoolExecutor:
    """Two threads that share the cores of the calling one between them."""
    cores = max(1, torch.get_num_threads() // 2)
    return ThreadPoolExecutor(2, initializer=torch.set_num_threads, initargs=(cores,))


@contextmanager
def masters(model: PreTrainedModel, dtype: torch.dtype = torch.bfloat16) -> Iterator[Masters]:
    """A model whose weights are rounded to `dtype` inside, beside what they were rounded from; whole again after it.

    An update of bfloat16 weights is mostly smaller than their last digit and would be lost, so it is added to the
    float32 masters, which are rounded anew (Micikevicius et al. 2018, arXiv 1710.03740, section 3.1). Autocast would
    round every weight, and widen every gradient, in each part of each step.
    """
    whole = {weight: weight.data for weight in model.parameters()}
    for weight in whole:
        weight.data = weight.data.to(dtype)
    try:
        yield whole
    finally:
        for weight, value in whole.items():
            weight.grad, weight.data = None, value


class MasterOptimizer(torch.optim.Optimizer):
    """AdamW, or Muon for the matrices of the layers and AdamW for the rest, on the masters of a model's weights.

    Muon (Jordan et al. 2024) makes the update of a matrix orthogonal, so that all its directions are learned at the
    same pace. Its rate is scaled to the size of AdamW's updates (Liu et al. 2025, "Muon is scalable", arXiv
    2502.16982), so one learning rate serves both. As in `transformers.Trainer`, vectors have no weight decay. The
    state holds the masters: a run that goes on from it ends with the weights of an uninterrupted one, to the bit.

    Args:
        model: the weights that require gradients are moved.
        whole: their masters, from `masters`; without them the weights are their own.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        whole: Masters | None = None,
        *,
        learning_rate: float,
        weight_decay: float,
        muon: bool = False,
    ):
        trained = [weight for weight in model.parameters() if weight.requires_grad]
        tables = {id(weight) for part in _tables(model) for weight in part.parameters()} if muon else set()
        matrices = [weight for weight in trained if muon and weight.ndim == 2 and id(weight) not in tables]
        others = [weight for weight in trained if not any(weight is matrix for matrix in matrices)]
        wide, flat = ([weight for weight in others if (weight.ndim > 1) is kind] for kind in (True, False))
        betas = {"betas": (0.9, 0.95)} if muon else {}
        decay = 0.0 if muon else weight_decay
        kinds = [
            (torch.optim.Muon, matrices, {"weight_decay": weight_decay, "adjust_lr_fn": "match_rms_adamw"}),
            (torch.optim.AdamW, wide, {"weight_decay": decay, "fused": True, **betas}),
            (torch.optim.AdamW, flat, {"weight_decay": 0.0, "fused": True, **betas}),
        ]
        self.weights, self.whole, self.parts = [], [], []
        for make, weights, settings in kinds:
            for some in _in_parts(weights):
                own = [whole[weight] if whole else weight.data for weight in some]
                own = [torch.nn.Parameter(value, requires_grad=True) for value in own]  # the same memory
                self.parts.append(make(own, lr=learning_rate, **settings))
                self.weights.append(some)
                self.whole.append(own)
        self.pool = halves()
        super().__init__([group for part in self.parts for group in part.param_groups], {})

    def step(self, closure=None):
        """One update of all weights, part by part, each on half of the cores."""
        list(self.pool.map(self._update, range(len(self.parts))))

    def _update(self, number: int) -> None:
        for weight, own in zip(self.weights[number], self.whole[number], strict=True):
            own.grad = None if weight.grad is None else weight.grad.to(own.dtype)
        self.parts[number].step()
        for weight, own in zip(self.weights[number], self.whole[number], strict=True):
            own.grad = None
            if weight.data_ptr() != own.data_ptr():
                weight.data.copy_(own.data)

    def state_dict(self) -> dict:
        whole = [[own.data for own in part] for part in self.whole]
        return {"parts": [part.state_dict() for part in self.parts], "whole": whole}

    def load_state_dict(self, state_dict: dict) -> None:
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        for own, values in zip(self.whole, state_dict["whole"], strict=True):
            for mine, value in zip(own, values, strict=True):
                mine.data.copy_(value)
        self.param_groups = [group for part in self.parts for group in part.param_groups]


def _in_parts(weights: list[torch.nn.Parameter]) -> Iterator[list[torch.nn.Parameter]]:
    """Weights in lists of PART numbers or a little more, so that two threads take turns at them; at least two lists."""
    most = min(PART, sum(weight.numel() for weight in weights) // 2)
    some: list[torch.nn.Parameter] = []
    for weight in weights:
        some.append(weight)
        if sum(each.numel() for each in some) >= most:
            yield some
            some = []
    if some:
        yield some


def _tables(model: PreTrainedModel) -> list[torch.nn.Module]:
    """The embedding and the output layer: a row for each token, not a matrix that mixes directions."""
    return [part for part in (model.get_input_embeddings(), model.get_output_embeddings()) if part is not None]
