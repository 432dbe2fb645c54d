import pytest

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
