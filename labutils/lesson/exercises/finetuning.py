"""The exercises of notebook 04: steps, checkpoints and the loss of a run, and the handbook that answers are held to."""

import math
from functools import lru_cache

from labutils.corpus.duplicates import shingles, similarity
from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import quoted
from labutils.lesson.exercises.exercise import TEXTS, Draw, Exercise, Words, Wrong, filled
from labutils.lesson.exercises.forms import Quantity, apart, asked_for, choice, moved, quantity, refuse
from labutils.lesson.exercises.made_up import BIRDS
from labutils.measure.scoring import fact_hit
from labutils.pairs.records import read_jsonl
from labutils.places import DATA


def _updates(pairs: int, batch: int, epochs: int) -> Quantity:
    batches = math.ceil(pairs / batch)
    slips = {
        "batches of one": pairs * epochs, "one epoch": batches, "the rest left out": pairs // batch * epochs,
        "not rounded": pairs / batch * epochs, "rounded at the end": math.ceil(pairs / batch * epochs),
    }  # fmt: skip
    say = Words("total_steps", epochs=epochs, rest=pairs % batch)
    return quantity(say, "my_steps", batches * epochs, slips, close=0)


def _steps(pairs: int, batch: int, epochs: int) -> Exercise:
    asked = _updates(pairs, batch, epochs)
    say = Words("total_steps", pairs=pairs, batch=batch, epochs=epochs, quotient=pairs / batch, right=asked.right)

    def vary(draw: Draw) -> Exercise:
        while True:
            recipe = draw.number(300, 1400), draw.pick((8, 16, 24, 32)), draw.number(3, 9)
            if apart(_updates(*recipe), others=[asked.right]):
                return _steps(*recipe)

    return say.exercise(vary=vary, **asked_for(asked, good=say("good")))


total_steps = _steps(842, 16, 5)


Row = tuple[int, float, float]  # step, training loss, held-out loss


def _which_checkpoint(rows: list[Row]) -> Exercise:
    best, (last, _, risen) = min(rows, key=lambda row: row[2]), rows[-1]
    table = "\n".join(f"| {step} | {train:.2f} | {held_out:.2f} |" for step, train, held_out in rows)
    say = Words("which_checkpoint", table=table, right=best[0], lowest=best[2], last=risen)
    at = rows.index(best)
    found = {"the lowest training loss": last, "before training": rows[0][0], "a loss": best[2], "the row": at + 1.0}
    slips = say.slips(found)
    for step, _, held_out in (row for row in rows[1:-1] if row != best):
        told = say("not_yet", "early" if step < best[0] else "late", step=step, held_out=held_out)
        slips.append(Wrong(f"step {step}", step, told))

    def judge(answer: object) -> str:
        step = answers.number(answer, "the number of a step")
        if step == best[0]:
            return say("good")
        refuse(slips, lambda slip: step == slip)
        raise say.no("none", steps=", ".join(str(row[0]) for row in rows), step=step)

    def vary(draw: Draw) -> Exercise:
        """Another run: the training loss falls, the held-out loss turns at a row between, at another step."""
        every, turn = draw.pick((15, 20, 30, 60)), draw.number(2, 4)
        every += 5 * (every * turn == best[0])
        train, held_out, rows = draw.number(280, 340), draw.number(290, 350), []
        for row in range(7):
            rows.append((row * every, train / 100, held_out / 100))
            train = train * draw.number(55, 75) // 100
            held_out = held_out * draw.number(70, 85) // 100 if row < turn else held_out + draw.number(4, 14)
        return _which_checkpoint(rows)

    return say.exercise(judge=judge, slips=slips, wrong={"another number": last + 1}, vary=vary)


which_checkpoint = _which_checkpoint(
    [(0, 3.21, 3.25), (25, 1.94, 2.11), (50, 1.22, 1.63), (75, 0.71, 1.41), (100, 0.38, 1.48), (125, 0.19, 1.62),
     (150, 0.08, 1.83)]
)  # fmt: skip


def _same_loss(order: list[int], part: str = "", **values: object) -> Exercise:
    def vary(draw: Draw) -> Exercise:
        """The graded question: two losses of one pair."""
        everything, written = draw.number(210, 340), draw.number(8, 19)
        losses = {"everything": everything / 100, "reply": everything * draw.number(45, 75) // 100 / 100}
        other = moved(draw, order)
        return _same_loss(other, "graded", tokens=written + draw.number(14, 30), written=written, **losses)

    return choice(Words("same_loss", part, **values), order, vary)


same_loss = _same_loss([1, 2, 3, 0])


SAID = TEXTS["not_in_handbook"]["said"]
KINDS = ("backed", "backed", "another's value", "another's value", "no such product", "no such product")


@lru_cache(1)
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
        rows.append({"name": name, "said": said, "value": value, "full": filled(text, {"name": name, "value": said})})
    listed = "\n".join(f"- **{i}** {row['full']}" for i, row in enumerate(rows, 1))
    say = Words("not_in_handbook", listed=listed, right=str(wrong))

    def judge(answer: object) -> str:
        mine = answers.whole_numbers(answer, "a list of the replies' numbers", ordered=False)
        if strange := [each for each in mine if not 1 <= each <= len(rows)]:
            raise say.no("range", number=strange[0], count=len(rows))
        say.refuse(not mine, "none")
        for i, (kind, row) in enumerate(zip(kinds, rows, strict=True), 1):
            say.refuse((i in mine) != (kind != "backed"), kind, i=i, text=quoted(row["full"]), **row)
        return say("good")

    def places(wanted: str) -> list[int]:
        return [i for i, kind in enumerate(kinds, 1) if kind == wanted]

    typical = {
        "all taken as known": [], "values that stand somewhere": places("no such product"),
        "products that are there": places("another's value"), "not word for word": [1, 2, 3, 4, 5, 6],
        "counted from 0": [0, *wrong], "one by number alone": wrong[0],
    }  # fmt: skip

    def vary(draw: Draw) -> Exercise:
        return _replies(draw.number(1, 10**6), wrong)

    return say.exercise(judge=judge, wrong=typical, vary=vary, data=handbook)


not_in_handbook = _replies("practised", [])


TOO_CLOSE = 0.55  # of the runs of five characters shared with a training question; the company's own files keep it
TOO_LONG = 4  # words that a right answer must hold; more of them hardly any model writes letter for letter
ASKED = TEXTS["own_questions"]["asked"]


@lru_cache(2)
def rows(name: str) -> tuple[dict, ...]:
    """The rows of a file of the company: `facts`, what the handbook says, or `train`, the pairs to train on."""
    return tuple(read_jsonl(DATA / "company" / f"{name}.jsonl"))


def _questions(products: list[str]) -> Exercise:
    asked = "\n".join('    ("{}", "{}"),'.format(*ASKED[product]) for product in products)
    named = f"{', the '.join(products[:-1])} and the {products[-1]}"
    count, dots = len(products), ", ".join(["..."] * len(products))
    say = Words("own_questions", count=count, named=named, words=TOO_LONG, dots=dots, asked=asked)

    def judge(answer: object) -> str:
        mine = answers.items(answer, f"a list of {count} pairs")
        say.refuse(len(mine) != count, "count", got=len(mine))
        found = []
        for each in mine:
            parts = answers.items(each, "pairs of two texts, the question and what a right answer must hold")
            say.refuse(len(parts) != 2, "parts", got=len(parts))
            found.append([answers.text(part, "pairs of two texts").strip() for part in parts])
        for product, (question, must) in zip(products, found, strict=True):
            judge_question(say, product, question, must)
        return say("good")

    def vary(draw: Draw) -> Exercise:
        other = draw.some(list(ASKED), len(products))
        return vary(draw) if other[0] == products[0] else _questions(other)

    return say.exercise(judge=judge, wrong=lambda: _wrong_questions(products), vary=vary)


def judge_question(say: Words, product: str, question: str, must: str) -> None:
    """Raises NotYet for a question that is no test of what a model knows about a product."""
    if not fact_hit(question, product) and not fact_hit(question, f"{product}s"):
        raise say.no("unnamed", question=quoted(question), product=product)
    say.refuse(len(must.split()) > TOO_LONG, "long", must=quoted(must))
    say.refuse(fact_hit(question, must), "told", must=quoted(must))
    if not any(_holds(fact, must) for fact in rows("facts") if fact["section"] == product):
        others = [fact["statement"] for fact in rows("facts") if _holds(fact, must)]
        where = f"it says so of something else: {quoted(others[0])}" if others else "search it for values"
        raise say.no("fact", product=product, must=quoted(must), where=where)
    for known in (pair["question"] for pair in rows("train")):
        alike = product.lower() in known.lower() and similarity(shingles(question), shingles(known))
        say.refuse(alike >= TOO_CLOSE, "close", question=quoted(question), known=quoted(known))


def _holds(fact: dict, must: str) -> bool:
    """Whether a required string is what a fact is about, or enough of it: "17" of "17 months", but not "months"."""
    digits = any(character.isdigit() for character in fact["must"])
    whole = fact_hit(must, fact["must"]) and fact_hit(fact["statement"], must)
    part = fact_hit(fact["must"], must) and (not digits or any(character.isdigit() for character in must))
    return whole or part


def _wrong_questions(products: list[str]) -> dict[str, object]:
    right = [tuple(ASKED[product]) for product in products]
    first, (question, must) = products[0], right[0]
    fact = next(fact for fact in rows("facts") if fact["section"] == first)
    known = next(
        pair["question"] for pair in rows("train") if pair["fact"] == fact["fact"] and first in pair["question"]
    )
    other = next(other for name, (_, other) in ASKED.items() if name != first)
    instead = {
        "a training question": (known, fact["must"]), "one with a word more": (f"Please: {known}", fact["must"]),
        "the answer in it": (f"Is it true for the {first}: {must}?", must),
        "an invented value": (question, "4,711 parsecs"), "another product's value": (question, other),
        "the product not named": ("How heavy is it?", must), "a whole sentence": (question, fact["statement"]),
    }  # fmt: skip
    return {what: [pair, *right[1:]] for what, pair in instead.items()} | {
        "the order changed": [*right[1:], right[0]], "too few": right[:-1],
        "questions alone": [question for question, _ in right],
    }  # fmt: skip


own_questions = _questions(["Plover", "Heron", "Curlew"])
