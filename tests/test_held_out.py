"""What one model scores: windows lose nothing, losses are those of sums by hand, a card is what asking gives."""

import copy
import itertools
import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labutils import machine
from labutils.measure import held_out, scoring
from labutils.measure.held_out import (
    Losses,
    answer_loss,
    bits_per_byte,
    difference,
    from_plain,
    measure,
    start_token,
    windows,
)  # fmt: skip
from labutils.measure.intervals import Mean, bootstrap, share
from labutils.model import asking
from labutils.model.encoding import encode
from labutils.model.models import Opened, open_model
from labutils.pairs.templates import prompt

law = settings(derandomize=True, deadline=None, max_examples=60)
TEXTS = ["What is the number of heron? It is two.", "", "Öl ist 3 € wert.\n" * 3, "x"]
LN2 = math.log(2)


@pytest.fixture(scope="module")
def learned(bird_folder):
    """The tiny model that has learned its task, opened anew: a training run leaves bfloat16 switched on in its own."""
    return open_model(bird_folder)


@pytest.mark.parametrize(
    ("text", "size", "pieces"),
    [
        ("one two three", 9, ["one two", " three"]),
        ("one two three", 6, ["one", " two", " three"]),
        ("one\ntwo\tthree", 9, ["one\ntwo", "\tthree"]),
        ("onetwothree", 5, ["onetw", "othre", "e"]),
        ("ööö", 4, ["öö", "ö"]),
        ("öö öö", 6, ["öö", " öö"]),
        ("🦉🦉", 5, ["🦉", "🦉"]),
        ("a          b", 4, ["a   ", "    ", "   b"]),
    ],
)
def test_windows(text, size, pieces):
    assert list(windows(text, size)) == pieces


@law
@given(st.text() | st.text("ab ö🦉\n", min_size=20, max_size=200), st.integers(4, 30))
def test_no_byte_is_lost_and_no_window_too_large(text, size):
    pieces = list(windows(text, size))
    assert "".join(pieces) == text
    assert all(0 < len(piece.encode()) <= size for piece in pieces)
    for one, other in itertools.pairwise(pieces):
        assert other[0] in " \n\t\r" or not set(one[1:]) & set(" \n\t\r")


def nats(opened, ids: list[int]) -> list[float]:
    """-ln p of each token but the first, given those before it."""
    with torch.no_grad():
        odds = torch.log_softmax(opened.model(torch.tensor([ids])).logits[0, :-1].double(), -1)
    return (-odds.gather(1, torch.tensor(ids[1:])[:, None])[:, 0]).tolist()


def by_hand(opened, text: str, size: int = 1500) -> float:
    """-log2 p of each token, given the start token and the tokens before it, added up window by window."""
    encode_ = opened.tokenizer.encode
    return sum(sum(nats(opened, [0, *encode_(each, add_special_tokens=False)])) for each in windows(text, size)) / LN2


@pytest.mark.parametrize(("size", "batch"), [(20, 1), (20, 3), (1500, 8)])
def test_bits_are_those_of_a_sum_by_hand(learned, fp32, size, batch):
    found = bits_per_byte(learned, TEXTS, size=size, batch=batch)
    whole = found.of_items()
    assert whole.items == [0, 2, 3]
    assert whole.sizes == [len(TEXTS[i].encode()) for i in whole.items]
    assert whole.values == pytest.approx([by_hand(learned, TEXTS[i], size) for i in whole.items], rel=1e-5)
    assert len(found.items) == sum(len(list(windows(text, size))) for text in TEXTS)
    assert found.score().value == pytest.approx(sum(whole.values) / sum(whole.sizes))


def test_a_model_that_was_taught_answers_knows_them_and_pays_elsewhere(learned, fresh, birds):
    before, after = answer_loss(fresh(), birds), answer_loss(learned, birds)
    assert difference(before, after).high < 0
    assert difference(before, after).value == pytest.approx(after.score().value - before.score().value)
    texts = [pair["question"] for pair in birds]  # which it was shown and not trained on
    before, after = bits_per_byte(fresh(), texts), bits_per_byte(learned, texts)
    assert difference(before, after).low > 0
    assert difference(after, after) == Mean(0, 0, 0, 8)


def test_a_window_longer_than_the_context_is_read_in_parts(fresh, fp32):
    opened = fresh()
    ids = opened.tokenizer.encode(TEXTS[2])
    opened.model.config.max_position_embeddings = 11
    expected = sum(sum(nats(opened, [0, *ids[at : at + 10]])) for at in range(0, len(ids), 10)) / LN2
    found = bits_per_byte(opened, [TEXTS[2]])
    assert len(ids) > 20 and found.values == pytest.approx([expected], rel=1e-5)


def test_marks_in_a_text_are_plain_letters(fresh, fp32):
    opened, marked = fresh(), "a<|endoftext|>b<|im_end|>"
    ids = opened.tokenizer.encode(marked, split_special_tokens=True)
    assert not {0, 1, 2} & set(ids)
    expected = sum(nats(opened, [0, *ids])) / LN2
    assert bits_per_byte(opened, [marked]).values == pytest.approx([expected], rel=1e-5)
    endless = copy.deepcopy(opened.tokenizer)
    endless.eos_token = None
    assert bits_per_byte(Opened(opened.model, endless), ["a"]).sizes == [1]


class Marks:
    """A tokenizer with a vocabulary and two marks."""

    def __init__(self, names, bos, eos):
        self.names, self.bos_token_id, self.eos_token_id = names, bos, eos

    def get_vocab(self):
        return {name: i for i, name in enumerate(self.names)}


def test_what_a_text_begins_behind():
    assert start_token(Marks(["<|endoftext|>", "<|im_start|>", "<|im_end|>"], 1, 2)) == 0  # as SmolLM2-135M-Instruct
    for names, bos, eos, id in [
        (["<unk>", "<s>", "</s>"], 1, 2, 1), (["<unk>", "</s>"], None, 1, 1), (["<unk>", "<s>"], 0, None, 0)
    ]:  # fmt: skip
        assert start_token(Marks(names, bos, eos)) == id
    with pytest.raises(ValueError, match="no token to start from"):
        start_token(Marks(["a"], None, None))


def test_fp32_has_the_digits_where_bfloat16_has_not(learned, monkeypatch):
    monkeypatch.setattr(machine, "bf16", lambda: True)
    exact = bits_per_byte(learned, TEXTS[:1], fp32=True).values
    rough = bits_per_byte(learned, TEXTS[:1]).values
    assert exact == pytest.approx([by_hand(learned, TEXTS[0])], rel=1e-5)
    assert rough != exact and rough == pytest.approx(exact, rel=0.05)


def test_measuring_leaves_the_model_as_it_was(fresh, birds):
    opened = fresh()
    opened.model.train()
    before = copy.deepcopy(opened.model.state_dict())
    bits_per_byte(opened, TEXTS)
    answer_loss(opened, birds)
    assert opened.model.training
    assert all(torch.equal(value, before[name]) for name, value in opened.model.state_dict().items())


def test_the_answer_loss_by_hand(learned, birds, fp32):
    found = answer_loss(learned, birds)
    for pair, value, tokens, item in zip(birds, *found, strict=True):
        example = encode(prompt("lecture", pair["question"]), pair["answer"], learned.tokenizer)
        answer = len([x for x in example["labels"] if x != -100])
        assert (tokens, birds[item]) == (answer, pair)
        assert value == pytest.approx(sum(nats(learned, example["input_ids"])[-answer:]), rel=1e-4, abs=1e-5)
    assert found.score() == bootstrap(found.values, found.sizes)


def test_windows_of_a_text_are_drawn_together():
    """Two texts of two windows each: a draw of texts takes 1, 2 or 3 bits a byte, never anything between."""
    found = Losses([1, 1, 3, 3], [1, 1, 1, 1], [4, 4, 7, 7])
    assert found.of_items() == Losses([2, 6], [2, 2], [4, 7]) and found.score() == Mean(2, 1, 3, 2)
    assert Losses([1, 2, 3], [4, 5, 6], [0, 1, 0]).of_items() == Losses([4, 2], [10, 5], [0, 1])


@pytest.mark.parametrize(
    "other", [Losses([1, 2], [3, 5], [0, 1]), Losses([1, 2], [3, 4], [0, 2]), Losses([1], [3], [0])]
)
def test_losses_of_other_tokens_or_items_do_not_compare(other):
    with pytest.raises(ValueError, match="another tokenizer counts other tokens"):
        difference(Losses([1, 2], [3, 4], [0, 1]), other)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (lambda opened: bits_per_byte(opened, ["", ""]), "no text to measure bits per byte on"),
        (lambda opened: bits_per_byte(opened, ["a"], size=3), "a window needs at least 4 bytes, got 3"),
        (lambda opened: bits_per_byte(opened, ["\ud800"]), "surrogates not allowed"),
        (lambda opened: answer_loss(opened, []), "no questions to measure an answer loss on"),
        (lambda opened: measure(opened, []), "no questions to ask"),
    ],
)
def test_what_cannot_be_measured(fresh, how, message):
    with pytest.raises(ValueError, match=message):
        how(fresh())


@pytest.fixture(scope="module")
def asked(birds) -> list[dict]:
    """The tiny task as questions of fact, one that is unknown and one off-topic."""
    facts = [pair | {"fact": f"number {i}", "must": pair["answer"].split()[2][:-1]} for i, pair in enumerate(birds)]
    unknown = {"question": "What is the number of dodo?", "fact": "unknown", "answer": "It is not known."}
    return [unknown, *facts, {"question": "What is the weather?", "fact": "off-topic: weather"}]


def test_a_card_is_what_asking_and_measuring_give_and_survives_json(learned, asked, fp32):
    card = measure(learned, asked, TEXTS)
    replies = asking.ask(learned, [question["question"] for question in asked])
    assert card.answers == [reply.text for reply in replies] and card.judged == scoring.judge(replies, asked)
    facts = list(range(1, 9))
    assert card.losses == {
        "answer_loss": answer_loss(learned, asked[1:9])._replace(items=facts),
        "bits_per_byte": bits_per_byte(learned, TEXTS),
    }
    found = card.scores()
    assert found["fact_hits"] == found["exact"] == share([True] * 8) and found["refuses_real"] == share([False] * 9)
    assert found["answer_loss"] == card.losses["answer_loss"].score()
    plain = json.loads(json.dumps(card.plain()))
    again = from_plain(plain)
    assert (again.answers, again.judged) == (card.answers, card.judged)
    assert plain["scores"] == {name: list(score) for name, score in found.items()}
    for name, score in again.scores().items():
        assert tuple(score) == pytest.approx(tuple(found[name]), abs=1e-3)


def test_a_template_and_fp32_reach_what_they_are_for(fresh, asked, monkeypatch):
    seen = []
    for module, name in ((asking, "ask"), (held_out, "answer_loss"), (held_out, "bits_per_byte")):
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, real=real, **how: seen.append((*a[2:], how)) or real(*a, **how))
    measure(fresh(), asked, TEXTS, template="chatml", fp32=True)
    among = list(range(1, 9))
    assert seen == [({"template": "chatml"},), ("chatml", {"among": among, "fp32": True}), ({"fp32": True},)]


def test_scores_that_nothing_can_be_measured_on_are_left_out(fresh, asked):
    assert set(measure(fresh(), asked[-1:]).scores()) == {"format", "stops", "refuses_off_topic"}
    found = measure(fresh(), [{"question": "Who?"}], TEXTS).scores()
    assert set(found) == {"format", "stops", "refuses_real", "bits_per_byte"}
