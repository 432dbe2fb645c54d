"""The command line's edge: exit codes, one-line errors, which Python runs a command."""

import argparse
import subprocess
import sys

import pytest

from labutils import __main__ as cli
from labutils import bootstrap, places
from labutils.__main__ import Command


@pytest.fixture
def command(monkeypatch):
    """A function that makes `doctor` do something else, in this Python, and runs it."""

    def run(act, **options) -> int:
        monkeypatch.setattr(cli, "other_python", lambda: None)
        monkeypatch.setattr(cli, "has_packages", lambda: True)
        monkeypatch.setitem(cli.COMMANDS, "doctor", Command("", lambda parser: None, act, **options))
        return cli.main(["doctor"])

    return run


def raising(problem: BaseException):
    def act(asked: argparse.Namespace) -> int:
        raise problem

    return act


@pytest.mark.parametrize(
    ("problem", "code", "line"),
    [
        (ValueError("template 'x' is not known"), 2, "error: template 'x' is not known"),
        (FileNotFoundError(2, "No such file", "pairs.jsonl"), 2, "error: no such file: pairs.jsonl"),
        (FileNotFoundError("no notebook '99'"), 2, "error: no notebook '99'"),
        (bootstrap.SetupError("this is Python 3.9"), 1, "error: this is Python 3.9"),
        (ConnectionError("the hub does not answer"), 1, "error: the hub does not answer"),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(command, capsys, problem, code, line):
    assert command(raising(problem)) == code
    assert capsys.readouterr().err == f"{line}\n"
    assert command(lambda asked: 7) == 7
    with pytest.raises(KeyError):  # a mistake in the code is not hidden
        command(raising(KeyError("bug")))


@pytest.mark.parametrize("problem", [LookupError("smollm2 cannot be had"), KeyError("smollm2 cannot be had")])
def test_a_model_that_cannot_be_fetched(monkeypatch, capsys, problem):
    models = type(sys)("models")
    models.fetch = raising(problem)
    monkeypatch.setitem(sys.modules, "labutils.model.models", models)
    monkeypatch.setattr("labutils.model.models", models, raising=False)
    assert cli.fetch_command(argparse.Namespace(name="smollm2")) == 1
    assert capsys.readouterr().err == "error: smollm2 cannot be had\n"


def test_bad_input_is_one_line_and_exit_code_2(refused):
    for line, words in [
        ("", "required: COMMAND"),
        ("nonsense", "invalid choice: 'nonsense'"),
        ("run 99", "no notebook '99'"),
        ("fetch", "required: NAME"),
        ("test --only x", "invalid choice: 'x'"),
    ]:
        refused(line, words)
    argv = [sys.executable, "-m", "labutils", "doctor", "--nonsense"]
    ran = subprocess.run(argv, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert ran.stderr.startswith("error: ") and "unknown: --nonsense" in ran.stderr


def test_another_python_hands_over_to_the_environments(tmp_path, monkeypatch):
    python = bootstrap.python_of(tmp_path)
    python.parent.mkdir()
    python.touch()
    handed = []
    monkeypatch.setattr(places, "VENV", tmp_path)
    monkeypatch.setattr(bootstrap, "hand_over", lambda argv: handed.append(argv) or 9)
    assert cli.main(["doctor", "--json"]) == 9
    assert handed == [[str(python), "-m", "labutils", "doctor", "--json"]]


def test_the_environments_own_python_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "VENV", tmp_path)
    assert cli.other_python() is None
    bootstrap.python_of(tmp_path).parent.mkdir()
    bootstrap.python_of(tmp_path).touch()
    assert cli.other_python() == bootstrap.python_of(tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert cli.other_python() is None


def test_what_one_line_says_before_the_set_up(monkeypatch, capsys):
    monkeypatch.setattr(cli, "other_python", lambda: None)
    monkeypatch.setattr(cli, "has_packages", lambda: False)
    assert cli.main(["doctor"]) == 2
    assert capsys.readouterr().err == "error: the course is not set up: run `python3 -m labutils open` first\n"
    monkeypatch.setattr(sys, "version_info", (3, 9, 1))
    assert cli.main(["open"]) == 1
    assert "this is Python 3.9.1" in capsys.readouterr().err


def test_options_go_on_to_the_programs(monkeypatch):
    started = []
    monkeypatch.setattr(bootstrap, "open_course", lambda options: started.append(options) or 0)
    monkeypatch.setattr(bootstrap, "run_tests", lambda options: started.append(options) or 0)
    cli.main(["open", "--port", "8899", "--no-browser", "--ip", "127.0.0.1", "--debug"])
    cli.main(["test", "--slow", "--only", "index"])
    cli.main(["open"])
    assert started == [["--port=8899", "--no-browser", "--ip", "127.0.0.1", "--debug"], ["--slow", "--only=index"], []]
