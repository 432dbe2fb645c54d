"""Records: their key families, JSON Lines in and out whatever happens in between, and a split that leaks nothing."""

import os
import signal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labutils.corpus.duplicates import near_pairs
from labutils.pairs.records import family, pair, read_jsonl, split, write_jsonl
from tests.faults import contents, law

letters = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | letters,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(letters, inner, max_size=3),
    max_leaves=8,
)
json_records = st.lists(st.dictionaries(letters, values, max_size=4), max_size=5)


@pytest.mark.parametrize(
    ("record", "name", "sides"),
    [
        ({"question": "2+2?", "answer": "4"}, "question/answer", ("2+2?", "4")),
        ({"instruction": "Add.", "response": "4"}, "instruction/response", ("Add.", "4")),
        ({"input": "Hi", "output": "Hello"}, "input/output", ("Hi", "Hello")),
        ({"text": "all of it"}, "text", ("", "all of it")),
        ({"text": "t", "answer": "a", "question": "q", "fact": "f"}, "question/answer", ("q", "a")),
    ],
)
def test_families_and_their_sides(record, name, sides):
    assert family(record) == name
    assert pair(record) == sides


FAMILIES = "expected one of question/answer, instruction/response, input/output, text"


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({}, f"no known key family: got keys [], {FAMILIES}"),
        ({"question": "q", "response": "r"}, f"no known key family: got keys ['question', 'response'], {FAMILIES}"),
        ({"question": None, "answer": "a"}, '"question" must be a string, got NoneType: None'),
        ({"question": "q", "answer": 42}, '"answer" must be a string, got int: 42'),
        ({"text": ["a"] * 30}, "\"text\" must be a string, got list: ['a', 'a'"),
    ],
)
def test_what_is_no_pair(record, message):
    with pytest.raises(ValueError) as raised:
        pair(record)
    assert str(raised.value).startswith(message)
    assert len(str(raised.value)) < 130


@law
@given(json_records)
def test_records_come_back_as_they_were_written(tmp_path, records):
    path = write_jsonl(records, tmp_path / "records.jsonl")
    assert repr(read_jsonl(path)) == repr(records)
    assert path.read_bytes().count(b"\n") == len(records)


def test_the_bytes_of_a_file(tmp_path):
    path = write_jsonl(iter([{"question": "Größe?\n", "answer": "3 µm\u2028"}, {}]), str(tmp_path / "a.jsonl"))
    assert path == tmp_path / "a.jsonl"
    assert path.read_bytes() == '{"question": "Größe?\\n", "answer": "3 µm\u2028"}\n{}\n'.encode()


def test_reading_passes_over_blank_lines_a_byte_order_mark_and_windows_line_ends(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\r\n \t\n{"a":\r 2}\n{"a": "\xe2\x80\xa8"}')
    assert read_jsonl(path) == [{"a": 1}, {"a": 2}, {"a": "\u2028"}]


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b'{"a": 1}\n\n{"a": 1\n', 3, "not JSON at column 1: the line may be cut off"),
        (b'{"a": 1}\n{"a": 1} {"a": 2}\n', 2, "not JSON at column 10: two objects on one line"),
        (b'{"a": "\xff"}\n', 1, "byte 0xff is no UTF-8; save the file as UTF-8"),
        (b'\n["\n\xff"]', 3, "byte 0xff is no UTF-8; save the file as UTF-8"),
        (b"[" * 100_000, 1, "nested too deep"),
        (b"1" * 5_000, 1, "Exceeds the limit"),
        (b'{"a": 1}\n["a"]\n', 2, "expected an object, got list"),
        (b"null\n", 1, "expected an object, got NoneType"),
        (b'{"a": 1, "a": 2}\n', 1, "a key occurs twice in one object"),
    ],
)
def test_a_line_that_is_no_record(tmp_path, content, line, message):
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(ValueError) as raised:
        read_jsonl(path)
    assert str(raised.value).startswith(f"{path}, line {line}: {message}")


@law
@given(contents)
def test_any_bytes_are_records_or_a_value_error(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    try:
        assert all(type(record) is dict for record in read_jsonl(path))
    except ValueError as error:
        assert str(error).startswith(f"{path}, line ")


def torn():
    yield {"a": "new"}
    raise OSError("the source broke off")


@pytest.mark.parametrize(
    ("records", "error", "message"),
    [
        (torn(), OSError, "the source broke off"),
        ([{"a": 1}, {"a": {1, 2}}], TypeError, "record 2: Object of type set is not JSON serializable"),
        ([{"a": float("nan")}], ValueError, "record 1: Out of range float values are not JSON compliant"),
        ([{"a": 1}, ["a"]], TypeError, "record 2: expected a dict, got list"),
        ({"a": 1}, TypeError, "record 1: expected a dict, got str"),
    ],
)
def test_an_error_leaves_the_old_file_and_nothing_beside_it(tmp_path, records, error, message):
    path = write_jsonl([{"a": "old"}], tmp_path / "a.jsonl")
    with pytest.raises(error, match=f"^{message}"):
        write_jsonl(records, path)
    assert path.read_bytes() == b'{"a": "old"}\n'
    assert list(tmp_path.iterdir()) == [path]


KILLED = """
import sys, time
from labutils.pairs.records import write_jsonl

def slow():
    yield from ({"a": "new" * 10_000} for _ in range(20))
    print("in the middle", flush=True)
    time.sleep(60)

write_jsonl(slow(), sys.argv[1])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_kill_in_the_middle_of_writing_leaves_the_old_file(tmp_path):
    path = write_jsonl([{"a": "old"}], tmp_path / "a.jsonl")
    env = {**os.environ, "HF_HOME": str(tmp_path / "home")}
    with subprocess.Popen([sys.executable, "-c", KILLED, path], stdout=subprocess.PIPE, text=True, env=env) as writer:
        assert writer.stdout.readline() == "in the middle\n"
        os.kill(writer.pid, signal.SIGKILL)
    assert writer.returncode == -signal.SIGKILL
    assert path.read_bytes() == b'{"a": "old"}\n'
    write_jsonl([{"a": "newer"}], path)
    assert read_jsonl(path) == [{"a": "newer"}]


def test_half_of_a_character_pair_becomes_an_escape(tmp_path):
    path = write_jsonl([{"a": "é\ud83d"}, {"a": "é"}], tmp_path / "a.jsonl")
    assert path.read_bytes() == b'{"a": "\\u00e9\\ud83d"}\n{"a": "\xc3\xa9"}\n'
    assert read_jsonl(path) == [{"a": "é\ud83d"}, {"a": "é"}]


def different(n: int) -> list[dict]:
    """Records whose questions share no run of five characters."""
    return [{"question": chr(97 + i) * 6, "answer": str(i)} for i in range(n)]


def rows(parts) -> list[dict]:
    return [row for name in ("train", "test") for row in parts[name]]


@pytest.mark.parametrize(("held_out", "tested"), [(0.2, 2), (0.21, 3), (0.01, 1), (0.9, 9)])  # at least the share
def test_how_many_are_held_out(held_out, tested):
    parts = split(different(10), held_out=held_out)
    assert (parts["train"].num_rows, parts["test"].num_rows) == (10 - tested, tested)


def test_a_split_is_the_same_for_the_same_seed_and_another_for_another():
    first, again, other = (split(different(20), held_out=0.5, seed=seed)["test"].to_list() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_both_sides_keep_the_order_of_the_records():
    parts = split(different(20), held_out=0.5)
    assert all(part["question"][:] == sorted(part["question"]) for part in parts.values())


ALIKE = [{"question": "How tall is it?", "answer": a} for a in "xyz"]


@pytest.mark.parametrize(
    ("records", "how", "message"),
    [
        (different(4), {"held_out": 0}, "held_out must lie between 0 and 1, got 0$"),
        (different(4), {"held_out": 1}, "held_out must lie between 0 and 1, got 1$"),
        (different(4), {"same": "fcat"}, "no record has the key 'fcat'; there are question, answer$"),
        ([], {}, "0 records in groups that belong together leave one side empty "),
        (different(1), {}, "1 records in groups that belong together leave one side empty "),
        (ALIKE, {}, "3 records in groups that belong together leave one side empty "),
    ],
)
def test_what_cannot_be_parted(records, how, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        split(records, **how)


def test_a_record_without_the_key_is_tied_to_none():
    records = [{"question": chr(97 + i) * 6, "answer": "x", **({"fact": "f"} if i < 2 else {})} for i in range(6)]
    sizes = {split(records, held_out=0.1, seed=seed, same="fact")["test"].num_rows for seed in range(20)}
    assert sizes == {1, 2}


@pytest.mark.parametrize(("other", "tested"), [("abcdefghi", {1, 2}), ("abcdefghij", {1})])
def test_questions_are_near_from_six_tenths_on(other, tested):
    """3 of 5 runs of five characters are shared with "abcdefg", then 3 of 6."""
    records = [*different(4), {"question": "ABCDEFG?", "answer": "x"}, {"question": other, "answer": "y"}]
    assert {split(records, held_out=0.01, seed=seed)["test"].num_rows for seed in range(40)} == tested


def test_known_pairs_replace_the_search():
    assert split(ALIKE, near=[])["test"].num_rows == 1
    parts = split(ALIKE, near=[(0, 2)])
    assert sorted(part["answer"][:] for part in parts.values()) == [["x", "z"], ["y"]]


def test_no_key_is_lost_when_the_first_record_lacks_it():
    records = [*different(3), {"question": "dddddd", "answer": "3", "fact": "f"}]
    found = sorted(rows(split(records, held_out=0.25)), key=lambda row: row["answer"])
    assert found == [*({**record, "fact": None} for record in different(3)), records[3]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["A", 1, None, True], ["A", "1", None, "true"]),
        ([[1], "a", {"b": 2}, 2**70], ["[1]", "a", '{"b": 2}', str(2**70)]),
        (["x\ud83d", "é", "", None], ["x\\ud83d", "é", "", None]),
        ([1, 2.5, None, 3], [1, 2.5, None, 3]),
        ([["a"], [], None, ["b"]], [["a"], [], None, ["b"]]),
    ],
)
def test_no_further_column_stops_a_split(values, expected):
    records = [{**record, "more": value} for record, value in zip(different(4), values, strict=True)]
    for same in (None, "more"):
        found = sorted(rows(split(records, held_out=0.25, same=same)), key=lambda row: row["answer"])
        assert [row["more"] for row in found] == expected


questions = st.lists(st.sampled_from(["how", "tall", "is", "the", "heron", "mast", "why"]), min_size=1, max_size=6)
pairs = st.lists(
    st.fixed_dictionaries({"question": questions.map(" ".join), "fact": st.sampled_from([*"abcdef", None])}),
    min_size=2,
    max_size=12,
)


@law
@given(pairs, st.sampled_from([0.1, 0.3, 0.5, 0.9]), st.integers(0, 5))
def test_a_split_parts_no_near_duplicates_and_no_equal_facts_and_loses_nothing(pairs, held_out, seed):
    records = [{**record, "answer": f"answer {i}"} for i, record in enumerate(pairs)]
    try:
        parts = split(records, held_out=held_out, seed=seed, same="fact")
    except ValueError as error:
        assert f"leave one side empty with held_out={held_out} and seed={seed}; " in str(error)
        return
    assert sorted(rows(parts), key=lambda row: int(row["answer"].split()[1])) == records
    train, test = parts["train"].to_list(), parts["test"].to_list()
    assert len(test) >= held_out * len(records)
    assert not {row["fact"] for row in train} & {row["fact"] for row in test} - {None}
    asked = [row["question"] for row in train + test]
    assert not [pair for pair in near_pairs(asked) if pair[0] < len(train) <= pair[1]]


@pytest.mark.parametrize("extra", [{}, {"input": ""}, {"input": "2+2"}])
def test_an_alpaca_record_is_refused_rather_than_halved(extra):
    with pytest.raises(ValueError, match="convert FILE --to question/answer"):
        family({"instruction": "Add.", "output": "4", **extra})
