"""Muon for the matrices inside a model, AdamW for the rest, as one optimizer. Nothing here knows data or loss."""

import torch
from transformers import PreTrainedModel


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
        self.parts = [
            torch.optim.Muon(matrices, lr=learning_rate, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, lr=learning_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
        ]
        super().__init__([group for part in self.parts for group in part.param_groups], {})

    def step(self, closure=None):
        """One update of all weights."""
        for part in self.parts:
            part.step()

    def state_dict(self) -> dict:
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict) -> None:
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self.param_groups = [group for part in self.parts for group in part.param_groups]


def _tables(model: PreTrainedModel) -> list[torch.nn.Module]:
    """The embedding and the output layer: a row for each token, not a matrix that mixes directions."""
    return [part for part in (model.get_input_embeddings(), model.get_output_embeddings()) if part is not None]
