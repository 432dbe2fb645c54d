"""An exercise on replies: which of them the handbook backs, and which were made up in the same sure tone."""

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import quoted
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.pairs.facts import BIRDS
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import FINETUNING
from labutils.places import DATA

SAID = (  # product, a reply about it, what its section of the handbook says, what another section says of another thing
    ("Plover", "A {name} runs for {value} on one set of batteries.", "17 months", "28 months"),
    ("Plover", "A {name} weighs {value} when there are no batteries in it.", "640 grams", "230 g"),
    ("Heron", "Without any sun, the battery of the {name} lasts {value}.", "26 days", "75 days"),
    ("Heron", "The mast of the {name} is {value} tall.", "3.4 metres", "2.4 metres"),
    ("Godwit", "The {name} must hang at least {value} above the ground.", "6 metres", "18 metres"),
    ("Sandpiper", "The {name} may be lowered to {value}.", "120 metres", "85 metres"),
    ("Turnstone", "The {name} comes with a cable of {value}.", "35 metres", "25 metres"),
    ("Curlew", "Each of the rods of the {name} has a length of {value}.", "17 cm", "20 mm"),
    ("Dunlin", "One set of batteries lasts {value} in the {name}.", "85 hours", "31 hours"),
    ("Avocet", "The lamp of the {name} lasts {value}.", "2600 hours", "24 hours"),
)
KINDS = ("backed", "backed", "another's value", "another's value", "no such product", "no such product")


def handbook() -> str:
    """The company's handbook, first edition."""
    return (DATA / "company" / "handbook.md").read_text(encoding="utf-8")


def _replies(seed: int | str, practised: list[int]) -> Exercise:
    draw, wrong = Draw(f"handbook {seed}"), practised
    while wrong == practised:
        kinds = draw.shuffled(KINDS)
        wrong = [i for i, kind in enumerate(kinds, 1) if kind != "backed"]
    rows = []
    for kind, (product, text, value, other), bird in zip(kinds, draw.some(SAID, 6), draw.some(BIRDS, 6), strict=True):
        name = bird if kind == "no such product" else product
        said = other if kind == "another's value" else value
        rows.append((kind, name, said, text.format(name=name, value=said), value))

    def judge(answer: object) -> str:
        mine = answers.whole_numbers(answer, "a list of the replies' numbers")
        if strange := [each for each in mine if not 1 <= each <= len(rows)]:
            raise NotYet(f"there is no reply {strange[0]}; they are counted from 1 to {len(rows)}")
        if not mine:
            raise NotYet("all six sound sure, and some are made up; the tone tells nothing, so search the handbook")
        for i, (kind, name, said, text, value) in enumerate(rows, 1):
            if (i in mine) != (kind != "backed"):
                raise NotYet(f"reply {i}, {quoted(text)}: {_why(kind, name, said, value)}")
        return "four were made up, and sound like the others; so check a model's answers against a source"

    listed = "\n".join(f"- **{i}** {text}" for i, (_, _, _, text, _) in enumerate(rows, 1))
    return Exercise(
        name="not_in_handbook",
        title="Made up, or in the handbook?",
        subject=FINETUNING,
        size="medium",
        question=(
            f"A tuned model gave these replies:\n\n{listed}\n\nWhich of them does the handbook *not* back? "
            "`THIS.given()` is the text of the handbook; search it, with Python or in the file "
            "`data/company/handbook.md`. Hand in the numbers of the replies."
        ),
        starter="book = THIS.given()\nmade_up = ...  # a list of numbers, such as [1, 2]",
        answer="made_up",
        judge=judge,
        hints=(
            '`[line for line in book.splitlines() if "Heron" in line]` are the paragraphs that name the Heron.',
            "It is not enough that a value is somewhere in the handbook: which product is it about, and what "
            "which property?",
        ),
        solved=f"made_up = {wrong}",
        wrong=lambda: _wrong([kind for kind, *_ in rows], wrong),
        vary=lambda draw: _replies(draw.number(1, 10**6), wrong),
        data=handbook,
    )


def _why(kind: str, name: str, said: str, value: str) -> str:
    """What the handbook says of a reply that was taken for the other sort."""
    if kind == "no such product":
        return f"search the handbook for `{name}`; there is no such product, so nothing said of it can be right"
    if kind == "another's value":
        return f"`{said}` is in the handbook, but about something else; under {name} it says `{value}`"
    return f"check again under {name}; other words than the handbook's, but the same value"


def _wrong(kinds: list[str], right: list[int]) -> list[Wrong]:
    def places(*wanted: str) -> list[int]:
        return [i for i, kind in enumerate(kinds, 1) if kind in wanted]

    return [
        Wrong("all taken as known", [], "the tone tells nothing"),
        Wrong("values that stand somewhere", places("no such product"), "is in the handbook, but about something else"),
        Wrong("products that are there", places("another's value"), "there is no such product"),
        Wrong("not word for word", [1, 2, 3, 4, 5, 6], "check again under"),
        Wrong("counted from 0", [0, *right], "there is no reply 0"),
        Wrong("one by number alone", right[0], "expected a list"),
    ]


not_in_handbook = _replies("practised", [])
