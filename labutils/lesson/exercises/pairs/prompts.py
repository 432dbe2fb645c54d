"""An exercise on templates: the question-only one that fits a full one, to the letter."""

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import quoted
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.pairs.facts import records
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import PAIRS
from labutils.pairs.templates import ANSWER, QUESTION

ASKS, ANSWERS = ("User", "Visitor", "Caller", "Client", "Reader"), ("Reply", "Desk", "Clerk", "Said", "Editor")
FRAMES = (
    "[{0}]\n{{question}}\n[{1}]\n{{answer}}",
    "{0}: {{question}}\n\n{1}:\n{{answer}}",
    "<{0}>\n{{question}}\n\n<{1}>\n{{answer}}",
)
NAMES = {"\n": "a newline", " ": "a space", "": "nothing more"}


def _question_only(template: str, seed: int | str) -> Exercise:
    right = template.removesuffix(ANSWER)
    pairs = records(Draw(f"prompts {seed}"), 1)

    def judge(answer: object) -> str:
        mine = answers.text(answer, "the template, a text")
        if ANSWER in mine:
            raise NotYet(f"`{ANSWER}` is still in it; when you ask, there is no answer yet")
        if QUESTION not in mine:
            raise NotYet(f"the place `{QUESTION}` is gone; leave it open, it is filled for each question anew")
        for pair in pairs:
            full = right.replace(QUESTION, pair["question"]) + pair["answer"]
            made = mine.replace(QUESTION, pair["question"]) + pair["answer"]
            if made != full:
                raise NotYet(difference(made, full))
        return (
            "question-only text and answer make the full text; the model is asked with exactly what it was trained on"
        )

    bare = right.rstrip("\n")
    return Exercise(
        name="question_only",
        title="The question-only template",
        subject=PAIRS,
        size="small",
        question=(
            "A model was fine-tuned on texts that were made with this template:\n\n"
            f"```\n{template}\n```\n\n"
            f"Which template will you ask it with? Write the question-only one, with the place `{QUESTION}`. The "
            "check fills both for three pairs, and compares question-only text plus answer with the full text."
        ),
        starter="my_answer = ...  # a text in quotes; a newline is \\n",
        answer="my_answer",
        judge=judge,
        hints=(
            f"Everything before `{ANSWER}` comes before the first letter of the answer, line breaks included.",
            f'Take the full template as a text, and cut it: `full.removesuffix("{ANSWER}")`.',
        ),
        solved=f"my_answer = {right!r}".replace("'", '"'),
        wrong=lambda: [
            Wrong("the newline lost", bare, "has a newline, yours has"),
            Wrong("a newline too many", right + "\n", "yours has a newline"),
            Wrong("a space behind", right + " ", "yours has a space"),
            Wrong("the answer left in", template, "there is no answer yet"),
            Wrong("filled already", right.replace(QUESTION, pairs[0]["question"]), "leave it open"),
            Wrong("the question alone", QUESTION, "at the very beginning"),
            Wrong("a function", lambda question: right, "got a function"),
        ],
        vary=lambda draw: _question_only(
            draw.pick(FRAMES).format(draw.pick(ASKS), draw.pick(ANSWERS)), draw.number(1, 10**6)
        ),
    )


def difference(made: str, full: str) -> str:
    """Where two texts part, in words that show the place."""
    place = next((i for i, (a, b) in enumerate(zip(made, full, strict=False)) if a != b), min(len(made), len(full)))
    wanted, got = (NAMES.get(text[place : place + 1], f"`{text[place : place + 1]}`") for text in (full, made))
    after = f"after {quoted(full[max(0, place - 20) : place])}" if place else "at the very beginning"
    return f"they differ {after}: there the full text has {wanted}, yours has {got}"


question_only = _question_only("Customer:\n{question}\n\nTidewren:\n{answer}", "practised")
