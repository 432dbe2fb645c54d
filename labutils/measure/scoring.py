"""What counts as a good answer: facts, format, stopping, refusals. How far a score can be trusted is for
`intervals`; who answered, and how it is shown, is not known here.
"""

import re
from collections.abc import Mapping, Sequence

from labutils.measure.intervals import Score, share

MARKS = re.compile(r"###|<\|")  # of the prompt templates
ENDS = (".", "!", "?")
QUOTES = ("`", '"', "'")


def fact_hit(answer: str, must: str) -> bool:
    """Whether an answer holds the required string, letter case and spacing aside, and not inside a longer word or
    number. fact_hit("It lasts 17 months.", "7 months") -> False. An empty string is required by no question: False.
    """
    words = [re.escape(word) for word in must.split()]
    inside = r"(?<!\w)(?<!\d[.,])" + r"\s+".join(words) + r"(?!\w)(?![.,]\d)"
    return bool(words) and re.search(inside, answer, re.IGNORECASE) is not None


def exact(answer: str, expected: str) -> bool:
    """Whether an answer is the expected one, letter case, spacing and one final stop aside.

    exact(" the red\\nLED", "The red LED.") -> True. An empty answer is expected by no question: False.
    """
    one, other = (" ".join(text.casefold().split()).removesuffix(".").rstrip() for text in (answer, expected))
    return one == other != ""


def keeps_format(answer: str) -> bool:
    """Whether an answer has the form that every answer of the company's pairs has: one paragraph on one line that
    begins with a capital letter, a digit or a quoted name, ends in . ! or ?, and holds no mark of a prompt template
    (### or <|). An empty one has not; a page that goes on in the middle of a sentence has not.
    """
    text = answer.strip()
    begins = text[:1].isupper() or text[:1].isdigit() or text.startswith(QUOTES)
    return begins and text.endswith(ENDS) and len(text.splitlines()) == 1 and not MARKS.search(text)


def refuses(answer: str) -> bool:
    """Whether an answer refuses the question, in the words that the company's pairs use for it."""
    return "i can only answer questions about" in answer.lower()


def abstains(answer: str) -> bool:
    """Whether an answer states nothing: it says that the handbook does not say, or refuses."""
    return "the handbook does not say" in answer.lower() or refuses(answer)


def kind(question: Mapping) -> str:
    """What sort of question a record is, by its fact: "off-topic", "unknown" (the handbook does not say), "invented"
    (about a product that does not exist) or "fact"."""
    fact = question.get("fact", "")
    return next((sort for sort in ("off-topic", "unknown", "invented") if fact.startswith(sort)), "fact")


def judge(replies: Sequence[tuple[str, bool]], questions: Sequence[Mapping]) -> dict[str, list[bool | None]]:
    """Every score of every answer, question by question; None where a score does not apply to a question.

    Args:
        replies: what a model said to each question, and whether it ended by itself (`asking.Reply`).
        questions: records with "fact" (see `kind`), and with "must" and "answer", without which a question is not
            asked for a fact, or for the exact answer.

    Returns:
        fact_hits and exact (of questions of fact), format and stops (of all but invented ones), refuses_off_topic (of
        off-topic ones), refuses_real (of facts and unknown ones: refusing these is wrong) and abstains (of unknown and
        invented ones, to which every statement would be wrong).

    Raises:
        ValueError: another number of answers than of questions.
    """
    if len(replies) != len(questions):
        raise ValueError(f"expected {len(questions)} answers, one a question, got {len(replies)}")
    names = ("fact_hits", "exact", "format", "stops", "refuses_off_topic", "refuses_real", "abstains")
    found = {name: [] for name in names}
    for (answer, stopped), question in zip(replies, questions, strict=True):
        asked, refused = kind(question), refuses(answer)
        must, expected = (question.get(key) if asked == "fact" else None for key in ("must", "answer"))
        found["fact_hits"].append(None if must is None else fact_hit(answer, must))
        found["exact"].append(None if expected is None else exact(answer, expected))
        found["format"].append(None if asked == "invented" else keeps_format(answer))
        found["stops"].append(None if asked == "invented" else bool(stopped))
        found["refuses_off_topic"].append(refused if asked == "off-topic" else None)
        found["refuses_real"].append(refused if asked in ("fact", "unknown") else None)
        found["abstains"].append(abstains(answer) if asked in ("unknown", "invented") else None)
    return found


def shares(judged: Mapping[str, Sequence[bool | None]]) -> dict[str, Score]:
    """The share of each score over the questions it applies to; a score that applies to none is left out."""
    asked = {name: [hit for hit in hits if hit is not None] for name, hits in judged.items()}
    return {name: share(hits) for name, hits in asked.items() if hits}


def fact_hits(answers: Sequence[str], questions: Sequence[dict]) -> Score:
    """The share of answers that hold the string their question requires (key "must").

    Raises ValueError for another number of answers than of questions, or for none.
    """
    if len(answers) != len(questions):
        raise ValueError(f"expected {len(questions)} answers, one a question, got {len(answers)}")
    return share([fact_hit(answer, question["must"]) for answer, question in zip(answers, questions, strict=True)])
