"""An exercise on near-duplicates: the similarity of two sentences, by hand."""

from itertools import pairwise

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import CORPUS

CLOSE = 0.006  # two decimals are enough
SENTENCES = (
    "rinse the probe with clean water before you measure again",
    "the gateway stores each reading until the tower answers it",
    "hang the sensor in the shade two metres above the grass",
    "write down the number on the lid before you call us",
    "the lamp blinks twice when the card is full of readings",
    "one person holds the mast while another reads the level",
)
INSTEAD = ("perhaps", "later", "seldom", "green", "seven")  # words that occur in none of them


def runs(text: str, n: int) -> set[str]:
    """The runs of n words of a text, each once. runs("a b a b", 2) -> {"a b", "b a"}."""
    words = text.split()
    return {" ".join(words[i : i + n]) for i in range(len(words) - n + 1)}


def measures(one: str, other: str, n: int) -> dict[str, float]:
    """The similarity, and what comes out of the usual slips."""
    a, b = runs(one, n), runs(other, n)
    words, others = set(one.split()), set(other.split())
    shared = len(a & b)
    return {
        "right": shared / len(a | b),
        "contained": shared / min(len(a), len(b)),
        "twice": shared / (len(a) + len(b)),
        "dice": 2 * shared / (len(a) + len(b)),
        "words": len(words & others) / len(words | others),
        "difference": 1 - shared / len(a | b),
        "count": float(shared),
    }


SLIPS = {  # the key in `measures`: what was done, and what is said
    "contained": (
        "by the shorter one",
        "you divided by the runs of the shorter sentence; that tells how much of it is contained in the other",
    ),
    "twice": (
        "by the sum",
        "you divided by the runs of both sentences together, so shared ones count twice in the denominator",
    ),
    "dice": (
        "twice by the sum",
        "that is Dice's coefficient; Jaccard divides by the runs that occur in either sentence",
    ),
    "words": ("single words", "that is the similarity of the single words; runs of several also see their order"),
    "difference": ("the rest", "that is the part in which they differ; 1 minus it is the similarity"),
    "count": ("only counted", "that is the number of shared runs; divide it by the number of runs in either sentence"),
}


def _shingles(one: str, other: str, n: int) -> Exercise:
    found = measures(one, other, n)

    def judge(answer: object) -> str:
        value = answers.number(answer)
        if abs(value - found["right"]) < CLOSE:
            either = len(runs(one, n) | runs(other, n))
            return (
                f"{found['count']:.0f} shared runs of {either} in either; a single changed word costs up to {n} of them"
            )
        for key, (_, says) in SLIPS.items():
            if abs(value - found[key]) < CLOSE:
                raise NotYet(says)
        if 1 < value <= 100:
            raise NotYet(f"a similarity lies between 0 and 1, yours is {value:g}; is it in percent?")
        raise NotYet(f"{value:g} is another number; write down the runs of both sentences, and mark the shared ones")

    def wrong() -> list[Wrong]:
        slips = [Wrong(what, found[key], says[:40]) for key, (what, says) in SLIPS.items()]
        return [
            *slips,
            Wrong("in percent", 100 * found["right"], "in percent"),
            Wrong("a guess", 0.97, "another number"),
        ]

    return Exercise(
        name="shingles",
        title="How alike are two sentences?",
        subject=CORPUS,
        size="small",
        question=(
            f"Cut each sentence into its runs of **{n}** words, which are called shingles. The Jaccard similarity is "
            "the number of different runs that occur in *both*, divided by the number of different runs that occur in "
            f"*either*. What is it here?\n\n> {one}\n>\n> {other}"
        ),
        starter="my_answer = ...  # a number between 0 and 1, two decimals are enough",
        answer="my_answer",
        judge=judge,
        hints=(
            f"The first sentence has {len(one.split())} words, so {len(one.split()) - n + 1} runs of {n}.",
            "In Python, `a & b` are the members that two sets share, and `a | b` those that are in either.",
        ),
        solved=f"""
            def runs(text):
                words = text.split()
                return {{" ".join(words[i : i + {n}]) for i in range(len(words) - {n - 1})}}


            one = runs("{one}")
            other = runs("{other}")
            my_answer = len(one & other) / len(one | other)
        """,
        wrong=wrong,
        vary=lambda draw: _drawn(draw, found["right"]),
    )


def _drawn(draw: Draw, practised: float) -> Exercise:
    """Other sentences, on which no slip comes out right or like another one, and the practised answer is wrong."""
    while True:
        one, n = draw.pick(SENTENCES), draw.number(2, 4)
        words = one.split()
        words[draw.number(0, len(words) - 1)] = draw.pick(INSTEAD)
        other = " ".join(words[draw.number(0, 2) : len(words) - draw.number(0, 2)])
        values = sorted([*measures(one, other, n).values(), practised])
        if all(b - a > 2 * CLOSE for a, b in pairwise(values)):
            return _shingles(one, other, n)


shingles = _shingles(
    "the plover runs for nine days on one set of batteries",
    "the plover runs for ten days on one set of batteries in summer",
    3,
)
