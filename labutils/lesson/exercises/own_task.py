"""The exercises of notebook 06: which task to take first, a score that is fair to each queue, a metric of one's own."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import eq
from typing import NamedTuple

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import call, quoted
from labutils.lesson.exercises.exercise import TEXTS, Draw, Exercise, Words, filled
from labutils.lesson.exercises.forms import choice, moved, written
from labutils.pairs.records import read_jsonl
from labutils.places import DATA

QUEUES, OFFERED = TEXTS["fair_score"]["queues"], TEXTS["which_task"]["tasks"]


def _which_task(tasks: dict[str, str], bad: int, fair: int, better: int, order: list[int]) -> Exercise:
    def vary(draw: Draw) -> Exercise:
        tasks = {kind: draw.pick(names) for kind, names in OFFERED.items()}
        return _which_task(tasks, draw.number(3, 6), draw.number(11, 16), draw.number(2, 3), moved(draw, order))

    total = bad + fair + better
    return choice(
        Words("which_task", bad=bad, fair=fair, better=better, total=total, most=total - 1, **tasks), order, vary
    )


which_task = _which_task({kind: names[0] for kind, names in OFFERED.items()}, 4, 13, 3, [1, 3, 2, 0])


Score = Callable[[list[str], list[str]], float]  # of queues: what is right, and what a model said


def scorer(each: Callable[[int, int, int], float], over: Score = lambda right, said: set(right), whole=None) -> Score:
    """A score that each queue has by its hits and by how often it is right and said; the mean of these, or `whole`."""

    def score(right: list[str], said: list[str]) -> float:
        hits = Counter(a for a, b in zip(right, said, strict=True) if a == b)
        found = [each(hits[queue], right.count(queue), said.count(queue)) for queue in over(right, said)]
        return whole(found) if whole else sum(found) / len(found)

    return score


def f1(hits: int, right: int, said: int) -> float:
    """The F1 of a queue."""
    return 2 * hits / (right + said)


def accuracy(right: list[str], said: list[str]) -> float:
    """The share of messages that went to their queue."""
    return sum(map(eq, right, said)) / len(right)


ASKED = {
    "macro F1": scorer(f1), "mean recall": scorer(lambda hits, right, said: hits / right),
    "lowest F1": scorer(f1, whole=min),
}  # fmt: skip


def _score(asked: str, names: Sequence[str]) -> Exercise:
    right = ASKED[asked]
    a, b, c, strange = names
    cases = [
        ([a, a, b, c], [a, b, b, a]), ([a] * 8 + [b, c], [a] * 10),
        ([a] * 6 + [b] * 3 + [c], [a] * 5 + [b] * 3 + [strange, c]),
        ([b, a, a, a, c, c], [b, a, b, a, c, b]), ([a, b, c], [a, b, c]),
    ]  # fmt: skip
    shown = dict(zip(("right", "said"), (str(side).replace("'", '"') for side in cases[0]), strict=True))
    scored = accuracy(*cases[1])
    say = Words("fair_score", asked, value=right(*cases[0]), asked=asked, lazy=a, scored=scored, **shown)
    slips = {
        "in percent": lambda right, said: 100 * ASKED[asked](right, said), "accuracy": accuracy,
        "weighted": scorer(f1, over=lambda right, said: right),
        "precision": scorer(lambda hits, right, said: hits / (said or 1)),
        **{other: function for other, function in ASKED.items() if other != asked},
    }  # fmt: skip
    if asked == "macro F1":
        slips["over both"] = scorer(f1, over=lambda right, said: {*right, *said})
    more = {
        "queues never said": lambda right, said: 1 / said.count(right[-1]),
        "a list": lambda right, said: [accuracy(right, said)],
    }

    form = written(say, right, cases, slips, told=lambda right, said: f"{right} and {said}", more=more)
    return say.exercise(vary=lambda draw: _score(draw.pick(("mean recall", "lowest F1")), draw.some(QUEUES, 4)), **form)


fair_score = _score("macro F1", ("billing", "sales", "repairs", "orders"))


class Triple(NamedTuple):
    """What is to be scored: a record, three replies to it, and what is wrong with the first two."""

    record: dict
    bad: str
    ok: str
    better: str
    why_bad: str
    why_ok: str


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
            ok, given = draw.pick(shorter), {"brief": record["instruction"], "facts": facts}
            found.append(_triple(found, given, max(others, key=len), ok, mail, facts))
    return found[:n]


def messages(draw: Draw, n: int) -> list[Triple]:
    """Messages with queue and keywords: copied or another's reply; the right queue with a keyword left; the reply."""
    found, records = [], draw.shuffled(pairs("support"))
    for record, other in zip(records, records[1:] + records[:1], strict=True):
        (queue, words), (strange, theirs) = parts(record["output"]), parts(other["output"])
        ok = f"queue: {queue}\nkeywords: {words[0]}"
        if len(words) > 2 and queue != strange and not set(words) & set(theirs) and _lost(ok, words):
            given = {"message": record["input"], "queue": queue, "keywords": words}
            found.append(_triple(found, given, other["output"], ok, record["output"], words))
    return found[:n]


def _triple(found: list, given: dict, elsewhere: str, ok: str, better: str, facts: list[str]) -> Triple:
    """A triple with one of the two kinds of bad replies, in turn."""
    why = TEXTS["own_metric"]["why"]
    bad = (elsewhere, why["elsewhere"]) if len(found) % 2 else (next(iter(given.values())), why["copied"])
    return Triple(given, bad[0], ok, better, bad[1], filled(why["lacks"], {"lost": _lost(ok, facts)[0]}))


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
HELD = {emails: "facts", messages: "keywords"}  # the key under which a record holds what a reply should


def _metric(made: Callable[[Draw, int], list[Triple]], seed: int | str, example: str = "") -> Exercise:
    say = Words("own_metric", made.__name__, shown=SHOWN, judged=JUDGED, example=example)

    @lru_cache(1)
    def triples() -> list[Triple]:
        """Those that are shown, then those that are judged."""
        return made(Draw(f"triples {seed}"), SHOWN + JUDGED)

    def judge(answer: object) -> str:
        function, judged = answers.function(answer), triples()[SHOWN:]
        scored = [
            [answers.number(call(function, reply, triple.record), "a number") for reply in triple[1:4]]
            for triple in judged
        ]
        values = {value for scores in scored for value in scores}
        if len(values) == 1:
            raise say.no("same", value=values.pop())
        say.refuse(all(better < ok and better < bad for bad, ok, better in scored), "round")
        for triple, (bad, ok, better) in zip(judged, scored, strict=True):
            steps = (("bad", bad, ok, triple.why_bad, triple.bad), ("ok", ok, better, triple.why_ok, triple.ok))
            for key, low, high, why, text in steps:
                way = "as much as" if low == high else "more than"
                say.refuse(low >= high, key, low=low, high=high, way=way, why=why, text=quoted(text))
        return say("good")

    def share(reply: str, record: dict) -> float:
        return sum(each in reply for each in record[HELD[made]]) / len(record[HELD[made]])

    def form(reply: str, record: dict) -> bool:
        return reply.startswith(("Dear ", "queue: "))

    wrong = {
        "the longer, the better": lambda reply, record: len(reply), "what it should hold alone": share,
        "its form alone": lambda reply, record: form(reply, record) + 0.0,
        "the same for all": lambda reply, record: 0.5,
        "errors counted": lambda reply, record: -share(reply, record) * form(reply, record),
        "good enough is good": lambda reply, record: form(reply, record) * min(share(reply, record), 0.2),
        "a verdict": lambda reply, record: "good", "True or False": lambda reply, record: share(reply, record) == 1,
        "nothing given back": lambda reply, record: None,
        "a key that is not there": lambda reply, record: record["answer"], "its result": 0.7,
    }  # fmt: skip

    def vary(draw: Draw) -> Exercise:
        """The other task, with one of its records in the question."""
        seed = draw.number(1, 10**6)
        first = messages(Draw(f"triples {seed}"), 1)[0]
        return _metric(messages, seed, f", the first of them to the message {quoted(first.record['message'], 40)}")

    def data() -> list[dict]:
        return [dict(zip(("record", "bad", "ok", "better"), each, strict=False)) for each in triples()[:SHOWN]]

    return say.exercise(judge=judge, wrong=wrong, vary=vary, data=data)


own_metric = _metric(emails, "practised")
