"""An exercise on samples: a share of a pile, and how far a fair sample of it can be trusted."""

from functools import lru_cache

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import CORPUS

Z = 1.96  # 95 % of a normal distribution lie within so many standard deviations
LUCK = 2.0  # how many times its interval a fair sample may be off before its making is doubted (1 in 10,000 is)
SETS = ("Python", "Translations", "Web pages", "JSON", "Documentation", "Licences")
PRACTISED = "practised"  # the seed of the version in the notebook
HEAD = ["Python"] * 6  # what the first packages are mostly made of, and the others in some order
REST = ["Python"] * 12 + ["Translations"] * 8 + ["Web pages"] * 6 + ["JSON"] * 8
PACKAGES = [  # by name, which is the order of the pile
    "avocet", "bittern", "brambling", "bunting", "chough", "coot", "corncrake", "crossbill", "curlew", "dipper",
    "dotterel", "dunnock", "fieldfare", "firecrest", "gadwall", "gannet", "garganey", "goldcrest", "goosander", "grebe",
    "guillemot", "harrier", "hobby", "hoopoe", "jackdaw", "kestrel", "kittiwake", "lapwing", "linnet", "merlin",
    "nightjar", "nuthatch", "oriole", "osprey", "pipit", "pochard", "redstart", "ruff", "shelduck", "siskin",
]  # fmt: skip


@lru_cache(8)
def pile(seed: int | str, n: int) -> tuple[tuple[str, str], ...]:
    """A made-up pile as (package, set) of each document, packages by name; the first has more than n documents."""
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
        return [{"package": package, "pile_set_name": name} for package, name in pile(seed, n)]

    def facts() -> tuple[float, float]:
        """The share in the whole pile, and in its first n rows."""
        rows = [name == wanted for _, name in pile(seed, n)]
        return sum(rows) / len(rows), sum(rows[:n]) / n

    def judge(answer: object) -> str:
        parts = [answer] if isinstance(answer, float | int) else answers.items(answer, "two numbers, share and error")
        if len(parts) != 2:
            raise NotYet("a share without its error says little; hand in both, `share, error`")
        share, error = answers.number(parts[0], "a number as share"), answers.number(parts[1], "a number as error")
        whole, first = facts()
        _judge_share(share, n, wanted, whole, first)
        _judge_error(share, error, n)
        if abs(share - whole) > error:
            return f"the whole pile holds {whole:.1%}, just outside of your interval, as for one fair sample in twenty"
        return f"the whole pile holds {whole:.1%}, inside of your interval; {n} of {len(pile(seed, n)):,} told you that"

    def wrong() -> list[Wrong]:
        whole, first = facts()
        error = Z * (whole * (1 - whole) / n) ** 0.5
        fair = (round(whole * n) + 1) / n
        later = sum(name == wanted for _, name in pile(seed, n)[n : 2 * n]) / n
        return [
            Wrong("the first n", (first, error), "come from one package so far"),
            Wrong("the next n", (later, error), "from how many packages"),
            Wrong("all rows counted", (whole, error), "all rows were counted"),
            Wrong("no error", fair, "a share without its error"),
            Wrong("in percent", (100 * fair, 100 * error), "between 0 and 1"),
            Wrong("one standard error", (fair, error / Z), "one standard error"),
            Wrong("no square root", (fair, Z * fair * (1 - fair) / n), "the square root is missing"),
            Wrong("surely right", (fair, 0.5), "too wide"),
            Wrong("no doubt", (fair, 0.0), "too narrow"),
        ]

    aside = " Once it is right, try the same on `everything`, the real pile." if seed == PRACTISED else ""
    return Exercise(
        name="share_of_set",
        title="A share, and how sure you are",
        subject=CORPUS,
        size="medium",
        question=(
            "`THIS.given()` is a made-up pile, a list of documents in the order in which a stream brings them; each "
            f'is a dictionary with `"package"` and `"pile_set_name"`. Look at **{n}** of them and no more: which share '
            f"of the pile is `{wanted}`? Give the share, between 0 and 1, and its error to both sides, so wide that "
            f"it holds 19 times in 20.{aside}"
        ),
        starter="documents = THIS.given()\nshare, error = ..., ...",
        answer="share, error",
        judge=judge,
        hints=(
            f"`random.Random(0).sample(documents, {n})` draws {n} rows, each as likely as any other.",
            "For a share p of n drawn rows, the standard error is the square root of p * (1 - p) / n; 1.96 of them to "
            "each side hold 19 times in 20.",
        ),
        solved=f"""
            documents = THIS.given()
            drawn = random.Random(0).sample(documents, {n})
            share = sum(row["pile_set_name"] == "{wanted}" for row in drawn) / {n}
            error = 1.96 * (share * (1 - share) / {n}) ** 0.5
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
        raise NotYet(f"all rows were counted; of a real pile you will see a part, so use {n} of them")
    if abs(share - whole) > LUCK * Z * (whole * (1 - whole) / n) ** 0.5:
        raise NotYet(f"{share:.1%} of `{wanted}` is far off; from how many packages do your {n} documents come?")


def _judge_error(share: float, error: float, n: int) -> None:
    one = (share * (1 - share) / n) ** 0.5
    if abs(error - one) < 0.1 * one:
        raise NotYet("this is one standard error, outside of which a third of all samples falls; take 1.96 of them")
    if 0 < error < 2.5 * one**2:
        raise NotYet("the square root is missing; only with it do four times as many rows halve the error")
    if abs(error - Z * one) > max(0.15 * Z * one, 0.005):
        way = "wide" if error > Z * one else "narrow"
        raise NotYet(f"an error of {error:g} is too {way} for {n} rows; the second hint holds the formula")


share_of_set = _share(PRACTISED, 500, "Python")
