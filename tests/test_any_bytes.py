"""Every command that reads a file, with any bytes in it, any arguments and any further columns: no traceback, one line
of error, no input changed, nothing left behind. 2,000 examples each in the slow group, 200 where a model trains.
"""

import re
import shutil
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labutils.lesson import cli_data
from labutils.model import models
from labutils.pairs import own
from tests.faults import contents

FEW, MANY = 12, 2000  # examples
TRAINED = {FEW: 4, MANY: 200}  # and where a model trains
law = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
ENDINGS = ["jsonl", "jsonl", "jsonl", "json", "csv", "tsv", "txt", "xlsx"]

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
        assert (folder / f"a.{ending}").read_bytes() == first
        assert (folder / "b.jsonl").read_bytes() == second or ("--repair", "b.jsonl") in pairwise(argv)
        assert not [each for each in folder.iterdir() if each.name.endswith(".part")]

    return run


SLOW = pytest.mark.slow
COUNTS = [pytest.param(FEW, id="few"), pytest.param(MANY, id="many", marks=SLOW)]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.split(" --out")[0])
def test_any_bytes_and_arguments(run, command, count):
    @settings(law, max_examples=TRAINED[count] if "--steps" in command else count)
    @given(st.sampled_from(ENDINGS), contents, contents, asked(COMMANDS[command]))
    def any_bytes(ending, first, second, more):
        run(command, ending, first, second, more)

    any_bytes()


names = st.none() | st.sampled_from(["question", "answer", "a", "answers.text"])


@pytest.mark.parametrize("count", COUNTS)
def test_any_bytes_as_a_file_of_ones_own(tmp_path, count):
    @settings(law, max_examples=max(100, count))
    @given(st.sampled_from(ENDINGS), contents, names, names, st.lists(names.filter(bool), max_size=1))
    def any_bytes(ending, content, question, answer, context):
        path = tmp_path / f"a.{ending}"
        path.write_bytes(content)
        try:
            found = own.read(path, question, answer, context=context)
        except ValueError as error:
            assert str(error).startswith((str(path), path.name)), error
        else:
            assert all(isinstance(pair[key], str) for pair in found.pairs for key in ("question", "answer"))
        assert path.read_bytes() == content

    any_bytes()
