"""Guesses at the next token: against a softmax by hand, at both ends of what a model can know."""

import pytest
import torch

from labutils.model.asking import generate, next_token


def test_they_are_the_softmax_of_the_last_logits(bird_run, fp32):
    opened, _ = bird_run
    text = "### Question:\nWhat is the number of heron?\n\n### Answer:\nIt is"
    row = torch.tensor([opened.tokenizer.encode(text)])
    with torch.no_grad():
        chances = opened.model(row).logits[0, -1].double().softmax(-1)
    found = next_token(opened, text, 5).likeliest
    assert [guess.id for guess in found] == chances.topk(5).indices.tolist()
    assert [guess.probability for guess in found] == pytest.approx(chances.topk(5).values.tolist(), abs=1e-5)
    assert [guess.token for guess in found] == [opened.tokenizer.decode([guess.id]) for guess in found]


def test_the_likeliest_is_what_greedy_writing_begins_with(bird_run):
    opened, _ = bird_run
    text = "### Question:\nWhat is the number of robin?\n\n### Answer:\n"
    written = generate(opened, [text], limit=1)[0].text
    assert next_token(opened, text, 1).likeliest[0].token == written


def test_both_ends_of_what_a_model_can_know(fresh, bird_run):
    opened = fresh()
    size = len(opened.tokenizer)
    opened.model.train()
    found = next_token(opened, "What is", 10_000)
    assert len(found.likeliest) == size and 0.9 * size < found.choices <= size * 1.0001
    assert sum(guess.probability for guess in found.likeliest) == pytest.approx(1, abs=1e-4)
    assert opened.model.training, "the model stays as it was"
    sure = next_token(bird_run[0], "### Question:\nWhat is the number of heron?\n\n### Answer:\nIt")
    assert 1 <= sure.choices < 2
    with pytest.raises(ValueError, match="at least one token"):
        next_token(opened, "")


def test_of_a_long_text_the_end_counts(fresh):
    opened = fresh()
    long = "What is the number of heron? " * 200
    most = opened.model.config.max_position_embeddings
    end = opened.tokenizer.decode(opened.tokenizer.encode(long)[-most:])
    assert len(opened.tokenizer.encode(long)) > most
    assert next_token(opened, long, 3) == next_token(opened, end, 3)
