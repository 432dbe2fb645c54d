"""Every form to every other and back: nothing is lost, and what cannot be carried is refused with line and reason."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labutils import places
from labutils.pairs.conversion import ALPACA_INPUT, FORMS, convert, form_of
from labutils.pairs.own import convert_file
from labutils.pairs.records import numbered, read_jsonl
from labutils.pairs.templates import TEMPLATES, fill
from tests.faults import law

SAME = {  # one pair in every form
    "question/answer": {"question": "Why?", "answer": "So."},
    "instruction/response": {"instruction": "Why?", "response": "So."},
    "input/output": {"input": "Why?", "output": "So."},
    "prompt/completion": {"prompt": "Why?", "completion": "So."},
    "alpaca": {"instruction": "Why?", "input": "", "output": "So."},
    "messages": {"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]},
    "sharegpt": {"conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "So."}]},
    "text": {"text": "### Question:\nWhy?\n\n### Answer:\nSo."},
}


@pytest.mark.parametrize(("form", "to"), list(itertools.product(FORMS, FORMS)))
def test_one_pair_in_every_form(form, to):
    assert form_of(SAME[form]) == form
    assert convert({**SAME[form], "fact": 7}, to) == {**SAME[to], "fact": 7}


texts = st.text(max_size=12) | st.lists(
    st.sampled_from(["a", "\n\n", "Input:\n", ALPACA_INPUT, "### Question:\n", "\n\n### Answer:\n", " "]), max_size=4
).map("".join)
pairs = [name for name in FORMS if name not in ("alpaca", "messages", "sharegpt", "text")]
extra = st.dictionaries(st.sampled_from(["id", "fact", "text", "input", "system"]), st.integers() | texts, max_size=2)


def chats(roles: tuple[str, ...], key: str, speaker: str, said: str) -> st.SearchStrategy:
    turns = st.fixed_dictionaries({speaker: st.sampled_from(roles), said: texts})
    usual = st.tuples(texts, texts).map(lambda two: [{speaker: roles[1 + i], said: two[i]} for i in (0, 1)])
    return (usual | st.lists(turns, max_size=4)).map(lambda messages: {key: messages})


records = st.tuples(
    st.one_of(
        *(st.fixed_dictionaries(dict.fromkeys(FORMS[name], texts)) for name in pairs),
        st.fixed_dictionaries({"instruction": texts, "input": texts, "output": texts}),
        chats(("system", "user", "assistant"), "messages", "role", "content"),
        chats(("system", "human", "gpt"), "conversations", "from", "value"),
        st.builds(lambda q, a: {"text": fill("lecture", {"question": q, "answer": a})}, texts, texts),
    ),
    extra,
).map(lambda parts: {**parts[1], **parts[0]})


@law
@given(records, st.sampled_from(list(FORMS)), st.sampled_from(list(TEMPLATES)))
def test_there_and_back_is_the_same_record_or_a_refusal(record, to, template):
    form = form_of(record)
    try:
        made = convert(record, to, template)
    except ValueError as error:
        assert str(error)
        return
    assert form_of(made) == to
    back = convert(made, form, template)
    assert back == ({"input": "", **record} if form == "alpaca" else record)


plain = st.text("abc é?.\n", max_size=15)


@law
@given(plain, plain, st.sampled_from(list(FORMS)), st.sampled_from(list(FORMS)))
def test_plain_pairs_are_never_refused(question, answer, form, to):
    """The law above would hold for a converter that refuses all."""
    record = convert({"question": question, "answer": answer}, form)
    assert convert(record, to) == convert({"question": question, "answer": answer}, to)


@law
@given(st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), texts), max_size=5))
def test_conversations_of_any_length_go_between_the_two_forms(turns):
    record = {"messages": [{"role": role, "content": text} for role, text in turns]}
    assert convert(convert(record, "sharegpt"), "messages") == record


def test_an_alpaca_input_is_part_of_the_question():
    row = {"instruction": "Correct this.", "input": "He go.", "output": "He goes."}
    made = convert(row, "question/answer")
    assert made == {"question": "Correct this.\n\nInput:\nHe go.", "answer": "He goes."}
    assert convert(made, "alpaca") == row
    assert convert({"instruction": "Go.", "output": "Gone."}, "prompt/completion")["prompt"] == "Go."


def chat(*roles: str, key: str = "content", **more: object) -> dict:
    return {"messages": [{"role": role, key: "x", **more} for role in roles]}


@pytest.mark.parametrize(
    ("record", "to", "reason"),
    [
        ({"a": 1}, "text", "no known form: got the keys ['a'], expected those of alpaca, question/answer"),
        ({}, "text", "no known form: got the keys []"),
        (chat("system", "user", "assistant"), "alpaca", "one question and one answer, got system, user, assistant"),
        (chat("user", "assistant") | {"messages": []}, "text", "one question and one answer, got no message"),
        (chat("tool"), "sharegpt", "message 1: no role 'tool'; there are system, user, assistant"),
        (chat("user", name="Ann"), "sharegpt", 'must hold "role" and "content" and nothing else'),
        (chat("user", key="text"), "sharegpt", "got ['role', 'text']"),
        ({"messages": ["a"]}, "sharegpt", "nothing else, got str"),
        ({"messages": None}, "sharegpt", "must be a list of messages, got NoneType"),
        ({"question": 3, "answer": "a"}, "messages", '"question" must be a text, got int: 3'),
        ({"text": "free"}, "messages", "does not follow the template 'lecture'"),
        ({"question": "a", "answer": "b", "input": "c"}, "input/output", 'the key "input" is already there'),
        ({"question": "a", "answer": "b", "text": "c"}, "text", 'the key "text" is already there'),
        ({"instruction": "a", "output": "b", "system": "c"}, "messages", '"system" belongs to the prompt'),
        ({"question": "a\n\n### Answer:\nb", "answer": "c"}, "text", "the way back from text to question/answer"),
        ({"instruction": "a" + ALPACA_INPUT + "b", "input": "c", "output": "d"}, "messages", "the way back"),
        ({"question": "a" + ALPACA_INPUT, "answer": "b"}, "alpaca", "the way back from alpaca"),
        ({"question": "a", "answer": "b"}, "poem", "no form 'poem'; there are alpaca, question/answer"),
    ],
)
def test_what_is_refused(record, to, reason):
    with pytest.raises(ValueError) as raised:
        convert(record, to)
    assert reason in str(raised.value)


def test_a_file_there_and_back(tmp_path):
    source = places.ROOT / "data" / "company" / "train.jsonl"
    for number, to in enumerate(form for form in FORMS if form != "question/answer"):
        there, back = tmp_path / f"{number}.jsonl", tmp_path / f"{number}.back.jsonl"
        assert convert_file(source, to, there) == convert_file(there, "question/answer", back) == 2739
        assert read_jsonl(back) == read_jsonl(source)
        assert {form_of(record) for record in read_jsonl(there)} == {to}


@pytest.mark.parametrize("indent", [None, 1])
def test_a_list_is_read_with_its_lines(tmp_path, indent):
    rows = [{"instruction": f"a{i}", "input": "", "output": "b\n]"} for i in range(3)]
    (tmp_path / "a.json").write_text("\n" + json.dumps(rows, indent=indent) + "\n", encoding="utf-8-sig")
    found = list(numbered(tmp_path / "a.json"))
    assert [record for _, record in found] == rows
    assert [line for line, _ in found] == ([2, 2, 2] if indent is None else [3, 8, 13])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"question": "a", "answer": "b"}\n\n{"question": "a"}\n', "line 3: no known form"),
        (b'{"question": "a"}\n{"question": "b"}\n', "refused too: lines 2. Nothing was written"),
        (b'{"a": 1}\n' * 30, "refused too: lines 2, 3, 4, 5, 6, 7, 8, 9, 10 and 20 more. Nothing"),
        (b'{"a": 1}\nno\n', "line 1: no known form"),
        (b'{"text": "a"}\n', "line 1: the text does not follow"),
        (b'{"question": "a", "answer": "\\ud800"}\n', "line 1: half of a character pair"),
        (b'{"question": "a", "answer": "b", "c": NaN}\n', "line 1: NaN is no JSON"),
        (b'{"question": "a", "answer": "b", "c": 1e999}\n', "line 1: Out of range float values"),
        (b"{" * 100_000, "line 1: not JSON at column 2: a key that is not in"),
        (b'{"a":' * 100_000, "line 1: nested too deep"),
        (b'[{"question": "a", "answer": "b"},\n3]', "line 2: expected an object, got int"),
        (b'[{"question": "a", "answer": "b"}\n{"a": 1}]', "line 1: expected a comma or the end of the list"),
        (b'[{"question": "a",\n"answer": "b"},\n', "line 3: not JSON at column 1: the line may be cut off"),
        (b'[{"question": "a", "answer": "b"}', "line 1: expected a comma or the end of the list"),
        (b'[{"question": "a", "answer": "b"}] x', "line 1: not JSON (Expecting value"),
        (b" \n", "holds no records; expected one JSON object a line"),
    ],
)
def test_a_file_that_is_refused_is_not_written(tmp_path, content, message):
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(ValueError) as raised:
        convert_file(tmp_path / "a.jsonl", "messages", tmp_path / "b.jsonl")
    assert message in str(raised.value)
    assert [each.name for each in tmp_path.iterdir()] == ["a.jsonl"]


def test_a_file_is_never_converted_over_itself(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"question": "a", "answer": "b"}\n')
    with pytest.raises(ValueError, match="is the input itself, which is never written over; give another name"):
        convert_file(path, "messages", path)
