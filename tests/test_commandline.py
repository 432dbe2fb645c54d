"""The learner's commands from end to end on tiny folders: what they write, what they print, and how they refuse."""

import json
import re
from dataclasses import replace

import pytest

from labutils import machine
from labutils.lesson import cli_model
from labutils.model import asking, encoding, models, recipes, training
from labutils.pairs.records import read_jsonl, write_jsonl


@pytest.fixture
def pairs(birds, tmp_path):
    """The tiny task as a file of pairs."""
    return write_jsonl(birds, tmp_path / "pairs.jsonl")


@pytest.fixture
def start(fresh, tmp_path):
    """The folder of an untrained tiny model."""
    return models.save(fresh(), tmp_path / "start")


CHAT = "<|im_start|>user\nWhat is the number of plover?<|im_end|>\n<|im_start|>assistant\n"
FORMATS = [
    ("", {"text": "### Question:\nWhat is the number of plover?\n\n### Answer:\nIt is one."}),
    ("--template {question}={answer}", {"text": "What is the number of plover?=It is one."}),
    ("--form pairs --template chatml", {"question": CHAT, "answer": "It is one."}),
]


@pytest.mark.parametrize(("options", "first"), FORMATS)
def test_format(labutils, pairs, tmp_path, options, first):
    out = tmp_path / "out.jsonl"
    assert labutils("format", pairs, *options.split(), "--out", out) == (0, f"{out}: 8 lines\n", "")
    written = read_jsonl(out)
    assert written[0] == first and len(written) == 8


def test_finetune_then_ask(labutils, pairs, start, birds, tmp_path):
    run = tmp_path / "run"
    options = ["--model", start, "--steps", 60, "--batch", 8, "--learning-rate", 5e-3, "--save-steps", 1000]
    code, out, err = labutils("finetune", pairs, *options, "--out", run)
    assert (code, out) == (0, "")
    lines = err.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("step ")] == [f"{i}/60" for i in range(1, 61)]
    assert re.fullmatch(re.escape(str(run)) + r": 8 pairs, \d\.\d minutes", lines[-1])
    assert labutils("ask", birds[0]["question"], "--model", run)[0] == 0


def test_ask(labutils, bird_folder, birds, monkeypatch):
    one, other = birds[0], birds[-1]
    asked = labutils("ask", one["question"], other["question"], "--model", bird_folder)
    assert asked == (0, f"{one['answer']}\n{other['answer']}\n", "")
    _, out, _ = labutils("ask", one["question"], "--model", bird_folder, "--limit", 1, "--json")
    assert json.loads(out) == [{"question": one["question"], "text": "It", "stopped": False}]
    seen, replies = [], [asking.Reply("one", True), asking.Reply("two", False)]
    monkeypatch.setattr(asking, "ask", lambda opened, questions, **how: seen.append((questions, how)) or replies)
    asked = labutils("ask", "a?", "b?", "--model", bird_folder, "--template", "chatml", "--limit", 5)
    assert asked == (0, "one\ntwo ...\n", "")
    assert seen == [(["a?", "b?"], {"template": "chatml", "limit": 5})]


OPTIONS = "--epochs 2.5 --batch 4 --learning-rate 0.01 --seed 7 --save-steps 9 --replay 0.4 --resume"


def test_every_option_of_finetune_reaches_the_recipe(labutils, pairs, start, tmp_path, monkeypatch):
    seen = []

    def finetune(opened, examples, recipe, *, out, resume, on_progress):
        seen.append((recipe, len(examples), out, resume))
        return training.Run([], 90.0, 0)

    monkeypatch.setattr(training, "finetune", finetune)
    labutils("finetune", pairs, "--model", start, "--out", tmp_path / "a")
    options = OPTIONS.split()
    _, _, err = labutils("finetune", pairs, "--model", start, "--out", tmp_path / "b", *options)
    changed = {"epochs": 2.5, "batch": 4, "learning_rate": 0.01, "seed": 7, "save_steps": 9, "replay": 0.4}
    recipe = replace(recipes.FINETUNING_SMALL, **changed)
    assert seen == [(recipes.FINETUNING_SMALL, 8, str(tmp_path / "a"), False), (recipe, 8, str(tmp_path / "b"), True)]
    assert err == f"\n{tmp_path / 'b'}: 8 pairs, 1.5 minutes\n"


def test_finetune_stopped_and_gone_on_with(labutils, pairs, start, tmp_path, monkeypatch):
    def stop(progress):
        if progress.step == 5:
            raise KeyboardInterrupt

    options = ["finetune", pairs, "--model", start, "--steps", 6, "--save-steps", 2, "--out", tmp_path / "run"]
    with monkeypatch.context() as patch:
        patch.setattr(cli_model, "progress_line", stop)
        assert labutils(*options)[0] == 130
    code, _, err = labutils(*options)
    assert code == 2 and "holds an unfinished run; go on with it (resume)" in err
    code, _, err = labutils(*options, "--seed", 1, "--resume")
    assert code == 2 and "resume needs the same" in err
    code, _, err = labutils(*options, "--resume")
    assert code == 0 and "step 5/6" in err and "step 4/6" not in err


WHOLE, REAL = ("-1", "1" + "0" * 39), ("-1", "inf", "nan", "1e999")
AMOUNTS = {"steps": WHOLE, "batch": WHOLE, "save-steps": WHOLE[:1], "epochs": REAL, "learning-rate": REAL[:2]}


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ("format nowhere.jsonl --out out.jsonl", "no such file: nowhere.jsonl"),
        ("format . --out out.jsonl", "Is a directory: ."),
        ("format empty.jsonl --out out.jsonl", "empty.jsonl holds no records; expected one JSON object a line"),
        ("format pairs.jsonl --out out.jsonl --template {answer}", "a template has {question} once"),
        ("format pairs.jsonl --out out.jsonl --form poem", "invalid choice: 'poem'"),
        ("format pairs.jsonl", "required: --out"),
        ("format pairs.jsonl --out nowhere/out.jsonl", "no folder nowhere to write out.jsonl into"),
        ("finetune silent.jsonl --model start --out run", "silent.jsonl: none of the 2 pairs has an answer"),
        ("finetune long.jsonl --model start --out run", "none of the 1 records fits into 512 tokens (max_length); sho"),
        ("finetune pairs.jsonl --model nowhere --out run", "no model 'nowhere'"),
        ("finetune pairs.jsonl --model smollm2 --out run", "python3 -m labutils fetch smollm2"),
        ("finetune pairs.jsonl --model start --out start", "start is not empty and holds no run"),
        ("finetune pairs.jsonl --model start --out notes.txt", "notes.txt is not empty and holds no run"),
        *(
            (
                f"finetune pairs.jsonl --model start --out run --{name} {value}",
                f"{name.replace('-', '_')} must be above ",
            )
            for name, values in AMOUNTS.items()
            for value in values
        ),
        *(
            (f"pretrain --corpus text.jsonl --out run --minutes {value}", "minutes must be above 0 and")
            for value in REAL
        ),
        ("finetune pairs.jsonl --model start --out run --steps x", "invalid int value: 'x'"),
        ("finetune pairs.jsonl --model start --out run --steps 1 --epochs 1", "not allowed with argument --steps"),
        ("finetune pairs.jsonl --model start --out run --template x", "a template has {question} once"),
        ("ask", "no question; put one in quotes"),
        ("ask What? --model .", ". holds no model: expected a folder with config.json and model.safetensors"),
        ("ask What? --model start --limit 0", "must be greater than 0"),
        ("ask What? --model start --template x", "a template has {question} once"),
        ("ask caf\udce9? --model start", "no UTF-8, or half of a character pair, in '### Question:\\ncaf\\udce9?"),
        ("ask What? --model pickled", "pickled cannot be opened: "),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(refused, pairs, start, tmp_path, monkeypatch, argv, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("{}\nnotes\n")
    (tmp_path / "empty.jsonl").write_text("\n")
    write_jsonl([{"question": "a", "answer": ""}, {"text": " "}], tmp_path / "silent.jsonl")
    write_jsonl([{"question": "a", "answer": "~" * 600}], tmp_path / "long.jsonl")
    start.with_name("pickled").mkdir()
    (tmp_path / "pickled" / "config.json").write_bytes((start / "config.json").read_bytes())
    (tmp_path / "pickled" / "pytorch_model.bin").write_bytes(b"\x80\x04N.")
    before = sorted(tmp_path.rglob("*"))
    refused(argv, words)
    assert sorted(tmp_path.rglob("*")) == before


TURNS = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b"notes", "not JSON at column 1: a line of plain text"),
        (b"[1]", "expected an object, got list"),
        (b'{"a": 1}', "no known form: got the keys ['a']"),
        (b'{"question": "2+2?", "answer": 4}', '"answer" must be a text, got int: 4'),
        (b'{"question": "A \\ud83d?", "answer": "one"}', "half of a character pair (a lone surrogate) cannot be wri"),
        (b'{"question": "A?", "answer": "one", "answer": "two"}', "a key occurs twice in one object"),
        (
            b'{"instruction": "a", "output": "b", "system": "c"}',
            '"system" belongs to the prompt, but is a key of its own',
        ),
    ],
)
def test_a_bad_record_is_named_by_file_and_line(refused, tmp_path, monkeypatch, bad, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.jsonl").write_bytes(b'{"question": "a", "answer": "b"}\n\n' + bad + b"\n")
    refused("format bad.jsonl --out out", f"bad.jsonl, line 3: {words}")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "content",
    [
        [{"messages": TURNS}],
        {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
        {"question": "a", "answer": "b", "author": "\ud83d", "id": 1},
    ],
)
def test_every_form_is_read(labutils, start, tmp_path, monkeypatch, content):
    (tmp_path / "in").write_text(json.dumps(content))
    assert labutils("format", tmp_path / "in", "--out", tmp_path / "out.jsonl")[0] == 0
    assert read_jsonl(tmp_path / "out.jsonl") == [{"text": "### Question:\na\n\n### Answer:\nb"}]
    seen, run = [], training.Run([], 1, 0)
    monkeypatch.setattr(training, "finetune", lambda _, examples, *a, **b: seen.append(examples) or run)
    assert labutils("finetune", tmp_path / "in", "--model", start, "--out", tmp_path / "run")[0] == 0
    assert seen == [encoding.encode_all([{"question": "a", "answer": "b"}], "lecture", models.open_model(start)[1])[0]]


def test_pairs_that_are_left_out_are_named(labutils, start, tmp_path):
    pairs = tmp_path / "pairs.jsonl"
    long = json.dumps({"question": "a", "answer": "~" * 600})
    pairs.write_text(
        f'{{"question": "a", "answer": " "}}\n\n{{"question": "a", "answer": "b"}}\n{long}\n{{"text": ""}}\n'
    )
    code, _, err = labutils("finetune", pairs, "--model", start, "--steps", 1, "--out", tmp_path / "run")
    said = [f"left out, no answer: lines 1, 5 of {pairs}", f"left out, over 512 tokens: line 4 of {pairs}"]
    assert code == 0 and err.splitlines()[:2] == said and "run: 1 pairs, " in err


def test_a_hub_that_answers_without_the_model_is_one_line(labutils, monkeypatch):
    def nothing(*args, **kwargs):
        raise OSError("no/such is not a model\nIf this is a private repository, ...")

    monkeypatch.setattr(machine, "hub_answers", lambda: True)
    monkeypatch.setattr(models.AutoTokenizer, "from_pretrained", nothing)
    expected = "error: no/such cannot be opened: no/such is not a model\n"
    assert labutils("ask", "What?", "--model", "no/such") == (2, "", expected)
