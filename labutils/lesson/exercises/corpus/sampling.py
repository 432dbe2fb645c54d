"""An exercise on samples: a share in a corpus, and its confidence interval."""

from functools import lru_cache

from labutils.corpus.sampling import Z, wilson
from labutils.lesson.exercises import answers
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import CORPUS

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
        parts = [answer] if isinstance(answer, float | int) else answers.items(answer, "three numbers")
        if len(parts) != 3:
            raise NotYet("a share without its interval says little; hand in three numbers, `share, lower, upper`")
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
