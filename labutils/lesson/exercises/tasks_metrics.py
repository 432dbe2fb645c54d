"""An exercise on metrics: a score of one's own that orders bad, OK and better replies.

The three replies to one input are made from the pairs of the course's two tasks.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet, call, quoted
from labutils.lesson.exercises.exercise import TASKS, Draw, Exercise, Wrong
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


SHOWN, JUDGED = 3, 12


def of_mails(reply, record):
    facts = [fact in reply for fact in record["facts"]]
    dressed = reply.startswith("Dear ") and reply.endswith("Tidewren Instruments")
    return dressed * sum(facts) / len(facts)


def of_messages(reply, record):
    first, _, second = reply.partition("\n")
    words = second.removeprefix("keywords: ").split(", ")
    found = [word in words for word in record["keywords"]]
    return (first == "queue: " + record["queue"]) * (1 + sum(found) / len(found))


class Task(NamedTuple):
    """What replies are made for."""

    made: Callable[[Draw, int], list[Triple]]
    right: Callable
    words: str  # what the model does, and what a record holds
    hint: str
    lists: str  # the key under which a record holds what a reply should


MAILS = Task(
    emails,
    of_mails,
    'turns a brief into an e-mail. A record holds the `"brief"` and the `"facts"` that its mail has to carry',
    "A mail that is a mail begins and ends like one: look at `better`, first line and last. Its facts are what the "
    "other half of the score should count.",
    "facts",
)
MESSAGES = Task(
    messages,
    of_messages,
    "sorts a customer's message: its reply is a line with the queue and a line with keywords. A record holds the "
    '`"message"`, its `"queue"` and its `"keywords"`',
    "The first line is right or wrong. Of the second, count the keywords that are there; a message that is copied "
    "holds them as well, but in no such line.",
    "keywords",
)


def _metric(task: Task, seed: int | str, example: str = "") -> Exercise:
    def triples() -> tuple[list[Triple], list[Triple]]:
        """Those that are shown, and those that are judged."""
        found = task.made(Draw(f"triples {seed}"), SHOWN + JUDGED)
        return found[:SHOWN], found[SHOWN:]

    def judge(answer: object) -> str:
        function, judged = answers.function(answer), triples()[1]
        scored = [
            [answers.number(call(function, reply, triple.record), "a number") for reply in triple[1:4]]
            for triple in judged
        ]
        _judge_all(scored)
        for triple, scores in zip(judged, scored, strict=True):
            _judge_triple(triple, *scores)
        return (
            f"bad, OK and better in this order, {len(judged)} times of {len(judged)}; now a lift in it means something"
        )

    return Exercise(
        name="own_metric",
        title="A metric of your own",
        subject=TASKS,
        size="open",
        question=(
            f"A model {task.words}. Write `my_metric(reply, record)`, a number that is higher the better a reply is. "
            f"`THIS.given()` holds {SHOWN} records, each with a `bad`, an `ok` and a `better` reply{example}; "
            f"`show.table(THIS.given(), 400)` shows them. The check has {JUDGED} others and asks for bad < OK < better "
            "in each. A bad reply is either what came in, copied, or a good reply to somebody else."
        ),
        starter="def my_metric(reply, record):\n    return ...  # a number, the higher the better",
        answer="my_metric",
        judge=judge,
        hints=(
            "What does `better` have that `ok` lacks? And `ok`, that `bad` lacks? Each answer is a part of the score.",
            task.hint,
        ),
        solved=inspect.getsource(task.right).replace(task.right.__name__, "my_metric", 1),
        wrong=lambda: _wrong(task),
        vary=_drawn,
        data=lambda: [
            {"record": triple.record, "bad": triple.bad, "ok": triple.ok, "better": triple.better}
            for triple in triples()[0]
        ],
    )


def _judge_all(scored: Sequence[Sequence[float]]) -> None:
    """Raises NotYet for what holds of all triples together."""
    values = {value for scores in scored for value in scores}
    if len(values) == 1:
        raise NotYet(f"every reply gets {values.pop():g}; a metric has to tell them apart")
    if all(better < ok and better < bad for bad, ok, better in scored):
        raise NotYet("it is the wrong way round: the better reply gets the lowest score")


def _judge_triple(triple: Triple, bad: float, ok: float, better: float) -> None:
    def way(one: float, other: float) -> str:
        return "as much as" if one == other else "more than"

    if bad >= ok:
        raise NotYet(
            f"a bad reply gets {bad:g}, {way(bad, ok)} the OK one with {ok:g}; {triple.why_bad}: {quoted(triple.bad)}"
        )
    if ok >= better:
        raise NotYet(
            f"an OK reply gets {ok:g}, {way(ok, better)} the better one with {better:g}; {triple.why_ok}: "
            f"{quoted(triple.ok)}"
        )


def _wrong(task: Task) -> list[Wrong]:
    def share(reply: str, record: dict) -> float:
        return sum(each in reply for each in record[task.lists]) / len(record[task.lists])

    def form(reply: str, record: dict) -> bool:
        return reply.startswith(("Dear ", "queue: "))

    return [
        Wrong("the longer, the better", lambda reply, record: len(reply), "a bad reply gets"),
        Wrong("what it should hold alone", share, "the input itself, copied"),
        Wrong("its form alone", lambda reply, record: form(reply, record) + 0.0, "gets 1, as much as"),
        Wrong("the same for all", lambda reply, record: 0.5, "every reply gets 0.5"),
        Wrong(
            "errors counted", lambda reply, record: -share(reply, record) * form(reply, record), "the wrong way round"
        ),
        Wrong(
            "good enough is good", lambda reply, record: form(reply, record) * min(share(reply, record), 0.2), "an OK"
        ),
        Wrong("a verdict", lambda reply, record: "good", "leave the quotes away"),
        Wrong("True or False", lambda reply, record: share(reply, record) == 1, "expected a number, got"),
        Wrong("nothing given back", lambda reply, record: None, "is a `return` missing"),
        Wrong("a key that is not there", lambda reply, record: record["answer"], "KeyError"),
        Wrong("its result", 0.7, "the function itself"),
    ]


def _drawn(draw: Draw) -> Exercise:
    """The other task, with one of its records in the question."""
    seed = draw.number(1, 10**6)
    first = messages(Draw(f"triples {seed}"), 1)[0]
    return _metric(MESSAGES, seed, f", the first of them to the message {quoted(first.record['message'], 40)}")


own_metric = _metric(MAILS, "practised")
