"""Blocks of running text, and pretraining on them: it learns, repeats to the bit, and goes on after a stop."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from labutils.model import encoding, models, training
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


def test_a_vocabulary_that_16_bits_cannot_hold():
    class Large:
        def __len__(self):
            return 70_000

    with pytest.raises(ValueError, match="16-bit ids, got a tokenizer of 70,000 entries"):
        blocks(["a"], Large())


def test_batched():
    assert list(encoding.batched("abcde", 2)) == [["a", "b"], ["c", "d"], ["e"]]
    assert list(encoding.batched([], 2)) == []


def test_reading_lowers_the_loss_from_that_of_a_guess(fresh, text_blocks):
    opened = fresh()
    examples = list(text_blocks)
    assert mean_loss(opened, examples) == pytest.approx(math.log(len(opened.tokenizer)), abs=0.1)
    run = pretrain(opened, text_blocks, replace(RECIPE, steps=None, epochs=4))
    assert run.tokens == 4 * text_blocks.ids.size
    assert mean_loss(opened, examples) < 2.5


def test_the_rate_rises_stays_and_falls_to_nothing(fresh, text_blocks, monkeypatch):
    rates, step = [], training.MasterOptimizer.step
    monkeypatch.setattr(
        training.MasterOptimizer,
        "step",
        lambda self, *args, **kwargs: (rates.append({g["lr"] for g in self.param_groups}), step(self))[1],
    )
    pretrain(fresh(), text_blocks, replace(RECIPE, steps=20, warmup=0.2, decay=0.5))
    assert all(len(rate) == 1 for rate in rates)  # one rate for both parts
    rates = [rate.pop() for rate in rates]
    assert rates[:5] == pytest.approx([0, 0.0025, 0.005, 0.0075, 0.01])
    assert rates[5:11] == pytest.approx([0.01] * 6)
    assert rates[10:] == sorted(rates[10:], reverse=True) and rates[-1] == pytest.approx(0.001)


def test_the_same_seed_ends_in_the_same_bits(fresh, text_blocks):
    ends = []
    for seed in (0, 0, 1):
        opened = fresh()
        torch.manual_seed(len(ends))
        pretrain(opened, text_blocks, replace(RECIPE, seed=seed))
        ends.append(opened.model.get_input_embeddings().weight)
    assert torch.equal(ends[0], ends[1]) and not torch.equal(ends[0], ends[2])


@pytest.mark.parametrize("stopped_at", [3, 9])
def test_a_stopped_run_goes_on_to_the_same_bytes(fresh, text_blocks, tmp_path, stopped_at):
    def stop(progress):
        if progress.step == stopped_at:
            raise Stopped

    pretrain(fresh(), text_blocks, RECIPE, out=tmp_path / "whole")
    with pytest.raises(Stopped):
        pretrain(fresh(), text_blocks, RECIPE, out=tmp_path / "run", on_progress=stop)
    run = pretrain(fresh(), text_blocks, RECIPE, out=tmp_path / "run", resume=True)
    assert run.history[0].step == stopped_at // 4 * 4 + 1
    assert final(tmp_path / "run") == final(tmp_path / "whole")


def test_other_blocks_are_another_run(fresh, text_blocks, tmp_path):
    def stop(progress):
        raise Stopped

    with pytest.raises(Stopped):
        pretrain(fresh(), text_blocks, RECIPE, out=tmp_path / "run", on_progress=stop)
    with pytest.raises(ValueError, match="resume needs the same"):
        pretrain(fresh(), Blocks(text_blocks.ids[::-1].copy()), RECIPE, out=tmp_path / "run", resume=True)


@pytest.mark.slow
def test_compiled_layers_learn_the_same_and_are_gone_afterwards(fresh, text_blocks):
    plain, compiled = fresh(), fresh()
    one = pretrain(plain, text_blocks, RECIPE)
    two = pretrain(compiled, text_blocks, replace(RECIPE, compiled=True), held_out=list(text_blocks)[:3])
    assert [p.loss for p in two.history] == pytest.approx([p.loss for p in one.history], abs=0.02)
    assert compiled.model.base_model._compiled_call_impl is None
    assert models.weights(compiled.model) == models.weights(plain.model)


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


def test_minutes_that_are_none(fresh, text_blocks):
    for minutes in (0, -1, math.inf, math.nan):
        with pytest.raises(ValueError, match=f"minutes must be above 0 and at most 1,000,000,000, got {minutes}"):
            steps_in(minutes, fresh(), text_blocks)


def test_steps_in_leaves_the_model_alone(fresh, text_blocks):
    opened = fresh()
    before = opened.model.get_input_embeddings().weight.clone()
    assert steps_in(0.05, opened, text_blocks, RECIPE) >= 1
    assert torch.equal(before, opened.model.get_input_embeddings().weight)


def test_a_recipe_of_an_unknown_optimizer():
    with pytest.raises(ValueError, match="optimizer must be one of adamw, muon, got 'sgd'"):
        Recipe(optimizer="sgd")
