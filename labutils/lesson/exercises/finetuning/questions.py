"""An exercise on held-out questions: some of one's own, which a right answer cannot be copied from."""

from collections.abc import Iterator
from functools import lru_cache

from labutils.corpus.duplicates import shingles, similarity
from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import quoted
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import FINETUNING
from labutils.measure.scoring import fact_hit
from labutils.pairs.records import read_jsonl
from labutils.places import DATA

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
            f"is a pair of the question and what a right answer must hold, a number or at most {TOO_LONG} words, as in "
            '`("...", "17 months")`. The fact has to be in the handbook, `data/company/handbook.md`, under that '
            "product; the question names the product, does not hold its answer, and is in other words than the "
            "questions of `train.jsonl`: one of those with a word changed is not enough."
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
        wrong=lambda: _wrong(products),
        vary=lambda draw: _drawn(draw, products),
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


def _wrong(products: list[str]) -> list[Wrong]:
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


def _drawn(draw: Draw, practised: list[str]) -> Exercise:
    products = draw.some(list(ASKED), len(practised))
    return _drawn(draw, practised) if products[0] == practised[0] else _questions(products)


own_questions = _questions(["Plover", "Heron", "Curlew"])
