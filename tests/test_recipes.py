import importlib
from dataclasses import asdict

import pytest

from labutils import places
from labutils.model import recipes


@pytest.mark.parametrize(
    ("weights", "recipe"),
    [
        (6_917_376, recipes.FINETUNING_SMALL),
        (recipes.SMALL - 1, recipes.FINETUNING_SMALL),
        (recipes.SMALL, recipes.FINETUNING),
        (134_515_008, recipes.FINETUNING),
    ],
)
def test_a_small_model_takes_larger_steps_and_reads_more_often(weights, recipe):
    assert recipes.suited(weights) is recipe
    assert recipes.suited(weights, adapters=True).optimizer == "adamw"
    assert recipes.FINETUNING_SMALL.learning_rate > recipes.FINETUNING.learning_rate
    assert recipes.FINETUNING_SMALL.epochs > recipes.FINETUNING.epochs


def test_the_card_of_finetuned_shows_every_recipe_that_was_tried(monkeypatch):
    monkeypatch.syspath_prepend(str(places.DATA / "finetuned"))
    frontier = importlib.import_module("frontier")
    kept = [frontier.line_of(tried) for tried in frontier.RECIPES]
    assert None not in kept and len(kept) >= 12
    assert frontier.table(kept) in (frontier.HERE / "README.md").read_text(encoding="utf-8")
    taken = [line for line in kept if line["model"] == "base" and not line["text"]]
    settings = asdict(recipes.FINETUNING_SMALL)
    taken = [line for line in taken if {**line["recipe"], "seed": 0} == settings and not line["old"]]
    assert sorted(line["recipe"]["seed"] for line in taken) == [0, 1, 2]
