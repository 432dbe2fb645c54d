"""The exercises of notebook 02: the next token, its loss, a model that counts, what base models do with questions."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import quoted
from labutils.lesson.exercises.exercise import TEXTS, Draw, Exercise, Words, filled
from labutils.lesson.exercises.forms import choice, moved, refuse, written


def _shift(ids: list[int]) -> Exercise:
    half, right = len(ids) // 2, [ids[:-1], ids[1:]]
    say = Words("inputs_and_targets", ids=str(ids), first=ids[0], second=ids[1], last=ids[-1])
    found = {
        "unshifted": [ids, ids], "shifted the wrong way": right[::-1], "the last one as an input": [ids, ids[1:]],
        "the first one as a target": [ids[:-1], ids], "as question and answer": [ids[:half], ids[half:]],
        "by two": [ids[:-2], ids[2:]], "with a filler": [ids, [*ids[1:], -100]],
    }  # fmt: skip
    slips = say.slips(found)

    def judge(answer: object) -> str:
        sides = answers.parts(answer, 2, "two lists, `inputs, targets`")
        mine = [answers.whole_numbers(side) for side in sides]
        refuse(slips, lambda slip: mine == slip)
        if len(mine[0]) != len(mine[1]):
            raise say.no("lengths", inputs=len(mine[0]), targets=len(mine[1]))
        for side, given, wanted in zip(("inputs", "targets"), mine, right, strict=True):
            say.refuse(given != wanted, "other", side=side, given=str(given), count=len(wanted))
        return say("good", count=len(ids), lessons=len(ids) - 1)

    others = {
        "one side alone": ids[1:], "one too few": [ids[:-2], ids[1:]], "sorted": [ids[:-1], sorted(ids[1:])],
    }  # fmt: skip

    def vary(draw: Draw) -> Exercise:
        return _shift(draw.some(range(11, 99), draw.number(5, 7)))

    return say.exercise(judge=judge, slips=slips, wrong=others, vary=vary)


inputs_and_targets = _shift([5, 9, 2, 7, 4])


LANDS = TEXTS["goes_on"]["capitals"]


def _page(land: str, order: list[int]) -> Exercise:
    names = list(LANDS)
    first, last = (names[(names.index(land) + step) % len(names)] for step in (1, 2))
    say = Words("goes_on", land=land, capital=LANDS[land], first=first, last=last)
    return choice(
        say, order, lambda draw: _page(draw.pick([each for each in names if each != land]), moved(draw, order))
    )


goes_on = _page("Kenya", [1, 2, 0, 3])


ASKED, KINDS = TEXTS["six_replies"]["asked"], TEXTS["six_replies"]["kinds"]
OFTEN = ["answers", "answers", "goes on", "goes on", "asks back", "repeats"]


def _replies(seed: int | str, practised: list[str]) -> Exercise:
    draw, right = Draw(f"replies {seed}"), practised
    while right == practised:
        right = draw.shuffled(OFTEN)
    left, short = {kind: draw.shuffled(texts) for kind, texts in KINDS.items()}, TEXTS["six_replies"]["short"]
    rows = []
    for name, kind in zip(draw.some(list(short), len(right)), right, strict=True):
        words = {"name": name, "full": short[name], "asked": filled(ASKED, {"name": name})}
        rows.append((words["asked"], filled(left[kind].pop(), words), words["full"]))
    listed = "\n".join(f"| {i} | {question} | {reply} |" for i, (question, reply, _) in enumerate(rows, 1))
    say = Words("six_replies", listed=listed, right=str(right).replace("'", '"'))

    def judge(answer: object) -> str:
        mine = answers.items(answer, f"a list of {len(rows)} texts")
        mine = [answers.text(each, "texts, one a reply").strip().lower() for each in mine]
        say.refuse(len(mine) != len(rows), "count", count=len(rows), got=len(mine))
        if strange := [each for each in mine if each not in KINDS]:
            raise say.no("strange", said=quoted(strange[0]))
        for i, (said, kind, (question, reply, full)) in enumerate(zip(mine, right, rows, strict=True), 1):
            if said != kind:
                words = {"reply": quoted(reply), "question": quoted(question), "full": quoted(full)}
                raise say.no("fluent" if said == "answers" else kind, i=i, **words)
        return say("good")

    def but(kind: str, said: str) -> list[str]:
        """The right answer, with the first reply of one kind taken for another."""
        place = right.index(kind)
        return [*right[:place], said, *right[place + 1 :]]

    wrong = {
        "fluent counted as answered": but("goes on", "answers"), "an answer overlooked": but("answers", "goes on"),
        "the same question again": but("repeats", "asks back"), "a question overlooked": but("asks back", "goes on"),
        "a question imagined": but("goes on", "asks back"), "too few": right[:5],
        "other words": ["right", *right[1:]],
    }  # fmt: skip
    return say.exercise(judge=judge, wrong=wrong, vary=lambda draw: _replies(draw.number(1, 10**6), right))


six_replies = _replies("practised", [])


def nats(probabilities: Sequence[float]) -> float:
    """The mean negative natural logarithm. nats([1.0, 1.0]) -> 0.0."""
    return sum(-math.log(p) for p in probabilities) / len(probabilities)


MEASURES: dict[str, Callable[[Sequence[float]], float]] = {
    "nats": nats, "bits": lambda probabilities: nats(probabilities) / math.log(2),
    "choices": lambda probabilities: math.exp(nats(probabilities)),
}  # fmt: skip
SCALES = {  # what a uniform pick among 500 tokens gives, and what the best model comes near
    "nats": {"uniform": "ln 500", "least": "a loss comes to 0"},
    "bits": {"uniform": "log2 500", "least": "a loss comes to 0"},
    "choices": {"uniform": "500", "least": "a perplexity comes to 1"},
}


def _loss(measure: str, shown: list[float]) -> Exercise:
    right, power = MEASURES[measure], measure == "choices"  # a power of what is a multiple for the others
    say = Words("mean_loss", measure, shown=str(shown), value=right(shown), **SCALES[measure])
    slips = {other: function for other, function in MEASURES.items() if other != measure} | {
        "the logarithm of the mean": lambda some: right([sum(some) / len(some)]),
        "the sum": lambda some: right(some) ** len(some) if power else right(some) * len(some),
        "no minus": lambda some: 1 / right(some) if power else -right(some),
        "one minus the mean": lambda some: 1 - sum(some) / len(some),
    }
    cases = [(shown,), ([1.0],), ([1 / 500] * 4,), ([0.9, 0.8, 0.9, 0.0001],), ([0.25, 0.5],)]
    more = {"a list": lambda some: [-math.log(p) for p in some]}

    def vary(draw: Draw) -> Exercise:
        shown = [draw.number(2, 95) / 100 for _ in range(3)]
        return _loss(draw.pick(("bits", "choices")), shown)

    return say.exercise(vary=vary, **written(say, right, cases, slips, more=more))


mean_loss = _loss("nats", [0.5, 0.125])


BIRDS = ("plover", "heron", "dunlin", "avocet", "godwit", "curlew", "ruff", "wigeon", "gannet", "siskin")
DOES, THINGS = ("stores", "sends", "counts", "loses"), ("rain", "wind", "time", "depth")


EXAMPLES = {"after one": "the", "after two": "the {0}", "before": "runs"}  # what is guessed: how one is asked


def _next(asked: str, birds: list[str], seed: int | str) -> Exercise:
    def all_of(text: str, word: str, asked: str = asked) -> list[str]:
        """Every word that stands where it is looked for, in their order."""
        words, width = text.split(), len(word.split())
        if asked == "before":
            return [before for before, after in pairwise(words) if after == word]
        places = range(len(words) - width)
        return [words[i + width] for i in places if " ".join(words[i : i + width]) == word]

    def most(found: list[str], place: int = 0) -> str:
        return Counter(found).most_common()[place][0] if found else ""

    def right(text: str, word: str) -> str:
        return most(all_of(text, word))

    shown = "the {0} runs and the {0} rests and the {1} runs then the {0} runs".format(*birds)
    word = EXAMPLES[asked].format(*birds)
    turned, way = ("after one", "before it") if asked == "before" else ("before", "after it")
    say = Words("next_word", asked, shown=shown, word=word, way=way, value=right(shown, word))
    slips = {
        "the commonest word": lambda text, word: most(text.split()),
        "the wrong side": lambda text, word: most(all_of(text, word.split()[0], turned)),
        "the first one": lambda text, word: (all_of(text, word) or [""])[0],
        "the last one": lambda text, word: (all_of(text, word) or [""])[-1],
        "the rarest": lambda text, word: most(all_of(text, word), -1),
    }
    more = {"no word for the unknown": lambda text, word: all_of(text, word)[0], "all candidates": all_of}
    cases = [(shown, word), *_cases(Draw(f"counts {seed}"), birds, asked)]
    form = {"read": lambda value: answers.text(value, "a word"), "told": lambda text, word: f"{word} in: {text}"}
    return say.exercise(
        vary=lambda draw: _next(draw.pick(("after two", "before")), draw.some(BIRDS, 4), draw.number(1, 10**6)),
        **written(say, right, cases, slips, more=more, **form),
    )


def _cases(draw: Draw, birds: list[str], asked: str) -> list[tuple[str, str]]:
    """Texts and words with one clear winner, neither the first nor the last one there; a word that stands nowhere."""
    winner, second, third, fourth = birds
    found = []
    for does in draw.some(DOES, 3):
        thing, other = draw.some(THINGS, 2)
        order = [second, winner, fourth, winner, third, second, winner, third]
        if asked == "before":
            parts = [f"the {bird} {does} {draw.pick(THINGS)}" for bird in order]
            word = does
        else:
            parts = [f"the {thing} {bird} {does} the {other}" for bird in order]
            word = thing if asked == "after one" else f"the {thing}"
        found.append((" and ".join(parts), word))
    return [*found, (found[0][0], "tern"), ("", winner)]


next_word = _next("after one", ["plover", "heron", "dunlin", "avocet"], "practised")
