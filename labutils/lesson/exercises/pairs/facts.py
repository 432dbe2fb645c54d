"""Made-up facts about instruments, each asked in three ways: records for exercises. No handbook knows them."""

from typing import NamedTuple

from labutils.lesson.exercises.drawing import Draw

BIRDS = ("Lapwing", "Redshank", "Ruff", "Sanderling", "Whimbrel", "Kittiwake", "Pochard", "Gadwall", "Wigeon", "Grebe")


class Fact(NamedTuple):
    """What can be asked: in a sentence, scribbled down, in quite other words; the answer, its number's two ends."""

    question: str
    scribbled: str
    other_words: str
    answer: str
    low: int
    high: int


FACTS = {
    "weight": Fact(
        "How heavy is the {bird}?",
        "how heavy is the {bird}",
        "I have to post a {bird} and want to know the grams.",
        "The {bird} weighs {n} grams.",
        *(210, 990),
    ),
    "batteries": Fact(
        "How long does a {bird} run on one set of batteries?",
        "how long does a {bird} run on one set of batterys",
        "We come by once a year only; will a {bird} still be awake?",
        "A {bird} runs for {n} days.",
        *(120, 700),
    ),
    "reach": Fact(
        "How far can the {bird} send its readings?",
        "how far can the {bird} send readings",
        "Our office lies behind the dunes. Is that too distant for a {bird}?",
        "The {bird} sends over {n} metres.",
        *(300, 2900),
    ),
    "depth": Fact(
        "How deep under water may a {bird} go?",
        "how deep under water may a {bird} go??",
        "The well here has no bottom, so to say. Where must my {bird} stop?",
        "A {bird} may go {n} metres deep.",
        *(5, 80),
    ),
    "memory": Fact(
        "How many readings does the {bird} keep?",
        "how many readings does the {bird} keep",
        "When does a {bird} begin to write over old values?",
        "The {bird} keeps {n} readings.",
        *(2000, 90_000),
    ),
    "warranty": Fact(
        "For how many months is a {bird} under warranty?",
        "for how many months is {bird} under warranty",
        "My {bird} broke. Until when is the repair free?",
        "A {bird} is under warranty for {n} months.",
        *(13, 59),
    ),
    "price": Fact(
        "What does a spare strap for the {bird} cost?",
        "what does a spare strap for {bird} cost",
        "The belt of my {bird} tore. How much is a new one?",
        "A strap for the {bird} costs {n} crowns.",
        *(11, 98),
    ),
    "interval": Fact(
        "How often does the {bird} measure?",
        "how often does the {bird} measure",
        "Seconds between two values of a {bird}: what may I count on?",
        "The {bird} measures every {n} seconds.",
        *(5, 590),
    ),
    "cold": Fact(
        "What is the coldest air that a {bird} bears?",
        "what is the coldest air a {bird} bears",
        "Polar winter ahead. At which frost does the {bird} give up?",
        "A {bird} bears {n} degrees below zero.",
        *(11, 55),
    ),
    "cable": Fact(
        "How long is the cable of the {bird}?",
        "how long is the cable of the {bird}",
        "From the mast to the box of my {bird}: what span will the cord bridge?",
        "The cable of the {bird} is {n} centimetres long.",
        *(60, 480),
    ),
}


def records(draw: Draw, n: int) -> list[dict]:
    """`n` facts, three records each, shuffled: [{"question", "answer", "fact"}, ...]."""
    made = []
    for about in draw.some(list(FACTS), n):
        fact, bird = FACTS[about], draw.pick(BIRDS)
        answer = fact.answer.format(bird=bird, n=draw.number(fact.low, fact.high))
        questions = [asked.format(bird=bird) for asked in (fact.question, fact.scribbled, fact.other_words)]
        made += [{"question": asked, "answer": answer, "fact": f"{bird.lower()}-{about}"} for asked in questions]
    return draw.shuffled(made)
