"""Updating fewer weights: the last layer only, or low-rank adapters beside the weights (LoRA).

Here a model becomes one of which only some weights move; `training` moves them, `adapter_files` keeps them.
"""

import copy
import hashlib

import torch
from peft import LoraConfig
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn
from transformers import PreTrainedModel

from labutils.model.models import Opened


def with_lora(
    opened: Opened, rank: int = 8, *, alpha: int = 16, targets: str | list[str] = "all-linear", seed: int = 0
) -> Opened:
    """A copy of a model whose weights stand still, with trainable low-rank adapters beside its matrices.

    A matrix W (out x in) becomes W + alpha / rank * B A, with A (rank x in) random and B (out x rank) zero, so that
    the copy answers as the model does until it is trained: Hu et al. 2021, "LoRA" (arXiv 2106.09685), sections 4.1
    and 4.2. They keep alpha while they change the rank, and adapt the attention; "all-linear" takes every matrix of
    the layers, as Dettmers et al. 2023 (arXiv 2305.14314, section 4) advise. rank * (in + out) weights a matrix.
    Raises ValueError for a rank below 1, a model that has adapters, or targets that it does not have.
    """
    if rank < 1:
        raise ValueError(f"rank must be at least 1, got {rank}")
    if has_lora(opened.model):
        raise ValueError("the model has adapters already; merge them first")
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets, task_type="CAUSAL_LM")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return injected(opened, config)


def last_layer_only(opened: Opened) -> Opened:
    """A copy of a model of which only the last layer moves: the last transformer block and what stands behind it.

    A classifier's last layer is its output matrix. A language model mostly shares that matrix with its embedding
    (tied weights), and to move it would change what the very first layer reads; so the last block stands for it, with
    the final norm, and with the output matrix only where that is its own. Raises ValueError where no list of blocks is
    found, or the model has adapters.
    """
    if has_lora(opened.model):
        raise ValueError("the model has adapters; merge them first")
    model = copy.deepcopy(opened.model)
    count = getattr(model.config, "num_hidden_layers", None)
    lists = [name for name, part in model.named_modules() if isinstance(part, nn.ModuleList) and len(part) == count]
    if not lists:
        raise ValueError(f"no list of {count} blocks in this {type(model).__name__}, so no last layer")
    parent, _, name = lists[0].rpartition(".")
    parts = dict(model.get_submodule(parent).named_children())
    behind = list(parts)[list(parts).index(name) + 1 :]
    moving = nn.ModuleList([parts[name][-1], *(parts[part] for part in behind), model.get_output_embeddings()])
    model.requires_grad_(False)
    moving.requires_grad_(True)
    if model.get_output_embeddings().weight is model.get_input_embeddings().weight:
        model.get_input_embeddings().requires_grad_(False)
    return Opened(model, opened.tokenizer)


def trained(model: PreTrainedModel) -> int:
    """The number of weights that training moves, shared ones counted once."""
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


def has_lora(model: nn.Module) -> bool:
    """Whether a model has adapters in it."""
    return any(isinstance(part, BaseTunerLayer) for part in model.modules())


def merge(opened: Opened) -> Opened:
    """A copy of a model with its adapters added to its matrices: a plain model again, all of whose weights may move.

    It answers as the model with adapters does, but for rounding (Hu et al. 2021, section 4.1: no extra time). Raises
    ValueError for a model without adapters.
    """
    need(opened.model)
    model = copy.deepcopy(opened.model)
    for name, layer in list(model.named_modules()):
        if isinstance(layer, BaseTunerLayer):
            layer.merge(safe_merge=True)
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, layer.get_base_layer())
    del model.peft_config
    model._hf_peft_config_loaded = False
    model.requires_grad_(True)
    return Opened(model, opened.tokenizer)


def settings(model: PreTrainedModel) -> dict:
    """What a run with fewer weights depends on, beside its recipe; nothing where all weights move."""
    if all(weight.requires_grad for weight in model.parameters()):
        return {}
    found = {"trained": trained(model), "frozen": fingerprint(model)}
    if has_lora(model):
        config = model.peft_config["default"]
        targets = sorted({name.rpartition(".")[2] for name in config.target_modules})
        found["lora"] = {"rank": config.r, "alpha": config.lora_alpha, "targets": targets}
    return found


def fingerprint(model: PreTrainedModel) -> str:
    """A digest of the weights that stand still, as bfloat16: the same before and after they were saved."""
    digest = hashlib.sha256()
    for weight in model.parameters():
        if not weight.requires_grad:
            digest.update(weight.detach().cpu().to(torch.bfloat16).view(torch.int16).contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def injected(opened: Opened, config: LoraConfig) -> Opened:
    """A copy of a model with fresh adapters after a configuration of `peft`, the only weights that move."""
    model = copy.deepcopy(opened.model)
    model.add_adapter(config)
    model.train(opened.model.training)
    return Opened(model, opened.tokenizer)


def need(model: PreTrainedModel) -> None:
    """Raise ValueError for a model without adapters."""
    if not has_lora(model):
        raise ValueError("the model has no adapters")
