"""The checks of five other tools, by a file with the fault of each: found here, and listed in `docs/checks.md`."""

import json

import pytest

from labutils import places
from labutils.pairs.validation import KINDS, validate
from tests.faults import line

PAGE = places.ROOT / "docs" / "checks.md"
PAIR = line()


def talk(*messages: dict | str, **more: object) -> bytes:
    """A conversation as a line; texts are turns of user and assistant."""
    roles = ("user", "assistant")
    made = [
        {"role": roles[i % 2], "content": each} if isinstance(each, str) else each for i, each in enumerate(messages)
    ]
    return json.dumps({"messages": made, **more}).encode() + b"\n"


def calling(arguments: object = '{"town": "Bern"}', name: str = "weather", **more: object) -> dict:
    """A message that calls a tool."""
    call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call | more]}


SCHEMA = {"type": "object", "properties": {"town": {"enum": ["Bern", "Genf"]}}, "required": ["town"]}
TOOL = {"type": "function", "function": {"name": "weather", "description": "d", "parameters": SCHEMA}}
REPLY = {"role": "tool", "tool_call_id": "c1", "content": "12 C"}
LONG = line("Why? " * 600)

# tool, what it checks, a file with the fault, the kind that tells it here (or the command that does it, without a file)
PEERS: list[tuple[str, str, bytes, str]] = [
    ("together", "the file is not empty", b"", "empty_file"),
    ("together", "the kind of file: JSON Lines, Parquet; CSV for evaluation only", b"PAR1\0", "foreign_file"),
    ("together", "UTF-8", PAIR.replace(b"wren", b"caf\xe9"), "invalid_utf8"),
    ("together", "each line is JSON", b'{"question": "a"\n', "not_json"),
    ("together", "each line is an object", b"[1]\n", "not_an_object"),
    ("together", "the keys are those of one known format", b'{"foo": "a", "bar": "b"}\n', "missing_key"),
    ("together", "all lines have the same format", PAIR * 2 + b'{"text": "a"}\n', "mixed_families"),
    ("together", "no further columns", PAIR * 2 + line("Who?", sorce="x"), "extra_key"),
    ("together", "the values are texts", line(answer=3), "wrong_type"),
    ("together", "messages are a list", b'{"messages": "Hi"}\n', "wrong_type"),
    ("together", "the list is not empty", b'{"messages": []}\n', "empty_text"),
    ("together", "each message has a role and a content", talk({"role": "user"}, "So."), "missing_key"),
    ("together", "known roles", talk({"role": "bot", "content": "Hi"}, "So."), "unknown_role"),
    ("together", "user and assistant take turns", talk("Hi", {"role": "user", "content": "Ho"}, "a"), "turn_order"),
    ("together", "a weight is 0 or 1", talk("Hi", {"role": "assistant", "content": "a", "weight": 2}), "weight"),
    ("together", "preferences: an input and two outputs",
     b'{"input": {"messages": []}, "preferred_output": [], "non_preferred_output": []}\n', "preferences"),
    ("together", "the number of examples, the size of the file", PAIR, "tokens"),
    ("together", "CSV: a header, and as many columns in every row", b"", "`convert` of a table"),
    ("mistral", "each line is JSON", b"no\n", "not_json"),
    ("mistral", "a text, or messages", b'{"foo": "a"}\n', "missing_key"),
    ("mistral", "messages have a role; all but calls have a content", talk({"content": "Hi"}, "So."), "missing_key"),
    ("mistral", "known roles", talk({"role": "human", "content": "Hi"}, "So."), "unknown_role"),
    ("mistral", "a system message at the beginning only", talk("Hi", {"role": "system", "content": "b"}), "turn_order"),
    ("mistral", "the order of turns", talk("Hi", "a", {"role": "assistant", "content": "b"}), "turn_order"),
    ("mistral", "the last message is the assistant's", talk("Hi", "a", "Ho"), "no_answer"),
    ("mistral", "tools have a name and JSON Schema parameters", talk("Hi", "a", tools=[{"function": {}}]), "tool_call"),
    ("mistral", "calls have a name and arguments", talk("Hi", calling(None), REPLY, calling()), "tool_call"),
    ("mistral", "the message of a tool answers a call", talk("Hi", "a", "Ho", REPLY, "b"), "tool_answer"),
    ("mistral", "every example can be made into tokens", line("\ud83d"), "lone_surrogate"),
    ("mistral", "tokens, epochs and the time of a run", PAIR, "tokens"),
    ("mistral", "a corrected copy without the faulty lines", b"", "`validate --repair`"),
    ("cookbook", "each example is an object", b'"a"\n', "not_an_object"),
    ("cookbook", "there is a list of messages", b'{"mesages": []}\n', "misspelt_key"),
    ("cookbook", "role and content are there", talk({"role": "user"}, "a"), "missing_key"),
    ("cookbook", "no other keys in a message", talk("Hi", {"role": "assistant", "content": "a", "x": 1}), "extra_key"),
    ("cookbook", "known roles", talk({"role": "bot", "content": "Hi"}, "a"), "unknown_role"),
    ("cookbook", "the content is a text", talk("Hi", {"role": "assistant", "content": None}), "null"),
    ("cookbook", "at least one message of the assistant", talk("Hi"), "no_answer"),
    ("cookbook", "examples without a message of the user", talk({"role": "assistant", "content": "a"}), "turn_order"),
    ("cookbook", "examples over the limit, which are cut", LONG, "nothing_left"),
    ("cookbook", "tokens and their price", PAIR, "tokens"),
    ("axolotl", "examples over the length are dropped", LONG, "nothing_left"),
    ("axolotl", "examples without a trained token are dropped", line(answer=""), "empty_text"),
    ("axolotl", "the tokens of some examples, trained and ignored ones told apart", b"", "`validate --tokens`"),
    ("tooldata-lint", "a called tool is defined", talk("Hi", calling(name="rain"), REPLY, tools=[TOOL]), "tool_call"),
    ("tooldata-lint", "arguments fit the tool's JSON Schema",
     talk("Hi", calling('{"town": "Rome"}'), REPLY, "a", tools=[TOOL]), "tool_call"),
    ("tooldata-lint", "arguments are JSON", talk("Hi", calling("{"), REPLY, "a"), "tool_call"),
    ("tooldata-lint", "every call has one answer", talk("Hi", calling(), "Ho", "a"), "tool_answer"),
    ("tooldata-lint", "every answer has its call", talk("Hi", calling(), REPLY, REPLY, "a"), "tool_answer"),
]  # fmt: skip
NAMES = {
    "together": "Together", "mistral": "mistral-finetune", "cookbook": "OpenAI cookbook", "axolotl": "Axolotl",
    "tooldata-lint": "tooldata-lint",
}  # fmt: skip


@pytest.mark.parametrize(
    ("tool", "what", "content", "kind"), PEERS, ids=[f"{tool}: {what}" for tool, what, *_ in PEERS]
)
def test_what_another_tool_checks_is_found_here(tmp_path, tool, what, content, kind):
    if kind in KINDS:
        (tmp_path / "a.jsonl").write_bytes(content)
        assert kind in {problem.code for problem in validate(tmp_path / "a.jsonl")}


def test_the_page_lists_every_check():
    rows = [f"| {NAMES[tool]} | {what} | {f'`{kind}`' if kind in KINDS else kind} |" for tool, what, _, kind in PEERS]
    assert [row for row in PAGE.read_text(encoding="utf-8").splitlines() if row.startswith("| ")][1:] == rows
