"""Made-up facts about instruments, each asked in three ways: records for exercises. No handbook knows them.

And the exercise on splits: hold some of these pairs out so that nothing held out was seen in other words.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from labutils.corpus.duplicates import near_pairs
from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet, quoted
from labutils.lesson.exercises.exercise import PAIRS, Draw, Exercise, Wrong

BIRDS = ("Lapwing", "Redshank", "Ruff", "Sanderling", "Whimbrel", "Kittiwake", "Pochard", "Gadwall", "Wigeon", "Grebe")


class Fact(NamedTuple):
    """What can be asked: in a sentence, scribbled down, in quite other words; the answer, its number's two ends."""

    question: str
    scribbled: str
    other_words: str
    answer: str
    low: int
    high: int


FACTS = {
    "weight": Fact(
        "How heavy is the {bird}?",
        "how heavy is the {bird}",
        "I have to post a {bird} and want to know the grams.",
        "The {bird} weighs {n} grams.",
        *(210, 990),
    ),
    "batteries": Fact(
        "How long does a {bird} run on one set of batteries?",
        "how long does a {bird} run on one set of batterys",
        "We come by once a year only; will a {bird} still be awake?",
        "A {bird} runs for {n} days.",
        *(120, 700),
    ),
    "reach": Fact(
        "How far can the {bird} send its readings?",
        "how far can the {bird} send readings",
        "Our office lies behind the dunes. Is that too distant for a {bird}?",
        "The {bird} sends over {n} metres.",
        *(300, 2900),
    ),
    "depth": Fact(
        "How deep under water may a {bird} go?",
        "how deep under water may a {bird} go??",
        "The well here has no bottom, so to say. Where must my {bird} stop?",
        "A {bird} may go {n} metres deep.",
        *(5, 80),
    ),
    "memory": Fact(
        "How many readings does the {bird} keep?",
        "how many readings does the {bird} keep",
        "When does a {bird} begin to write over old values?",
        "The {bird} keeps {n} readings.",
        *(2000, 90_000),
    ),
    "warranty": Fact(
        "For how many months is a {bird} under warranty?",
        "for how many months is {bird} under warranty",
        "My {bird} broke. Until when is the repair free?",
        "A {bird} is under warranty for {n} months.",
        *(13, 59),
    ),
    "price": Fact(
        "What does a spare strap for the {bird} cost?",
        "what does a spare strap for {bird} cost",
        "The belt of my {bird} tore. How much is a new one?",
        "A strap for the {bird} costs {n} crowns.",
        *(11, 98),
    ),
    "interval": Fact(
        "How often does the {bird} measure?",
        "how often does the {bird} measure",
        "Seconds between two values of a {bird}: what may I count on?",
        "The {bird} measures every {n} seconds.",
        *(5, 590),
    ),
    "cold": Fact(
        "What is the coldest air that a {bird} bears?",
        "what is the coldest air a {bird} bears",
        "Polar winter ahead. At which frost does the {bird} give up?",
        "A {bird} bears {n} degrees below zero.",
        *(11, 55),
    ),
    "cable": Fact(
        "How long is the cable of the {bird}?",
        "how long is the cable of the {bird}",
        "From the mast to the box of my {bird}: what span will the cord bridge?",
        "The cable of the {bird} is {n} centimetres long.",
        *(60, 480),
    ),
}


def records(draw: Draw, n: int) -> list[dict]:
    """`n` facts, three records each, shuffled: [{"question", "answer", "fact"}, ...]."""
    made = []
    for about in draw.some(list(FACTS), n):
        fact, bird = FACTS[about], draw.pick(BIRDS)
        answer = fact.answer.format(bird=bird, n=draw.number(fact.low, fact.high))
        questions = [asked.format(bird=bird) for asked in (fact.question, fact.scribbled, fact.other_words)]
        made += [{"question": asked, "answer": answer, "fact": f"{bird.lower()}-{about}"} for asked in questions]
    return draw.shuffled(made)


LEAST, MOST = 0.2, 0.45  # the part that may be held out where about a third is asked for


def _split(n: int, seed: int | str) -> Exercise:
    def pairs() -> list[dict]:
        return records(Draw(f"split {seed}"), n)

    def judge(answer: object) -> str:
        train, test = _sides(answer)
        _judge_whole(train, test, pairs())
        if leaks := [(ours, theirs) for ours in test for theirs in train if ours["fact"] == theirs["fact"]]:
            raise NotYet(_leak(leaks, train, test))
        facts = len({pair["fact"] for pair in test})
        return f"{len(test)} pairs about {facts} facts are held out, and no other wording of them is trained"

    return Exercise(
        name="fair_split",
        title="A split that does not leak",
        subject=PAIRS,
        size="medium",
        question=(
            f'`THIS.given()` holds {3 * n} pairs; each has a `"question"`, an `"answer"`, and the `"fact"` that it is '
            "about. You want to know whether a fine-tuned model can answer questions about facts that it was *not* "
            "taught. Hold out about a third of the pairs, and hand in both sides, as lists or as DataFrames."
        ),
        starter="given = THIS.given()\ntrain, test = ..., ...",
        answer="train, test",
        judge=judge,
        hints=(
            "Look at the questions of one fact side by side. May any two of them be on different sides?",
            "Choose facts instead of pairs, and let every pair go to the side of its fact: `GroupShuffleSplit` does "
            "that with a column of `pd.DataFrame(given)` as its groups.",
        ),
        solved="""
            given = pd.DataFrame(THIS.given())
            splitter = GroupShuffleSplit(n_splits=1, test_size=1 / 3, random_state=0)
            learn, check = next(splitter.split(given, groups=given["fact"]))
            train, test = given.iloc[learn], given.iloc[check]
        """,
        wrong=lambda: _wrong_sides(pairs()),
        vary=lambda draw: _split(draw.number(8, 10), draw.number(1, 10**6)),
        data=pairs,
    )


def _sides(answer: object) -> tuple[list[dict], list[dict]]:
    """Train and test, each a list of dictionaries; also out of DataFrames, or of the DatasetDict of `split`."""
    if isinstance(answer, Mapping):
        if not {"train", "test"} <= set(answer):
            raise NotYet('a dictionary of both sides has the keys `"train"` and `"test"`')
        answer = (answer["train"], answer["test"])
    sides = answers.items(answer, "both sides, `train, test`")
    if len(sides) != 2:
        raise NotYet(f"expected both sides, `train, test`, got {len(sides)} parts; no pair may be missing")
    train, test = (answers.items(side, "a list of pairs on each side") for side in sides)
    for pair in train + test:
        if not isinstance(pair, Mapping) or not all(isinstance(pair.get(key), str) for key in ("question", "fact")):
            raise NotYet(f"a side holds {answers.kind(pair)} where a pair with its question and its fact is expected")
    return train, test


def _judge_whole(train: list[dict], test: list[dict], pairs: list[dict]) -> None:
    """Every pair is there once, and the sizes are as asked for."""
    given = {pair["question"] for pair in pairs}
    there = Counter(pair["question"] for pair in train + test)
    if strange := [question for question in there if question not in given]:
        raise NotYet(f"{quoted(strange[0])} is none of the questions that were given")
    if lost := [pair["question"] for pair in pairs if not there[pair["question"]]]:
        raise NotYet(f"of the {len(pairs)} pairs {len(lost)} are on neither side, the first asks {quoted(lost[0])}")
    if both := {pair["question"] for pair in train} & {pair["question"] for pair in test}:
        raise NotYet(f"{len(both)} pairs are on both sides, word for word; the score would measure memory")
    if twice := [question for question, times in there.items() if times > 1]:
        raise NotYet(f"{quoted(twice[0])} is twice on one side")
    part = len(test) / len(pairs)
    if not LEAST <= part <= MOST:
        hint = "; train and test may be exchanged" if LEAST <= 1 - part <= MOST else ""
        raise NotYet(f"{len(test)} of {len(pairs)} pairs are held out; the exercise wants about a third{hint}")


def _leak(leaks: list[tuple[dict, dict]], train: list[dict], test: list[dict]) -> str:
    """What leaked, and whether looking for near-duplicates alone was the reason."""
    ours, theirs = leaks[0]
    count = len({pair["question"] for pair, _ in leaks})
    questions = [pair["question"] for pair in train + test]
    crossing = any(i < len(train) <= j for i, j, _ in near_pairs(questions))
    why = "" if crossing else "; no near-duplicate crosses, but the same fact asked in quite other words does"
    example = f"{quoted(ours['question'])} is held out, {quoted(theirs['question'])} is trained"
    return f"{count} of {len(test)} held-out questions leaked: {example}{why}"


def _wrong_sides(pairs: list[dict]) -> list[Wrong]:
    third = len(pairs) // 3
    facts = sorted({pair["fact"] for pair in pairs})
    other = [fact.other_words.format(bird=bird) for fact in FACTS.values() for bird in BIRDS]
    sides = {
        name: [pair for pair in pairs if (pair["fact"] in facts[::3]) == (name == "test")] for name in ("train", "test")
    }
    return [
        Wrong("random rows", (pairs[third:], pairs[:third]), "questions leaked"),
        Wrong(
            "near-duplicates kept together, facts not",
            ([p for p in pairs if p["question"] not in other], [p for p in pairs if p["question"] in other]),
            "no near-duplicate crosses",
        ),
        Wrong("all pairs trained", (pairs, sides["test"]), "are on both sides"),
        Wrong("some lost", (sides["train"][1:], sides["test"]), "are on neither side"),
        Wrong("nothing held out", (pairs, []), "0 of"),
        Wrong("sides exchanged", (sides["test"], sides["train"]), "may be exchanged"),
        Wrong("one side alone", sides["train"], "expected both sides"),
        Wrong("a question twice", (sides["train"] * 2, sides["test"]), "is twice"),
        Wrong("questions without their pairs", ([p["question"] for p in pairs], []), "holds a text"),
    ]


fair_split = _split(10, "practised")
