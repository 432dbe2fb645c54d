"""Muon for the matrices inside a model, AdamW for the rest, as one optimizer. Nothing here knows data or loss."""

from concurrent.futures import ThreadPoolExecutor

import torch
from transformers import PreTrainedModel


def halves() -> ThreadPoolExecutor:
    """Two threads that share the cores of the calling one between them."""
    cores = max(1, torch.get_num_threads() // 2)
    return ThreadPoolExecutor(2, initializer=torch.set_num_threads, initargs=(cores,))


class MuonAndAdamW(torch.optim.Optimizer):
    """Muon (Jordan et al. 2024) for the matrices of the layers; AdamW for embedding, head and vectors.

    Muon makes the update of a matrix orthogonal, so that all its directions are learned at the same pace. Its rate is
    scaled to the size of AdamW's updates (Liu et al. 2025, "Muon is scalable", arXiv 2502.16982), so one learning
    rate serves both.
    """

    def __init__(self, model: PreTrainedModel, *, learning_rate: float, weight_decay: float):
        whole = {id(weight) for part in _tables(model) for weight in part.parameters()}
        trained = [weight for weight in model.parameters() if weight.requires_grad]
        matrices = [weight for weight in trained if weight.ndim == 2 and id(weight) not in whole]
        others = [weight for weight in trained if weight.ndim != 2 or id(weight) in whole]
        muon = {"lr": learning_rate, "weight_decay": weight_decay, "adjust_lr_fn": "match_rms_adamw"}
        self.parts = [
            *(torch.optim.Muon(some, **muon) for some in (matrices[::2], matrices[1::2]) if some),
            torch.optim.AdamW(others, lr=learning_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
        ]
        self.pool = halves()
        super().__init__([group for part in self.parts for group in part.param_groups], {})

    def step(self, closure=None):
        """One update of all weights; half of the matrices on half of the cores."""
        list(self.pool.map(lambda part: part.step(), self.parts))

    def state_dict(self) -> dict:
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict) -> None:
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self.param_groups = [group for part in self.parts for group in part.param_groups]


def _tables(model: PreTrainedModel) -> list[torch.nn.Module]:
    """The embedding and the output layer: a row for each token, not a matrix that mixes directions."""
    return [part for part in (model.get_input_embeddings(), model.get_output_embeddings()) if part is not None]
