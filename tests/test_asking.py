"""Asking: greedy replies against a loop by hand, batches against one by one, both sides of the limit, seeds."""

import copy
import json
import shutil

import pytest
import torch

from labutils.model import asking, models
from labutils.model.asking import Reply, ask, generate
from labutils.model.encoding import prompt_ids
from labutils.pairs import templates


def greedy_by_hand(opened, prompt: str, limit: int) -> str:
    """The likeliest token again and again: the whole text is read for each, no cache, no padding."""
    model, tokenizer = opened
    ids = prompt_ids(prompt, tokenizer)
    start = len(ids)
    for _ in range(limit):
        with torch.no_grad():
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
        if ids[-1] == tokenizer.eos_token_id:
            ids.pop()
            break
    return tokenizer.decode(ids[start:], skip_special_tokens=True)


@pytest.fixture(scope="module")
def prompts(birds) -> list[str]:
    return [templates.prompt("lecture", pair["question"]) for pair in birds]


@pytest.fixture(scope="module")
def loud(fresh):
    """A model with large random weights: what it writes hangs on every token before, and looks like noise."""
    opened = fresh(1)
    with torch.no_grad():
        for name, weight in opened.model.named_parameters():
            weight *= 10 if "proj" in name else 1
    return opened


@pytest.fixture(scope="module")
def endless(bird_run):
    """The trained model without its end-of-text: it never stops, and writes what it was not taught to."""
    opened = copy.deepcopy(bird_run[0])
    with torch.no_grad():
        opened.model.lm_head.weight[0] = 0  # a score of 0 where others are positive
    return opened


def test_greedy_is_the_likeliest_token_each_time(bird_run, endless, loud, prompts, fp32):
    for opened in (bird_run[0], endless, loud):
        replies = generate(opened, prompts, limit=15)
        assert [reply.text for reply in replies] == [greedy_by_hand(opened, prompt, 15) for prompt in prompts]
        assert len({reply.text for reply in replies}) == len(prompts)


def test_a_batch_replies_as_one_by_one(loud, prompts, fp32):
    """Rows of a batch are filled up on the left; that must change nothing."""
    prompts = ["What", *prompts, "It"]
    together = generate(loud, prompts, limit=25)
    assert together == [generate(loud, [prompt], limit=25)[0] for prompt in prompts]
    assert together == generate(loud, prompts, limit=25, batch=3)
    assert len({reply.text for reply in together}) == len(prompts)


def test_replies_come_in_the_order_of_the_prompts(bird_run, prompts, birds):
    answers = {prompt: Reply(pair["answer"], True) for prompt, pair in zip(prompts, birds, strict=True)}
    turned = [prompts[4], *prompts[::-1], prompts[4]]
    assert generate(bird_run[0], turned, batch=4) == [answers[prompt] for prompt in turned]


def test_both_sides_of_the_limit(bird_run, prompts, birds):
    opened, answer = bird_run[0], birds[0]["answer"]
    tokens = len(opened.tokenizer.encode(answer))
    assert generate(opened, prompts[:1], limit=tokens) == [(answer, False)]
    assert generate(opened, prompts[:1], limit=tokens + 1) == [(answer, True)]
    shorter = opened.tokenizer.decode(opened.tokenizer.encode(answer)[:-1])
    assert generate(opened, prompts[:1], limit=tokens - 1) == [(shorter, False)]


def test_a_row_that_has_stopped_waits_for_the_others(bird_run, prompts, birds):
    replies = generate(bird_run[0], [prompts[0], "What"], limit=30)
    assert replies[0] == (birds[0]["answer"], True)


def test_a_model_that_never_stops_is_cut(endless, prompts):
    replies = generate(endless, prompts, limit=5)
    assert not any(reply.stopped for reply in replies)
    assert all(reply.text for reply in replies)


def test_drawing_follows_from_the_seed(fresh, prompts):
    opened = fresh()
    first = generate(opened, prompts, limit=10, temperature=1.0, seed=1)
    torch.manual_seed(99)
    assert generate(opened, prompts, limit=10, temperature=1.0, seed=1) == first
    assert generate(opened, prompts, limit=10, temperature=1.0, seed=2) != first
    assert generate(opened, prompts, limit=10) != first


def test_drawing_follows_the_models_probabilities(endless, prompts, fp32):
    """A thousand first tokens, drawn at temperature 2, against the softmax of the scores by hand."""
    model, tokenizer = endless
    with torch.no_grad():
        scores = model(torch.tensor([prompt_ids(prompts[0], tokenizer)])).logits[0, -1]
    likely = torch.softmax(scores / 2, dim=0)
    drawn = generate(endless, [prompts[0]] * 1000, limit=1, temperature=2.0, batch=1000)
    for token in likely.topk(3).indices.tolist():
        text, expected = tokenizer.decode([token], skip_special_tokens=True), likely[token].item()
        share = sum(reply.text == text for reply in drawn) / 1000
        assert abs(share - expected) < 5 * (expected * (1 - expected) / 1000) ** 0.5, text
    rare = {tokenizer.decode([token]) for token in likely.topk(50).indices.tolist()}
    assert any(reply.text not in rare for reply in drawn)  # no cut at the 50 likeliest, which is transformers' default


def test_a_repetition_penalty_keeps_a_model_from_going_round(fresh, prompts):
    """The embedding is the output, so a fresh model says its last token again and again."""
    plain, varied = (
        generate(fresh(), prompts[:1], limit=12, repetition_penalty=penalty)[0].text for penalty in (1.0, 100.0)
    )
    assert plain != varied and len(set(varied)) > len(set(plain))


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_the_random_state_outside_is_untouched(fresh, prompts, temperature):
    torch.manual_seed(7)
    before = torch.get_rng_state()
    generate(fresh(), prompts[:2], limit=3, temperature=temperature)
    assert torch.equal(torch.get_rng_state(), before)


def test_asking_changes_no_weight_and_no_setting(bird_run, prompts):
    opened = bird_run[0]
    before = {key: value.clone() for key, value in opened.model.state_dict().items()}
    settings = opened.model.generation_config.to_dict()
    generate(opened, prompts, limit=3)
    assert all(torch.equal(value, before[key]) for key, value in opened.model.state_dict().items())
    assert opened.model.generation_config.to_dict() == settings
    assert opened.tokenizer.pad_token_id is None


def test_a_models_own_decoding_settings_do_not_count(bird_folder, tmp_path, birds):
    folder = shutil.copytree(bird_folder, tmp_path / "model")
    theirs = {"repetition_penalty": 9.0, "do_sample": True, "temperature": 5.0, "no_repeat_ngram_size": 1}
    (folder / "generation_config.json").write_text(json.dumps(theirs))
    questions = [pair["question"] for pair in birds]
    expected = [(pair["answer"], True) for pair in birds]
    assert ask(models.open_model(bird_folder), questions) == expected
    assert ask(models.open_model(folder), questions) == expected


def test_an_empty_prompt(bird_run):
    with pytest.raises(ValueError, match="a prompt is empty: a model needs at least one token to go on from"):
        generate(bird_run[0], ["What", ""])
    assert generate(bird_run[0], []) == []


def test_special_tokens_are_not_in_a_reply(fresh, monkeypatch):
    opened = fresh()
    assert asking._reply([67, 1, 68, 2], opened.tokenizer, 0) == ("ab", False)
    assert asking._reply([67, 0, 68, 0], opened.tokenizer, 0) == ("a", True)
    assert asking._reply([0, 0], opened.tokenizer, 0) == ("", True)


def test_questions_are_asked_through_the_template_and_replies_cut_at_a_further_question(monkeypatch):
    wrote = {
        "lecture": " It is one.\n\n### Question:\nWhat is two?\n\n### Answer:\nIt is two.",
        "instruction": "It is one.",
        "{question} -> {answer}": "It is one. -> two -> three",
    }
    given = []

    def written(opened, prompts, **how):
        given.append((prompts, how))
        return [Reply(wrote[template], False)] * len(prompts)

    monkeypatch.setattr(asking, "generate", written)
    for template in wrote:
        given.clear()
        answers = ask("model", ["What?", "Why?"], template=template, limit=9, seed=4)
        prompts = [templates.prompt(template, question) for question in ("What?", "Why?")]
        assert given == [(prompts, {"limit": 9, "seed": 4})]
        expected = "It is one. -> two -> three" if template.startswith("{") else "It is one."
        assert answers == [(expected, False)] * 2


def test_a_learned_answer_comes_back_through_its_template_only(bird_run, birds):
    question = [birds[2]["question"]]
    assert ask(bird_run[0], question, template="lecture") == [("It is three.", True)]
    assert ask(bird_run[0], question, template="instruction") != [("It is three.", True)]
