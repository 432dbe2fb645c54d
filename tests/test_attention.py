"""Pairs end to end are read, and trained, as each alone; a model that cannot is found out."""

import copy

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    DataCollatorWithFlattening,
    Gemma2Config,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
)

from labutils.model import loss as attention
from labutils.model.loop import ROUND, rounded, split

SIZE = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
HEADS = {"many": (4, 4), "shared": (4, 2), "one": (4, 1)}


def model(kind=LlamaConfig, heads="shared"):
    torch.manual_seed(0)
    queries, keys = HEADS[heads]
    return AutoModelForCausalLM.from_config(kind(**SIZE, num_attention_heads=queries, num_key_value_heads=keys)).eval()


def texts(*lengths: int) -> list[dict]:
    generator = torch.Generator().manual_seed(0)
    return [
        {"input_ids": (ids := torch.randint(64, (n,), generator=generator).tolist()), "labels": ids} for n in lengths
    ]


@pytest.mark.parametrize("heads", HEADS)
@pytest.mark.parametrize("kind", [LlamaConfig, Qwen2Config])
@pytest.mark.parametrize("lengths", [(5, 11, 2), (attention.SHORT, 3), (attention.SHORT + 1, 3), (4,)])
def test_logits_and_gradients_are_those_of_each_text_alone(kind, heads, lengths):
    alone, row = model(kind, heads), model(kind, heads)
    batch, whole = DataCollatorWithFlattening()(texts(*lengths)), torch.randn(1, sum(lengths), 64)
    each = torch.cat([alone(torch.tensor([text["input_ids"]])).logits for text in texts(*lengths)], 1)
    (each * whole).sum().backward()
    with attention.attending(row, True):
        found = row(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False).logits
    (found * whole).sum().backward()
    torch.testing.assert_close(found, each, atol=1e-5, rtol=1e-4)
    for one, other in zip(alone.parameters(), row.parameters(), strict=True):
        torch.testing.assert_close(other.grad, one.grad, atol=1e-4, rtol=1e-3)
    assert row.config._attn_implementation == alone.config._attn_implementation == "sdpa"


@pytest.mark.parametrize("lengths", [(5, 11, 2, 9), (40, 1, 2), (7,)])
def test_a_row_is_cut_between_two_texts_and_filled_with_what_is_not_trained(lengths):
    batch = DataCollatorWithFlattening()(texts(*lengths))
    parts = split(batch)
    assert len(parts) == min(2, len(lengths))
    cut = sum(lengths[:2]) if lengths[0] == 5 else lengths[0]
    for part, (start, end) in zip(parts, [(0, cut), (cut, sum(lengths))], strict=False):
        assert part["labels"].shape[1] % ROUND == 0 and part["labels"].shape[1] - (end - start) < ROUND
        for name, values in part.items():
            assert torch.equal(values[:, : end - start], batch[name][:, start:end])
        assert (part["labels"][0, end - start :] == -100).all()
        assert part["position_ids"][0, end - start :].tolist() == list(range(part["labels"].shape[1] - end + start))


def test_what_is_filled_up_changes_no_logit():
    row = DataCollatorWithFlattening()(texts(5, 9))
    found = []
    with attention.attending(a := model(), True):
        for batch in (row, rounded(row)):
            found.append(a(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False).logits)
    torch.testing.assert_close(found[0], found[1][:, :14])


@pytest.mark.parametrize("length", [4, attention.SHORT + 1])
def test_dropout_is_applied(length):
    sides = [torch.randn(1, heads, length, 8) for heads in (4, 2, 2)]
    found, _ = attention.end_to_end(None, *sides, None, dropout=1.0, position_ids=torch.arange(length)[None])
    assert found.shape == (1, length, 4, 8) and not found.any()


def test_what_it_does_not_do_is_found_out():
    capped = AutoModelForCausalLM.from_config(
        Gemma2Config(**SIZE, num_attention_heads=4, num_key_value_heads=2, head_dim=8, sliding_window=None)
    )
    assert not attention.reads_end_to_end(capped) and capped.config._attn_implementation != attention.END_TO_END
    narrow = model(MistralConfig)
    assert attention.reads_end_to_end(narrow)
    narrow.config.sliding_window = attention.WIDEST - 1
    assert not attention.reads_end_to_end(narrow)


def test_a_model_that_mixes_tokens_of_two_texts_is_found_out():
    assert attention.reads_end_to_end(model())
    leaking = copy.deepcopy(model())
    layer = leaking.model.layers[0].mlp
    own = layer.forward
    layer.forward = lambda hidden: own(hidden + hidden.cumsum(1))
    assert not attention.reads_end_to_end(leaking)
    silent = model()
    silent.forward = lambda input_ids: None  # takes no positions
    assert (
        not attention.reads_end_to_end(silent) and silent.config._attn_implementation == "sdpa" and not silent.training
    )
