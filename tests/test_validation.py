"""Every kind of fault found at its line; both sides of every threshold; any bytes in, never a traceback out."""

import json
import random
import re
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labutils import places
from labutils.pairs.own import convert_file
from labutils.pairs.records import read_jsonl, write_jsonl
from labutils.pairs.validation import KINDS, Problem, contents, problems, relations, validate
from labutils.pairs.validation.texts import likeness, shape
from tests import faults
from tests.faults import good, line

law = settings(
    derandomize=True, deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
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


def test_every_kind_is_found_at_its_line(tmp_path, monkeypatch):
    content, other, expected = faults.seeded_file()
    (tmp_path / "a.jsonl").write_bytes(content)
    (tmp_path / "b.jsonl").write_bytes(other)
    found = validate(tmp_path / "a.jsonl", split_with=tmp_path / "b.jsonl")
    places_of = {code: [p.line for p in found if p.code == code] for code in expected}
    assert {code: lines for code, lines in places_of.items() if expected[code] not in lines} == {}
    apart = {  # kinds that need a file of their own
        "empty_file": (b"\n", 0),
        "json_list": (b'[\n{"question": "a", "answer": "b"}\n]\n', 1),
        "utf16": (good(1)[0].decode().encode("utf-16"), 1),
        "search_bounded": (b"".join(good(4)), 0),
        "foreign_file": (b"PK\3\4 xlsx", 1),
        "several_lines": (b'{\n"question": "a",\n"answer": "b"\n}\n', 1),
        "wrapped": (b'{"data": [{"question": "a", "answer": "b"}]}\n', 1),
    }
    monkeypatch.setattr(relations, "MOST_TEXTS", 3)
    for code, (content, number) in apart.items():
        (tmp_path / "c.jsonl").write_bytes(content)
        assert (number, code) in [(p.line, p.code) for p in validate(tmp_path / "c.jsonl")]
    assert {*expected, *apart} == set(KINDS)


def test_nothing_else_is_found_beside_the_seeded_faults(tmp_path):
    """A line without a fault is on no problem; a line with one fault shows only what follows from it."""
    content, _, expected = faults.seeded_file()
    (tmp_path / "a.jsonl").write_bytes(content)
    found = {(p.line, p.code) for p in validate(tmp_path / "a.jsonl") if p.severity != "note"}
    also = {  # a conversation among pairs is another form, too
        (expected["unknown_role"], "mixed_families"),
    }
    wanted = {(number, code) for code, number in expected.items() if KINDS[code][0] != "note"} | also
    assert found - wanted == set()


@pytest.mark.parametrize("name", ["train.jsonl", "v2/train.jsonl"])
def test_the_company_is_clean(name):
    assert {p.code for p in validate(COMPANY / name)} == {"tokens", "extra_key"}
    assert {p.severity for p in validate(COMPANY / name)} == {"note"}


def test_the_company_does_not_leak():
    for name in ("dev.jsonl", "test.jsonl"):
        found = validate(COMPANY / "train.jsonl", split_with=COMPANY / name)
        assert not {p.code for p in found} & {"split_leak", "near_split_leak", "unread_other", "search_bounded"}


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


def as_conversation(record: object) -> object:
    """A record as a conversation where it has both texts; its values go along whatever they are."""
    if not isinstance(record, dict) or not {"question", "answer"} <= set(record):
        return record
    sides = [{"role": "user", "content": record["question"]}, {"role": "assistant", "content": record["answer"]}]
    return {"messages": sides, **{key: value for key, value in record.items() if key not in ("question", "answer")}}


def seen_by_the_cookbook(rows: list[bytes]) -> str:
    """What the cookbook's code does with lines: "found", "passed", or "crashed" where its loader stops."""
    try:
        examples = [json.loads(row.decode("utf-8")) for row in rows]
    except ValueError:
        return "crashed"
    return "found" if faults.cookbook([as_conversation(example) for example in examples]) else "passed"


def test_how_much_the_seven_checks_of_the_cookbook_find(capsys):
    """Every fault as a conversation, as their format wants it: what their checks see of our kinds."""
    rows = {code: [fault] for code, fault in faults.SEEDED} | dict(faults.TIED)
    rows |= {"split_leak": [faults.LEAKED], "near_split_leak": [faults.NEARLY]}
    rows |= {"dominating_answer": [line(f"Question {i}?", "Always.") for i in range(20)]}
    rows |= {"bom": [b"\xef\xbb\xbf" + good(1)[0]], "utf16": [good(1)[0].decode().encode("utf-16")]}
    rows |= {"crlf": [good(1)[0].replace(b"\n", b"\r\n")], "no_final_newline": [good(1)[0].rstrip()]}
    rows |= {"empty_file": [], "json_list": [b"[\n", good(1)[0], b"]\n"], "foreign_file": [b"PK\3\4"]}
    rows |= {"several_lines": [b"{\n", b"}\n"], "wrapped": [b'{"data": [{"question": "a", "answer": "b"}]}']}
    rows["extra_key"] = [b'{"messages": [{"role": "assistant", "content": "a", "sorce": "b"}]}']
    assert set(KINDS) - set(rows) == {"other_form", "search_bounded", "tokens", "unread_other"}  # said, but no fault
    seen = {code: seen_by_the_cookbook(row) for code, row in rows.items()}
    assert not faults.cookbook([as_conversation(json.loads(row)) for row in good(50)])
    by = {how: sorted(code for code in seen if seen[code] == how) for how in ("found", "crashed", "passed")}
    with capsys.disabled():
        print(f"\ncookbook, of {len(seen)} kinds: " + "; ".join(f"{how} {len(by[how])}" for how in by))
    assert by["found"] == [
        "empty_text", "extra_key", "missing_key", "misspelt_key", "mixed_families", "no_answer", "not_an_object",
        "null", "other_names", "preferences", "tool_answer", "unknown_role", "wrapped", "wrong_type",
    ]  # fmt: skip
    assert by["crashed"] == [
        "blank_line", "bom", "foreign_file", "invalid_utf8", "json_list", "not_json", "raw_control_character",
        "several_lines", "utf16",
    ]  # fmt: skip


CONVERSATIONS = [  # an example of each of the seven errors, and what is told about it here
    (b"[1]", "not_an_object"),
    (b'{"mesages": [{"role": "assistant", "content": "a"}]}', "misspelt_key"),
    (b'{"messages": []}', "empty_text"),
    (b'{"messages": [{"role": "assistant"}]}', "missing_key"),
    (b'{"messages": [{"role": "assistant", "content": "a", "mood": "b"}]}', "extra_key"),
    (b'{"messages": [{"role": "bot", "content": "b"}, {"role": "assistant", "content": "a"}]}', "unknown_role"),
    (b'{"messages": [{"role": "assistant", "content": ""}]}', "empty_text"),
    (b'{"messages": [{"role": "assistant", "content": ["a"]}]}', "wrong_type"),
    (b'{"messages": [{"role": "user", "content": "a"}]}', "no_answer"),
]


@pytest.mark.parametrize(("row", "code"), CONVERSATIONS)
def test_what_the_cookbook_finds_is_found_here(check, row, code):
    assert faults.cookbook([json.loads(row)])
    assert (1, code) in check(row + b"\n")


def test_a_conversation_with_a_tool_and_a_system_message_is_sound(check):
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "w", "arguments": "{}"}}]},
        {"role": "tool", "content": "rain", "tool_call_id": "1"},
        {"role": "assistant", "content": "It rains."},
    ]
    assert check(json.dumps({"messages": turns}).encode() + b"\n") == []
    assert check(json.dumps({"messages": turns[:2]}).encode() + b"\n") == [(1, "no_answer")]
    late = [turns[1], turns[4], turns[1]]
    (found,) = [p for p in check.full(json.dumps({"messages": late}).encode()) if p.code == "no_answer"]
    assert found.severity == "warning"


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


def test_likeness():
    assert likeness("question", ["fact", "qestion"]) == "qestion"
    assert likeness("output", ["input"]) is None


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


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("plain\ttext\r\n", []),
        ("Größe \U0001f600 中文", []),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", []),  # Persian, with its joiner
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", []),  # a family in one picture
        ("\u05d0\u200f!", []),  # a direction mark beside Hebrew
        ("\u179f\u200b\u1793", []),  # Khmer, with the end of a word
        ("PDF\u200c\u0647\u0627", []),  # Persian behind a foreign word
        ("\u182a\u180e\u1820", []),  # Mongolian, with its separator
        ("\u05d0\u00adb", ["zero_width_character"]),
        ("\u4e2d\u200bb", ["zero_width_character"]),
        ("\U0001f3f4\U000e0067\U000e0062\U000e007f", []),  # a flag
        ("a\u200db", ["zero_width_character"]),
        ("a\u200fb", ["zero_width_character"]),
        ("a\U000e0067b", ["zero_width_character"]),
        ("a\u00adb", ["zero_width_character"]),
        ("a\ufeffb", ["zero_width_character"]),
        ("a\u2066b\u2069", ["bidi_character"]),
        ("a\x85b", ["control_character"]),
        ("a\u2028b", ["control_character"]),
        ("a\x7fb\x00", ["control_character"]),
        ("a\ud800", ["lone_surrogate"]),
        ("a\ufffdb\x00\u202e\u200b", [
            "bidi_character", "control_character", "replacement_character", "zero_width_character",
        ]),
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
        ("[INST] r0, r1", "lecture", "note"),
        ("So.</s>", "lecture", "note"),
        ("a <s>price</s> less", "lecture", None),
        ("FAQ: yes", "Q: {question}\nA: {answer}", None),
        ("yes\nQ: again?", "Q: {question}\nA: {answer}", "error"),
        ("### Questions and answers", "lecture", None),
        ("if a <| b |> c", "lecture", None),
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


def words(text: str) -> list[str]:
    return text.split()


def test_lengths_on_both_sides_of_the_limit(check):
    """The prompt is 4 words and the question; the end-of-text counts."""
    two = "one two"
    row = line(two, "three four five")  # ### Question: one two ### Answer: -> 6; 3; 1
    assert check(row, tokenizer=words, max_length=10) == []
    assert check(row, tokenizer=words, max_length=9) == [(1, "answer_truncated")]
    assert check(row, tokenizer=words, max_length=7) == [(1, "answer_truncated")]
    assert check(row, tokenizer=words, max_length=6) == [(1, "nothing_left")]
    text = json.dumps({"text": "a b c"}).encode() + b"\n"
    assert check(text, tokenizer=words, max_length=4) == []
    assert check(text, tokenizer=words, max_length=3) == [(1, "answer_truncated")]


def test_the_total_of_tokens_and_minutes(check):
    rows = [line("one two", "three four five"), line("six seven", "eight")]
    (told,) = [p for p in check.full(rows, tokenizer=words, tokens_per_second=0.1) if p.code == "tokens"]
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


def numbered(count: int, answer: str) -> list[bytes]:
    questions = [json.loads(row)["question"] for row in good(count)]
    return [line(question, answer) for question in questions]


@pytest.mark.parametrize(
    ("same", "of", "told"),
    [(19, 190, True), (18, 190, False), (10, 40, True), (9, 40, False)],  # a tenth; under ten lines prove nothing
)
def test_one_answer_dominates_from_a_tenth_of_the_pairs(check, same, of, told):
    rows = numbered(same, "Yes.") + good(of)[same:]
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
    assert "search_bounded" not in dict(map(reversed, check(rows, notes=True)))
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
    found = [p for p in check.full(b"no\n" * 12) if p.code == "not_json"]
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
    ("row", "cause"),
    [
        (b"{'question': 'a'}", "Python dict"),
        (b'{"question": "a", "answer": "b"},', "a comma follows"),
        (b'{"question": "a"}{"question": "b"}', "a newline may be missing"),
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


def test_what_cannot_be_asked_for(tmp_path):
    path = write_jsonl([{"question": "a", "answer": "b"}], tmp_path / "a.jsonl")
    with pytest.raises(ValueError, match="max_length must be at least 1, got 0"):
        validate(path, max_length=0)
    with pytest.raises(ValueError, match="a template has"):
        validate(path, template="x")
    for wrong in (tmp_path / "absent", tmp_path):
        with pytest.raises(OSError):
            validate(wrong)
    with pytest.raises(FileNotFoundError):
        validate(path, split_with=tmp_path / "absent")


pieces = st.sampled_from(
    [b'{"question":', b'"answer"', b'"a"', b"}", b",", b":", b"[", b"]", b"null", b"1e999", b"\n", b"\r\n", b"\0"]
    + [
        b"\xff",
        b"\xfe\xff",
        b"\xef\xbb\xbf",
        b'"\\ud800"',
        b'{"messages":[{"role":',
        b'{"text":"a"}',
        b" ",
        b"\xc2\x85",
    ]
    + [
        line(),
        line("### Question:\n "),
        b'{"instruction":"a","input":"b","output":"c"}\n',
        b'{"qestion":"a","answer":[]}\n',
    ]
)
anything = st.binary(max_size=200) | st.lists(pieces, max_size=14).map(b"".join)


@law
@given(anything, anything)
def test_any_bytes_are_problems_never_an_error(check, tmp_path, content, other):
    (tmp_path / "other.jsonl").write_bytes(other)
    found = check.full(content, split_with=tmp_path / "other.jsonl")
    count = content.count(b"\n") + 1
    for problem in found:
        assert 0 <= problem.line <= count and problem.severity in ("error", "warning", "note")
        assert problem.code in KINDS and problem.cause and problem.fix
    json.dumps([problem._asdict() for problem in found]).encode()


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
known = [
    "question",
    "answer",
    "text",
    "messages",
    "conversations",
    "role",
    "content",
    "from",
    "value",
    "input",
    "output",
]
objects = st.dictionaries(st.sampled_from(known) | st.text(max_size=8), values | st.lists(st.dictionaries(
    st.sampled_from(["role", "content", "from", "value"]), values, max_size=3), max_size=3), max_size=4)  # fmt: skip


@settings(law, max_examples=50)
@given(st.lists(objects, max_size=3))
def test_any_objects_are_problems_never_an_error(check, records):
    found = check.full("".join(json.dumps(record) + "\n" for record in records).encode())
    assert all(problem.line <= len(records) for problem in found)


def test_marks_at_home_need_a_script_of_their_own_in_the_pair(check):
    assert not contents.at_home("a\u200cb", 1, False)
    assert contents.at_home("a\u200cb", 1, True)
    assert check(line("\u05de\u05d4?", "12.5.2024\u200f")) == []
    assert check(line("What?", "12.5.2024\u200f")) == [(1, "zero_width_character")]
