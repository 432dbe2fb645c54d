import importlib
from dataclasses import asdict

from labutils import places
from labutils.model import recipes


def test_a_small_model_takes_larger_steps_and_reads_more_often():
    small, large = recipes.FINETUNING_SMALL, recipes.FINETUNING
    for weights, recipe in [
        (6_917_376, small),
        (recipes.SMALL - 1, small),
        (recipes.SMALL, large),
        (134_515_008, large),
    ]:
        assert recipes.suited(weights) is recipe
        assert recipes.suited(weights, adapters=True).optimizer == "adamw"
    assert small.learning_rate > large.learning_rate and small.epochs > large.epochs


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
