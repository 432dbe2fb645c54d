"""The loss made in chunks equals the loss of the whole, its slopes too; which models it may be used for."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from labutils.model import loss
from labutils.model.encoding import DISTILLED, IGNORED, pad, pad_id
from labutils.model.loss import each_loss, loss_of, mean_loss, next_token_loss, plain_head, token_losses


def batch_of(opened, examples) -> tuple[dict, torch.Tensor]:
    rows = pad(examples, pad_id(opened.tokenizer))
    return rows, rows.pop("labels")


def slopes(model) -> dict[str, torch.Tensor]:
    found = {name: weight.grad.clone() for name, weight in model.named_parameters()}
    model.zero_grad()
    return found


@pytest.mark.parametrize(("chunk", "count"), [(1, None), (7, 3), (1024, torch.tensor(50))])
def test_chunks_have_the_loss_and_the_slopes_of_the_whole(fresh, bird_examples, monkeypatch, fp32, chunk, count):
    monkeypatch.setattr(loss, "CHUNK", chunk)
    opened = fresh()
    rows, labels = batch_of(opened, bird_examples)
    whole = next_token_loss(opened.model(**rows).logits, labels, count)
    (2 * whole).backward()
    expected = slopes(opened.model)
    ours = loss_of(opened.model, rows, labels, count)
    (2 * ours).backward()
    assert ours.item() == pytest.approx(whole.item(), rel=1e-6)
    for name, slope in slopes(opened.model).items():
        torch.testing.assert_close(slope, expected[name], rtol=1e-4, atol=1e-6, msg=name)
    with torch.no_grad():
        blind = loss_of(opened.model, rows, labels, count)
    assert not blind.requires_grad and blind.item() == ours.item()


@pytest.mark.parametrize("plain", [True, False])
def test_distillation_is_the_divergence_from_the_teacher(fresh, bird_examples, monkeypatch, fp32, plain):
    opened, other = fresh(), fresh(1).model
    monkeypatch.setattr(loss, "plain_head", lambda model: plain)
    rows, labels = batch_of(opened, bird_examples)
    mixed = labels.clone()
    mixed[::2] = torch.where(rows["input_ids"][::2] > 0, DISTILLED, IGNORED)
    asked = []

    def teacher(model):
        def predictions(ids):
            asked.append(ids)
            return model(**rows).logits[:, :-1][mixed[:, 1:] == DISTILLED].detach()

        return predictions

    counted, kept = mixed[:, 1:] >= 0, mixed[:, 1:] == DISTILLED
    ours, theirs = (each(**rows).logits[:, :-1].log_softmax(-1) for each in (opened.model, other))
    answers = -ours[counted].gather(1, mixed[:, 1:][counted][:, None]).sum()
    moved = (theirs[kept].exp() * (theirs[kept] - ours[kept])).sum()
    assert moved > 0.1
    found = loss_of(opened.model, rows, mixed, None, teacher(other))
    assert found.item() == pytest.approx(((answers + moved) / (counted.sum() + kept.sum())).item(), rel=1e-5)
    assert loss_of(opened.model, rows, mixed, 7, teacher(opened.model)).item() == pytest.approx(
        answers.item() / 7, rel=1e-5
    )
    assert torch.equal(asked[0], rows["input_ids"][:, :-1][kept])


def test_head_and_embedding_need_not_be_shared(tokenizer, bird_examples, fp32):
    torch.manual_seed(0)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), tie_word_embeddings=False, **size))
    model.get_output_embeddings().weight.requires_grad_(False)  # as when only some weights are trained
    rows = pad(bird_examples, 0)
    labels = rows.pop("labels")
    next_token_loss(model(**rows).logits, labels).backward()
    expected = model.get_input_embeddings().weight.grad.clone()
    model.zero_grad()
    loss_of(model, rows, labels).backward()
    assert model.get_output_embeddings().weight.grad is None
    torch.testing.assert_close(model.get_input_embeddings().weight.grad, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(("plain", "chunk"), [(True, 7), (True, 1024), (False, 7)])
def test_the_losses_of_tokens_add_up_to_that_of_all(fresh, bird_examples, monkeypatch, fp32, chunk, plain):
    monkeypatch.setattr(loss, "CHUNK", chunk)
    monkeypatch.setattr(loss, "plain_head", lambda model: plain)
    opened = fresh()
    rows, labels = batch_of(opened, bird_examples)
    losses = token_losses(opened.model, rows, labels)
    assert losses.shape == (len(labels), labels.shape[1] - 1)
    assert torch.equal(losses != 0, labels[:, 1:] != IGNORED)
    assert losses.sum().item() == pytest.approx(loss_of(opened.model, rows, labels, 1).item(), rel=1e-5)


@pytest.mark.parametrize("batch", [1, 3, 32])
def test_the_loss_of_each_example_in_their_order(fresh, bird_examples, fp32, batch):
    opened = fresh()
    nats, tokens = each_loss(opened, bird_examples, batch)
    for example, total, count in zip(bird_examples, nats, tokens, strict=True):
        rows, labels = batch_of(opened, [example])
        assert count == sum(label != IGNORED for label in example["labels"][1:])
        assert total == pytest.approx(loss_of(opened.model, rows, labels, 1).item(), rel=1e-5)
    assert mean_loss(opened, bird_examples, batch) == pytest.approx(sum(nats) / sum(tokens))


def test_examples_without_a_label_that_counts(fresh):
    example = {"input_ids": [5, 6], "labels": [IGNORED, IGNORED]}
    assert each_loss(fresh(), [example, example]) == ([0, 0], [0, 0])
    assert each_loss(fresh(), []) == ([], [])
    for examples in ([example], []):
        with pytest.raises(ValueError, match="no label counts in these examples"):
            mean_loss(fresh(), examples)


def test_only_places_that_count_get_logits(fresh, bird_examples, monkeypatch):
    opened = fresh()
    rows, labels = batch_of(opened, bird_examples)
    plain_head(opened.model)
    seen, head = [], opened.model.get_output_embeddings()
    handle = head.register_forward_hook(lambda module, given, made: seen.append(len(given[0])))
    loss_of(opened.model, rows, labels)
    handle.remove()
    assert sum(seen) == int((labels[:, 1:] != IGNORED).sum()) < labels.numel()


def test_a_model_that_does_more_to_its_logits_is_called_as_a_whole(fresh, bird_examples, fp32):
    opened = fresh()
    assert plain_head(opened.model)
    capped = fresh().model
    forward = capped.forward

    def cap(**rows):
        found = forward(**rows)
        found.logits = 5 * torch.tanh(found.logits * 10)
        return found

    capped.forward = cap
    assert not plain_head(capped)
    assert not plain_head(torch.nn.DataParallel(fresh().model))
    rows, labels = batch_of(opened, bird_examples)
    whole = next_token_loss(capped(**rows, use_cache=False).logits, labels)
    assert loss_of(capped, rows, labels).item() == pytest.approx(whole.item(), rel=1e-6)
