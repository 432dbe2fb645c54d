"""Conversations as ids and labels, against TRL and the tokenizer's own mask; prepared models; turns asked, commands."""

import copy
import io
import json
import re

import pytest
import torch
from test_encoding import smollm2  # noqa: F401
from transformers import DataCollatorWithFlattening, pipeline

from labutils.lesson import cli_model
from labutils.model import chats, encoding, models, training
from labutils.model.encoding import IGNORED, pad, pad_id
from labutils.model.loss import attending, mean_loss, reads_end_to_end
from labutils.model.models import Opened
from labutils.pairs import own
from labutils.places import DATA

DIALOGUES = DATA / "company" / "dialogues.jsonl"
ASKED = {"role": "user", "content": "Is it one?"}
CALL = '<tool_call>{"name": "number", "arguments": {"of": "two"}}</tool_call>'
TALK = [
    {"role": "user", "content": "What is the number of plover?"},
    {"role": "assistant", "content": "It is one."},
    {"role": "user", "content": "And of heron?"},
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "number", "arguments": '{"of": "two"}'}}]},
    {"role": "tool", "tool_call_id": "c1", "content": "two"},
    {"role": "assistant", "content": "It is two."},
]  # fmt: skip
TOOLS = [{"type": "function", "function": {"name": "number", "parameters": {}}}]


@pytest.fixture(scope="module")
def dialogues() -> list[dict]:
    return [record for _, record in own.read_examples(DIALOGUES)]


@pytest.fixture
def prepared(fresh) -> Opened:
    """A tiny model that speaks in turns."""
    return chats.prepare(copy.deepcopy(fresh()))


def masked(record: dict, tokenizer) -> dict:
    """The ids and labels that a template with generation marks gives."""
    how = {"return_dict": True, "return_assistant_tokens_mask": True}
    made = tokenizer.apply_chat_template(record["messages"], tools=record.get("tools") or None, **how)
    ids = made["input_ids"]
    return {
        "input_ids": ids,
        "labels": [i if m else IGNORED for i, m in zip(ids, made["assistant_masks"], strict=True)],
    }


def trained(example: dict, tokenizer) -> list[str]:
    """The runs of trained tokens, as texts."""
    marked = "".join(
        tokenizer.decode([id]) if label >= 0 else "\0"
        for id, label in zip(example["input_ids"], example["labels"], strict=True)
    )
    return re.findall("[^\0]+", marked)


def test_every_turn_of_the_assistant_and_its_end_are_trained(prepared):
    example = chats.encode({"messages": TALK, "tools": TOOLS}, prepared.tokenizer)
    assert trained(example, prepared.tokenizer) == ["It is one.<|im_end|>", CALL + "<|im_end|>", "It is two.<|im_end|>"]
    assert prepared.tokenizer.decode(example["input_ids"]).startswith(
        '<|im_start|>system\nTools, called as <tool_call>{"name": ..., "arguments": {...}}</tool_call>:\n'
        '{"name": "number", "parameters": {}}<|im_end|>\n<|im_start|>user\nWhat is'
    )


def test_turns_of_weight_0_are_read_and_not_trained(prepared):
    talk = [TALK[0], TALK[1] | {"weight": 0}, *TALK[2:5], TALK[5] | {"weight": 1}]
    with_it, without = (chats.encode({"messages": each}, prepared.tokenizer) for each in (TALK, talk))
    assert without["input_ids"] == with_it["input_ids"]
    assert trained(without, prepared.tokenizer) == [CALL + "<|im_end|>", "It is two.<|im_end|>"]


def test_ids_and_labels_are_those_of_trl(prepared, dialogues, tmp_path):
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    rows = [row for row in dialogues if not any("weight" in message for message in row["messages"])][:40]
    opened = copy.deepcopy(prepared)  # SFTTrainer sets the tokenizer's padding token
    trainer = SFTTrainer(
        model=opened.model,
        args=SFTConfig(str(tmp_path), assistant_only_loss=True, max_length=None, use_cpu=True, bf16=False),
        train_dataset=Dataset.from_list(
            [{**row, "tools": row["tools"] or None} for row in rows], on_mixed_types="use_json"
        ),
        processing_class=opened.tokenizer,
    )
    theirs = trainer.data_collator(list(trainer.train_dataset))
    ours = pad([chats.encode(row, prepared.tokenizer) for row in rows], pad_id(prepared.tokenizer))
    assert any(row["tools"] for row in rows) and any(row["messages"][0]["role"] == "system" for row in rows)
    for name in ("input_ids", "labels", "attention_mask"):
        assert ours[name].tolist() == theirs[name].tolist(), name


def test_labels_of_base_are_the_mask_of_its_template(dialogues):
    own = encoding.bundled()
    assert own.chat_template == encoding.CHATML
    for row in dialogues:
        if not any("weight" in message for message in row["messages"]):
            assert chats.encode(row, own) == masked(row, own)


def test_smollm2_keeps_its_own_template(smollm2, fresh, dialogues):  # noqa: F811
    own, wide = copy.deepcopy(smollm2), smollm2.apply_chat_template
    chats.prepare(Opened(copy.deepcopy(fresh().model), own))
    assert own.chat_template.endswith(smollm2.chat_template) and own.eos_token == "<|im_end|>"
    marked, said = (
        copy.deepcopy(own),
        "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}",
    )
    assert said in own.chat_template
    generated = "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}"
    turn = "{{ '<|im_start|>' + message['role'] + '\n' }}{% if message['role'] == 'assistant' %}" + generated
    turn += "{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}{{ '\n' }}"
    marked.chat_template = own.chat_template.replace(said, turn)
    for row in dialogues[::4]:
        assert chats.encode(row, own) == masked(row, marked) or any("weight" in each for each in row["messages"])
        if not row["tools"]:
            assert chats.fill(row["messages"], own) == wide(row["messages"], tokenize=False)


def test_a_model_without_a_template_gets_one_that_serves_others_too(one_core, tmp_path, monkeypatch):
    monkeypatch.setattr(encoding, "CHAT_TOKENS", [])
    plain = encoding.train_bpe(["ab"], size=258)
    plain.chat_template = None
    monkeypatch.undo()
    opened = chats.prepare(models.create(plain, width=64, layers=1))
    own = opened.tokenizer
    assert own.eos_token == "<|im_end|>" and own.eos_token_id == opened.model.generation_config.eos_token_id
    assert opened.model.get_input_embeddings().num_embeddings == len(own) == 260
    models.save(opened, tmp_path / "model")
    again = models.open_model(tmp_path / "model").tokenizer
    assert again.apply_chat_template(TALK, tools=TOOLS, tokenize=False) == chats.fill(TALK, own, TOOLS)
    asked = pipeline("text-generation", str(tmp_path / "model"), device="cpu")([ASKED], max_new_tokens=3)
    assert asked[0]["generated_text"][-1]["role"] == "assistant"


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{% for m in messages %}{{ m.content }}\n{% endfor %}", "no special token that ends an answer"),
        (
            "{% for m in messages %}{{ m.content + '<|im_end|>' }}{% endfor %}{{ messages | length }}",
            "changes earlier turns",
        ),
        ("{{ raise_exception('no') }}", "the model's chat template refuses the conversation: no"),
    ],
)
def test_templates_that_cannot_be_trained_on(fresh, template, words):
    opened = copy.deepcopy(fresh())
    opened.tokenizer.chat_template = template
    with pytest.raises(ValueError, match=words):
        chats.prepare(opened)


def test_files_with_pairs_among_conversations(prepared):
    rows = [{"messages": TALK, "tools": []}, {"question": "Q", "answer": "A"}]
    found = chats.encode_records(rows, "lecture", prepared.tokenizer)
    assert found.too_long == [] and trained(found.examples[1], prepared.tokenizer) == ["A<|im_end|>"]
    size = len(found.examples[0]["input_ids"])
    assert chats.encode_records(rows, "lecture", prepared.tokenizer, max_length=size).too_long == []
    assert chats.encode_records(rows, "lecture", prepared.tokenizer, max_length=size - 1).too_long == [0]
    lone = chats.encode_records(rows[1:], "lecture", prepared.tokenizer)
    assert lone == encoding.encode_all(rows[1:], "lecture", prepared.tokenizer)
    with pytest.raises(ValueError, match="plain text among conversations"):
        chats.encode_records([*rows, {"text": "a"}], "lecture", prepared.tokenizer)


def test_packed_conversations_are_those_in_rows_of_their_own(prepared, fp32):
    examples = [chats.encode({"messages": TALK[:n]}, prepared.tokenizer) for n in (2, 4, 6)]
    assert reads_end_to_end(prepared.model)
    row = DataCollatorWithFlattening()(examples)
    with torch.no_grad(), attending(prepared.model, True):
        logits = prepared.model(input_ids=row["input_ids"], position_ids=row["position_ids"], use_cache=False).logits
    labels = row["labels"][0, 1:]
    loss = torch.nn.functional.cross_entropy(logits[0, :-1], labels)
    assert loss.item() == pytest.approx(mean_loss(prepared, examples), rel=1e-4)


def test_a_conversation_that_is_too_long_to_go_on(prepared):
    with pytest.raises(ValueError, match=r"the conversation has \d+ tokens with its reply, the model reads 512; begin"):
        chats.reply(prepared, [TALK[0]], limit=512)


# At the command line.


@pytest.fixture(scope="module")
def talks(tmp_path_factory):
    """A file of conversations: the two turns and the call, a pair, and one in ShareGPT's form."""
    path = tmp_path_factory.mktemp("talks") / "talks.jsonl"
    rows = [
        {"messages": TALK, "tools": TOOLS},
        {"messages": TALK[:2]},
        {
            "conversations": [
                {"from": "system", "value": "Hm."},
                {"from": "human", "value": "Hi"},
                {"from": "gpt", "value": "Ho"},
            ]
        },
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_finetune_then_ask_turn_by_turn(labutils, talks, start, tmp_path, monkeypatch):
    run, begin = tmp_path / "run", tmp_path / "begin.jsonl"
    options = ["--model", start, "--steps", 120, "--batch", 3, "--learning-rate", 5e-3, "--replay", 0]
    code, out, err = labutils("finetune", talks, *options, "--out", run)
    assert (code, out) == (0, "")
    assert err.startswith("2 conversations: every turn of the assistant is trained, in the model's chat template\n")
    assert re.search(r"run: 3 conversations; ask with --chat, \d\.\d minutes\n$", err)
    begin.write_text(json.dumps({"messages": [TALK[0], TALK[1]], "tools": TOOLS}))
    asked = labutils("ask", "--chat", TALK[2]["content"], "two", "--history", begin, "--model", run, "--limit", 90)
    assert asked == (0, f"{CALL}\nIt is two.\n", "")
    begin.write_text(json.dumps({"messages": TALK[:4], "tools": TOOLS}))
    monkeypatch.setattr("sys.stdin", io.StringIO("two\n\n"))
    code, out, _ = labutils("ask", "--chat", "--history", begin, "--model", run, "--json")
    assert code == 0 and json.loads(out) == [{"question": "two", "text": "It is two.", "stopped": True}]
    assert labutils("ask", "--chat", TALK[0]["content"], "--model", run, "--limit", 1)[1] == "It ...\n"


def test_a_run_of_conversations_goes_on(labutils, talks, start, tmp_path, monkeypatch):
    options = ["finetune", talks, "--model", start, "--steps", 4, "--save-steps", 2]
    assert labutils(*options, "--out", tmp_path / "whole")[0] == 0

    def stop(progress: training.Progress) -> None:
        if progress.step == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cli_model, "progress_line", stop)
        assert labutils(*options, "--out", tmp_path / "broken")[0] == 130
    assert labutils(*options, "--out", tmp_path / "broken", "--resume")[0] == 0
    one, other = (models.open_model(tmp_path / name).model.state_dict() for name in ("whole", "broken"))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_validate_shows_tokens(labutils, talks, start, tmp_path):
    code, out, err = labutils("validate", "--tokens", talks, "--model", start)
    lines = out.splitlines()
    assert (code, err, lines[0], lines[-1][:11]) == (0, "", "line 1", "3 records: ")
    shown = [line.replace("|", "") for line in lines if line.startswith("  trained")]
    assert shown[:2] == ["  trained  It is one.<im_end>", "  trained  " + CALL + "<im_end>"]
    assert re.fullmatch(r"3 records: \d+ tokens, \d+ trained \(\d+%\)", lines[-1])
    code, out, _ = labutils("validate", "--tokens", talks, "--model", start, "--max-length", 60)
    assert out.splitlines()[-1] == "left out, over 60 tokens: line 1"
    (tmp_path / "pairs.jsonl").write_text('{"question": "Q", "answer": "A"}\n')
    code, out, _ = labutils(
        "validate", "--tokens", tmp_path / "pairs.jsonl", "--template", "Q{question}A{answer}", "--model", start
    )
    assert out == "line 1\n  ignored  Q|Q|A\n  trained  A|<|endoftext|>\n1 records: 5 tokens, 2 trained (40%)\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("finetune TALKS --template lecture --out OUT", "conversations are filled into the model's own chat template"),
        ("ask --chat Hi --template lecture", "leave --template out"),
        ("ask Hi --history TALKS", "--history goes with --chat"),
        ("ask", "no question; put one in quotes"),
        ("format TALKS --out OUT", 'message 4 must hold "role" and "content" and nothing else'),
    ],
)
def test_what_does_not_go_together(refused, talks, start, tmp_path, line, words):
    line = line.replace("TALKS", str(talks)).replace("OUT", str(tmp_path / "out"))
    refused(f"{line} --model {start}" if not line.startswith("format") else line, words)
