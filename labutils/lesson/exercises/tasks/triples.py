"""Three replies to one input, a bad, an OK and a better one, made from the pairs of the course's two tasks."""

from functools import lru_cache
from typing import NamedTuple

from labutils.lesson.exercises.drawing import Draw
from labutils.pairs.records import read_jsonl
from labutils.places import DATA


class Triple(NamedTuple):
    """What is to be scored: a record, three replies to it, and what is wrong with the first two."""

    record: dict
    bad: str
    ok: str
    better: str
    why_bad: str
    why_ok: str


COPIED, ELSEWHERE = "it is the input itself, copied", "it is well written, and about something else"


@lru_cache(2)
def pairs(task: str) -> tuple[dict, ...]:
    """The held-out pairs of a task on which choices are made."""
    return tuple(read_jsonl(DATA / "tasks" / task / "dev.jsonl"))


def emails(draw: Draw, n: int) -> list[Triple]:
    """Briefs with e-mails: the brief copied or another mail; the mail without one of its paragraphs; the mail."""
    found, records = [], draw.shuffled(pairs("emails"))
    for record in records:
        facts, mail = record["facts"], record["response"]
        paragraphs = mail.split("\n\n")
        shorter = ["\n\n".join(paragraphs[:i] + paragraphs[i + 1 :]) for i in range(1, len(paragraphs) - 1)]
        shorter = [text for text in shorter if _lost(text, facts) and _some(text, facts)]
        others = [each["response"] for each in records if not _some(each["response"], facts)]
        if shorter and others and not _lost(mail, facts):
            ok = draw.pick(shorter)
            given = {"brief": record["instruction"], "facts": facts}
            bad, why = _bad(found, record["instruction"], max(others, key=len))
            found.append(Triple(given, bad, ok, mail, why, f"it lacks `{_lost(ok, facts)[0]}`"))
    return found[:n]


def messages(draw: Draw, n: int) -> list[Triple]:
    """Messages with queue and keywords: copied or another's reply; the right queue with a keyword left; the reply."""
    found, records = [], draw.shuffled(pairs("support"))
    for record, other in zip(records, records[1:] + records[:1], strict=True):
        (queue, words), (strange, theirs) = parts(record["output"]), parts(other["output"])
        ok = f"queue: {queue}\nkeywords: {words[0]}"
        if len(words) > 2 and queue != strange and not set(words) & set(theirs) and _lost(ok, words):
            bad, why = _bad(found, record["input"], other["output"])
            given = {"message": record["input"], "queue": queue, "keywords": words}
            found.append(Triple(given, bad, ok, record["output"], why, f"it lacks `{_lost(ok, words)[0]}`"))
    return found[:n]


def _bad(found: list[Triple], copied: str, elsewhere: str) -> tuple[str, str]:
    """The two kinds of bad replies in turn, and what is wrong with them."""
    return (elsewhere, ELSEWHERE) if len(found) % 2 else (copied, COPIED)


def _lost(text: str, facts: list[str]) -> list[str]:
    """The facts that stand nowhere in a text, also not inside of longer words; in a mail that is whole, none."""
    return [fact for fact in facts if fact not in text]


def _some(text: str, facts: list[str]) -> bool:
    """Whether a fact occurs in a text, as a word or inside of one."""
    return any(fact.lower() in text.lower() for fact in facts)


def parts(output: str) -> tuple[str, list[str]]:
    """The queue and the keywords of a reply. parts("queue: sales\\nkeywords: heron, price") -> ("sales", [...])."""
    first, _, second = output.partition("\n")
    return first.removeprefix("queue: "), second.removeprefix("keywords: ").split(", ")
