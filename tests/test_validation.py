"""Every kind of fault found at its line; both sides of every threshold; any bytes in, never a traceback out."""

import json
import random
import re
from collections import Counter

import pytest
from hypothesis import given

from labutils import places
from labutils.pairs.own import convert_file
from labutils.pairs.records import read_jsonl, write_jsonl
from labutils.pairs.validation import KINDS, Problem, problems, relations, validate
from labutils.pairs.validation.texts import shape
from tests import faults
from tests.faults import contents, good, law, line

SAMPLE = places.ROOT.parent / "shared" / "samples" / "instruction-data.json"
COMPANY = places.ROOT / "data" / "company"


@pytest.fixture
def check(tmp_path):
    """A function that validates bytes: the problems as (line, code), notes left out unless they are asked for."""

    def run(content: bytes | list[bytes], *, notes: bool = False, **options: object) -> list[tuple[int, str]]:
        return [(p.line, p.code) for p in full(content, **options) if notes or p.severity != "note"]

    def full(content: bytes | list[bytes], **options: object) -> list[Problem]:
        path = tmp_path / "pairs.jsonl"
        path.write_bytes(content if isinstance(content, bytes) else b"".join(content))
        return validate(path, **options)

    run.full = full
    return run


def test_every_kind_is_found_at_its_line(check, tmp_path):
    """A line without a fault is on no problem, either; a line with one shows only what follows from it."""
    content, other, expected = faults.seeded_file()
    (tmp_path / "b.jsonl").write_bytes(other)
    found = {(p.line, p.code) for p in check.full(content, split_with=tmp_path / "b.jsonl")}
    wanted = {(number, code) for code, number in expected.items()}
    assert wanted - found == set()
    assert {*expected, *APART} == set(KINDS)
    also = {(expected["unknown_role"], "mixed_families")}  # a conversation among pairs is another form, too
    assert {each for each in found - wanted if KINDS[each[1]][0] != "note"} == also


APART = {  # kinds that need a file of their own
    "empty_file": (b"\n", 0),
    "json_list": (b'[\n{"question": "a", "answer": "b"}\n]\n', 1),
    "utf16": (good(1)[0].decode().encode("utf-16"), 1),
    "search_bounded": (b"".join(good(4)), 0),
    "foreign_file": (b"PK\3\4 xlsx", 1),
    "several_lines": (b'{\n"question": "a",\n"answer": "b"\n}\n', 1),
    "wrapped": (b'{"data": [{"question": "a", "answer": "b"}]}\n', 1),
}


@pytest.mark.parametrize("code", APART)
def test_every_kind_that_needs_a_file_of_its_own(check, monkeypatch, code):
    monkeypatch.setattr(relations, "MOST_TEXTS", 3)
    content, number = APART[code]
    assert (number, code) in check(content, notes=True)


@pytest.mark.parametrize(("name", "other"), [("train", "dev"), ("train", "test"), ("v2/train", "v2/test")])
def test_the_company_is_clean_and_does_not_leak(name, other):
    found = validate(COMPANY / f"{name}.jsonl", split_with=COMPANY / f"{other}.jsonl")
    assert {(p.code, p.severity) for p in found} == {("tokens", "note"), ("extra_key", "note")}


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample of somebody else's data lies beside some checkouts only")
def test_a_file_that_nobody_here_wrote(tmp_path, capsys):
    assert [p.code for p in validate(SAMPLE)] == ["json_list"]
    pairs = tmp_path / "pairs.jsonl"
    assert convert_file(SAMPLE, "question/answer", pairs) == 1100
    found = validate(pairs)
    counts = Counter(p.code for p in found)
    assert not [p for p in found if p.severity == "error"]
    asked = Counter(" ".join(record["question"].split()).casefold() for record in read_jsonl(pairs))
    again = [text for text, count in asked.items() if count > 1]
    assert counts["different_answers"] + counts["duplicate"] == len(again) == 20
    records = read_jsonl(pairs)
    leaks = []
    for seed in range(5):
        random.Random(seed).shuffle(records)
        write_jsonl(records[:110], tmp_path / "test.jsonl")
        write_jsonl(records[110:], tmp_path / "train.jsonl")
        told = Counter(p.code for p in validate(tmp_path / "test.jsonl", split_with=tmp_path / "train.jsonl"))
        leaks.append((told["split_leak"], told["near_split_leak"]))
    with capsys.disabled():
        print(f"\nsample: {dict(counts)}; leaks of 110 (same, nearly): {leaks}")
    assert all(same >= 1 and nearly >= 10 for same, nearly in leaks)


@pytest.mark.parametrize(
    ("keys", "form", "renamed", "missing", "extra"),
    [
        (("question", "answer", "fact"), "question/answer", {}, (), ("fact",)),
        (("qestion", "answer"), "question/answer", {"qestion": "question"}, (), ()),
        (("Question", "ANSWER"), "question/answer", {"Question": "question", "ANSWER": "answer"}, (), ()),
        (("instruction", "respnse"), "instruction/response", {"respnse": "response"}, (), ()),
        (("instruction", "input", "output"), "alpaca", {}, (), ()),
        (("instruction", "inptu", "output"), "alpaca", {}, (), ("inptu",)),
        (("question",), "question/answer", {}, ("answer",), ()),
        (("question", "reply"), "question/answer", {}, ("answer",), ("reply",)),
        (("text",), "text", {}, (), ()),
        (("txt",), "text", {"txt": "text"}, (), ()),
        (("conversation",), "sharegpt", {"conversation": "conversations"}, (), ()),
        (("foo", "bar"), None, {}, (), ("foo", "bar")),
        ((), None, {}, (), ()),
    ],
)
def test_what_keys_amount_to(keys, form, renamed, missing, extra):
    assert shape(keys) == (form, renamed, missing, extra)


def test_an_extra_key_is_meant_on_half_of_the_lines(check):
    rows = good(20)
    marked = [json.dumps({**json.loads(row), "id": "x"}).encode() + b"\n" for row in rows]
    assert check(marked[:10] + rows[10:]) == []
    assert check(marked[:9] + rows[9:]) == [(1, "extra_key")]


def test_the_family_of_most_lines_counts(check):
    other = b'{"input": "Name a sea bird.", "output": "The gannet."}\n'
    (found,) = [p for p in check.full([good(1)[0], other, *good(2, 1)]) if p.severity != "note"]
    assert (found.line, found.code, found.lines) == (2, "mixed_families", ())
    assert "input/output on line 2, where most lines are question/answer" in found.cause


@pytest.mark.parametrize(
    ("row", "severity"),
    [
        (line(), None),
        (b'{"text": "A gannet."}', None),
        (b'{"prompt": "Name a sea bird.", "completion": "The gannet."}', "note"),
        (b'{"instruction": "Name a bird.", "input": "Of the sea.", "output": "The gannet."}', "warning"),
    ],
)
def test_a_form_that_tuning_does_not_read(check, row, severity):
    found = [p.severity for p in check.full(row + b"\n") if p.code == "other_form"]
    assert found == ([severity] if severity else [])


HIDDEN, BIDI, CONTROL = "zero_width_character", "bidi_character", "control_character"


@pytest.mark.parametrize(
    ("text", "codes"),  # what is at home in its script is in `test_cases`
    [
        ("plain\ttext\r\n", []), ("\u05d0\u00adb", [HIDDEN]), ("\u4e2d\u200bb", [HIDDEN]), ("a\u200db", [HIDDEN]),
        ("a\u200fb", [HIDDEN]), ("a\U000e0067b", [HIDDEN]), ("a\u00adb", [HIDDEN]), ("a\ufeffb", [HIDDEN]),
        ("a\u2066b\u2069", [BIDI]), ("a\x85b", [CONTROL]), ("a\u2028b", [CONTROL]), ("a\x7fb\x00", [CONTROL]),
        ("a\ud800", ["lone_surrogate"]), ("a\ufffdb\x00\u202e\u200b", [BIDI, CONTROL, "replacement_character", HIDDEN]),
    ],
)  # fmt: skip
def test_characters(check, text, codes):
    assert [code for _, code in check(line(answer=text))] == codes


def test_where_a_character_stands_is_told(check):
    (found,) = [p for p in check.full(line(answer="ab\0c\0")) if p.severity != "note"]
    assert found.cause == "answer: U+0000 at character 3 and 1 more"


@pytest.mark.parametrize(
    ("text", "template", "severity"),
    [
        ("So.\n### Question:\nWhy?", "lecture", "error"),
        ("So.\n### Response:\nWhy?", "lecture", "warning"),
        ("So.\n### Response:\nWhy?", "instruction", "error"),
        ("So<|im_end|>", "lecture", "error"),
        ("So<|endoftext|>", "concatenated", "error"),
        ("[INST] So [/INST]", "lecture", "error"),
        ("a <s>price</s> less", "lecture", None),
        ("FAQ: yes", "Q: {question}\nA: {answer}", None),
        ("yes\nQ: again?", "Q: {question}\nA: {answer}", "error"),
        ("### Questions and answers", "lecture", None),
        ("if a <| b |> c", "lecture", None),
        ("So <|x|> is", "lecture", None),
    ],
)
def test_markers(check, text, template, severity):
    found = [p.severity for p in check.full(line(answer=text), template=template) if p.code == "template_marker"]
    assert found == ([severity] if severity else [])


def test_a_text_in_a_template_holds_its_markers_by_right(check):
    asked = "### Question:\nWhy?\n\n### Answer:\n"
    assert check(json.dumps({"text": asked + "So."}).encode()) == []
    assert check(json.dumps({"text": asked + " So."}).encode()) == [(1, "space_before_answer")]


@pytest.mark.parametrize(
    ("question", "answer", "count"),
    [("Why?", "So.", 0), ("Why? ", "So.", 1), ("Why?\n", "So.", 1), ("Why?", " So.", 1), ("Why? ", " So.", 2)],
)
def test_space_before_the_answer(check, question, answer, count):
    assert check(line(question, answer)) == [(1, "space_before_answer")] * count


def test_a_template_that_ends_in_a_space(check):
    assert check(line(), template="{question} = {answer}") == [(0, "space_before_answer")]
    assert check(line(), template="{question} ={answer}") == []


def test_lengths_on_both_sides_of_the_limit(check):
    """The prompt is 4 words and the question; the end-of-text counts."""
    two = "one two"
    row = line(two, "three four five")  # ### Question: one two ### Answer: -> 6; 3; 1
    assert check(row, tokenizer=str.split, max_length=10) == []
    assert check(row, tokenizer=str.split, max_length=9) == [(1, "answer_truncated")]
    assert check(row, tokenizer=str.split, max_length=7) == [(1, "answer_truncated")]
    assert check(row, tokenizer=str.split, max_length=6) == [(1, "nothing_left")]
    text = json.dumps({"text": "a b c"}).encode() + b"\n"
    assert check(text, tokenizer=str.split, max_length=4) == []
    assert check(text, tokenizer=str.split, max_length=3) == [(1, "answer_truncated")]


def test_the_total_of_tokens_and_minutes(check):
    rows = [line("one two", "three four five"), line("six seven", "eight")]
    (told,) = [p for p in check.full(rows, tokenizer=str.split, tokens_per_second=0.1) if p.code == "tokens"]
    assert told.cause == "18 tokens in 2 pairs; 3.0 minutes a pass at 0 tokens a second"
    assert told.line == 0
    (told,) = [p for p in check.full(rows) if p.code == "tokens"]
    assert told.cause == "about 27 tokens in 2 pairs (at 4 characters a token)"


def test_lengths_are_those_of_training(tokenizer, birds, tmp_path):
    from labutils.model.encoding import encode_all

    path = write_jsonl(birds, tmp_path / "a.jsonl")
    total = sum(len(example["input_ids"]) for example in encode_all(birds, "lecture", tokenizer).examples)
    found = validate(path, tokenizer=lambda text: tokenizer.encode(text, add_special_tokens=False))
    (told,) = [p for p in found if p.code == "tokens"]
    assert told.cause == f"{total:,} tokens in 8 pairs"


@pytest.mark.parametrize(
    ("same", "of", "told"),
    [(19, 190, True), (18, 190, False), (10, 40, True), (9, 40, False)],  # a tenth; under ten lines prove nothing
)
def test_one_answer_dominates_from_a_tenth_of_the_pairs(check, same, of, told):
    rows = [line(json.loads(row)["question"], "Yes.") for row in good(same)] + good(of)[same:]
    assert check(rows) == ([(1, "dominating_answer")] if told else [])


@pytest.mark.parametrize(("answers", "share"), [(1, 0.8), (2, 0.8), (3, 2 / 3), (5, 0.4), (20, 0.1), (1000, 0.1)])
def test_few_labels_may_each_stand_often(answers, share):
    assert relations.threshold(answers) == share


def test_relations_tie_their_lines(check):
    rows = [line("Why?", "a"), *good(2), line("why?", "a"), line("WHY?", "b"), line("Why?", "a")]
    found = {p.code: p for p in check.full(rows) if p.severity == "warning"}
    assert set(found) == {"duplicate", "different_answers"}
    assert (found["duplicate"].line, found["duplicate"].lines) == (4, (1, 4, 6))
    assert (found["different_answers"].line, found["different_answers"].lines) == (5, (1, 5))


def test_near_duplicates_on_both_sides_of_the_threshold(check):
    one, alike, other = "abcdefghijklmnop", "abcdefghijklmxyz", "abcdefghijkmxyzw"
    from labutils.corpus.duplicates import shingles, similarity

    assert similarity(shingles(one), shingles(alike)) == 9 / 15
    assert similarity(shingles(one), shingles(other)) < 0.6
    assert check([line(one, "a"), line(other, "b")]) == []
    assert check([line(one, "a"), line(alike, "b")]) == [(2, "near_duplicate")]


def test_the_search_agrees_with_that_of_the_corpus(check):
    from labutils.corpus.duplicates import linked, near_pairs

    choose = random.Random(0)
    names = ["plover", "heron", "finch", "crane", "eagle", "robin", "raven", "swift"]
    asked = [f"Where does the {choose.choice(names)} {choose.choice(names)} nest in {i % 7}?" for i in range(120)]
    asked = list({text.casefold(): text for text in asked}.values())
    expected = [tuple(i + 1 for i in group)[:20] for group in linked([pair[:2] for pair in near_pairs(asked)])]
    found = [p.lines for p in check.full([line(text, str(i)) for i, text in enumerate(asked)]) if "near" in p.code]
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize("limit", ["MOST_CONFIRMED", "MOST_KEPT"])
def test_a_search_that_is_cut_says_so(check, monkeypatch, limit):
    rows = [line("abcdefghijklmnop", "a"), line("abcdefghijklmxyz", "b"), line("zyxwvutsrqponmlk", "c")]
    assert (0, "search_bounded") not in check(rows, notes=True)
    monkeypatch.setattr(relations, limit, 0 if limit == "MOST_CONFIRMED" else 1)
    assert (0, "search_bounded") in check(rows, notes=True)


def test_leaks_name_the_other_line(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"".join([*good(3), faults.LEAKED, faults.NEARLY]))
    (tmp_path / "b.jsonl").write_bytes(b"".join(faults.ELSEWHERE))
    found = {p.code: p for p in validate(tmp_path / "a.jsonl", split_with=tmp_path / "b.jsonl")}
    assert (found["split_leak"].line, found["split_leak"].severity) == (4, "error")
    assert found["split_leak"].cause == "the same question is on line 1 of b.jsonl"
    assert found["near_split_leak"].line == 5
    assert re.fullmatch(r"\d\d% of its runs of five characters .* line 2 of b\.jsonl", found["near_split_leak"].cause)
    assert "1 lines of b.jsonl hold no pair" in found["unread_other"].cause


def test_many_problems_of_a_kind_are_counted(check, monkeypatch):
    monkeypatch.setattr(problems, "PER_KIND", 5)
    found = [p for p in check.full(b'{"a" 1}\n' * 12) if p.code == "not_json"]
    assert [p.line for p in found] == [1, 2, 3, 4, 5, 12]
    assert found[-1].cause.startswith("7 further problems of this kind, the last at line 12")


def test_hashes_beyond_memory_give_the_same(check, monkeypatch):
    rows = good(100) * 2
    before = check(rows)
    monkeypatch.setattr(relations, "IN_MEMORY", 24)
    assert check(rows) == before
    assert Counter(code for _, code in before) == {"duplicate": 100}


def test_a_list_is_told_from_lines_of_lists(check):
    assert check(b'[{"question": "a", "answer": "b"}]') == [(1, "json_list")]
    assert check(b"\n [\n]\n") == [(1, "json_list")]
    assert check(b'["a"]\n["b"]\n') == [(0, "empty_file"), (1, "not_an_object"), (2, "not_an_object")]
    assert check(b'[1, 2\n{"question": "a", "answer": "b"}\n') == [(1, "not_json")]


@pytest.mark.parametrize("coding", ["utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_other_encodings_are_read(check, coding):
    content = b"".join(good(3)).decode().encode(coding)
    assert check(content) == [(1, "utf16")]
    assert (2, "null") in check((good(1)[0] + line("a", None)).decode().encode(coding))


@pytest.mark.parametrize(
    ("row", "cause"),  # the common mistakes are in `test_cases`
    [
        (b'{"question": "a', "may be cut off"),
        (b'{"question": NaN}', "NaN is no JSON"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"question": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_why_a_line_is_no_json(check, row, cause):
    (found,) = [p for p in check.full(good(1)[0] + row + b"\n") if p.code == "not_json"]
    assert cause in found.cause and found.line == 2 and len(found.cause) < 250


def test_the_longest_line_that_is_parsed(check, monkeypatch):
    row = line("Why?", "x" * 100)
    monkeypatch.setattr(problems, "LINE_LIMIT", len(row) - 1)  # the newline does not count
    assert check(row) == []
    monkeypatch.setattr(problems, "LINE_LIMIT", len(row) - 2)
    too_long = [(number, "line_too_long") for number in (1, 3)]
    assert check([row, b"\n", row]) == [(0, "empty_file"), too_long[0], (2, "blank_line"), too_long[1]]


def test_progress_goes_from_line_to_line_and_ends_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(problems, "PROGRESS_EVERY", 1000)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join(good(50)))
    told = []
    validate(path, on_progress=told.append)
    assert len(told) > 3 and told[-1] == (path.stat().st_size, path.stat().st_size, 50)
    assert told == sorted(told)


@law
@given(contents, contents)
def test_any_bytes_are_problems_never_an_error(check, tmp_path, content, other):
    (tmp_path / "other.jsonl").write_bytes(other)
    found = check.full(content, split_with=tmp_path / "other.jsonl")
    count = content.count(b"\n") + 1
    for problem in found:
        assert 0 <= problem.line <= count and problem.severity in ("error", "warning", "note")
        assert problem.code in KINDS and problem.cause and problem.fix
    json.dumps([problem._asdict() for problem in found]).encode()
