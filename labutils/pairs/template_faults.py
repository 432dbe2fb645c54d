"""What is wrong with a template, told while it is being written: what cannot be filled, what harms without an error.

Files of pairs are for `validation`; filling is for `templates`.
"""

import re
from typing import NamedTuple

from labutils.pairs.records import pair
from labutils.pairs.templates import ANSWER, QUESTION

PLACE = re.compile(r"\{[^{}\n]{0,40}\}")  # what looks like a place to fill


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
    found = [*_places(template), *_strangers(template)]
    if not found or all(fault.severity == "warning" for fault in found):
        found += [*_edges(template), *_meeting(template, record)]
    if not ends:
        found.append(_warning("there is no end-of-text behind the answer", "train one, or the model never stops"))
    return sorted(found, key=lambda fault: fault.severity)  # "error" before "warning"


def _places(template: str) -> list[Fault]:
    """Each of the two places is there once, and the answer comes last, as `templates.lookup` demands."""
    found = []
    for place in (QUESTION, ANSWER):
        count = template.count(place)
        if count == 0:
            found.append(Fault("error", f"the place {place} is missing", f"write {place} where it belongs"))
        elif count > 1:
            found.append(Fault("error", f"the place {place} occurs {count} times", "keep one of them"))
    if template.count(ANSWER) == 1 and not template.endswith(ANSWER):
        fix = f"let the template end in {ANSWER}; the end-of-text is added by the encoding"
        found.append(Fault("error", f"something follows {ANSWER}", fix))
    return found


def _strangers(template: str) -> list[Fault]:
    unknown = sorted(set(PLACE.findall(template)) - {QUESTION, ANSWER})
    fix = f"the places are {QUESTION} and {ANSWER}, spelt like this"
    return [_warning(f"{place} is no place and stays as it is", fix) for place in unknown]


def _edges(template: str) -> list[Fault]:
    """What a model meets where the prompt ends and the answer begins."""
    between = template.removesuffix(ANSWER).partition(QUESTION)[2]
    prompt = template.removesuffix(ANSWER)
    if not between.strip():
        return [_warning("there is no mark between question and answer", 'write one, such as "### Answer:"')]
    if prompt.endswith((" ", "\t")):
        fix = "end it in the mark or a newline: a space belongs to the token of the next word"
        return [_warning("the prompt ends in a space", fix)]
    return []


def _meeting(template: str, record: dict | None) -> list[Fault]:
    """A mark of the template that a pair holds, too, so that nobody can tell where a part ends."""
    before, _, between = template.removesuffix(ANSWER).partition(QUESTION)
    text = "\n".join(pair(record)) if record else ""
    marks = dict.fromkeys(mark.strip() for mark in (before, between) if mark.strip())
    return [_warning(f"the pair itself holds the mark {mark!r}", "take another mark") for mark in marks if mark in text]


def _warning(cause: str, fix: str) -> Fault:
    return Fault("warning", cause, fix)
