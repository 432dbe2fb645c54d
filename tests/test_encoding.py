"""Examples of ids and labels: small ones by eye, company pairs against TRL, chats against the tokenizer's own."""

import copy

import pytest
import torch

from labutils import places
from labutils.model import encoding, models
from labutils.model.encoding import IGNORED, encode, encode_all, pad, pad_id, train_bpe
from labutils.pairs import records, templates

COMPANY = places.DATA / "company" / "train.jsonl"
CHAT = [{"role": "user", "content": "What is the\nnumber of plover?"}, {"role": "assistant", "content": "It is one."}]
PAIR = {"question": CHAT[0]["content"], "answer": CHAT[1]["content"]}


@pytest.fixture(scope="module")
def letters():
    """One piece beside the bytes: "ab" is 259. "Q" is 51, ":" is 28, "a" is 67, "b" is 68."""
    return train_bpe(["ab"], size=260)


@pytest.fixture(scope="module")
def smollm2():
    """SmolLM2's tokenizer, where the set-up has fetched it."""
    if not models.available("smollm2"):
        pytest.skip("smollm2 is not in the cache")
    return models.AutoTokenizer.from_pretrained(models.folder("smollm2"), local_files_only=True)


def test_the_answer_and_the_end_are_trained(letters):
    assert encode("Q:", "ab", letters) == {"input_ids": [51, 28, 259, 0], "labels": [-100, -100, 259, 0]}


def test_everything_is_trained_when_asked_for(letters):
    example = encode("Q:", "ab", letters, loss_on="everything")
    assert example == {"input_ids": [51, 28, 259, 0], "labels": [51, 28, 259, 0]}


def test_prompt_and_answer_are_tokenized_apart(letters):
    example = encode("a", "b", letters)
    assert example == {"input_ids": [67, 68, 0], "labels": [-100, 68, 0]}
    assert letters.encode("ab") == [259]
    assert example["input_ids"][:1] == encoding.prompt_ids("a", letters)


@pytest.mark.parametrize(
    ("prompt", "answer", "ids", "labels"),
    [
        ("", "ab", [259, 0], [259, 0]),
        ("ab", "", [259, 0], [-100, 0]),
        ("<|endoftext|>a", "b", [0, 67, 68, 0], [-100, -100, 68, 0]),
    ],
)
def test_edges(letters, prompt, answer, ids, labels):
    assert encode(prompt, answer, letters) == {"input_ids": ids, "labels": labels}


def test_unknown_loss_on(letters):
    with pytest.raises(ValueError, match="loss_on must be one of answer, everything, got 'answers'"):
        encode("Q:", "ab", letters, loss_on="answers")


def test_a_tokenizer_without_end_of_text(letters):
    endless = copy.deepcopy(letters)
    endless.eos_token = None
    with pytest.raises(ValueError, match=r"no end-of-text token.*set eos_token"):
        encode("Q:", "ab", endless)


def test_records_through_a_template(letters):
    rows = [{"question": "Q", "answer": "ab"}, {"input": "a", "output": "b"}, {"text": "Q:ab"}]
    assert encode_all(rows, "{question}:{answer}", letters).examples == [
        {"input_ids": [51, 28, 259, 0], "labels": [-100, -100, 259, 0]},
        {"input_ids": [67, 28, 68, 0], "labels": [-100, -100, 68, 0]},
        {"input_ids": [51, 28, 259, 0], "labels": [51, 28, 259, 0]},
    ]


def test_both_sides_of_max_length(letters):
    rows = [{"question": "Q", "answer": "b" * n} for n in (1, 5, 2, 5, 3)]  # 3 more tokens: "Q", ":", the end
    template = "{question}:{answer}"
    assert encode_all(rows, template, letters, max_length=8).too_long == []
    kept = encode_all(rows, template, letters, max_length=7)
    assert kept.too_long == [1, 3]
    assert [len(example["input_ids"]) for example in kept.examples] == [4, 5, 6]


def test_no_record_fits(letters):
    rows = [{"question": "Q", "answer": "b"}, {"question": "Q", "answer": "bb"}]
    assert encode_all(rows, "{question}:{answer}", letters, max_length=4).too_long == [1]
    with pytest.raises(ValueError, match="none of the 2 records fits into 3 tokens \\(max_length\\); shorten them"):
        encode_all(rows, "{question}:{answer}", letters, max_length=3)


def test_padding_is_ignored_by_place_not_by_id(letters):
    assert pad_id(letters) == letters.eos_token_id == 0
    batch = pad([encode("Q:", "ab", letters), encode("", "a", letters)], pad_id(letters))
    assert {name: rows.tolist() for name, rows in batch.items()} == {
        "input_ids": [[51, 28, 259, 0], [67, 0, 0, 0]],
        "labels": [[-100, -100, 259, 0], [67, 0, -100, -100]],
        "attention_mask": [[1, 1, 1, 1], [1, 1, 0, 0]],
    }


def test_a_padding_token_of_its_own_is_used(letters):
    padded = copy.deepcopy(letters)
    padded.pad_token = "<|im_end|>"
    assert pad_id(padded) == 2


def test_padding_does_not_change_what_the_model_computes(fresh, bird_examples):
    model, tokenizer = fresh()
    batch = pad(bird_examples, pad_id(tokenizer))
    assert 0 < int(batch["attention_mask"].sum()) < batch["attention_mask"].numel()
    with torch.no_grad():
        together = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        for row, example in zip(together, bird_examples, strict=True):
            alone = model(input_ids=torch.tensor([example["input_ids"]])).logits[0]
            torch.testing.assert_close(row[: len(alone)], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("template", ["lecture", "instruction", "chatml"])
def test_ids_and_labels_are_those_of_trl(fresh, tmp_path, template):
    """SFTTrainer prepares the same prompts and answers (it adds the end-of-text itself) and puts them in a batch."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    opened = copy.deepcopy(fresh())  # SFTTrainer sets the tokenizer's padding token
    pairs = records.read_jsonl(COMPANY)[:8]
    filled = templates.questions_and_answers(template, pairs)
    prompts = [{"prompt": row["question"], "completion": row["answer"]} for row in filled]
    trainer = SFTTrainer(
        model=opened.model,
        args=SFTConfig(str(tmp_path), completion_only_loss=True, max_length=None, use_cpu=True, bf16=False),
        train_dataset=Dataset.from_list(prompts),
        processing_class=opened.tokenizer,
    )
    theirs = trainer.data_collator([{k: row[k] for k in ("input_ids", "labels")} for row in trainer.train_dataset])
    ours = pad(encode_all(pairs, template, fresh().tokenizer).examples, pad_id(fresh().tokenizer))
    assert (ours["labels"] == IGNORED).any() and (ours["labels"] == 0).sum() == len(pairs)
    for name in ("input_ids", "labels", "attention_mask"):
        assert ours[name].tolist() == theirs[name].tolist(), name


def test_chatml_is_the_tokenizers_own_chat(tokenizer):
    chat = tokenizer.apply_chat_template
    asked = templates.prompt("chatml", PAIR["question"])
    assert asked == chat(CHAT[:1], tokenize=False, add_generation_prompt=True)
    assert templates.fill("chatml", PAIR) + "<|im_end|>\n" == chat(CHAT, tokenize=False)
    ids = chat(CHAT[:1], add_generation_prompt=True)["input_ids"]
    assert encoding.prompt_ids(asked, tokenizer) == ids
    assert ids[0] == 1 and ids.count(2) == 1


def test_chatml_is_smollm2s_chat_behind_its_system_message(smollm2):
    system = {"role": "system", "content": "You answer questions about birds."}
    template = f"<|im_start|>system\n{system['content']}<|im_end|>\n" + templates.TEMPLATES["chatml"]
    chat = smollm2.apply_chat_template
    asked = templates.prompt(template, PAIR["question"])
    assert asked == chat([system, *CHAT[:1]], tokenize=False, add_generation_prompt=True)
    example = encode(asked, PAIR["answer"], smollm2)
    newline = smollm2.encode("\n")
    assert example["input_ids"] + newline == chat([system, *CHAT])["input_ids"]
    answer = smollm2.encode(PAIR["answer"] + "<|im_end|>")
    assert [label for label in example["labels"] if label != IGNORED] == answer


def test_lengths_are_rounded_up():
    rows, few = (
        [{"input_ids": [5] * n, "labels": [5] * n} for n in (3, 7, 8)],
        {"input_ids": [5] * 8, "labels": [5] * 8},
    )
    batch = pad(rows, 0, 4)
    assert batch["input_ids"].shape == (3, 8) and batch["attention_mask"].sum(dim=1).tolist() == [3, 7, 8]
    assert pad(rows, 0, 5)["labels"][:, 8:].eq(IGNORED).all()
    assert "attention_mask" not in pad([few], 0, 4) and "attention_mask" in pad([few], 0, 16)
