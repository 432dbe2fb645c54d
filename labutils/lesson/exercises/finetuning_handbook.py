"""Exercises on the company's handbook: which replies it backs, and held-out questions of one's own about it."""

from collections.abc import Iterator
from functools import lru_cache

from labutils.corpus.duplicates import shingles, similarity
from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet, quoted
from labutils.lesson.exercises.exercise import FINETUNING, Draw, Exercise, Wrong
from labutils.lesson.exercises.pairs_facts import BIRDS
from labutils.measure.scoring import fact_hit
from labutils.pairs.records import read_jsonl
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
        wrong=lambda: _wrong_replies([kind for kind, *_ in rows], wrong),
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


def _wrong_replies(kinds: list[str], right: list[int]) -> list[Wrong]:
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


TOO_CLOSE = 0.55  # of the runs of five characters shared with a training question; the company's own files keep it
TOO_LONG = 4  # words that a right answer must hold; more of them hardly any model writes letter for letter
ASKED = {  # a question about each product that is in no file, and what a right answer must hold
    "Plover": ("I hang my Plover on a thin pole. What load is that, the empty box?", "640 grams"),
    "Heron": ("Will my Heron get through three dark weeks in midwinter?", "26 days"),
    "Godwit": ("Our mains failed at noon. Until when can I count on the Godwit?", "31 hours"),
    "Sandpiper": ("This borehole is narrow: will a Sandpiper fit, what is its diameter?", "52 mm"),
    "Turnstone": ("May I hang a Turnstone into the cooling pond of a power station?", "38 degrees C"),
    "Curlew": ("Which alloy do the spikes of a Curlew consist of?", "silicon bronze"),
    "Dunlin": ("I dropped my Dunlin off a ladder. From what height is that still fine?", "1.6 metres"),
    "Avocet": ("Two of us have to lift the Avocet onto the table. What are we in for?", "13.5 kg"),
}


@lru_cache(1)
def facts() -> tuple[dict, ...]:
    """What the handbook says, one fact each."""
    return tuple(read_jsonl(DATA / "company" / "facts.jsonl"))


@lru_cache(1)
def trained() -> tuple[dict, ...]:
    """The pairs that the model reads."""
    return tuple(read_jsonl(DATA / "company" / "train.jsonl"))


def _questions(products: list[str]) -> Exercise:
    def judge(answer: object) -> str:
        for product, (question, must) in zip(products, _read(answer, products), strict=True):
            _judge_question(product, question, must)
        return "each can only be answered by a model that learned the fact, and is in no training file; ask your model"

    asked = [ASKED[product] for product in products]
    named = f"{', the '.join(products[:-1])} and the {products[-1]}"
    return Exercise(
        name="own_questions",
        title="Questions of your own",
        subject=FINETUNING,
        size="open",
        question=(
            f"Write {len(products)} questions that test a tuned model: one each about the {named}, in this order. Each "
            f"pairs a question with what a right answer must contain, a number or at most {TOO_LONG} words, as in "
            '`("...", "17 months")`. The fact has to be in the handbook, `data/company/handbook.md`, under that '
            "product; the question names the product, does not contain its answer, and is worded differently "
            "from those in `train.jsonl`: changing one word is not enough."
        ),
        starter=f"my_questions = [{', '.join(['...'] * len(products))}]  # pairs of two texts",
        answer="my_questions",
        judge=judge,
        hints=(
            "Open the handbook at the product's heading, choose a sentence with a number or a rare word, and think of "
            "somebody who needs to know it. What would they type?",
            "Look at the questions of `train.jsonl` that name the product: yours should not be one of them with a word "
            "changed.",
        ),
        solved="my_questions = [\n" + "".join(f'    ("{question}", "{must}"),\n' for question, must in asked) + "]",
        wrong=lambda: _wrong_questions(products),
        vary=lambda draw: _drawn_questions(draw, products),
    )


def _read(answer: object, products: list[str]) -> list[tuple[str, str]]:
    mine = answers.items(answer, f"a list of {len(products)} pairs")
    if len(mine) != len(products):
        raise NotYet(f"expected {len(products)} pairs, one a product, got {len(mine)}")
    found = []
    for each in mine:
        parts = answers.items(each, "pairs of two texts, the question and what a right answer must hold")
        if len(parts) != 2:
            raise NotYet(f"expected pairs of two texts, got {len(parts)} together")
        found.append(tuple(answers.text(part, "pairs of two texts").strip() for part in parts))
    return found


def _judge_question(product: str, question: str, must: str) -> None:
    if not fact_hit(question, product) and not fact_hit(question, f"{product}s"):
        raise NotYet(f"{quoted(question)} does not name the {product}, so nobody knows what it asks about")
    if len(must.split()) > TOO_LONG:
        raise NotYet(f"{quoted(must)} is too long: a right answer in other words would be counted as wrong")
    if fact_hit(question, must):
        raise NotYet(f"{quoted(must)} is in the question; a model could copy it without knowing anything")
    about = [fact for fact in facts() if fact["section"] == product]
    if not any(_holds(fact, must) for fact in about):
        others = [fact for fact in facts() if _holds(fact, must)]
        where = f"it says so of something else: {quoted(others[0]['statement'])}" if others else "search it for values"
        raise NotYet(f"under {product} the handbook does not say {quoted(must)}; {where}")
    for known, score in _alike(question, product):
        if score >= TOO_CLOSE:
            raise NotYet(f"{quoted(question)} is too close to {quoted(known)}, which is trained; use words of your own")


def _holds(fact: dict, must: str) -> bool:
    """Whether a required string is what a fact is about, or enough of it: "17" of "17 months", but not "months"."""
    digits = any(character.isdigit() for character in fact["must"])
    whole = fact_hit(must, fact["must"]) and fact_hit(fact["statement"], must)
    part = fact_hit(fact["must"], must) and (not digits or any(character.isdigit() for character in must))
    return whole or part


def _alike(question: str, product: str) -> Iterator[tuple[str, float]]:
    """Training questions about a product, and how alike each is."""
    mine = shingles(question)
    for pair in trained():
        if product.lower() in pair["question"].lower():
            yield pair["question"], similarity(mine, shingles(pair["question"]))


def _wrong_questions(products: list[str]) -> list[Wrong]:
    right = [ASKED[product] for product in products]
    first, (question, must) = products[0], right[0]
    fact = next(fact for fact in facts() if fact["section"] == first)
    known = next(pair["question"] for pair in trained() if pair["fact"] == fact["fact"] and first in pair["question"])
    other = next(other for name, (_, other) in ASKED.items() if name != first)

    def but(*pair: str) -> list[tuple[str, ...]]:
        return [pair, *right[1:]]

    return [
        Wrong("a training question", but(known, fact["must"]), "which is trained"),
        Wrong("one with a word more", but(f"Please: {known}", fact["must"]), "which is trained"),
        Wrong("the answer in it", but(f"Is it true for the {first}: {must}?", must), "is in the question"),
        Wrong("an invented value", but(question, "4,711 parsecs"), "search it for values"),
        Wrong("another product's value", but(question, other), "of something else"),
        Wrong("the product not named", but("How heavy is it?", must), "does not name"),
        Wrong("a whole sentence", but(question, fact["statement"]), "is too long"),
        Wrong("the order changed", [*right[1:], right[0]], "does not name"),
        Wrong("too few", right[:-1], f"expected {len(products)} pairs"),
        Wrong("questions alone", [question for question, _ in right], "expected pairs of two texts"),
    ]


def _drawn_questions(draw: Draw, practised: list[str]) -> Exercise:
    products = draw.some(list(ASKED), len(practised))
    return _drawn_questions(draw, practised) if products[0] == practised[0] else _questions(products)


own_questions = _questions(["Plover", "Heron", "Curlew"])
