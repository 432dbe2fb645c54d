"""An exercise on splits: hold some pairs out so that nothing held out was seen in other words."""

from collections import Counter
from collections.abc import Mapping

from labutils.corpus.duplicates import near_pairs
from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import quoted
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.pairs.facts import BIRDS, FACTS, records
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import PAIRS

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
        wrong=lambda: _wrong(pairs()),
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


def _wrong(pairs: list[dict]) -> list[Wrong]:
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
