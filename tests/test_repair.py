"""Repaired copies: what changes, what stays to the byte, and that no pair is ever lost without a word."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labutils.pairs.validation import KINDS, problems, repair, validate
from labutils.pairs.validation.checking import mend
from tests import faults
from tests.faults import contents, good, law, line

REPAIRED = {"bom", "utf16", "crlf", "no_final_newline", "blank_line"}  # of these a copy has none, any file
NEEDED = [  # by a program or a script, so it stays
    line("a", "  if b:\n    c"), line("a", "    return x"), line("a", "\treturn x\n"), line("a", "- b\n  - c\n"),
    line("Complete:\ndef f(x):\n", "    return x"), line("a", "\u3000b"),
    line("\u0e01\u200b\u0e02", "a\u2060b"), line("\u05de\u05d4?", "\u200e12.5"),  # Thai, Hebrew; more in `test_cases`
]  # fmt: skip


@pytest.fixture
def copy(tmp_path):
    """A function that repairs bytes: the copy's bytes, the changes as (line, code), the report."""

    def run(content: bytes):
        path, out = tmp_path / "pairs.jsonl", tmp_path / "clean.jsonl"
        path.write_bytes(content)
        report = repair(path, out)
        assert path.read_bytes() == content
        changes = [json.loads(each) for each in report.changes.read_bytes().splitlines()]
        assert Counter(each["code"] for each in changes) == report.counts
        assert sorted(each.name for each in tmp_path.iterdir() if each.name.startswith(".")) == []
        return out.read_bytes(), [(each["line"], each["code"]) for each in changes], report

    return run


@pytest.mark.parametrize(
    ("content", "copied", "changes"),
    [
        (line(), line(), []),
        (b"\xef\xbb\xbf" + line(), line(), [(1, "bom")]),
        (line().replace(b"\n", b"\r\n"), line(), [(1, "crlf")]),
        (line().rstrip(), line(), [(1, "no_final_newline")]),
        (b"\n" + line() + b" \t\n", line(), [(1, "blank_line"), (3, "blank_line")]),
        (line().decode().encode("utf-16"), line(), [(1, "utf16")]),
        (b'{"qestion":"a","answer":"b"}\n', b'{"question": "a", "answer": "b"}\n', [(1, "misspelt_key")]),
        (line("a\u200bb"), line("ab"), [(1, "zero_width_character")]),
        (line("a \n"), line("a"), [(1, "space_before_answer")]),
        (line("a", " b"), line("a", "b"), [(1, "space_before_answer")]),
        (line("a", "\n b"), line("a", "b"), [(1, "space_before_answer")]),
        *((row, row, []) for row in NEEDED),
        (line("a\tb").replace(b"\\t", b"\t"), line("a\tb"), [(1, "raw_control_character")]),
        (line() + good(1)[0] + line(), line() + good(1)[0], [(3, "duplicate")]),
        (line() + line("Which  bird is it?"), line() + line("Which  bird is it?"), []),  # alike, but not word for word
        (line() + line(more=1), line() + line(more=1), []),
        (line() + b'{"answer":"It is a wren.","question":"Which bird is it?"}\n', line(), [(2, "duplicate")]),
        (line("\u200b"), line("\u200b"), []),  # nothing would be left
        (line("a\ud800 "), line("a\ud800"), [(1, "space_before_answer")]),
    ],
)
def test_what_is_repaired(copy, content, copied, changes):
    assert copy(content)[:2] == (copied, changes)


@pytest.mark.parametrize(
    "row",
    [
        b'{"question": "a ", "answer": "b", "answer": "c"}\n',
        b'{"question": "a ", "answer": NaN}\n',
        b'{"question": "a ", "answer": "b", "size": 1e999}\n',
        b'{"question": "a ", "answer": "b", "size": 0.10000000000000000001}\n',
        b'{"question": "caf\xe9 ", "answer": "b"}\n',
        b'{"question": "a ", "answer": null, "x"}\n',
        b"[1]\n" + good(1)[0],
        b'{"qestion": "a"}\n',
    ],
)
def test_what_is_not_certain_keeps_its_bytes(copy, row):
    copied, changes, report = copy(row)
    assert (copied, changes) == (row, [])
    assert report.left


def test_a_conversation_is_repaired(copy):
    turns = [("system", "Be brief."), ("user", "Why?\u200b "), ("assistant", " So.")]
    messages = [{"role": role, "content": text} for role, text in turns]
    copied, changes, _ = copy(json.dumps({"messages": messages}).encode())
    assert [each["content"] for each in json.loads(copied)["messages"]] == ["Be brief.", "Why?", "So."]
    assert [code for _, code in changes] == [
        "no_final_newline", "zero_width_character", "space_before_answer", "space_before_answer",
    ]  # fmt: skip


def test_the_seeded_file(tmp_path):
    """Every kind that --repair promises to mend is gone from the copy; no line is lost but the named ones."""
    (tmp_path / "a.jsonl").write_bytes(faults.seeded_file()[0])
    report = repair(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert report.counts == {
        "bom": 1, "blank_line": 1, "raw_control_character": 1, "misspelt_key": 1, "zero_width_character": 1,
        "space_before_answer": 1, "duplicate": 1, "crlf": 1, "no_final_newline": 1,
    }  # fmt: skip
    assert report.read - report.written == 2
    left = {problem.code for problem in report.left}
    promised = {code for code, (_, fix) in KINDS.items() if "--repair" in fix}
    assert promised >= {"bom", "misspelt_key", "raw_control_character", "zero_width_character"}
    assert not left & promised
    assert report.left == validate(tmp_path / "b.jsonl")


def test_a_line_too_long_is_copied(copy, monkeypatch):
    monkeypatch.setattr(problems, "LINE_LIMIT", 50)
    monkeypatch.setattr(problems, "CHUNK", 7)
    content = line(answer="x" * 100) + b"\n" + line(answer="y" * 90).rstrip()
    copied, changes, report = copy(content)
    assert copied == content.replace(b"\n\n", b"\n")
    assert changes == [(2, "blank_line")]
    assert (report.read, report.written) == (3, 2)


@pytest.mark.parametrize("name", ["same", "link", "changes"])
def test_never_over_the_original(tmp_path, name):
    path = tmp_path / "a.jsonl"
    path.write_bytes(line("a "))
    (tmp_path / "link").symlink_to(path)
    (tmp_path / "c.jsonl.changes.jsonl").hardlink_to(path)
    out = {"same": path, "link": tmp_path / "link", "changes": tmp_path / "c.jsonl"}[name]
    with pytest.raises(ValueError, match="is the input itself, which is never written over"):
        repair(path, out)
    assert path.read_bytes() == line("a ")


def test_whole_or_not_at_all(tmp_path, monkeypatch):
    (tmp_path / "a.jsonl").write_bytes(line("a ") * 3)
    (tmp_path / "out.jsonl").write_bytes(b"before")
    monkeypatch.setattr("labutils.pairs.validation.checking.validate", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        repair(tmp_path / "a.jsonl", tmp_path / "out.jsonl")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {
        "a.jsonl": line("a ") * 3,
        "out.jsonl": b"before",
    }


def test_what_cannot_be_repaired_at_all(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'[\n{"question": "a", "answer": "b"}\n]\n')
    with pytest.raises(ValueError, match="one JSON list; expected JSON Lines"):
        repair(path, tmp_path / "b.jsonl")
    path.write_bytes(b"\xff\xfe{\0a")
    with pytest.raises(ValueError, match="utf-16"):
        repair(path, tmp_path / "b.jsonl")
    with pytest.raises(FileNotFoundError, match="no folder"):
        repair(path, tmp_path / "absent" / "b.jsonl")
    with pytest.raises(FileNotFoundError):
        repair(tmp_path / "absent", tmp_path / "b.jsonl")
    assert [each.name for each in tmp_path.iterdir()] == ["a.jsonl"]


texts = st.lists(st.sampled_from(["a", "b ", " c", "\u200b", "\n", "\0", "é", "\ud800"]), max_size=3).map("".join)
keys = st.sampled_from(["question", "qestion", "answer", "Answer", "input", "output", "text", "id"])
rows = st.one_of(
    st.dictionaries(keys, texts | st.none() | st.floats(), max_size=3).map(lambda record: json.dumps(record).encode()),
    st.builds(lambda q, a: line(q, a).rstrip(), texts, texts),
    st.sampled_from(
        [b"", b" ", b"\xef\xbb\xbf{}", b"\xff", b"[", b'{"text": "a\tb"}', b'{"question":"a ","answer":1.50}']
    ),
)
files = st.lists(st.tuples(rows, st.sampled_from([b"\n", b"\r\n"])), max_size=8).map(
    lambda pairs: b"".join(row + end for row, end in pairs)
)


@settings(law, max_examples=80)
@given(files)
def test_no_pair_is_lost_and_a_copy_needs_no_second_repair(copy, content):
    try:
        copied, changes, report = copy(content)
    except ValueError as error:
        assert "is one JSON list" in str(error)
        return
    assert not {problem.code for problem in report.left} & REPAIRED
    dropped = sum(code in ("blank_line", "duplicate") for _, code in changes)
    assert content.count(b"\n") - dropped == copied.count(b"\n") == report.written
    assert copy(copied)[:2] == (copied, [])


@settings(law, max_examples=60)
@given(contents)
def test_any_bytes_are_a_copy_or_a_value_error(copy, content):
    try:
        copied, _, report = copy(content)
    except ValueError:
        return
    assert copied.endswith(b"\n") or not copied
    assert report.written == copied.count(b"\n")


@law
@given(st.dictionaries(st.text(max_size=9) | keys, st.none() | texts | st.lists(texts, max_size=2), max_size=4))
def test_a_mended_record_needs_no_mending(record):
    once, _ = mend(record)
    assert mend(once) == (once, [])
    assert len(once) == len(record)
