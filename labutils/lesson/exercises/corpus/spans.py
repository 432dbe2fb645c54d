"""Exercises on personal data: the exact places of addresses and numbers in a text, and what only looks like them."""

import re
from collections.abc import Callable

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import quoted
from labutils.lesson.exercises.calling import call
from labutils.lesson.exercises.corpus.sought import Sought, machines, mails, telephones, unmarked
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import CORPUS


def _spans(sought: Sought, practised: bool) -> Exercise:
    cases = [unmarked(marked) for marked in sought.marked]

    def judge(answer: object) -> str:
        function = answers.function(answer)
        found = [(text, right, _read(call(function, text), text)) for text, right in cases]
        if not any(spans for _, _, spans in found):
            note = "`.example` belongs to nobody, so `personal.find` passes it over, too; " if practised else ""
            raise NotYet(f"{note}nothing at all is found, not even in {quoted(cases[0][0])}")
        for text, right, spans in found:
            _judge_text(text, right, spans, sought)
        return (
            f"all {sum(len(right) for _, right in cases)} {sought.nouns}, to the letter, and nothing that only looks "
            "like one; `labutils.corpus.personal` looks for more kinds in the same way"
        )

    return Exercise(
        name="mail_spans",
        title=f"The places of {sought.nouns}",
        subject=CORPUS,
        size="medium",
        question=(
            f"Before {sought.nouns} can be masked, they have to be found, and nothing else with them. Write a "
            f"function that gives the exact places of all {sought.nouns} in a text, as a list of pairs `(start, "
            f"end)`, so that `text[start:end]` is the {sought.noun}. For {quoted(cases[0][0])} it gives "
            f"`{cases[0][1]}`; for a text without any it gives `[]`. The check tries six further texts."
        ),
        starter="def spans(text):\n    return ...  # a list of (start, end)",
        answer="spans",
        judge=judge,
        hints=(
            "`[match.span() for match in re.finditer(pattern, text)]` gives the places of all matches of a pattern.",
            sought.hint,
        ),
        solved=f"""
            def spans(text):
                pattern = r"{sought.pattern}"
                return [match.span() for match in re.finditer(pattern, text)]
        """,
        wrong=lambda: _wrong(sought),
        vary=lambda draw: _spans(draw.pick((telephones, machines))(draw), practised=False),
    )


def _read(value: object, text: str) -> list[tuple[int, int]]:
    """What the function gave for a text, as spans in order."""
    if isinstance(value, str):
        raise NotYet("the function gives a text; what is asked for are the places, a list of `(start, end)`")
    found = answers.items(value, "a list of pairs `(start, end)`")
    if any(isinstance(each, str) for each in found):
        raise NotYet("the function gives the pieces themselves; give their places: `match.span()`, not `match.group()`")
    if any(isinstance(each, re.Match) for each in found):
        raise NotYet("the function gives the matches; `match.span()` is the place of one")
    spans = [tuple(answers.whole_numbers(each, "pairs `(start, end)`")) for each in found]
    if any(len(each) != 2 for each in spans):
        raise NotYet(f"for {quoted(text)} one of the places is not a pair `(start, end)`")
    return sorted(spans)


def _judge_text(text: str, right: list[tuple[int, int]], spans: list[tuple[int, int]], sought: Sought) -> None:
    for start, end in spans:
        if (start, end) in right:
            continue
        piece = text[start:end]
        near = [place for place in right if start < place[1] and place[0] < end]
        if not near:
            traps = [what for trap, what in sought.traps.items() if piece and (trap in piece or piece in trap)]
            what = f"{traps[0]}, no" if traps else "no"
            raise NotYet(f"{quoted(piece)} is {what} {sought.noun}; found in {quoted(text)}")
        if len(near) > 1:
            raise NotYet(f"{quoted(piece)} joins {len(near)} {sought.nouns} into one")
        (first, last), whole = near[0], text[slice(*near[0])]
        if (start, end) == (first, last - 1) or (start, end) == (first + 1, last + 1):
            raise NotYet(f"a place is off by one in {quoted(text)}; the end is the place behind the last character")
        what = "more than" if start <= first and end >= last else "a part of"
        raise NotYet(f"{quoted(piece)} is {what} the {sought.noun} {quoted(whole)}")
    if missed := [place for place in right if place not in spans]:
        raise NotYet(f"{quoted(text[slice(*missed[0])])} in {quoted(text)} was passed over")
    if len(spans) > len(right):
        raise NotYet(f"a place is given twice for {quoted(text)}")


def _by(pattern: str) -> Callable[[str], list]:
    return lambda text: [match.span() for match in re.finditer(pattern, text)]


def _wrong(sought: Sought) -> list[Wrong]:
    whole = _by(sought.pattern)
    either = [
        Wrong("the pieces", lambda text: re.findall(sought.pattern, text), "give their places"),
        Wrong("the masked text", lambda text: re.sub(sought.pattern, "[...]", text), "gives a text"),
        Wrong("the first one alone", lambda text: whole(text)[:1], "was passed over"),
        Wrong("the last character lost", lambda text: [(start, end - 1) for start, end in whole(text)], "off by one"),
        Wrong("nothing given back", lambda text: print(end=""), "is a `return` missing"),
        Wrong("the result", whole("x"), "the function itself"),
        Wrong("nothing found", lambda text: [], "nothing at all is found"),
    ]
    if sought.nouns != "addresses":
        return either
    return [
        Wrong("any word behind the sign", _by(r"[\w.+-]*@[\w.-]*\w"), "a decorator, no address"),
        Wrong("all but spaces", _by(r"\S+@\S+"), "more than the address"),
        Wrong("no dots before the sign", _by(r"\w+@(?:[\w-]+\.)+[A-Za-z]{2,}"), "a part of the address"),
        Wrong("digits at the end", _by(r"[\w.+-]+@(?:[\w-]+\.)+\w+"), "a package's version, no"),
        *either,
    ]


mail_spans = _spans(mails(Draw("practised")), practised=True)
