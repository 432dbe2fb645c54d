"""The forms in which files in the wild hold pairs and conversations, and the way from each to each without loss.

A conversion is done only if the way back gives the record again; otherwise it is refused with the reason. Keys beside
the form's own (an id, a fact's name) are carried along as they are. What is wrong inside the texts is for `validation`,
files are for `own`.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from labutils.pairs import causes
from labutils.pairs.records import FAMILIES
from labutils.pairs.templates import ANSWER, QUESTION, lookup, prompt

FORMS = {  # the keys that a form needs; the first form whose keys are all there counts
    "alpaca": ("instruction", "output"),  # and "input", which may be empty or left out (Taori et al. 2023)
    **{family: keys for family, keys in FAMILIES.items() if family != "text"},
    "prompt/completion": ("prompt", "completion"),
    "messages": ("messages",),  # [{"role", "content"}, ...] (OpenAI)
    "sharegpt": ("conversations",),  # [{"from", "value"}, ...] (Vicuna)
    "text": ("text",),
}
OWN_KEYS = {**FORMS, "alpaca": ("instruction", "input", "output")}
SPOKEN = ("system", "history")  # keys beside a form's own that belong to the prompt in some dialects of it
ALPACA_INPUT = "\n\nInput:\n"  # what joins an Alpaca instruction and its input, and parts them again
TEXTS = ("text", "input_text", "output_text")  # types of the parts of a message that are text
CHAT = {"messages": ("role", "content"), "sharegpt": ("from", "value")}
ROLES = {
    "messages": {"system": "system", "user": "user", "assistant": "assistant"},
    "sharegpt": {"system": "system", "human": "user", "gpt": "assistant"},
}


class Talk(NamedTuple):
    """What every form holds: who says what, in order, and the keys that come along."""

    turns: tuple[tuple[str, str], ...]  # (system, user or assistant; what is said)
    extra: dict[str, Any]


def form_of(record: dict) -> str | None:
    """The form of a record by its keys; None for an unknown one. form_of({"prompt": "", "completion": ""}) ->
    "prompt/completion".
    """
    return next((form for form, keys in FORMS.items() if all(key in record for key in keys)), None)


def convert(record: dict, to: str, template: str = "lecture") -> dict:
    """A record in another form. The template is how a pair is written in the form "text".

    convert({"question": "2+2?", "answer": "4"}, "prompt/completion") -> {"prompt": "2+2?", "completion": "4"}

    Raises ValueError with the reason where the form cannot carry the record, or the way back would not give it again.
    """
    known(to)
    form = _form(record)
    talk = talk_of(record, form, template)
    made = record_of(talk, to, template)
    try:
        kept = form_of(made) == to and record_of(talk_of(made, to, template), form, template) == _plain(record, form)
    except ValueError:
        kept = False
    if not kept:
        raise ValueError(f"the way back from {to} to {form} would not give the same record")
    return made


def sides(record: dict) -> dict:
    """The two sides of a record of any form, {"question", "answer"}; plain text stays {"text"}. Further keys are left
    out. sides({"prompt": "2+2?", "completion": "4", "id": 7}) -> {"question": "2+2?", "answer": "4"}

    Raises ValueError with the reason where the form is unknown, or the record holds anything but one question and one
    answer.
    """
    form = _form(record)
    if form == "text":
        return {"text": _text(record["text"], "text")}
    return record_of(Talk(talk_of(record, form, "").turns, {}), "question/answer", "")


def known(form: str) -> None:
    """Raises ValueError for a form that does not exist, naming those that do."""
    if form not in FORMS:
        raise ValueError(f"no form {form!r}; there are {', '.join(FORMS)}")


def talk_of(record: dict, form: str, template: str) -> Talk:
    """What a record of a form holds. Raises ValueError for a value of the wrong type, or text in no template."""
    extra = {key: value for key, value in record.items() if key not in OWN_KEYS[form]}
    if spoken := [key for key in SPOKEN if extra.get(key)]:
        fix = f"`convert FILE --context {spoken[0]} --to FORM --out OUT` puts it before the question"
        fix = fix if isinstance(extra[spoken[0]], str) else "write it and the pair as the turns of one conversation"
        raise ValueError(f'"{spoken[0]}" belongs to the prompt, but is a key of its own; {fix}')
    record = _plain(record, form)
    if form in CHAT:
        return Talk(tuple(_turns(record[FORMS[form][0]], form)), extra)
    texts = [_text(record.get(key, ""), key) for key in OWN_KEYS[form]]
    if form == "text":
        question, answer = _parts_of(texts[0], template)
    elif form == "alpaca":
        question, answer = joined(*texts[:2]), texts[2]
    else:
        question, answer = texts
    return Talk((("user", question), ("assistant", answer)), extra)


def record_of(talk: Talk, form: str, template: str) -> dict:
    """A record of a form. Raises ValueError where the form cannot hold the talk, or one of its keys is taken."""
    if taken := [key for key in OWN_KEYS[form] if key in talk.extra]:
        raise ValueError(f'the key "{taken[0]}" is already there beside the pair, and {form} needs it')
    if form in CHAT:
        speaker, said = CHAT[form]
        names = {role: name for name, role in ROLES[form].items()}
        turns = [{speaker: names[role], said: text} for role, text in talk.turns]
        return {FORMS[form][0]: turns, **talk.extra}
    roles = [role for role, _ in talk.turns]
    if roles != ["user", "assistant"]:
        got = ", ".join(roles) or "no message"
        raise ValueError(f"{form} holds one question and one answer, got {got}; take it apart, or leave it out")
    (_, question), (_, answer) = talk.turns
    if form == "text":
        texts = (prompt(template, question) + answer,)
    elif form == "alpaca":
        instruction, _, more = question.partition(ALPACA_INPUT)
        texts = (instruction, more, answer)
    else:
        texts = (question, answer)
    return {**dict(zip(OWN_KEYS[form], texts, strict=True)), **talk.extra}


def _form(record: dict) -> str:
    form = form_of(record)
    odd = form and ("input" in record or "label" in record or isinstance(record[FORMS[form][0]], (list, dict)))
    strange = form is None or form in CHAT or odd
    if strange and (cause := causes.meant(record, form is None)):
        raise ValueError(str(cause))
    if form is None:
        raise ValueError(
            f"no known form: got the keys {sorted(record)[:8]}, expected those of {', '.join(FORMS)}, or "
            "convert ... --question NAME --answer NAME"
        )
    return form


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f'"{key}" must be a text, got {type(value).__name__}: {value!r:.60}')
    return value


def _turns(messages: Any, form: str) -> Iterator[tuple[str, str]]:
    speaker, said = CHAT[form]
    if not isinstance(messages, list):
        raise ValueError(f'"{FORMS[form][0]}" must be a list of messages, got {type(messages).__name__}')
    for number, message in enumerate(messages, 1):
        if not isinstance(message, dict) or set(message) != {speaker, said}:
            got = sorted(message)[:8] if isinstance(message, dict) else type(message).__name__
            what = f'message {number} must hold "{speaker}" and "{said}" and nothing else, got {got}'
            raise ValueError(what + "; `finetune` reads more" * ({speaker, said} < set(got)))
        if not isinstance(message[speaker], str) or message[speaker] not in ROLES[form]:
            raise ValueError(f"message {number}: no role {message[speaker]!r:.40}; there are {', '.join(ROLES[form])}")
        yield ROLES[form][message[speaker]], _text(message[said], said)


def joined(instruction: str, more: str) -> str:
    """The question that an Alpaca instruction and its input make."""
    return f"{instruction}{ALPACA_INPUT}{more}" if more else instruction


def _parts_of(text: str, template: str) -> tuple[str, str]:
    """The question and the answer of a text in a template."""
    before, after = lookup(template).removesuffix(ANSWER).split(QUESTION)
    question, mark, answer = text.removeprefix(before).partition(after) if after else ("", "", "")
    if not mark or not text.startswith(before):
        raise ValueError(
            f"the text does not follow the template {template!r}, so its question cannot be told; say which"
        )
    return question, answer


def parsed(value: Any) -> Any:
    """What a text of JSON holds, as tables and columns of texts hold lists; another value, or text, as it is."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value


def _plain(record: dict, form: str) -> dict:
    """A record as it comes back: an Alpaca row has an input, null is an empty one, a text in parts is joined, messages
    in a text are a list.
    """
    if form == "alpaca":
        return {**record, "input": "" if record.get("input") is None else record["input"]}
    key, said = FORMS[form][0], CHAT.get(form, ("", ""))[1]
    if form not in CHAT or not isinstance(parsed(record[key]), list):
        return record
    return {**record, key: [_whole(each, said) if isinstance(each, dict) else each for each in parsed(record[key])]}


def _whole(message: dict, said: str) -> dict:
    """A message with the parts of its text joined."""
    parts = message.get(said)
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        return message
    for part in parts:
        if part.get("type") not in TEXTS or not isinstance(part.get("text"), str):
            raise ValueError(f"a message holds a part of the type {part.get('type')!r:.40}; expected text")
    return {**message, said: "".join(part["text"] for part in parts)}


# What a form cannot hold, taken into the texts when asked.


def adapted(record: dict, *, context: Sequence[str] = (), chosen: bool = False, unfill: str = "") -> dict:
    """A record with what was asked for: the texts under the keys `context` put before the question (into the system
    message of a conversation), a preference as a pair of its better answer, the template `unfill` taken off.

    adapted({"context": "Room 3.", "question": "Where?", "answer": "3"}, context=["context"]) -> {"question":
    "Room 3.\\n\\nWhere?", "answer": "3"}. Raises ValueError with the reason where the record does not hold it.
    """
    record = _better(record) if chosen else record
    form = form_of(record)
    if unfill:
        if form is None or form == "text" or form in CHAT:
            raise ValueError(f"a template is taken off the question of a pair, got {form or sorted(record)[:8]}")
        record = {**record, OWN_KEYS[form][0]: _asked(_text(record[OWN_KEYS[form][0]], "question"), unfill)}
    for name in reversed(context):
        said = record.get(name)
        if isinstance(said, list) and all(isinstance(each, str) for each in said):
            said = "\n\n".join(said)
        if form in (None, "text") or name not in record or not isinstance(said, (str, type(None))):
            raise ValueError(f"no text under {name!r} beside a pair; there are the keys {sorted(record)[:8]}")
        if name in FORMS[form]:
            raise ValueError(f"{name!r} is a side of the pair itself, so it cannot be put before the question")
        record = _with_context({key: value for key, value in record.items() if key != name}, form, said or "")
    return record


def _with_context(record: dict, form: str, said: str) -> dict:
    """A record with a text put before its question, or into the system message of a conversation."""
    key = OWN_KEYS[form][0]
    if not said or (form in CHAT and not isinstance(record[key], list)):
        return record
    if form not in CHAT:
        return {**record, key: f"{said}\n\n{_text(record[key], key)}"}
    speaker, text = CHAT[form]
    first = record[key][0] if record[key] and isinstance(record[key][0], dict) else {}
    if first.get(speaker) == "system" and isinstance(first.get(text), str):
        return {**record, key: [{**first, text: f"{said}\n\n{first[text]}"}, *record[key][1:]]}
    return {**record, key: [{speaker: "system", text: said}, *record[key]]}


def _better(record: dict) -> dict:
    """A preference as a pair, or a conversation, of its better answer; other keys come along."""
    found = next((two for two in causes.PREFERENCES if all(key in record for key in two)), None)
    if found is None:
        raise ValueError(f"no preference: expected the keys chosen and rejected, got {sorted(record)[:8]}")
    keys = ("prompt", "instruction", "input", "question", "conversations")
    asked = next((key for key in keys if key in record), "prompt")
    given, beside = record.get(asked), ("input",) if asked == "instruction" else ()
    if beside and isinstance(given, str):
        given = joined(given, _text(record.get("input") or "", "input"))
    given = given.get("messages") if isinstance(given, dict) else given
    more = {key: value for key, value in record.items() if key not in (*found, asked, *beside)}
    said = record[found[0]]
    said = [said] if isinstance(said, dict) else said
    if isinstance(said, str) and isinstance(given, str):
        return _beside({"question": given, "answer": said}, more)
    if not isinstance(said, list):
        raise ValueError(f'"{found[0]}" must be an answer to a "prompt", or a list of messages, got {said!r:.40}')
    before = [{"role": "user", "content": given}] if isinstance(given, str) and len(said) == 1 else given
    whole = said if not isinstance(before, list) or said[: len(before)] == before else [*before, *said]
    return _beside({"conversations" if asked == "conversations" else "messages": whole}, more)


def _beside(made: dict, more: dict) -> dict:
    """What was made of a preference, and its other keys, none of which may be read in its place."""
    taken = next((key for key in made if more.get(key, made[key]) != made[key]), None)
    if taken or (form_of({**more, **made}) != form_of(made)):
        got = f'"{taken}"' if taken else f"{form_of({**more, **made})} as well, with the keys {sorted(more)[:8]}"
        raise ValueError(f"beside the preference there is {got}, and only one can count; remove or rename the other")
    return {**made, **more}


def _asked(text: str, template: str) -> str:
    """The question in a text that is a filled prompt already, its answer aside."""
    before, after = lookup(template).removesuffix(ANSWER).split(QUESTION)
    inner = text.strip().removeprefix(before.strip()).removesuffix(after.strip()).strip()
    if not before.strip() + after.strip() or inner == text.strip():
        raise ValueError(f"the question is not filled into the template {template!r}")
    return inner
