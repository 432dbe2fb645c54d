"""The values of an object -> the texts it holds, with the problems of their types. Which key is which is for `keys`."""

import difflib
from typing import Any, NamedTuple

from labutils.pairs.conversion import CHAT, FORMS, OWN_KEYS, ROLES, joined
from labutils.pairs.validation.parsing import type_name
from labutils.pairs.validation.problems import WARNING, Tally, quoted

ALIKE = 0.75  # difflib's ratio; "qestion" and "question" have 0.93, "input" and "output" 0.55
LONGEST_KEY, MOST_KEYS = 40, 50  # what is compared: a damaged file may have a million keys, or one of a million signs
TOOLS = {"tool_calls", "function_call"}  # beside these a message may have no content
MORE = {"messages": {"name", "weight", "tool_call_id", *TOOLS}, "sharegpt": set()}
MORE_ROLES = {"messages": {"tool", "function", "developer"}, "sharegpt": {"function_call", "observation", "tool"}}


class Parts(NamedTuple):
    """What an object holds: its texts under their labels; question and answer are None where one cannot be used."""

    form: str
    texts: list[tuple[str, str]]
    question: str | None
    answer: str | None


def likeness(key: str, others: list[str]) -> str | None:
    """The one of several keys that looks like a misspelt `key`. likeness("answer", ["fact", "Answr"]) -> "Answr"."""
    short = [other for other in others[:MOST_KEYS] if len(other) <= LONGEST_KEY]
    plain = {other.strip().casefold(): other for other in reversed(short)}
    close = difflib.get_close_matches(key, plain, n=1, cutoff=ALIKE)
    return plain[close[0]] if close else None


def read(number: int, record: dict, form: str, tally: Tally) -> Parts:
    """The texts of an object of a form, its keys being right; what is wrong with its values is told."""
    return (_conversation if form in CHAT else _pair)(number, record, form, tally)


def _pair(number: int, record: dict, form: str, tally: Tally) -> Parts:
    texts = {key: _text(number, key, record[key], form, tally) for key in OWN_KEYS[form] if key in record}
    good = [(key, text) for key, text in texts.items() if text is not None]
    sides = [texts.get(key) for key in OWN_KEYS[form]]
    if form == "text":
        question, answer = "", sides[0]
    elif form == "alpaca":
        question, answer = sides[0], sides[2]
        question = joined(question, sides[1]) if question is not None and sides[1] else question
    else:
        question, answer = sides
    return Parts(form, good, question, answer)


def _text(number: int, key: str, value: Any, form: str, tally: Tally) -> str | None:
    """A value if it is a text that says something; elsewhere the problem is told."""
    if not isinstance(value, str):
        code = "null" if value is None else "wrong_type"
        tally.add(number, code, f'"{key}" must be a text, got {type_name(value)}')
        return None
    if value.strip() or (key == "input" and form == "alpaca" and not value):
        return value
    code, what = ("blank_text", "holds white space only") if value else ("empty_text", "is empty")
    tally.add(number, code, f'"{key}" {what}')
    return None


def _conversation(number: int, record: dict, form: str, tally: Tally) -> Parts:
    key, messages = FORMS[form][0], record.get(FORMS[form][0])
    if not isinstance(messages, list):
        code = "null" if messages is None else "wrong_type"
        tally.add(number, code, f'"{key}" must be a list of messages, got {type_name(messages)}')
        return Parts(form, [], None, None)
    if not messages:
        tally.add(number, "empty_text", f'"{key}" is an empty list')
        return Parts(form, [], None, None)
    turns = [_message(number, place, message, form, tally) for place, message in enumerate(messages, 1)]
    answers = [place for place, (role, _) in enumerate(turns) if role == "assistant"]
    if not answers and all(role for role, _ in turns):
        tally.add(number, "no_answer", "no message of the assistant")
    elif answers and answers[-1] < len(turns) - 1:
        cause = "the conversation goes on behind the last answer of the assistant; that part is never trained"
        tally.add(number, "no_answer", cause, severity=WARNING)
    texts = [(f"message {place}", text) for place, (_, text) in enumerate(turns, 1) if text is not None]
    if not answers or len(texts) < len(turns):
        return Parts(form, texts, None, None)
    question = "\n\n".join(text for _, text in turns[: answers[-1]])
    return Parts(form, texts, question, turns[answers[-1]][1])


def _message(number: int, place: int, message: Any, form: str, tally: Tally) -> tuple[str | None, str | None]:
    """The role and the text of a message; None for what is missing or wrong."""
    if not isinstance(message, dict):
        tally.add(number, "wrong_type", f"message {place} must be an object, got {type_name(message)}")
        return None, None
    for key in [key for key in CHAT[form] if key not in message]:
        like = likeness(key, [each for each in message if each not in CHAT[form]])
        code, more = ("misspelt_key", f"; {quoted(like)} seems to be it") if like else ("missing_key", "")
        tally.add(number, code, f'message {place} has no "{key}"{more}')
    speaker, said = CHAT[form]
    if {speaker, said} <= set(message) and (extra := set(message) - {speaker, said} - MORE[form]):
        tally.add(number, "extra_key", f"message {place} has the further key {quoted(min(extra))}")
    role = ROLES[form].get(message[speaker]) if isinstance(message.get(speaker), str) else None
    if speaker in message and role is None and message[speaker] not in [*MORE_ROLES[form]]:
        tally.add(number, "unknown_role", f"message {place}: no role {quoted(message[speaker])}")
    if said not in message or (message[said] is None and TOOLS & set(message)):
        return role or "other", None
    return role or "other", _text(number, f"{said} of message {place}", message[said], form, tally)
