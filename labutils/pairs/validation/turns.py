"""A conversation: its messages as chat templates read them, and what is wrong with the order of turns, roles, weights,
tool calls and their answers.

`validate` tells all faults; what reads conversations to train on stops at the first error. Characters and personal data
inside the texts are for `contents`.
"""

import difflib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from labutils.pairs.causes import quoted, type_name
from labutils.pairs.conversion import CHAT, FORMS, ROLES, TEXTS, parsed
from labutils.pairs.validation.problems import ERROR, KINDS, WARNING

ALIKE = 0.75  # difflib's ratio; "qestion" and "question" have 0.93, "input" and "output" 0.55
LONGEST_KEY, MOST_KEYS = 40, 50  # what is compared: a damaged file may have a million keys, or one of a million signs
CALLS = ("tool_calls", "function_call")  # beside these a message may have no content; the second is older
MORE = {"messages": {"name", "weight", "tool_call_id", *CALLS}, "sharegpt": set()}
BESIDE = {"tools", "parallel_tool_calls"}  # keys of a record that belong to its messages
MORE_ROLES = {  # how other roles are called in chat templates
    "messages": {"tool": "tool", "function": "tool", "developer": "system"},
    "sharegpt": {"function_call": "assistant", "observation": "tool", "tool": "tool"},
}
BEFORE = {  # which roles may come before a role; None is the beginning. What a tool answers is checked by its call
    "system": (None,),
    "user": (None, "system", "assistant"),
    "assistant": ("user", "tool"),
}


class Fault(NamedTuple):
    """One fault: a code of `problems.KINDS`, and the severity where it is not the kind's own."""

    code: str
    cause: str
    severity: str = ""


class Conversation(NamedTuple):
    """What a record holds; a message that cannot be read has the role "other"."""

    messages: list[dict]  # role (system, user, assistant, tool), content, and where they are there tool_calls, weight
    tools: list[dict]
    faults: list[Fault]

    def errors(self) -> list[str]:
        """What must be repaired before anybody can train on it."""
        return [fault.cause for fault in self.faults if (fault.severity or KINDS[fault.code][0]) == ERROR]

    def several(self) -> bool:
        """Whether there is more than one question and one answer: further turns, a system message, tools, weights."""
        roles = [message["role"] for message in self.messages]
        return roles != ["user", "assistant"] or bool(self.tools) or any(len(each) > 2 for each in self.messages)


def read(record: dict, form: str) -> Conversation:
    """The conversation in a record of the form messages or sharegpt, with its faults. Never an error."""
    key = FORMS[form][0]
    given = parsed(record.get(key))
    if not isinstance(given, list):
        code = "null" if given is None else "wrong_type"
        return Conversation([], [], [Fault(code, f'"{key}" must be a list of messages, got {type_name(given)}')])
    if not given:
        return Conversation([], [], [Fault("empty_text", f'"{key}" is an empty list')])
    faults: list[Fault] = []
    messages = [_message(place, message, form, faults) for place, message in enumerate(given, 1)]
    tools = parsed(record.get("tools")) or []
    names = [_called(tool).get("name") for tool in tools] if _objects(tools) else [None]
    if tools and not all(isinstance(name, str) for name in names):
        faults.append(Fault("tool_call", '"tools" must be a list of objects, each with the name of a function'))
        tools, names = [], []
    unsound = [None, *_ids(given)] if any(fault.code == "tool_call" for fault in faults) else []
    faults += [*_order(messages), *_answered(messages, unsound), *_trained(messages)]
    for place, message in enumerate(messages, 1):
        for call in message.get("tool_calls", ()):
            if names and (name := _called(call).get("name")) not in names:
                faults.append(Fault("tool_call", f"message {place} calls {quoted(name)}, which is none of the tools"))
            elif names:
                faults += _unfit(place, _called(call), _called(tools[names.index(name)]))
    return Conversation(messages, tools, faults)


def said(message: dict) -> str:
    """All that a message says: its text, and its calls as JSON."""
    calls = []
    for call in map(_called, message.get("tool_calls") or ()):
        given = call["arguments"] if isinstance(call["arguments"], str) else json.dumps(call["arguments"])
        calls.append(f'{{"name": {json.dumps(call["name"])}, "arguments": {given}}}')
    return "\n".join(filter(None, [message["content"], *calls]))


def whole(found: Conversation) -> str:
    """The text of a conversation about as chat templates write it (as ChatML), to count its tokens."""
    turns = [(message["role"], said(message)) for message in found.messages]
    if found.tools:
        turns.insert(0, ("system", "\n".join(json.dumps(_called(tool)) for tool in found.tools)))
    return "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in turns)


def likeness(key: str, others: list[str]) -> str | None:
    """The one of several keys that looks like a misspelt `key`. likeness("answer", ["fact", "Answr"]) -> "Answr"."""
    short = [other for other in others[:MOST_KEYS] if len(other) <= LONGEST_KEY]
    plain = {other.strip().casefold(): other for other in reversed(short)}
    close = difflib.get_close_matches(key, plain, n=1, cutoff=ALIKE)
    return plain[close[0]] if close else None


def _message(place: int, message: Any, form: str, faults: list[Fault]) -> dict:
    """One message, its faults told."""
    if not isinstance(message, dict):
        faults.append(Fault("wrong_type", f"message {place} must be an object, got {type_name(message)}"))
        return {"role": "other", "content": None}
    speaker, text = CHAT[form]
    message = {key: value for key, value in message.items() if value is not None or key == text}  # as tables fill up
    calling = any(message.get(key) for key in CALLS)
    faults += _keys(place, message, form, calling)
    name = message.get(speaker)
    roles = ROLES[form] | MORE_ROLES[form]
    role = roles.get(name, "other") if isinstance(name, str) else "other"
    if speaker in message and role == "other":
        faults.append(Fault("unknown_role", f"message {place}: no role {quoted(name)}"))
    made = {"role": role, "content": None}
    if form == "sharegpt" and name == "function_call":
        made["tool_calls"] = _calls(place, {"function_call": message.get(text)}, faults)
        return made
    if calling:
        made["tool_calls"] = _calls(place, message, faults)
        if role != "assistant":
            faults.append(Fault("tool_call", f"message {place}: a tool is called by the assistant, not by {role}"))
    if text in message and not (message[text] in (None, "") and (calling or (role == "tool" and message[text] == ""))):
        made["content"] = _text(place, text, message[text], faults)
    elif role == "tool" and text in message:
        made["content"] = ""
    if isinstance(message.get("tool_call_id"), str) and form == "messages":
        made["tool_call_id"] = message["tool_call_id"]
    if "weight" in message and form == "messages":
        faults += _weight(place, message["weight"], role)
        made["weight"] = message["weight"]
    return made


def _keys(place: int, message: dict, form: str, calling: bool) -> Iterator[Fault]:
    speaker, text = CHAT[form]
    for key in [key for key in CHAT[form] if key not in message and not (key == text and calling)]:
        like = likeness(key, [each for each in message if each not in CHAT[form]])
        code, more = ("misspelt_key", f"; {quoted(like)} seems to be it") if like else ("missing_key", "")
        yield Fault(code, f'message {place} has no "{key}"{more}')
    if {speaker, text} <= set(message) and (extra := set(message) - {speaker, text} - MORE[form]):
        yield Fault("extra_key", f"message {place} has the further key {quoted(min(extra))}")


def _text(place: int, key: str, value: Any, faults: list[Fault]) -> str | None:
    """A text that says something, the parts of one joined; None elsewhere, with the fault."""
    if isinstance(value, list) and value and _objects(value):
        texts = [part.get("type") in TEXTS and isinstance(part.get("text"), str) for part in value]
        if not all(texts):
            kind = quoted(value[texts.index(False)].get("type"))
            faults.append(Fault("wrong_type", f"message {place} holds a part of the type {kind}; expected text"))
            return None
        value = "".join(part["text"] for part in value)
    where = f'"{key} of message {place}"'
    if not isinstance(value, str):
        code = "null" if value is None else "wrong_type"
        faults.append(Fault(code, f"{where} must be a text, got {type_name(value)}"))
        return None
    if not value.strip():
        code, what = ("blank_text", "holds white space only") if value else ("empty_text", "is empty")
        faults.append(Fault(code, f"{where} {what}"))
        return None
    return value


def _weight(place: int, weight: Any, role: str) -> Iterator[Fault]:
    if isinstance(weight, bool) or weight not in (0, 1):
        yield Fault("weight", f"message {place} has the weight {quoted(weight)}")
    elif role != "assistant":
        yield Fault("weight", f"message {place}: a weight of {role} changes nothing, it is never trained", WARNING)


def _order(messages: list[dict]) -> Iterator[Fault]:
    before = None
    for place, message in enumerate(messages, 1):
        role = message["role"]
        if role in BEFORE and before not in (*BEFORE[role], "other"):
            where = f"comes behind {before}" if before else "begins the conversation"
            yield Fault("turn_order", f"message {place}: {role} {where}")
        before = role


def _trained(messages: list[dict]) -> Iterator[Fault]:
    """Something must be trained, and nothing should stand behind it."""
    answers = [place for place, message in enumerate(messages) if message["role"] == "assistant"]
    if not answers and any(message["role"] == "other" for message in messages):
        return  # it may be the assistant: what is wrong with its role is told
    if not answers:
        yield Fault("no_answer", "no message of the assistant")
    elif all(messages[place].get("weight", 1) == 0 for place in answers):
        yield Fault("no_answer", "every message of the assistant has the weight 0, so nothing is trained")
    elif answers[-1] < len(messages) - 1:
        cause = "the conversation goes on behind the last answer of the assistant; that part is never trained"
        yield Fault("no_answer", cause, WARNING)


# Tools: the calls of a message, and one answer for each of them.


def _objects(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, dict) for value in values)


def _called(tool: dict) -> dict:
    """The function in a call or a tool; both are written with and without the object around it."""
    return tool["function"] if isinstance(tool.get("function"), dict) else tool


def _calls(place: int, message: dict, faults: list[Fault]) -> list[dict]:
    """The calls of a message, each {"function": {"name", "arguments"}}, and its "id" where there is one."""
    calls = message.get("tool_calls") or [parsed(message.get("function_call"))]  # ShareGPT has it as a text
    if not _objects(calls):
        faults.append(Fault("tool_call", f"message {place}: the call must be an object, JSON, with name and arguments"))
        return []
    made = []
    for call in calls:
        name, arguments = (_called(call).get(key) for key in ("name", "arguments"))
        if not isinstance(name, str) or not name.strip():
            faults.append(Fault("tool_call", f"message {place} calls a tool without its name"))
        elif not isinstance(parsed(arguments), dict):
            faults.append(Fault("tool_call", f"message {place}: the arguments of {quoted(name)} are no JSON object"))
        else:
            id = {"id": call["id"]} if isinstance(call.get("id"), str) else {}
            made.append({**id, "type": "function", "function": {"name": name, "arguments": arguments}})
    return made


def _unfit(place: int, call: dict, tool: dict) -> Iterator[Fault]:
    """What the JSON Schema of a tool does not allow in the arguments of a call."""
    from jsonschema import Draft202012Validator, SchemaError  # half a second, so only where there is a schema
    from referencing import Registry, exceptions

    try:
        Draft202012Validator.check_schema(tool.get("parameters", {}))
        reader = Draft202012Validator(tool.get("parameters", {}), registry=Registry())  # which fetches nothing
        unfit = next(reader.iter_errors(parsed(call["arguments"])), None)
    except (SchemaError, exceptions.Unresolvable, RecursionError, ArithmeticError, ValueError):
        yield Fault(
            "tool_call", f"the parameters of the tool {quoted(tool['name'])} are no JSON Schema that can be used"
        )
    else:
        if unfit:
            cause = f"the arguments of {quoted(tool['name'])} do not fit its schema: {quoted(unfit.message, 80)}"
            yield Fault("tool_call", f"message {place}: {cause}")


def _ids(messages: list) -> list[Any]:
    """The ids of all calls, sound or not."""
    calls = [message.get("tool_calls") for message in messages if isinstance(message, dict)]
    return [call.get("id") for some in calls if _objects(some) for call in some]


def _answered(messages: list[dict], unsound: list[Any]) -> Iterator[Fault]:
    """Every call has one answer, before anybody else speaks; without ids the order counts. An answer to one of the
    `unsound` ids is passed over: what is wrong is told of its call.
    """
    waiting: list[str | None] = []
    for place, message in enumerate(messages, 1):
        if message["role"] == "tool":
            id = message.get("tool_call_id")
            match = next((each for each in (id, None) if each in waiting), waiting[0] if waiting and not id else "")
            if match == "" and id not in unsound:
                cause = (
                    f"message {place} answers {quoted(id) if id else 'a call'}, and no such call waits for an answer"
                )
                yield Fault("tool_answer", cause)
            elif match != "":
                waiting.remove(match)
            continue
        if waiting:
            yield Fault("tool_answer", f"message {place} comes before the answer to {len(waiting)} tool calls")
        waiting = [call.get("id") for call in message.get("tool_calls", ())]
        if twice := {id for id in waiting if id and waiting.count(id) > 1}:
            yield Fault("tool_call", f"message {place} has two calls with the id {quoted(min(twice))}")
    if waiting:
        cause = f"the last message calls a tool without its answer ({len(waiting)}): only the call is learned"
        yield Fault("tool_answer", cause, WARNING)
