"""An exercise on metrics: a score of one's own that orders bad, OK and better replies."""

import inspect
from collections.abc import Callable, Sequence
from typing import NamedTuple

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import quoted
from labutils.lesson.exercises.calling import call
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import TASKS
from labutils.lesson.exercises.tasks.triples import Triple, emails, messages

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
