"""The command `pretrain`: a corpus of one's own, minutes that become steps once, a run that goes on."""

import json

import pytest

from labutils.lesson import cli_model
from labutils.pairs.records import write_jsonl


@pytest.fixture
def pages(tmp_path, birds):
    texts = [f"{pair['question']} {pair['answer']} " * 40 for pair in birds]
    write_jsonl([{"text": text} for text in texts], tmp_path / "pages.jsonl")
    return tmp_path / "pages.jsonl"


@pytest.fixture
def small(monkeypatch, tokenizer, one_core):
    """The command with a tiny model and short blocks."""
    make = cli_model.models.create
    monkeypatch.setattr(cli_model.models, "create", lambda _, seed: make(tokenizer, width=64, layers=1))
    monkeypatch.setattr(cli_model.models, "available", lambda name: False)
    monkeypatch.setattr(cli_model, "train_bpe", lambda texts, size: tokenizer)
    monkeypatch.setattr(cli_model, "LENGTH", 32)


def settings(out) -> dict:
    return json.loads((out / "run.json").read_text())["settings"]["recipe"]


def test_a_file_is_read_and_a_model_made(labutils, pages, small, tmp_path, monkeypatch):
    out = tmp_path / "run"
    assert labutils("pretrain", "--corpus", pages, "--out", out, "--steps", 3, "--batch", 2, "--seed", 5)[0] == 0
    assert (out / "model" / "model.safetensors").is_file()
    assert settings(out)["steps"] == 3 and settings(out)["seed"] == 5 and settings(out)["optimizer"] == "muon"
    monkeypatch.setattr(cli_model.training, "steps_in", lambda minutes, *rest: round(4 * minutes))
    assert labutils("pretrain", "--corpus", pages, "--out", tmp_path / "b", "--minutes", 0.5, "--batch", 2)[0] == 0
    assert settings(tmp_path / "b")["steps"] == 2, "minutes become steps, once"


@pytest.mark.parametrize("length", ["--minutes", "--steps"])
def test_no_time_is_no_run(refused, pages, small, tmp_path, length):
    words = f"{length[2:]} must be above 0 and at most 1,000,000,000, got 0"
    refused(f"pretrain --corpus {pages} --out {tmp_path}/run {length} 0", words)


def test_a_corpus_that_is_none(refused, tmp_path, small):
    (tmp_path / "empty.jsonl").write_text("")
    refused(f"pretrain --corpus {tmp_path}/pages.jsonl --out {tmp_path}/run", "pages.jsonl")
    refused(f"pretrain --corpus {tmp_path}/empty.jsonl --out {tmp_path}/run", "holds no text to read")
