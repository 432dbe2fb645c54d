"""Prompt templates as data: what is wrong with one, a pair filled into one, and an answer cut where it ends.

A template is a string with the places {question} and {answer}. What comes before {answer} is the prompt: it is what
a model is given when it is asked, letter for letter, and what it was shown in training.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from labutils.pairs.records import pair

TEMPLATES = {
    "lecture": "### Question:\n{question}\n\n### Answer:\n{answer}",
    "concatenated": "{question}{answer}",
    "instruction": "### Instruction:\n{question}\n\n### Response:\n{answer}",
    "chatml": "<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n{answer}",
}
QUESTION, ANSWER = "{question}", "{answer}"
PLACE = re.compile(r"\{[^{}\n]{0,40}\}")  # what looks like a place to fill


def lookup(template: str) -> str:
    """A template by its name, or the template itself when it has the two places. "\\n" as two signs, as a shell passes
    it, is a line end where the template has no other.

    Raises ValueError for a template in which a place is missing, doubled, or {answer} is not the last thing.
    """
    if template in TEMPLATES:
        return TEMPLATES[template]
    text = template if "\n" in template else template.replace("\\n", "\n")
    if not text.isascii() and text.encode("utf-8", "replace").decode() != text:
        raise ValueError(f"the template is no UTF-8: {template!r}")
    if text.count(QUESTION) != 1 or text.count(ANSWER) != 1 or not text.endswith(ANSWER):
        known = ", ".join(TEMPLATES)
        raise ValueError(f"a template has {QUESTION} once and ends in {ANSWER}; got {text!r} (known names: {known})")
    return text


def prompt(template: str, question: str) -> str:
    """What a model is given: the template up to the answer.

    prompt("Q: {question} A: {answer}", "2+2?") -> "Q: 2+2? A: "
    """
    return lookup(template).removesuffix(ANSWER).replace(QUESTION, question)


def fill(template: str, record: dict) -> str:
    """The full training text of a record: its prompt and its answer. Plain text (key "text") stays as it is."""
    question, answer = pair(record)
    return prompt(template, question) + answer if question else answer


def texts(template: str, records: Iterable[dict]) -> list[dict]:
    """The whole set as plain text, the form that pretraining data has: [{"text": question and answer}, ...]."""
    return [{"text": fill(template, record)} for record in records]


def questions_and_answers(template: str, records: Iterable[dict]) -> list[dict]:
    """The whole set in two parts: [{"question": the filled prompt, "answer": the bare answer}, ...].

    Plain text (key "text") has an empty prompt.
    """
    return [
        {"question": prompt(template, question) if question else "", "answer": answer}
        for question, answer in map(pair, records)
    ]


def messages(records: Iterable[dict]) -> list[dict]:
    """The whole set as conversations, the form of chat models: [{"messages": [{"role", "content"}, ...]}, ...]."""
    return [
        {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}
        for question, answer in map(pair, records)
    ]


def before_next(template: str, answer: str) -> str:
    """A bare answer up to where a further question begins, with which a model may go on."""
    before = lookup(template).partition(QUESTION)[0]
    return (answer.partition(before)[0] if before.strip() else answer).strip()


# What is wrong with a template, told while it is being written: what cannot be filled, what harms without an error.


class Fault(NamedTuple):
    """An "error", which no pair can be filled in with, or a "warning"; and what to do."""

    severity: str
    cause: str
    fix: str


def faults(template: str, record: dict | None = None, *, ends: bool = True) -> list[Fault]:
    """The faults of a template, errors first; with a record, those of their meeting, too.

    `ends` says whether an end-of-text is put behind the answer. faults("{question}\\n{answer} ")[0].cause ->
    "something follows {answer}".
    """
    errors = list(_unfillable(template))
    warnings = [
        (f"{place} is no place and stays as it is", f"the places are {QUESTION} and {ANSWER}, spelt like this")
        for place in sorted(set(PLACE.findall(template)) - {QUESTION, ANSWER})
    ]
    if not errors:
        warnings += _harmful(template, record)
    if not ends:
        warnings.append(("there is no end-of-text behind the answer", "train one, or the model never stops"))
    return [Fault("error", *told) for told in errors] + [Fault("warning", *told) for told in warnings]


def _unfillable(template: str) -> Iterator[tuple[str, str]]:
    """Each of the two places is there once, and the answer comes last, as `lookup` demands."""
    for place in (QUESTION, ANSWER):
        count = template.count(place)
        if count == 0:
            yield f"the place {place} is missing", f"write {place} where it belongs"
        elif count > 1:
            yield f"the place {place} occurs {count} times", "keep one of them"
    if template.count(ANSWER) == 1 and not template.endswith(ANSWER):
        fix = f"let the template end in {ANSWER}; the end-of-text is added by the encoding"
        yield f"something follows {ANSWER}", fix


def _harmful(template: str, record: dict | None) -> Iterator[tuple[str, str]]:
    """Where a model cannot see that the prompt ends, and a mark of the template that the pair holds, too."""
    filled = template.removesuffix(ANSWER)
    before, _, between = filled.partition(QUESTION)
    if not between.strip():
        yield "there is no mark between question and answer", 'write one, such as "### Answer:"'
    elif filled.endswith((" ", "\t")):
        yield (
            "the prompt ends in a space",
            "end it in the mark or a newline: a space belongs to the token of the next word",
        )
    text = "\n".join(pair(record)) if record else ""
    for mark in dict.fromkeys(mark.strip() for mark in (before, between)):
        if mark and mark in text:
            yield f"the pair itself holds the mark {mark!r}", "take another mark"
