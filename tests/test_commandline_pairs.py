"""The commands `validate` and `convert` from end to end: what they print, what they write, how they refuse."""

import json
import os
from pathlib import Path

import pytest

from labutils.lesson import cli_data
from labutils.lesson.cli_data import smollm2_speed, table, total
from labutils.lesson.terminal import plain
from labutils.pairs.validation import Problem
from labutils.pairs.validation.problems import Progress


@pytest.fixture
def labutils(labutils, monkeypatch, tmp_path):
    """The function that runs a command, in a folder with three files."""
    monkeypatch.setattr(cli_data, "smollm2_speed", lambda: 60.0)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.jsonl").write_text('{"question": "Why?", "answer": "So."}\n')
    (tmp_path / "warned.jsonl").write_text('{"question": "Why? ", "answer": "So."}\n')
    (tmp_path / "bad.jsonl").write_text('{"qestion": "W\\u001b[31mhy?", "answer": "So."}\n\x1b[2J\n')
    return labutils


def test_validate_for_people(labutils):
    code, out, err = labutils("validate", "bad.jsonl")
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "error    misspelt_key: rename the key (--repair does this)",
        '  line 1       "qestion" seems to be "question"',
        "error    not_json: write the line as one JSON object, keys and texts in double quotes",
        "  line 2       not JSON: an invisible character: remove it, or in a text write it as an escape",
        "warning  control_character: remove it, or write what it stood for",
        "  line 1       question: U+001B at character 2",
        "note     tokens: this is what one pass over the file costs",
        "  the file     about 12 tokens in 1 pair (at 4 characters a token); 0.0 minutes a pass at 60 tokens a second",
        "bad.jsonl: 2 errors, 1 warning, 1 note",
        "minutes: for smollm2, estimated from a matrix product; `finetune` shows the real tokens a second",
    ]


def test_exit_code_1_is_for_errors_only(labutils):
    assert labutils("validate", "good.jsonl")[0] == 0
    code, out, _ = labutils("validate", "warned.jsonl", "--tokens-per-second", 5)
    assert code == 0
    assert out.splitlines()[-1] == "warned.jsonl: 0 errors, 1 warning, 1 note"


def test_validate_for_programs(labutils):
    code, out, err = labutils("validate", "bad.jsonl", "--json", "--repair", "clean.jsonl")
    found = json.loads(out)
    assert code == 1
    assert [set(each) for each in found] == [{"line", "code", "severity", "cause", "fix"}] * 4
    assert [(each["line"], each["code"]) for each in found][1:] == [
        (1, "control_character"), (1, "misspelt_key"), (2, "not_json"),
    ]  # fmt: skip
    assert err.startswith("clean.jsonl: 2 of 2 lines; changes: misspelt_key 1\n")


def test_lines_that_a_problem_ties(labutils, tmp_path):
    (tmp_path / "two.jsonl").write_text('{"question": "Why?", "answer": "So."}\n' * 2)
    _, out, _ = labutils("validate", "two.jsonl", "--json")
    assert [each["lines"] for each in json.loads(out) if each["code"] == "duplicate"] == [[1, 2]]


def test_every_option_of_validate_counts(labutils):
    assert "nothing_left" in labutils("validate", "good.jsonl", "--max-length", 5)[1]
    assert "split_leak" in labutils("validate", "good.jsonl", "--split-with", "warned.jsonl")[1]
    assert "at 7 tokens a second" in labutils("validate", "good.jsonl", "--tokens-per-second", 7)[1]
    assert "the template has a space" in labutils("validate", "good.jsonl", "--template", "{question} {answer}")[1]
    code, out, _ = labutils("validate", "warned.jsonl", "--repair", "clean.jsonl")
    assert code == 0
    assert out.splitlines()[-2:] == [
        "clean.jsonl: 1 of 1 lines; changes: space_before_answer 1",
        "every change is listed in clean.jsonl.changes.jsonl; left in the copy: 0 errors, 0 warnings, 1 note",
    ]


def test_tokens_of_a_model(labutils, fresh, tokenizer, tmp_path):
    from labutils.model import models

    models.save(fresh(), tmp_path / "model")
    count = len(tokenizer.encode("### Question:\nWhy?\n\n### Answer:\n")) + len(tokenizer.encode("So.")) + 1
    assert f"  {count} tokens in 1 pair;" in labutils("validate", "good.jsonl", "--model", tmp_path / "model")[1]


def test_convert(labutils, tmp_path):
    assert labutils("convert", "good.jsonl", "--to", "alpaca", "--out", "a.jsonl") == (0, "a.jsonl: 1 lines\n", "")
    assert json.loads((tmp_path / "a.jsonl").read_text()) == {"instruction": "Why?", "input": "", "output": "So."}
    options = ["--to", "text", "--template", "{question} = {answer}", "--out", "t.jsonl"]
    assert labutils("convert", "a.jsonl", *options)[0] == 0
    assert json.loads((tmp_path / "t.jsonl").read_text()) == {"text": "Why? = So."}


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ("validate", "required: FILE"),
        ("validate nowhere.jsonl", "no such file: nowhere.jsonl"),
        ("validate .", "Is a directory: ."),
        ("validate good.jsonl --split-with nowhere.jsonl", "no such file: nowhere.jsonl"),
        ("validate good.jsonl --max-length 0", "max_length must be at least 1, got 0"),
        ("validate good.jsonl --max-length x", "invalid int value: 'x'"),
        ("validate good.jsonl --template x", "a template has {question} once"),
        ("validate good.jsonl --tokens-per-second 0", "--tokens-per-second must be above 0, got 0"),
        ("validate good.jsonl --tokens --repair a.jsonl", "--tokens only shows tokens; leave it or --repair out"),
        ("validate good.jsonl --tokens --split-with bad.jsonl", "leave it or --split-with out"),
        ("validate good.jsonl --tokens --json", "leave it or --json out"),
        ("validate good.jsonl --repair no/where.jsonl", "no folder no to write where.jsonl into"),
        ("convert good.jsonl --out a.jsonl", "required: --to"),
        ("convert good.jsonl --to poem --out a.jsonl", "invalid choice: 'poem'"),
        ("convert bad.jsonl --to text --out a.jsonl", "bad.jsonl, line 1: no known form: got the keys"),
        ("convert nowhere.jsonl --to text --out a.jsonl", "no such file: nowhere.jsonl"),
        ("convert good.jsonl --to text --out a.jsonl --template x", "a template has {question} once"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(refused, tmp_path, argv, words):
    before = sorted(tmp_path.iterdir())
    refused(argv, words)
    assert sorted(tmp_path.iterdir()) == before


WRITERS = {  # a command that writes a file, but for its name
    "convert": "convert good.jsonl --to messages --out",
    "format": "format good.jsonl --out",
    "repair": "validate good.jsonl --repair",
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
@pytest.mark.parametrize("command", WRITERS.values(), ids=WRITERS)
def test_nothing_is_written_over_an_input_or_what_is_no_file(refused, tmp_path, command):
    (tmp_path / "soft").symlink_to("good.jsonl")
    (tmp_path / "hard").hardlink_to(tmp_path / "good.jsonl")
    (tmp_path / "null").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "pipe")
    before = {each.name: each.lstat() for each in tmp_path.iterdir()}
    for name in ("good.jsonl", "./good.jsonl", tmp_path / "good.jsonl", "soft", "hard"):
        refused(f"{command} {name}", f"{Path(name)} is the input itself, which is never written over; give another")
    for name in ("pipe", "null", "/dev/null", ".", "/dev/stdout", "/dev/fd/1"):
        refused(f"{command} {name}", f"{name} is a folder, a pipe or a device; give the name of a file to write")
    after = {each.name: each.lstat() for each in tmp_path.iterdir()}
    assert {name: (now.st_ino, now.st_mtime_ns) for name, now in after.items()} == {
        name: (then.st_ino, then.st_mtime_ns) for name, then in before.items()
    }


def test_a_repaired_copy_is_not_written_over_the_other_side_of_a_split(refused):
    refused("validate good.jsonl --split-with warned.jsonl --repair warned.jsonl", "warned.jsonl is the input itself")


@pytest.mark.parametrize("command", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_what_it_names_is_written(labutils, tmp_path, command, there):
    target, link = tmp_path / "elsewhere" / "a.jsonl", tmp_path / "link"
    target.parent.mkdir()
    if there:
        target.write_text("old")
    link.symlink_to("elsewhere/a.jsonl")
    assert labutils(*command.split(), link)[0] == 0
    assert link.is_symlink() and target.read_text().startswith("{")
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no names for pipes on this system")
@pytest.mark.parametrize(
    ("command", "count"),
    [
        ("convert {} --to messages --out a.jsonl", 2),
        ("format {} --out a.jsonl", 2),
        ("validate {}", None),
        ("validate {} --repair a.jsonl", None),
        ("validate good.jsonl --split-with {}", None),
        ("survey --source {}", None),
    ],
)
@pytest.mark.parametrize("form", ["{}\n{}\n", "\n[{},\n{}]"])
def test_a_pipe_is_read_whole_or_refused(labutils, refused, tmp_path, command, count, form):
    reading, writing = os.pipe()
    os.write(writing, form.format(*['{"question": "Why?", "answer": "So.", "text": "a"}'] * 2).encode())
    os.close(writing)
    line = command.format(f"/dev/fd/{reading}")
    if count is None:
        refused(line, f"/dev/fd/{reading} can be read only once, and is read several times; write it to a file first")
    else:
        assert labutils(*line.split()) == (0, f"a.jsonl: {count} lines\n", "")
        assert len((tmp_path / "a.jsonl").read_text().splitlines()) == count
    os.close(reading)


def problem(line: int, code: str = "null", severity: str = "error") -> Problem:
    return Problem(line, code, severity, "it is null", "write it")


def test_the_table_shows_some_rows_of_a_kind_and_counts_the_rest():
    rows = list(table([problem(i) for i in range(1, 1207)]))
    assert len(rows) == 7 and rows[-1].strip() == "and 1,201 more"
    assert len(list(table([problem(i) for i in range(1, 6)]))) == 6


def test_errors_come_first():
    rows = list(table([problem(1, "b", "note"), problem(2, "z"), problem(3, "a", "warning")]))
    assert [row.split()[0] for row in rows if not row.startswith(" ")] == ["error", "warning", "note"]


def test_totals():
    assert total([problem(1), problem(2, "b", "note"), problem(2, "b", "note")]) == "1 error, 0 warnings, 2 notes"


def test_nothing_reaches_the_terminal_but_signs():
    assert plain("a\x1b[31m\u202eb\n") == "a\\u001b[31m\\u202eb\\u000a"


def test_progress_on_a_terminal_only(monkeypatch, capsys):
    assert cli_data.progress_line() is None
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    tell = cli_data.progress_line()
    tell(Progress(2_000_000, 4_000_000, 10))
    tell(Progress(4_000_000, 4_000_000, 20))
    first, last = capsys.readouterr().err.split("\r")
    assert first.startswith("2 of 4 MB, 10 lines, ") and last.endswith("4 of 4 MB, 20 lines, 0 s left  \n")


def test_the_speed_of_this_machine_is_a_speed():
    assert 1 < smollm2_speed() < 1e6
