"""General text among pairs: how much, which, and that it comes on top of what is read anyway."""

import copy
from dataclasses import replace

import pytest

from labutils import machine
from labutils.measure.held_out import PACKAGE, bits_per_byte
from labutils.model import recipes
from labutils.model.encoding import DISTILLED
from labutils.model.loss import mean_loss
from labutils.model.models import Opened
from labutils.model.recipes import Recipe
from labutils.model.training import finetune


@pytest.fixture
def pages(monkeypatch):
    text = [{"text": f"Page {i} of the documentation tells how it works."} for i in range(999)]
    monkeypatch.setattr(recipes, "docstrings", lambda package, seed, plain: iter(text[seed:]))


@pytest.mark.parametrize("share", [0.1, 0.45])
@pytest.mark.parametrize("recipe", [Recipe(epochs=4, batch=5), Recipe(steps=30, batch=5), Recipe(steps=9, batch=500)])
def test_text_is_a_share_of_all_tokens_and_comes_on_top(bird_examples, tokenizer, pages, share, recipe):
    steps = recipe.total_steps(len(bird_examples))
    examples, found = recipes.mixed(bird_examples, tokenizer, replace(recipe, replay=share))
    text = [row for row in examples if row not in bird_examples]
    size, general = (sum(len(example["input_ids"]) for example in part) for part in (examples, text))
    assert general / size == pytest.approx(share, abs=recipes.LENGTH / size)
    assert all(len(row["input_ids"]) == recipes.LENGTH and set(row["labels"]) == {DISTILLED} for row in text)
    assert len(examples) - len(text) == steps * min(recipe.batch, len(bird_examples))
    assert found.total_steps(len(examples)) == steps and 0 <= found.batch * steps - len(examples) < steps


def test_text_is_read_once_and_another_seed_reads_other_text(bird_examples, tokenizer, pages, monkeypatch):
    one, other = (recipes.mixed(bird_examples, tokenizer, Recipe(replay=0.5, seed=seed))[0] for seed in (0, 1))
    text = [tokenizer.decode(row["input_ids"]) for row in one if row not in bird_examples]
    assert text[0].startswith("Page 0 of the documentation") and len(set(text)) == len(text) and one != other
    pairs = [[row for row in rows if row in bird_examples] for rows in (one, other)]
    assert pairs[0] == pairs[1]
    monkeypatch.setattr(machine, "processes", lambda: 4)
    assert recipes.mixed(bird_examples, tokenizer, Recipe(steps=7, batch=8, replay=0.3))[1].batch % 4 == 0


def test_the_ends(bird_examples, tokenizer, monkeypatch):
    assert recipes.mixed(bird_examples, tokenizer, recipe := Recipe(steps=3)) == (bird_examples, recipe)
    assert recipes.general(tokenizer, 0, 0) == []
    assert PACKAGE not in recipes.PACKAGES, "what forgetting is measured on is not replayed"
    assert len(next(recipes._pages(0))) >= 500
    for share in (-0.1, 1.0):
        with pytest.raises(ValueError, match="replay must be a share"):
            Recipe(replay=share)
    monkeypatch.setattr(recipes, "docstrings", lambda package, seed, plain: iter([{"text": "Short."}]))
    with pytest.raises(ValueError, match=r"expected 1,280 tokens of general text, torch, .* hold "):
        recipes.general(tokenizer, 10, 0)


def test_a_run_reads_both(fresh, bird_examples, pages):
    plain = finetune(fresh(), bird_examples, recipe := Recipe(epochs=2, batch=4))
    both = finetune(fresh(), bird_examples, replace(recipe, replay=0.4))
    assert both.history[-1].step == plain.history[-1].step
    assert 1 - plain.tokens / both.tokens == pytest.approx(0.4, abs=recipes.LENGTH / both.tokens)


def test_predictions_on_such_text_stay(fresh, bird_examples, pages):
    """The control reads the same pairs in as many steps. The pairs are learned either way, beside text more slowly."""
    text = [f"Page {i} of the documentation tells how it works." for i in range(999, 1099)]
    known, recipe = fresh(), Recipe(steps=80, batch=8, learning_rate=5e-3)
    finetune(known, [{"input_ids": (ids := known.tokenizer.encode(each)), "labels": ids} for each in text], recipe)
    untuned, bits, losses = mean_loss(known, bird_examples), [], []
    for share in (0.0, 0.5):
        opened = Opened(copy.deepcopy(known.model), known.tokenizer)
        finetune(opened, bird_examples, replace(recipe, replay=share))
        losses.append(mean_loss(opened, bird_examples))
        bits.append(bits_per_byte(opened, text).score().value)
    start = bits_per_byte(known, text).score().value
    assert bits[0] > 2 * start and bits[1] < start + 0.2 * (bits[0] - start)
    assert losses[0] < losses[1] < untuned / 5
