"""Conversations: every fault of order, roles, weights and tool calls, sound ones of every dialect, and what is read."""

import json

import pytest

from labutils.pairs import own
from labutils.pairs.validation import turns, validate
from labutils.places import DATA

USER, SAYS = {"role": "user", "content": "Weather in Bern?"}, {"role": "assistant", "content": "It is 12 C."}
SYSTEM = {"role": "system", "content": "Be brief."}
TOOL = {"role": "tool", "tool_call_id": "c1", "content": "12 C"}
TOOLS = [{"type": "function", "function": {"name": "w", "parameters": {}}}]


def calls(*ids: str | None, arguments: object = '{"c": "Bern"}', name: object = "w", **more: object) -> dict:
    """A message that calls a tool once for each id."""
    made = [{"id": id, "type": "function", "function": {"name": name, "arguments": arguments}} for id in ids]
    return {"role": "assistant", "content": None, "tool_calls": made, **more}


def codes(messages: object, **beside: object) -> list[str]:
    """The kinds of fault, a "?" behind one that is a warning here."""
    found = turns.read({"messages": messages, **beside}, "messages").faults
    return [fault.code + "?" * (fault.severity == "warning") for fault in found]


@pytest.mark.parametrize(
    "messages",
    [
        [USER, SAYS],
        [SYSTEM, USER, SAYS, USER, SAYS],
        [SYSTEM | {"role": "developer"}, USER, SAYS | {"weight": 0}, USER, SAYS | {"weight": 1}],
        [USER, calls("c1"), TOOL, SAYS],
        [USER, calls("c1", arguments={"c": "Bern"}), TOOL, SAYS],
        [USER, calls("c1", "c2"), TOOL | {"tool_call_id": "c2"}, TOOL, SAYS],
        [USER, calls(None, None), {"role": "tool", "content": "1"}, {"role": "tool", "content": ""}, SAYS],
        [USER, calls("c1"), TOOL, calls("c1"), TOOL, SAYS],
        [USER, {"role": "assistant", "function_call": {"name": "w", "arguments": "{}"}},
         {"role": "function", "name": "w", "content": "12 C"}, SAYS],
        [USER | {"content": [{"type": "text", "text": "Weather?"}]}, SAYS],
        [USER | {"tool_calls": None, "weight": None, "whatever": None}, SAYS | {"tool_call_id": None}],
    ],
)  # fmt: skip
def test_sound_conversations(messages):
    assert codes(messages, tools=TOOLS) == codes(messages, tools=None) == codes(messages) == []


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([USER, USER, SAYS], ["turn_order"]),
        ([USER, SAYS, SAYS], ["turn_order"]),
        ([SAYS, USER, SAYS], ["turn_order"]),
        ([SYSTEM, SAYS], ["turn_order"]),
        ([USER, SYSTEM, SAYS], ["turn_order", "turn_order"]),
        ([USER, SAYS, SYSTEM, USER, SAYS], ["turn_order"]),
        ([USER, calls("c1"), TOOL, USER, SAYS], ["turn_order"]),
        ([USER, {"role": "bot", "content": "Hm."}, SAYS], ["unknown_role"]),
        ([USER, {"role": ["assistant"], "content": "Hm."}, SAYS], ["unknown_role"]),
        ([USER], ["no_answer"]),
        ([USER, SAYS, USER], ["no_answer?"]),
        ([USER, SAYS | {"weight": 0}], ["no_answer"]),
        ([USER, SAYS | {"weight": 0.5}, USER, SAYS], ["weight"]),
        ([USER, SAYS | {"weight": True}], ["weight"]),
        ([USER, SAYS | {"weight": "1"}], ["weight"]),
        ([USER | {"weight": 0}, SAYS], ["weight?"]),
        ([USER, calls("c1", arguments="{c: Bern}"), SAYS], ["tool_call", "turn_order"]),
        ([USER, calls("c1", arguments="[1]"), TOOL, SAYS], ["tool_call"]),
        ([USER, calls("c1", name=""), TOOL, SAYS], ["tool_call"]),
        ([USER, calls("c1", name="v"), TOOL, SAYS], ["tool_call"]),
        ([USER, SAYS | {"tool_calls": ["w"]}], ["tool_call"]),
        ([USER | {"tool_calls": calls("c1")["tool_calls"]}, TOOL, SAYS], ["tool_call"]),
        ([USER, calls("c1", "c1"), TOOL, TOOL, SAYS], ["tool_call"]),
        ([USER, calls("c1")], ["tool_answer?"]),
        ([USER, calls("c1"), SAYS], ["turn_order", "tool_answer"]),
        ([USER, calls("c1"), TOOL, TOOL, SAYS], ["tool_answer"]),
        ([USER, calls("c1"), TOOL | {"tool_call_id": "c2"}, SAYS], ["tool_answer", "tool_answer"]),
        ([USER, SAYS, TOOL, SAYS], ["tool_answer"]),
        ([USER | {"content": [{"type": "image_url"}]}, SAYS], ["wrong_type"]),
        ([USER, SAYS | {"content": None}], ["null"]),
        ([USER, SAYS | {"content": ""}], ["empty_text"]),
        ([USER, SAYS | {"content": " "}], ["blank_text"]),
        ([USER, SAYS | {"content": ["a"]}], ["wrong_type"]),
        ([USER, {"role": "assistant"}], ["missing_key"]),
        ([USER, 7], ["wrong_type"]),
        ([USER, {"role": "model", "content": "So."}], ["unknown_role"]),
        ([USER | {"content": [{"type": "input_text", "text": "Why?"}]}, SAYS], []),
        (json.dumps([USER, SAYS]), []),
        ("Hi", ["wrong_type"]),
        ([], ["empty_text"]),
        (None, ["null"]),
    ],
)  # fmt: skip
def test_faults_of_a_conversation(messages, expected):
    assert codes(messages, tools=TOOLS) == expected


@pytest.mark.parametrize("tools", ["w", [7], [{"type": "function"}], {"name": "w"}])
def test_tools_need_their_names(tools):
    assert codes([USER, SAYS], tools=tools) == ["tool_call"]


def test_faults_name_their_message():
    found = turns.read({"messages": [USER, USER, SAYS, calls("c1"), SAYS | {"weight": 2}]}, "messages").faults
    assert [fault.cause for fault in found] == [
        'message 5 has the weight "2"',
        "message 2: user comes behind user",
        "message 4: assistant comes behind assistant",
        "message 5: assistant comes behind assistant",
        "message 5 comes before the answer to 1 tool calls",
    ]


def test_sharegpt_with_a_tool_is_read_as_messages():
    row = [
        {"from": "human", "value": "Weather?"},
        {"from": "function_call", "value": '{"name": "w", "arguments": {"c": "Bern"}}'},
        {"from": "observation", "value": "12 C"},
        {"from": "gpt", "value": "It is 12 C."},
    ]
    messages, _, faults = turns.read({"conversations": row}, "sharegpt")
    assert faults == [] and [message["role"] for message in messages] == ["user", "assistant", "tool", "assistant"]
    assert messages[1]["tool_calls"][0]["function"] == {"name": "w", "arguments": {"c": "Bern"}}
    row[1]["value"] = "w()"
    assert turns.read({"conversations": row}, "sharegpt").faults[0].code == "tool_call"


def test_validate_tells_a_conversation_as_what_it_is(tmp_path):
    path = tmp_path / "talks.jsonl"
    rows = [{"messages": [USER, calls("c1"), TOOL, SAYS], "tools": TOOLS}, {"messages": [USER, SAYS]}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = {problem.code: problem for problem in validate(path)}
    assert set(found) == {"other_form", "tokens"} and "`ask --chat`" in found["other_form"].fix
    assert "1 with several turns, a system message or tools" in found["other_form"].cause
    rows[0]["messages"][3] = SAYS | {"content": "Write to jorun.pike@tidewren-mail.org."}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert "personal_data" in {problem.code for problem in validate(path)}


@pytest.mark.parametrize("name", ["dialogues", "dialogues_dev"])
def test_the_dialogues_are_sound(name):
    problems = validate(DATA / "company" / f"{name}.jsonl")
    assert {problem.code for problem in problems if problem.severity != "note"} <= {"near_duplicate"}


def test_what_is_read_to_train_on(tmp_path):
    path = tmp_path / "talks.jsonl"
    rows = [
        {"messages": [USER, SAYS]},
        {"messages": [SYSTEM, USER, SAYS]},
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}], "id": 7},
        {"prompt": "2+2?", "completion": "4"},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [row for _, row in own.read_examples(path)] == [
        {"question": USER["content"], "answer": SAYS["content"]},
        {"messages": [SYSTEM, USER, SAYS], "tools": []},
        {"question": "Hi", "answer": "Ho"},
        {"question": "2+2?", "answer": "4"},
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"messages": [USER, USER, SAYS]}, "line 1: message 2: user comes behind user; `validate` names every fault"),
        ({"messages": [USER, SAYS, USER, SAYS], "system": "Be brief."}, 'line 1: "system" belongs to the prompt'),
    ],
)
def test_what_cannot_be_trained_on_is_named(tmp_path, row, words):
    (tmp_path / "talks.jsonl").write_text(json.dumps(row))
    with pytest.raises(ValueError, match=words):
        own.read_examples(tmp_path / "talks.jsonl")
