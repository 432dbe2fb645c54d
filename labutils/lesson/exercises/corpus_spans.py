"""An exercise on personal data: the exact positions of addresses and numbers, and what only looks like them.

In the texts the positions are marked. Every address and number belongs to nobody, by the documents that the functions
name.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet, call, quoted
from labutils.lesson.exercises.exercise import CORPUS, Draw, Exercise, Wrong

OPEN, CLOSE = "‹", "›"  # around each span, and taken out


class SpanTask(NamedTuple):
    """What is to be found: its name, texts with their spans marked, what only looks like it, a rule and patterns."""

    noun: str
    nouns: str
    marked: tuple[str, ...]
    traps: dict[str, str]  # a piece of a text: what it is
    rule: str  # what counts, in words
    first: str  # a pattern that is not good enough
    pattern: str
    hint: str


def mails(draw: Draw) -> SpanTask:
    """Addresses under the ending .example, which belongs to nobody (RFC 2606)."""
    one, two, three = draw.some(("ada.b", "bo-w", "cy_lund", "dee.k", "eli-r", "fay.ott"), 3)
    house, other = draw.some(("plover", "heron", "dunlin", "curlew", "godwit"), 2)
    version = f"{draw.number(1, 9)}.{draw.number(0, 9)}.{draw.number(1, 9)}"
    return SpanTask(
        "address",
        "addresses",
        (
            f"Write to ‹{one}@{house}.example› today.",
            f"Authors: Ada <‹{two}@{house}.example›>, Bo <‹{three}@{other}.example›>",
            "@property\ndef size(self):",
            f"Mail ‹{one}+news@post.{other}.example›.",
            "c = a @ b  # two matrices",
            f"npm install {house}@{version}",
            "",
        ),
        {"@property": "a decorator", "a @ b": "a product of two matrices", f"{house}@{version}": "a package's version"},
        "Here an address is letters, digits and any of `. _ + -`, then `@`, then two or more parts joined by dots. The "
        "parts hold letters, digits, `_` and `-`; the last part is two or more letters, and nothing else.",
        r"\S+@\S+",
        r"[\w.+-]+@(?:[\w-]+\.)+[A-Za-z]{2,}",
        "`\\w` is a letter, a digit or `_`. After the `@` comes `(?:[\\w-]+\\.)+`: parts, each with its dot.",
    )


def telephones(draw: Draw) -> SpanTask:
    """Numbers that the British regulator keeps for drama: they belong to nobody."""
    one, two, three = (f"{draw.number(100, 999)}" for _ in range(3))
    year = draw.number(2011, 2024)
    total = draw.number(2, 8)
    return SpanTask(
        "number",
        "telephone numbers",
        (
            f"Call ‹+44 20 7946 0{one}› before noon.",
            f"Office ‹+44 1632 960{two}›, workshop ‹+44 20 7946 0{three}›.",
            f"1 + {total} = {1 + total}",
            f"(‹+44 1632 960{three}›)",
            f"Released on {year}-04-01, ISO 8601.",
            f"x = y +44 * {total}",
            "",
        ),
        {f"1 + {total}": "a sum", f"{year}-04-01": "a date", "8601": "the number of a standard", "+44 *": "a product"},
        "Here a number is `+` and two digits, then two or three groups of digits, each after a single space.",
        r"\+.+",
        r"\+\d{2}(?: \d+){2,3}",
        "`\\+` is a plus sign and `\\d` a digit; ` \\d+` is a space and a group of digits.",
    )


def machines(draw: Draw) -> SpanTask:
    """Addresses of the networks kept for documentation (RFC 5737): no machine has them."""
    one, two, three = (draw.number(2, 250) for _ in range(3))
    major, minor = draw.number(1, 9), draw.number(1, 9)
    return SpanTask(
        "address",
        "IPv4 addresses",
        (
            f"The logger answers at ‹192.0.2.{one}›.",
            f"from ‹198.51.100.{two}› to ‹203.0.113.{three}›, port 80",
            f"version {major}.{minor}.0",
            f"http://‹203.0.113.{one}›:8080/status",
            f"see section {major}.{minor}.2.4.1 of the manual",
            "it weighs 1.250 kg",
            "",
        ),
        {f"{major}.{minor}.0": "a version", f"{major}.{minor}.2.4": "a piece of a number", "1.250": "a weight"},
        "Here an address is four groups of one to three digits, joined by dots. No digit or dot comes right before it, "
        "and no digit right after it, nor a dot and a digit.",
        r"\d+\.\d+",
        r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)",
        "`(?<![\\d.])` in front says that no digit or dot comes before; `(?!\\.?\\d)` behind it that no digit follows, "
        "with or without a dot.",
    )


def unmarked(marked: str) -> tuple[str, list[tuple[int, int]]]:
    """A text without the marks, and the positions between them. unmarked("a ‹b›.") -> ("a b.", [(2, 3)])."""
    spans = [(match.start() - 2 * i, match.end() - 2 * i - 2) for i, match in enumerate(re.finditer("‹[^›]*›", marked))]
    return marked.replace(OPEN, "").replace(CLOSE, ""), spans


def _spans(task: SpanTask, practised: bool) -> Exercise:
    cases = [unmarked(marked) for marked in task.marked]

    def judge(answer: object) -> str:
        function = answers.function(answer)
        found = [(text, right, _read(call(function, text), text)) for text, right in cases]
        if not any(spans for _, _, spans in found):
            note = "`.example` belongs to nobody, so `personal.find` skips it; " if practised else ""
            raise NotYet(f"{note}nothing at all is found, not even in {quoted(cases[0][0])}")
        for text, right, spans in found:
            _judge_text(text, right, spans, task)
        return (
            f"all {sum(len(right) for _, right in cases)} {task.nouns}, to the letter, and nothing that only looks "
            "like one; `labutils.corpus.personal` looks for more kinds in the same way"
        )

    return Exercise(
        name="mail_spans",
        title=f"The positions of {task.nouns}",
        subject=CORPUS,
        size="medium",
        question=(
            f"To mask {task.nouns}, you must first find them, and only them. {task.rule} Write "
            f"a function that returns the positions of all {task.nouns} in a text, as a list of pairs `(start, end)`, "
            f"so that `text[start:end]` is the {task.noun}: for {quoted(cases[0][0])} it returns `{cases[0][1]}`, "
            "and `[]` if there is none. The check tries six more texts."
        ),
        starter=(
            "def spans(text):\n"
            f'    pattern = r"{task.first}"  # finds too much or too little\n'
            "    return ...  # [match.span() for match in re.finditer(pattern, text)]"
        ),
        answer="spans",
        judge=judge,
        hints=(
            "Use the list in the comment; look at what the first pattern finds. Then describe each part of the rule. "
            "`{2,}` behind a set of characters means at least two of them, and `(?:...)+` repeats a whole group.",
            task.hint,
        ),
        solved=f"""
            def spans(text):
                pattern = r"{task.pattern}"
                return [match.span() for match in re.finditer(pattern, text)]
        """,
        wrong=lambda: _wrong(task),
        vary=lambda draw: _spans(draw.pick((telephones, machines))(draw), practised=False),
    )


def _read(value: object, text: str) -> list[tuple[int, int]]:
    """What the function gave for a text, as spans in order."""
    if isinstance(value, str):
        raise NotYet("the function gives a text; what is asked for are the positions, a list of `(start, end)`")
    found = answers.items(value, "a list of pairs `(start, end)`")
    if any(isinstance(each, str) for each in found):
        raise NotYet("the function gives the pieces; give their positions: `match.span()`, not `match.group()`")
    if any(isinstance(each, re.Match) for each in found):
        raise NotYet("the function gives the matches; `match.span()` is the place of one")
    spans = [tuple(answers.whole_numbers(each, "pairs `(start, end)`")) for each in found]
    if any(len(each) != 2 for each in spans):
        raise NotYet(f"for {quoted(text)} one of the positions is not a pair `(start, end)`")
    return sorted(spans)


def _judge_text(text: str, right: list[tuple[int, int]], spans: list[tuple[int, int]], task: SpanTask) -> None:
    for start, end in spans:
        if (start, end) in right:
            continue
        piece = text[start:end]
        near = [place for place in right if start < place[1] and place[0] < end]
        if not near:
            traps = [what for trap, what in task.traps.items() if piece and (trap in piece or piece in trap)]
            what = f"{traps[0]}, no" if traps else "no"
            raise NotYet(f"{quoted(piece)} is {what} {task.noun}; found in {quoted(text)}")
        if len(near) > 1:
            raise NotYet(f"{quoted(piece)} joins {len(near)} {task.nouns} into one")
        (first, last), whole = near[0], text[slice(*near[0])]
        if (start, end) == (first, last - 1) or (start, end) == (first + 1, last + 1):
            raise NotYet(f"a position is off by one in {quoted(text)}; `end` is the position after the last character")
        what = "more than" if start <= first and end >= last else "a part of"
        raise NotYet(f"{quoted(piece)} is {what} the {task.noun} {quoted(whole)}")
    if missed := [place for place in right if place not in spans]:
        raise NotYet(f"{quoted(text[slice(*missed[0])])} in {quoted(text)} was passed over")
    if len(spans) > len(right):
        raise NotYet(f"a position is given twice for {quoted(text)}")


def _by(pattern: str) -> Callable[[str], list]:
    return lambda text: [match.span() for match in re.finditer(pattern, text)]


def _wrong(task: SpanTask) -> list[Wrong]:
    whole = _by(task.pattern)
    either = [
        Wrong("the pieces", lambda text: re.findall(task.pattern, text), "give their positions"),
        Wrong("the masked text", lambda text: re.sub(task.pattern, "[...]", text), "gives a text"),
        Wrong("the first one alone", lambda text: whole(text)[:1], "was passed over"),
        Wrong("the last character lost", lambda text: [(start, end - 1) for start, end in whole(text)], "off by one"),
        Wrong("nothing given back", lambda text: print(end=""), "is a `return` missing"),
        Wrong("the result", whole("x"), "the function itself"),
        Wrong("nothing found", lambda text: [], "nothing at all is found"),
    ]
    if task.nouns != "addresses":
        return either
    return [
        Wrong("any word behind the sign", _by(r"[\w.+-]*@[\w.-]*\w"), "a decorator, no address"),
        Wrong("all but spaces", _by(r"\S+@\S+"), "more than the address"),
        Wrong("no dots before the sign", _by(r"\w+@(?:[\w-]+\.)+[A-Za-z]{2,}"), "a part of the address"),
        Wrong("digits at the end", _by(r"[\w.+-]+@(?:[\w-]+\.)+\w+"), "a package's version, no"),
        *either,
    ]


mail_spans = _spans(mails(Draw("practised")), practised=True)
