"""Blocks of running text, and pretraining on them: it learns, repeats to the bit, and goes on after a stop."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from labutils.model import encoding, training
from labutils.model.encoding import Blocks, blocks, train_bpe
from labutils.model.loss import mean_loss
from labutils.model.training import PRETRAINING, Recipe, pretrain, steps_in

RECIPE = replace(PRETRAINING, steps=12, batch=4, learning_rate=1e-2, save_steps=4)


class Stopped(Exception):
    """What a test stops a run with."""


@pytest.fixture(scope="module")
def text_blocks(birds, tokenizer) -> Blocks:
    return blocks([f"{pair['question']} {pair['answer']}" for pair in birds] * 8, tokenizer, 32)


def final(out: Path) -> bytes:
    return (out / "model" / "model.safetensors").read_bytes()


def test_texts_stand_one_behind_the_other_with_an_end_after_each():
    letters = train_bpe(["ab"], size=260)  # "ab" is 259, "a" 67, "b" 68, the end 0
    found = blocks(["ab", "a", "bb"], letters, 3)
    assert found.ids.tolist() == [[259, 0, 67], [0, 68, 68]]  # the last end fills no row
    assert found[1] == {"input_ids": [0, 68, 68], "labels": [0, 68, 68]}
    assert len(found) == 2 and found.ids.dtype == np.uint16


@given(st.lists(st.text(), min_size=1, max_size=30), st.integers(1, 9))
def test_no_token_is_lost_but_those_that_fill_no_row(texts, length):
    letters = train_bpe(["ab"], size=260)
    whole = [i for text in texts for i in [*letters.encode(text, add_special_tokens=False), letters.eos_token_id]]
    if len(whole) < length:
        with pytest.raises(ValueError, match=f"the texts hold {len(whole)} tokens, fewer than one block of {length}"):
            blocks(texts, letters, length)
    else:
        assert blocks(texts, letters, length).ids.ravel().tolist() == whole[: len(whole) // length * length]


def test_batched_and_what_is_refused(fresh, text_blocks):
    assert list(encoding.batched("abcde", 2)) == [["a", "b"], ["c", "d"], ["e"]]
    assert list(encoding.batched([], 2)) == []
    with pytest.raises(ValueError, match="16-bit ids, got a tokenizer of 70,000 entries"):
        blocks(["a"], range(70_000))
    for minutes in (0, -1, math.inf, math.nan):
        with pytest.raises(ValueError, match=f"minutes must be above 0 and at most 1,000,000,000, got {minutes}"):
            steps_in(minutes, fresh(), text_blocks)
    with pytest.raises(ValueError, match="optimizer must be one of adamw, muon, got 'sgd'"):
        Recipe(optimizer="sgd")


def test_reading_lowers_the_loss_from_that_of_a_guess(fresh, text_blocks):
    opened = fresh()
    examples = list(text_blocks)
    assert mean_loss(opened, examples) == pytest.approx(math.log(len(opened.tokenizer)), abs=0.1)
    run = pretrain(opened, text_blocks, replace(RECIPE, steps=None, epochs=4))
    assert run.tokens == 4 * text_blocks.ids.size
    assert mean_loss(opened, examples) < 2.5


def test_the_rate_rises_stays_and_falls_to_nothing(fresh, text_blocks, monkeypatch):
    rates, step = [], training.MasterOptimizer.step

    def noted(self, *args, **kwargs):
        rates.append({group["lr"] for group in self.param_groups})
        return step(self)

    monkeypatch.setattr(training.MasterOptimizer, "step", noted)
    pretrain(fresh(), text_blocks, replace(RECIPE, steps=20, warmup=0.2, decay=0.5))
    assert all(len(rate) == 1 for rate in rates)  # one rate for both parts
    rates = [rate.pop() for rate in rates]
    assert rates[:5] == pytest.approx([0, 0.0025, 0.005, 0.0075, 0.01])
    assert rates[5:11] == pytest.approx([0.01] * 6)
    assert rates[10:] == sorted(rates[10:], reverse=True) and rates[-1] == pytest.approx(0.001)


def test_a_stopped_run_goes_on_to_the_same_bytes_and_other_blocks_or_seeds_are_another(fresh, text_blocks, tmp_path):
    def stop(progress):
        if progress.step == 9:
            raise Stopped

    pretrain(fresh(), text_blocks, RECIPE, out=tmp_path / "whole")
    torch.manual_seed(1)  # has no say
    with pytest.raises(Stopped):
        pretrain(fresh(), text_blocks, RECIPE, out=tmp_path / "run", on_progress=stop)
    with pytest.raises(ValueError, match="resume needs the same"):
        pretrain(fresh(), Blocks(text_blocks.ids[::-1].copy()), RECIPE, out=tmp_path / "run", resume=True)
    run = pretrain(fresh(), text_blocks, RECIPE, out=tmp_path / "run", resume=True)
    assert run.history[0].step == 9 and final(tmp_path / "run") == final(tmp_path / "whole")
    pretrain(fresh(), text_blocks, replace(RECIPE, seed=1), out=tmp_path / "other")
    assert final(tmp_path / "other") != final(tmp_path / "whole")


def test_minutes_become_steps(fresh, text_blocks, monkeypatch):
    opened = fresh()
    before = opened.model.get_input_embeddings().weight.clone()
    seconds = iter([0.0, 100.0, 102.0, 104.0, 106.0, 200.0])
    made = []

    def run(copied, examples, recipe, on_progress):
        made.append((len(examples), recipe.steps))
        for step in range(4):
            on_progress(step)

    next(seconds)
    monkeypatch.setattr(training, "finetune", run)
    monkeypatch.setattr(training.time, "perf_counter", lambda: next(seconds))
    assert steps_in(1, opened, text_blocks, RECIPE) == 30
    assert made == [(min(16, len(text_blocks)), 4)]
    assert torch.equal(before, opened.model.get_input_embeddings().weight)
