"""Weights worked out from a shape: those of models that are built here, and those that makers state."""

import pytest
from transformers import LlamaConfig, LlamaForCausalLM

from labutils.model import adapters, costs, models
from labutils.model.costs import SHAPES, Shape
from labutils.model.models import Opened

BUILT = [
    {"num_attention_heads": 4, "num_key_value_heads": 4, "tie_word_embeddings": True},
    {"num_attention_heads": 4, "num_key_value_heads": 1, "tie_word_embeddings": False},
    {"num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True},
]


def shape_of(config):
    sizes = (config.num_hidden_layers, config.hidden_size, config.intermediate_size)
    heads = (config.num_attention_heads, config.num_key_value_heads)
    return Shape(*sizes, *heads, config.vocab_size, config.tie_word_embeddings)


@pytest.mark.parametrize("heads", BUILT, ids=str)
def test_a_model_that_is_built_has_the_weights_of_its_shape(heads):
    config = LlamaConfig(vocab_size=50, hidden_size=32, intermediate_size=80, num_hidden_layers=3, **heads)
    opened, shape = Opened(LlamaForCausalLM(config), None), shape_of(config)
    assert costs.weights_of(shape) == models.weights(opened.model)
    for rank in (1, 4):
        assert costs.adapter_weights(shape, rank) == adapters.trained(adapters.with_lora(opened, rank).model)
    layer = dict(opened.model.model.layers[1].named_modules())
    for name, size in costs.matrices(shape).items():
        assert next(part for path, part in layer.items() if path.endswith(name)).weight.shape == size, name


HUB = {"TinyLlama 1.1B": 1_100_048_384, "Llama 2 7B": 6_738_415_616, "Llama 2 70B": 68_976_648_192}


def test_the_weights_that_makers_state_and_those_of_lora_by_hand():
    """The counts of the hub's pages of these models; Ben Allal et al. 2025: SmolLM2; the base: see `test_adapters`."""
    for name, count in HUB.items():
        assert costs.weights_of(SHAPES[name]) == count
        assert 0.001 < costs.adapter_weights(SHAPES[name]) / count < 0.006
    base, smollm2 = Shape(6, 256, 704, 4, 4, 8192, tied=True), Shape(30, 576, 1536, 9, 3, 49_152, tied=True)
    assert (costs.weights_of(base), costs.adapter_weights(base)) == (6_917_376, 236_544)
    assert (costs.weights_of(smollm2), costs.adapter_weights(smollm2)) == (134_515_008, 2_442_240)


def test_what_is_refused():
    with pytest.raises(ValueError, match="rank must be at least 1, got 0"):
        costs.adapter_weights(SHAPES["Llama 2 7B"], 0)
