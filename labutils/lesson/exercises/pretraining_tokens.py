"""Exercises on the next token: inputs and targets, the loss of what came, a model that predicts it from counts."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet
from labutils.lesson.exercises.exercise import PRETRAINING, Draw, Exercise, Wrong
from labutils.lesson.exercises.forms import source, written


def _shift(ids: list[int]) -> Exercise:
    def judge(answer: object) -> str:
        sides = answers.parts(answer, 2, "two lists, `inputs, targets`")
        inputs, targets = (answers.whole_numbers(side) for side in sides)
        for slip in _shift_slips(ids):
            if [inputs, targets] == slip.answer:
                raise NotYet(slip.says)
        if len(inputs) != len(targets):
            raise NotYet(f"{len(inputs)} inputs and {len(targets)} targets; to each input belongs one target")
        if [inputs, targets] != [ids[:-1], ids[1:]]:
            side, given, right = ("inputs", inputs, ids[:-1]) if inputs != ids[:-1] else ("targets", targets, ids[1:])
            raise NotYet(f"the {side} `{given}` are others; there are {len(right)} of them, each in its place")
        return f"{len(ids)} tokens are {len(ids) - 1} lessons, and nobody had to write a label"

    return Exercise(
        name="inputs_and_targets",
        title="Inputs and targets",
        subject=PRETRAINING,
        size="small",
        question=(
            f"A text has the token ids `{ids}`. At each position the model is given all tokens up to there and "
            "should predict the next one. Give two lists of the same length: the input tokens, and the target for each."
        ),
        starter="inputs, targets = ..., ...  # two lists of numbers",
        answer="inputs, targets",
        judge=judge,
        hints=(
            f"Behind {ids[0]} comes {ids[1]}: that is the first pair of input and target.",
            f"The last token, {ids[-1]}, has nothing behind it. Can it be an input here? The first has nothing before "
            "it. Can it be a target?",
        ),
        solved=f"ids = {ids}\ninputs, targets = ids[:-1], ids[1:]",
        wrong=lambda: [
            *_shift_slips(ids),
            Wrong("one side alone", ids[1:], "expected two lists"),
            Wrong("one too few", [ids[:-2], ids[1:]], "to each input belongs one target"),
            Wrong("sorted", [ids[:-1], sorted(ids[1:])], "each in its place"),
        ],
        vary=lambda draw: _shift(draw.some(range(11, 99), draw.number(5, 7))),
    )


def _shift_slips(ids: list[int]) -> list[Wrong]:
    """The wrong answers that are recognised, each with all of its message."""
    half = len(ids) // 2
    return [
        Wrong("unshifted", [ids, ids], "that is copying: a model that says what it has seen has nothing to predict"),
        Wrong(
            "shifted the wrong way",
            [ids[1:], ids[:-1]],
            "it is shifted the wrong way: at each place the token before would be said, which the model has seen",
        ),
        Wrong(
            "the last one as an input",
            [ids, ids[1:]],
            f"{ids[-1]} is an input without a target; nothing comes behind it in this text",
        ),
        Wrong(
            "the first one as a target",
            [ids[:-1], ids],
            f"{ids[0]} is a target without an input; nothing comes before it",
        ),
        Wrong(
            "as question and answer",
            [ids[:half], ids[half:]],
            "the text was cut in two, as into question and answer; here every token but the first should be said",
        ),
        Wrong("by two", [ids[:-2], ids[2:]], "it is shifted by two; the next token is asked for"),
        Wrong(
            "with a filler",
            [ids, [*ids[1:], -100]],
            "the last target is a filler; leave the last place away, nothing can be learned there",
        ),
    ]


inputs_and_targets = _shift([5, 9, 2, 7, 4])


def nats(probabilities):
    return sum(-math.log(p) for p in probabilities) / len(probabilities)


def bits(probabilities):
    return sum(-math.log2(p) for p in probabilities) / len(probabilities)


def choices(probabilities):
    return math.exp(sum(-math.log(p) for p in probabilities) / len(probabilities))


MEASURES = {  # what is asked for: the right function, its name, and what is said to who hands in another one
    "nats": (nats, "the loss in nats, the mean of the negative natural logarithms", "those are nats"),
    "bits": (bits, "the loss in bits, the mean of the negative logarithms to the base 2", "those are bits"),
    "choices": (
        choices,
        "the perplexity, the exponential of the loss in nats: as unsure as a uniform pick among that many tokens",
        "that is the exponential, the perplexity",
    ),
}


def _loss(measure: str, shown: Sequence[float]) -> Exercise:
    right, named, _ = MEASURES[measure]
    cases = [(list(shown),), ([1.0],), ([1 / 500] * 4,), ([0.9, 0.8, 0.9, 0.0001],), ([0.25, 0.5],)]
    return Exercise(
        name="mean_loss",
        title="The loss by hand",
        subject=PRETRAINING,
        size="medium",
        question=(
            "A model gave these probabilities to the tokens that really came next: "
            f"`{list(shown)}`. Write a function that turns such a list into {named}. For this list it gives "
            f"`{right(shown):.4f}`. The check tries other lists, too."
        ),
        starter="def mean_loss(probabilities):\n    return ...  # a number",
        hints=(
            "Begin with one probability: `-math.log(0.5)` is its loss in nats, `-math.log2(0.5)` in bits.",
            "First the logarithm of each probability, then the mean of these. What comes out for `[0.5, 0.5]`?",
        ),
        solved=source(right, "mean_loss"),
        vary=_drawn_loss,
        **written(
            "mean_loss",
            right,
            cases,
            _loss_slips(measure, right),
            good="one token that the model thought impossible weighs more than many likely ones; a uniform pick among "
            "500 tokens gives ln 500, as in a model before training",
            more=[Wrong("a list", lambda probabilities: [-math.log(p) for p in probabilities], "got a list")],
        ),
    )


def _loss_slips(measure: str, right: Callable) -> list[Wrong]:
    others = [
        Wrong(other, function, f"{told}; asked for is {MEASURES[measure][1]}")
        for other, (function, _, told) in MEASURES.items()
        if other != measure
    ]
    return [
        *others,
        Wrong(
            "the logarithm of the mean",
            lambda probabilities: right([sum(probabilities) / len(probabilities)]),
            "the mean was taken before the logarithm, so one impossible token among likely ones goes unnoticed",
        ),
        Wrong(
            "the sum",
            lambda probabilities: _sum(measure, probabilities),
            "the values were added up, and not divided by their number; a long text would always look worse",
        ),
        Wrong(
            "no minus",
            lambda probabilities: 1 / right(probabilities) if measure == "choices" else -right(probabilities),
            "the minus is missing; the better the model, the closer a loss comes to 0 from above",
        ),
        Wrong(
            "one minus the mean",
            lambda probabilities: 1 - sum(probabilities) / len(probabilities),
            "1 minus the mean probability hardly tells 0.01 from 0.0001; the logarithm does",
        ),
    ]


def _sum(measure: str, probabilities: Sequence[float]) -> float:
    one = MEASURES["bits" if measure == "bits" else "nats"][0]
    total = len(probabilities) * one(probabilities)
    return math.exp(total) if measure == "choices" else total


def _drawn_loss(draw: Draw) -> Exercise:
    shown = [draw.number(2, 95) / 100 for _ in range(3)]
    return _loss(draw.pick(("bits", "choices")), shown)


mean_loss = _loss("nats", (0.5, 0.125))


BIRDS = ("plover", "heron", "dunlin", "avocet", "godwit", "curlew", "ruff", "wigeon", "gannet", "siskin")
DOES = ("stores", "sends", "counts", "loses")
THINGS = ("rain", "wind", "time", "depth")


def one_word(text, word):
    words = text.split()
    behind = Counter(after for before, after in zip(words, words[1:]) if before == word)  # noqa: B905, RUF007
    return behind.most_common(1)[0][0] if behind else ""


def two_words(text, word):
    words = text.split()
    triples = zip(words, words[1:], words[2:])  # noqa: B905
    behind = Counter(after for first, second, after in triples if f"{first} {second}" == word)
    return behind.most_common(1)[0][0] if behind else ""


def backwards(text, word):
    words = text.split()
    ahead = Counter(before for before, after in zip(words, words[1:]) if after == word)  # noqa: B905, RUF007
    return ahead.most_common(1)[0][0] if ahead else ""


GUESSES = {  # what is guessed: the right function, in words, and how an example of it is asked
    "after one": (one_word, "the word that most often follows `word` in the text", "the"),
    "after two": (two_words, "the word that most often follows two words; `word` holds both of them", "the {0}"),
    "before": (backwards, "the word that most often comes *before* `word` in the text", "runs"),
}


def _next(asked: str, birds: list[str], seed: int | str) -> Exercise:
    right, named, example = GUESSES[asked]
    shown = "the {0} runs and the {0} rests and the {1} runs then the {0} runs".format(*birds)
    word = example.format(*birds)
    cases = [(shown, word), *_cases(Draw(f"counts {seed}"), birds, asked)]
    return Exercise(
        name="next_word",
        title="A model that counts",
        subject=PRETRAINING,
        size="open",
        question=(
            "The smallest language model has no weights, only counts. Write `predict_next(text, word)`, which returns "
            f"{named}. For the text `{shown}` and the word `{word}` it returns `{right(shown, word)}`. If "
            'the word is never followed by anything, it returns `""`. Words are what `text.split()` makes. The check '
            "uses other texts, in each of which one word comes out ahead."
        ),
        starter="def predict_next(text, word):\n    return ...  # a word",
        hints=(
            "`zip(words, words[1:])` gives each word with the one after it.",
            "`Counter(...)` of all candidates has `.most_common(1)`, a list of one pair `(candidate, times)`; of "
            "nothing it is an empty list.",
        ),
        solved=source(right, "predict_next"),
        vary=_drawn_next,
        **written(
            "predict_next",
            right,
            cases,
            _guess_slips(asked),
            good="this is pretraining: nobody labelled anything; a model with weights does it for phrases that it "
            "has never seen, too",
            read=lambda value: answers.text(value, "a word"),
            told=lambda text, word: f"{word} in: {text}",
            more=[
                Wrong("no word for the unknown", lambda text, word: _all(asked, text, word)[0], "IndexError"),
                Wrong("all candidates", lambda text, word: _all(asked, text, word), "got a list"),
            ],
        ),
    )


def _all(asked: str, text: str, word: str) -> list[str]:
    """Every word that stands where it is looked for, in their order."""
    words, width = text.split(), len(word.split())
    if asked == "before":
        return [before for before, after in pairwise(words) if after == word]
    places = range(len(words) - width)
    return [words[i + width] for i in places if " ".join(words[i : i + width]) == word]


def _guess_slips(asked: str) -> list[Wrong]:
    def most(found: list[str], place: int = 0) -> str:
        return Counter(found).most_common()[place][0] if found else ""

    turned = "before" if asked != "before" else "after one"
    way = "after it" if asked != "before" else "before it"
    return [
        Wrong(
            "the commonest word",
            lambda text, word: most(text.split()),
            "it gives the commonest word of the text, for any word that it is asked about",
        ),
        Wrong(
            "the wrong side",
            lambda text, word: most(_all(turned, text, word.split()[0])),
            f"it looks at the wrong side of the word; the question asks for what comes {way}",
        ),
        Wrong(
            "the first one",
            lambda text, word: (_all(asked, text, word) or [""])[0],
            "it gives the first word that it finds there, not the most frequent one",
        ),
        Wrong(
            "the last one",
            lambda text, word: (_all(asked, text, word) or [""])[-1],
            "it gives what it finds last: a dictionary with one place for each word keeps the last one only",
        ),
        Wrong(
            "the rarest",
            lambda text, word: most(_all(asked, text, word), -1),
            "it gives the least frequent word; `max` or `.most_common(1)` finds the most frequent",
        ),
    ]


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


def _drawn_next(draw: Draw) -> Exercise:
    return _next(draw.pick(("after two", "before")), draw.some(BIRDS, 4), draw.number(1, 10**6))


next_word = _next("after one", ["plover", "heron", "dunlin", "avocet"], "practised")
