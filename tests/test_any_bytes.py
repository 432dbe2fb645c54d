"""Every command that reads a file, with any bytes in it, any arguments and any further columns: no traceback, one line
of error, no input changed, nothing left behind. 2,000 examples each in the slow group, 200 where a model trains.
"""

import json
import re
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labutils.lesson import cli_data
from labutils.model import models
from labutils.pairs import own

FEW, MANY, TRAINED = 12, 2000, 200  # examples; a third of FEW where a model trains
law = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
ENDINGS = ["jsonl", "jsonl", "jsonl", "json", "csv", "tsv", "txt", "xlsx"]

KEYS = "question answer text messages conversations prompt completion instruction input output chosen rejected label"
KEYS += " context system history tools answers data role content from value"
PIECES = [
    *(b'{"question":', b'"answer"', b'"a"', b"}", b"{", b",", b":", b"[", b"]", b"null", b"1e999", b"\n", b"\r\n"),
    *(b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b'"\\ud800"', b"PK\3\4", b"PAR1", b"<html>", b"sep=;\n", b'"', b";"),
    *(b'{"text":"a"}', b'{"question":"a","answer":"b"}\n', b"### Question:\n", b"\xc2\x85", b'{"data":[', b"\0", b"\t"),
]
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("\ud83d")
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
keys = st.sampled_from(KEYS.split()) | st.text(max_size=6)
roles = st.sampled_from(["system", "user", "assistant", "tool", "human", "gpt", "Hi"])
names = st.sampled_from(["role", "content", "from", "value", "weight", "tool_calls"])
turns = st.lists(st.dictionaries(names, values | roles, max_size=3), max_size=3)
further = st.dictionaries(keys, values, max_size=2)
sound = st.builds(lambda q, a, more: {**more, "question": q, "answer": a}, st.text(), st.text(max_size=9), further)
records = sound | st.dictionaries(keys, values | turns, max_size=4)
lines = st.lists(records.map(lambda record: json.dumps(record).encode()), max_size=5).map(b"\n".join)
cell = st.text(max_size=5) | st.sampled_from(["question", "answer", "label", '"a', 'b"'])
rows = st.lists(st.lists(cell, max_size=3).map(",".join), max_size=4)
tables = rows.map(lambda rows: "\n".join(rows).encode("utf-8", "replace"))
pieces = st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join)
wide = lines.map(lambda data: data.decode().encode("utf-16"))
contents = st.binary(max_size=80) | pieces | lines | lines | tables | wide

words = st.text(st.characters(exclude_characters="\0"), max_size=8) | st.sampled_from(
    ["", "-1", "0", "1", "inf", "nan", "1e999", "lecture", "{question}{answer}", "{question}\\n{answer}", "question"]
    + ["answer", "text", "context", "{other}", "{file}", "no/where", ".", "/dev/null", "caf\udce9", "--", "-h"]
)
COMMANDS = {  # a command, and the options that it may have
    "validate {file}": "--split-with --max-length --template --tokens-per-second --repair --json",
    "validate {other} --split-with {file} --json": "--template",
    "validate {file} --repair {out}": "--template",
    "convert {file} --to question/answer --out {out}": "--template --question --answer --context --chosen --unfill",
    "convert {file} --to messages --out {out}": "--question --answer --context --chosen --unfill",
    "convert {file} --to text --out {out}": "--template",
    "format {file} --out {out}": "--template --form",
    "validate {file} --tokens --model {start}": "--template --max-length",
    "ask Hi --chat --history {file} --model {start} --limit 2": "--json",
    "survey --source {file}": "--limit --seed --shard --json",
    "survey --merge {file} {other}": "--json",
    "finetune {file} --model {start} --out {out} --steps 1": "--template --batch --learning-rate --seed --rank --lora",
    "pretrain --corpus {file} --out {out} --steps 1": "--batch --learning-rate --seed",
}  # fmt: skip
SWITCHES = {"--json", "--chosen", "--lora"}


@st.composite
def asked(draw: st.DrawFn, options: str) -> list[str]:
    """Some options of a command, with any values."""
    some = draw(st.lists(st.sampled_from(options.split()), unique=True, max_size=2))
    return [word for name in some for word in ([name] if name in SWITCHES else [name, draw(words)])]


@pytest.fixture
def run(labutils, start, tmp_path, monkeypatch):
    """A function that runs a command on two files in a folder of its own, and looks at what it leaves."""
    create = models.create
    monkeypatch.setattr(models, "create", lambda tokenizer, seed=0: create(tokenizer, width=64, layers=1, seed=seed))
    monkeypatch.setattr(cli_data, "smollm2_speed", lambda: 60.0)
    folder = tmp_path / "here"

    def run(command: str, ending: str, first: bytes, second: bytes, more: list[str]) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        monkeypatch.chdir(folder)
        (folder / f"a.{ending}").write_bytes(first)
        (folder / "b.jsonl").write_bytes(second)
        names = {"{file}": f"a.{ending}", "{other}": "b.jsonl", "{out}": "out", "{start}": str(start)}
        argv = [names.get(word, word) for word in [*command.split(), *more]]
        code, _, err = labutils(*argv)
        assert code in (0, 1, 2), (argv, err)
        if code == 2:
            assert re.fullmatch(r"(?s)(.*\n)?error: [^\n]+\n", err), (argv, err)
        assert ((folder / f"a.{ending}").read_bytes(), (folder / "b.jsonl").read_bytes()) == (first, second)
        assert not [each for each in folder.iterdir() if each.name.endswith(".part")]

    return run


def check(run, command: str, count: int) -> None:
    """Examples of one command."""

    @settings(law, max_examples=count)
    @given(st.sampled_from(ENDINGS), contents, contents, asked(COMMANDS[command]))
    def any_bytes(ending, first, second, more):
        run(command, ending, first, second, more)

    any_bytes()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.split(" --out")[0])
def test_any_bytes_and_arguments(run, command):
    check(run, command, FEW // 3 if "--steps" in command else FEW)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.split(" --out")[0])
def test_any_bytes_and_arguments_at_length(run, command):
    check(run, command, TRAINED if "--steps" in command else MANY)


def read_any(tmp_path, count: int) -> None:
    names = st.none() | st.sampled_from(["question", "answer", "a", "answers.text"])

    @settings(law, max_examples=count)
    @given(st.sampled_from(ENDINGS), contents, names, names, st.lists(names.filter(bool), max_size=1))
    def any_bytes(ending, content, question, answer, context):
        path = tmp_path / f"a.{ending}"
        path.write_bytes(content)
        try:
            found = own.read(path, question, answer, context=context)
        except ValueError as error:
            assert str(error).startswith(str(path)) or str(error).startswith(path.name), error
        else:
            assert all(isinstance(pair[key], str) for pair in found.pairs for key in ("question", "answer"))
        assert path.read_bytes() == content

    any_bytes()


def test_any_bytes_as_a_file_of_ones_own(tmp_path):
    read_any(tmp_path, 100)


@pytest.mark.slow
def test_any_bytes_as_a_file_of_ones_own_at_length(tmp_path):
    read_any(tmp_path, MANY)
