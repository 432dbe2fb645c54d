"""Open, create and save a model by name. Nothing here trains or asks; `fetching` knows where named models come from.

Models are kept as safetensors and opened with plain transformers classes: no pickle, no code from a model's folder.
"""

import copy
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    LlamaConfig,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers import PreTrainedTokenizerBase as Tokenizer

from labutils import machine, places
from labutils.model import fetching
from labutils.model.fetching import ModelMissing, fetch

__all__ = ["ModelMissing", "Opened", "available", "create", "fetch", "open_model", "save", "weights"]


BUNDLED = {"base": places.DATA / "base" / "model", "finetuned": places.DATA / "finetuned" / "model"}


class Opened(NamedTuple):
    """A model and the tokenizer that belongs to it."""

    model: PreTrainedModel
    tokenizer: Tokenizer


def available(name: str) -> bool:
    """Whether `open_model(name)` needs no network: a bundled or fetched model, or a folder with weights."""
    return (folder(name) / "config.json").is_file()


def folder(name: str) -> Path:
    """Where a model's files lie: `data` for a bundled one, the cache for a fetched one, else the path itself, or the
    model of a training run. "random" has the files of "base".
    """
    if name in BUNDLED or name == "random":
        return BUNDLED.get(name, BUNDLED["base"])
    if name in fetching.MODELS:
        return places.cache() / name
    return Path(name) / "model" if (Path(name) / "model" / "config.json").is_file() else Path(name)


def open_model(name: str | Path) -> Opened:
    """A model and its tokenizer by name: "random", "base", "finetuned", "smollm2", the path of a folder, or a hub id
    such as "org/model". "random" is "base" before it read anything: its architecture and tokenizer, fresh weights.

    Weights come as float32, in any case: training in bfloat16 loses small updates. The model is in
    evaluation mode, without decoding settings of its own (`asking` has them). A name that begins with a
    folder is a path, and not looked up. Raises ModelMissing when it is not here and, for a hub id, the hub does not
    answer, or when its files cannot be opened.
    """
    name = str(name)
    if available(name):
        place, local = str(folder(name)), True
    elif name in fetching.MODELS:
        raise ModelMissing(f"{name} is not on this machine; fetch it once: python3 -m labutils fetch {name}")
    elif (Path(name) / "adapter_config.json").is_file():
        raise ModelMissing(f"{name} holds adapters without their model; open the merged model of the run instead")
    elif Path(name).exists():
        raise ModelMissing(f"{name} holds no model: expected a folder with config.json and model.safetensors")
    elif (parent := Path(name).parent).is_dir() and name != Path(name).name:
        raise ModelMissing(f"no model {Path(name).name!r} in the folder {parent}; check the name")
    elif name.count("/") == 1 and machine.hub_answers():
        place, local = name, False
    else:
        known = ", ".join(["random", *BUNDLED, *fetching.MODELS])
        raise ModelMissing(f"no model {name!r}: neither a known name ({known}) nor a folder, nor in reach on a hub")
    options = {"local_files_only": local, "trust_remote_code": False}
    try:
        with fetching.quiet():
            tokenizer = AutoTokenizer.from_pretrained(place, **options)
            if name == "random":
                return Opened(_fresh(AutoConfig.from_pretrained(place, **options), seed=0), tokenizer)
            model = AutoModelForCausalLM.from_pretrained(place, dtype=torch.float32, use_safetensors=True, **options)
    except (OSError, ValueError, SafetensorError) as error:
        raise ModelMissing(f"{name} cannot be opened: {str(error).strip().splitlines()[0]}") from error
    model.generation_config = GenerationConfig(eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
    return Opened(model.eval(), tokenizer)


def create(tokenizer: Tokenizer, *, width: int = 256, layers: int = 6, context: int = 512, seed: int = 0) -> Opened:
    """A Llama model (Touvron et al. 2023) with fresh random weights for a tokenizer; the same seed, the same weights.

    Heads are 64 wide, the feed-forward part is 8/3 of the width, and the embedding is shared with the output. Raises
    ValueError when the width is not a multiple of 64.
    """
    if width % 64:
        raise ValueError(f"width must be a multiple of 64, got {width}")
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=round(width * 8 / 3 / 64) * 64,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        num_key_value_heads=width // 64,
        max_position_embeddings=context,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return Opened(_fresh(config, seed), tokenizer)


def _fresh(config: PreTrainedConfig, seed: int) -> PreTrainedModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    ends = {"eos_token_id": config.eos_token_id, "pad_token_id": config.pad_token_id}
    model.generation_config = GenerationConfig(**ends)
    return model.eval()


def weights(model: PreTrainedModel) -> int:
    """The number of weights, shared ones counted once."""
    return model.num_parameters()


def save(opened: Opened, path: str | Path) -> Path:
    """Save a model (bfloat16 safetensors: half the size) with its tokenizer; an older folder is replaced only when
    the new one is whole. Raises ValueError rather than replace a file, or a folder that holds anything but a model,
    and for a model with adapters.
    """
    if getattr(opened.model, "peft_config", None):
        raise ValueError("the model has adapters: merge them (adapters.merge) or save them alone (adapter_files.save)")
    with places.replacing(Path(path), "config.json", "a model") as beside:
        state = opened.model.state_dict()
        half = {value.data_ptr(): value.to(torch.bfloat16) for value in state.values()}  # shared weights stay shared
        state = {key: half[value.data_ptr()] for key, value in state.items()}
        with fetching.quiet():
            opened.model.save_pretrained(beside, state_dict=state)
            opened.tokenizer.save_pretrained(beside)
        config = copy.deepcopy(opened.model.config)  # as the file is, with all that training switched off
        config.dtype, config.use_cache = torch.bfloat16, True
        config.save_pretrained(beside)
    return Path(path)
