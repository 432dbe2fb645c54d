"""Exercises on what a corpus holds: what a stream shows, how alike two sentences are, a share and its interval."""

from functools import lru_cache
from itertools import pairwise

from labutils.corpus.sampling import Z, wilson
from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet
from labutils.lesson.exercises.exercise import CORPUS, Draw, Exercise, Wrong
from labutils.lesson.exercises.forms import Option, choice, moved, with_interval


def _which_sample(pages: int, buffer: int, seen: int, order: tuple[int, ...], thing: str) -> Exercise:
    reached = buffer + seen
    return choice(
        "which_sample",
        "What have you seen?",
        CORPUS,
        f"A corpus of {pages} million {thing}s is stored site by site. You stream it, shuffle it with a buffer of "
        f"{buffer:,}, and look at the first {seen:,} {thing}s that come out. What have you seen?",
        [
            Option(
                f"Some of the first {reached:,} {thing}s, in another order.",
                "a buffer cannot show what the stream has not delivered yet; what comes after the first "
                f"{reached:,} had no chance",
            ),
            Option(
                "A fair sample of the corpus: it was shuffled.",
                f"a buffer of {buffer:,} shuffles what is in it, and no {thing} after the first {reached:,} was ever "
                "in it",
            ),
            Option(
                f"Exactly the first {seen:,} {thing}s, as they are stored.",
                f"the buffer did something: it let {seen:,} out of the first {reached:,} through, so some come from "
                "further back",
            ),
            Option(
                f"A fair sample of the corpus, because the buffer is larger than the {seen:,} you look at.",
                "what counts is the buffer against the corpus, not against your sample; it would have to hold all "
                f"{pages} million",
            ),
        ],
        order,
        hints=(
            "Ask of the very last page of the corpus: could it have come out?",
            f"The buffer is filled first. When the {seen:,}th {thing} leaves it, how many have gone in?",
        ),
        vary=lambda draw: _which_sample(
            draw.number(20, 90),
            1000 * draw.number(2, 9),
            100 * draw.number(3, 9),
            tuple(moved(draw, order)),
            draw.pick(("post", "article")),
        ),
    )


which_sample = _which_sample(8, 10_000, 1000, (1, 0, 2, 3), "page")


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
        vary=lambda draw: _drawn_shingles(draw, found["right"]),
    )


def _drawn_shingles(draw: Draw, practised: float) -> Exercise:
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


LUCK = 2.0  # how many times its interval a random sample may be off before its making is doubted (1 in 10,000 is)
SETS = ("Python", "Translations", "Web pages", "JSON", "Documentation", "Licences")
HEAD = ["Python"] * 6  # what the first packages are mostly made of, and the others in some order
REST = ["Python"] * 12 + ["Translations"] * 8 + ["Web pages"] * 6 + ["JSON"] * 8
PACKAGES = [  # by name, which is the order of the corpus
    "avocet", "bittern", "brambling", "bunting", "chough", "coot", "corncrake", "crossbill", "curlew", "dipper",
    "dotterel", "dunnock", "fieldfare", "firecrest", "gadwall", "gannet", "garganey", "goldcrest", "goosander", "grebe",
    "guillemot", "harrier", "hobby", "hoopoe", "jackdaw", "kestrel", "kittiwake", "lapwing", "linnet", "merlin",
    "nightjar", "nuthatch", "oriole", "osprey", "pipit", "pochard", "redstart", "ruff", "shelduck", "siskin",
]  # fmt: skip


@lru_cache(8)
def corpus(seed: int | str, n: int) -> tuple[tuple[str, str], ...]:
    """A made-up corpus as (package, set) of each document, packages by name; the first has more than n documents."""
    draw = Draw(f"pile {seed}")
    rows = []
    for package, main in zip(PACKAGES, [*HEAD, *draw.shuffled(REST)], strict=True):
        first = package == PACKAGES[0]
        size = n + draw.number(50, 150) if first else draw.number(100, 450)
        mostly = 90 if first else 70
        rows += [(package, main if draw.number(1, 100) <= mostly else draw.pick(SETS)) for _ in range(size)]
    return tuple(rows)


def _share(seed: int | str, n: int, wanted: str) -> Exercise:
    def data() -> list[dict]:
        return [{"package": package, "set": name} for package, name in corpus(seed, n)]

    def facts() -> tuple[float, float]:
        """The share in the whole corpus, and in its first n rows."""
        rows = [name == wanted for _, name in corpus(seed, n)]
        return sum(rows) / len(rows), sum(rows[:n]) / n

    def judge(answer: object) -> str:
        parts = with_interval(answer, "a share", "share, lower, upper")
        share, lower, upper = (answers.number(part, "three numbers; each") for part in parts)
        whole, first = facts()
        _judge_share(share, n, wanted, whole, first)
        _judge_interval(share, lower, upper, n)
        inside = "inside" if lower <= whole <= upper else "just outside"
        told = f"{n} of {len(corpus(seed, n)):,} documents told you that"
        return f"the whole corpus has {whole:.1%}, {inside} your interval; {told}"

    def wrong() -> list[Wrong]:
        whole, first = facts()
        share = (round(whole * n) + 1) / n
        later = sum(name == wanted for _, name in corpus(seed, n)[n : 2 * n]) / n
        low, high = wilson(share * n, n)
        return [
            Wrong("the first n", (first, *wilson(first * n, n)), "come from one package so far"),
            Wrong("the next n", (later, *wilson(later * n, n)), "from how many packages"),
            Wrong("all rows counted", (whole, *wilson(whole * n, n)), "all rows were counted"),
            Wrong("no interval", share, "a share without its interval"),
            Wrong("in percent", (100 * share, 100 * low, 100 * high), "between 0 and 1"),
            Wrong("the wrong order", (share, high, low), "from low to high"),
            Wrong("one standard error", (share, *(share + (end - share) / Z for end in (low, high))), "too narrow"),
            Wrong("surely right", (share, 0.0, 1.0), "too wide"),
        ]

    return Exercise(
        name="share_of_set",
        title="A share and its interval",
        subject=CORPUS,
        size="medium",
        question=(
            "`THIS.given()` is a made-up corpus: a list of documents in the order in which a stream brings them, each "
            f'a dictionary with `"package"` and `"set"`. Look at **{n}** of them and no more: which share of the '
            f"corpus is `{wanted}`? Give the share, between 0 and 1, and the lower and the upper end of its 95 % "
            "confidence interval."
        ),
        starter="rows = pd.DataFrame(THIS.given())\nshare, lower, upper = ..., ..., ...",
        answer="share, lower, upper",
        judge=judge,
        hints=(
            f"`rows.sample({n}, random_state=0)` draws {n} rows, each with the same chance; the first {n} would all be "
            "of one package.",
            f'`binomtest(hits, {n}).proportion_ci(method="wilson")` is the interval; it has `.low` and `.high`, and '
            "wants `hits` as an `int`.",
        ),
        solved=f"""
            rows = pd.DataFrame(THIS.given())
            hits = int((rows.sample({n}, random_state=0)["set"] == "{wanted}").sum())
            found = binomtest(hits, {n}).proportion_ci(method="wilson")
            share, lower, upper = hits / {n}, found.low, found.high
        """,
        wrong=wrong,
        vary=lambda draw: _share(
            draw.number(1, 10**6), draw.pick((400, 600, 800)), draw.pick(("Translations", "JSON"))
        ),
        data=data,
    )


def _judge_share(share: float, n: int, wanted: str, whole: float, first: float) -> None:
    if not 0 <= share <= 1:
        raise NotYet(f"a share lies between 0 and 1, yours is {share:g}; is it in percent?")
    if abs(share - first) < 0.005:  # also where it was rounded
        raise NotYet(f"your {n} documents come from one package so far, `{PACKAGES[0]}`; draw from the whole list")
    if share == whole:
        raise NotYet(f"all rows were counted; of a real corpus you will see a part, so use {n} of them")
    low, high = wilson(whole * n, n)
    if abs(share - whole) > LUCK * (high - low) / 2:
        raise NotYet(f"{share:.1%} of `{wanted}` is far off; from how many packages do your {n} documents come?")


def _judge_interval(share: float, lower: float, upper: float, n: int) -> None:
    if not lower <= share <= upper:
        raise NotYet("the share lies outside of its own interval; hand in `share, lower, upper`, from low to high")
    low, high = wilson(share * n, n)
    if max(abs(lower - low), abs(upper - high)) > max(0.075 * (high - low), 0.005):
        way = "wide" if upper - lower > high - low else "narrow"
        said = f"from {lower:g} to {upper:g} is too {way} for a 95 % interval of {n} rows"
        raise NotYet(f"{said}; the second hint has the call")


share_of_set = _share("practised", 500, "Python")
