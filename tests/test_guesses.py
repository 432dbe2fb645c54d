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


def test_fresh_weights_choose_among_nearly_all(fresh):
    opened = fresh()
    size = len(opened.tokenizer)
    assert 0.9 * size < next_token(opened, "What is").choices <= size * 1.0001


def test_who_has_learned_is_decided(bird_run):
    opened, _ = bird_run
    assert 1 <= next_token(opened, "### Question:\nWhat is the number of heron?\n\n### Answer:\nIt").choices < 2


def test_all_of_the_vocabulary_and_no_more(fresh):
    opened = fresh()
    found = next_token(opened, "What", 10_000).likeliest
    assert len(found) == len(opened.tokenizer)
    assert sum(guess.probability for guess in found) == pytest.approx(1, abs=1e-4)


def test_of_a_long_text_the_end_counts(fresh):
    opened = fresh()
    long = "What is the number of heron? " * 200
    most = opened.model.config.max_position_embeddings
    end = opened.tokenizer.decode(opened.tokenizer.encode(long)[-most:])
    assert len(opened.tokenizer.encode(long)) > most
    assert next_token(opened, long, 3) == next_token(opened, end, 3)


def test_an_empty_text(fresh):
    with pytest.raises(ValueError, match="at least one token"):
        next_token(fresh(), "")


def test_the_model_stays_as_it_was(fresh):
    opened = fresh()
    opened.model.train()
    next_token(opened, "What")
    assert opened.model.training
