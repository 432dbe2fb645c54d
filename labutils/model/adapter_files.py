"""Adapters in files: safetensors in the form of the library `peft`, without the model that they belong to; which model
that is stands beside them.
"""

import json
from pathlib import Path

import torch
from peft import LoraConfig, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import PreTrainedModel

from labutils import places
from labutils.model import fetching, models
from labutils.model.adapters import fingerprint, injected, need
from labutils.model.models import ModelMissing, Opened

WEIGHTS, CONFIG, BASE = "adapter_model.safetensors", "adapter_config.json", "base.json"


def save(opened: Opened, path: str | Path) -> Path:
    """Save the adapters of a model (bfloat16 safetensors), without the model: a folder that `peft` opens, too.

    Beside them stands which model they belong to. Raises ValueError for a model without adapters, or a folder that
    holds other things.
    """
    need(opened.model)
    with places.replacing(Path(path), CONFIG, "adapters") as beside, fetching.quiet():
        state = opened.model.state_dict()
        state = {key: value.to(torch.bfloat16) for key, value in state.items() if "lora_" in key}
        opened.model.save_pretrained(beside, state_dict=state)
        (beside / "generation_config.json").unlink()  # the model's business
        about = {"model": _origin(opened.model), "weights": fingerprint(opened.model)}
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
        raise ValueError(f"the adapters in {path} were trained in other weights{name and f', those of {name}'}")
    read(opened.model, path)
    return Opened(opened.model.eval(), opened.tokenizer)


def read(model: PreTrainedModel, folder: Path) -> None:
    """Put the adapters of a folder or of a checkpoint into a model that has such; ValueError where they do not fit."""
    try:
        found = load_file(folder / WEIGHTS, device="cpu")
        result = set_peft_model_state_dict(model, found)
    except (RuntimeError, OSError, SafetensorError) as error:
        raise ValueError(f"the adapters in {folder} do not fit: {str(error).strip().splitlines()[0]}") from error
    if result.unexpected_keys or any("lora_" in key for key in result.missing_keys):
        raise ValueError(f"the adapters in {folder} do not fit: they stand beside other matrices")


def _origin(model: PreTrainedModel) -> str:
    """The name that opens a model again: a known one, a folder, a hub id; "" where it was made in memory."""
    place = model.name_or_path
    known = {str(models.folder(name)): name for name in (*models.BUNDLED, *fetching.MODELS)}
    return known.get(place) or (str(Path(place).absolute()) if place and Path(place).exists() else place)
