"""An exercise on what pretraining is: a model that predicts the next word from counts."""

from collections import Counter
from itertools import pairwise

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.functions import source, written
from labutils.lesson.exercises.subjects import PRETRAINING

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


ASKED = {  # what is guessed: the right function, in words, and how an example of it is asked
    "after one": (one_word, "the word that most often follows `word` in the text", "the"),
    "after two": (two_words, "the word that most often follows two words; `word` holds both of them", "the {0}"),
    "before": (backwards, "the word that most often comes *before* `word` in the text", "runs"),
}


def _next(asked: str, birds: list[str], seed: int | str) -> Exercise:
    right, named, example = ASKED[asked]
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
            f"{named}. For the text `{shown}` and the word `{word}` it returns `{right(shown, word)}`. Where the text "
            'does not tell, it gives `""`. Words are what `text.split()` makes. The check uses other texts, in '
            "each of which one word comes out ahead."
        ),
        starter="def predict_next(text, word):\n    return ...  # a word",
        hints=(
            "`zip(words, words[1:])` gives each word with the one after it.",
            "`Counter(...)` of all candidates has `.most_common(1)`, a list of one pair `(candidate, times)`; of "
            "nothing it is an empty list.",
        ),
        solved=source(right, "predict_next"),
        vary=_drawn,
        **written(
            "predict_next",
            right,
            cases,
            _slips(asked),
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


def _slips(asked: str) -> list[Wrong]:
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


def _drawn(draw: Draw) -> Exercise:
    return _next(draw.pick(("after two", "before")), draw.some(BIRDS, 4), draw.number(1, 10**6))


next_word = _next("after one", ["plover", "heron", "dunlin", "avocet"], "practised")
