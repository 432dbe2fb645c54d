"""Updating fewer weights: the last layer only, or low-rank adapters beside the weights (LoRA), and these in files."""

import copy
import hashlib
import json
from pathlib import Path

import torch
from peft import LoraConfig, set_peft_model_state_dict
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from transformers import PreTrainedModel

from labutils import places
from labutils.model import models
from labutils.model.models import ModelMissing, Opened

NONE = "the model has no adapters"


def with_lora(
    opened: Opened, rank: int = 8, *, alpha: int = 16, targets: str | list[str] = "all-linear", seed: int = 0
) -> Opened:
    """A copy of a model whose weights stand still, with trainable low-rank adapters beside its matrices.

    A matrix W (out x in) becomes W + alpha / rank * B A, with A (rank x in) random and B (out x rank) zero, so that the
    copy answers as the model does until it is trained: Hu et al. 2021, "LoRA" (arXiv 2106.09685), sections 4.1 and 4.2.
    They adapt the attention; "all-linear" takes every matrix of the layers, as Dettmers et al. 2023 (arXiv 2305.14314,
    section 4) advise. rank * (in + out) weights a matrix. Raises ValueError for a rank below 1, a model that has
    adapters, or targets that it does not have.
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

    A language model mostly shares its output matrix with its embedding (tied weights), and to move it would change what
    the very first layer reads; so the last block stands for it, with the final norm, and with the output matrix only
    where that is its own. Raises ValueError where no list of blocks is found, or the model has adapters.
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
    if not has_lora(opened.model):
        raise ValueError(NONE)
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


# Adapters in files: safetensors in the form of the library `peft`, without the model that they belong to; which model
# that is stands beside them.

WEIGHTS, CONFIG, BASE = "adapter_model.safetensors", "adapter_config.json", "base.json"


def save_adapter(opened: Opened, path: str | Path) -> Path:
    """Save the adapters of a model (bfloat16 safetensors), without the model: a folder that `peft` opens, too.

    Beside them stands which model they belong to. Raises ValueError for a model without adapters, or a folder that
    holds other things.
    """
    if not has_lora(opened.model):
        raise ValueError(NONE)
    with places.replacing(Path(path), CONFIG, "adapters") as beside, models.quiet():
        state = opened.model.state_dict()
        state = {key: value.to(torch.bfloat16) for key, value in state.items() if "lora_" in key}
        opened.model.save_pretrained(beside, state_dict=state)
        (beside / "generation_config.json").unlink()  # the model's business
        place = opened.model.name_or_path  # a folder, a hub id, or "" where it was made in memory
        known = {str(models.folder(name)): name for name in (*models.BUNDLED, *models.MODELS)}
        name = known.get(place) or (str(Path(place).absolute()) if place and Path(place).exists() else place)
        about = {"model": name, "weights": fingerprint(opened.model)}
        (beside / BASE).write_text(json.dumps(about, indent=1), encoding="utf-8")
    return Path(path)


def open_adapter(path: str | Path, base: Opened | None = None) -> Opened:
    """A copy of a model with the adapters of a folder in it, ready to be asked or trained on.

    `base` is the model that they were trained in; without it, the one that the folder names is opened. Raises
    ModelMissing when the folder holds no adapters or that model is not here, ValueError for another model.
    """
    path = Path(path)
    if not (path / CONFIG).is_file() or not (path / WEIGHTS).is_file():
        raise ModelMissing(f"{path} holds no adapters: expected a folder with {CONFIG} and {WEIGHTS}")
    about = json.loads((path / BASE).read_text(encoding="utf-8")) if (path / BASE).is_file() else {}
    config = LoraConfig.from_pretrained(str(path))
    config.inference_mode = False
    name = about.get("model", config.base_model_name_or_path)
    if base is None and not name:
        raise ModelMissing(f"the model of the adapters in {path} was never saved, so it must be given")
    opened = injected(base or models.open_model(name), config)
    if about and about["weights"] != fingerprint(opened.model):
        raise ValueError(f"the adapters in {path} were trained on other weights{name and f', those of {name}'}")
    read_adapter(opened.model, path)
    return Opened(opened.model.eval(), opened.tokenizer)


def read_adapter(model: PreTrainedModel, folder: Path) -> None:
    """Put the adapters of a folder or of a checkpoint into a model that has such; ValueError where they do not fit."""
    try:
        found = load_file(folder / WEIGHTS, device="cpu")
        result = set_peft_model_state_dict(model, found)
    except (RuntimeError, OSError, SafetensorError) as error:
        raise ValueError(f"the adapters in {folder} do not fit: {str(error).strip().splitlines()[0]}") from error
    if result.unexpected_keys or any("lora_" in key for key in result.missing_keys):
        raise ValueError(f"the adapters in {folder} do not fit: they stand beside other matrices")
