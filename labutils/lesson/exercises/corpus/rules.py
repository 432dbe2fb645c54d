"""An exercise on cleaning: a quality rule of one's own, judged on documents that were not shown."""

import inspect
import re

from labutils.corpus.quality import Verdict, drop
from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import quoted
from labutils.lesson.exercises.calling import call
from labutils.lesson.exercises.corpus.documents import labelled
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import CORPUS

SHOWN, JUDGED, ENOUGH = 10, 20, 19  # documents shown, documents judged, right verdicts that are asked for
WORD = {"changelog": "version", "licence": "licence", "table": "."}  # occurs in every such document, and in others


def changelogs(text):
    versions = [line for line in text.splitlines() if re.match(r"\W*(v|Version )?\d+\.\d+\.\d+", line)]
    return drop(len(versions) >= 2, "changelog")


def licences(text):
    words = [word for word in ("permission", "terms", "warranty", "liable") if word in text.lower()]
    return drop(len(words) >= 3, "licence")


def tables(text):
    digits = sum(character.isdigit() for character in text)
    return drop(digits > 0.3 * len(text), "table of numbers")


SOLVED = {  # the kind that goes: a rule that drops it, whose source is the solution; a hint
    "changelog": (changelogs, "Headings differ. What all changelogs have is several lines that begin with a version."),
    "licence": (licences, "Single words occur elsewhere, too; only licences hold several legal words at once."),
    "table": (tables, "Separators and headings differ. What all tables have is a large share of digits."),
}


def named(kind: str) -> str:
    """named("README") -> "a README"."""
    return f"a {kind}" if kind else "an empty text"


def _rule(kind: str, seed: int | str) -> Exercise:
    solved, hint = SOLVED[kind]

    def documents() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Those that are shown, and those that are judged: 8 of the kind, 11 others, an empty one."""
        draw = Draw(f"documents {seed}")
        shown = labelled(draw, kind, SHOWN // 2, SHOWN - SHOWN // 2)
        return shown, [*labelled(draw, kind, 8, JUDGED - 9), ("", "")]

    def judge(answer: object) -> str:
        function, judged = answers.function(answer), documents()[1]
        keeps = [_read(call(function, text), text) for _, text in judged]
        mistakes = [(found, text) for (found, text), keep in zip(judged, keeps, strict=True) if keep == (found == kind)]
        if len(mistakes) > JUDGED - 3:
            raise NotYet(
                f"it is the wrong way round: each {kind} stays and the rest goes; `drop` drops where its first "
                "argument is true"
            )
        if all(keeps) or not any(keeps):
            raise NotYet(f"the rule {'keeps' if all(keeps) else 'drops'} every document, of any kind")
        if len(mistakes) > JUDGED - ENOUGH:
            found, text = mistakes[0]
            way = "stays and should go" if found == kind else "goes, too, and should stay"
            verdicts = f"{JUDGED - len(mistakes)} of {JUDGED} verdicts are right, {ENOUGH} are asked for"
            raise NotYet(f"{verdicts}; {named(found)} {way}: {quoted(text, 80)}")
        rest = f" (not {named(mistakes[0][0])})" if mistakes else ""
        return f"{JUDGED - len(mistakes)} of {JUDGED} documents that you had not seen{rest}; all that go have a reason"

    return Exercise(
        name="own_rule",
        title="A rule of your own",
        subject=CORPUS,
        size="open",
        question=(
            f"Write a rule that drops **each {kind}** and keeps everything else, in the form of the rules above: text "
            'in, `drop(bad, "reason")` out. `pd.DataFrame(THIS.given())` shows ten made-up documents, half of them '
            f"to be dropped. The check judges {JUDGED} others and asks for {ENOUGH} right verdicts."
        ),
        starter='def rule(text):\n    return ...  # drop(..., "why")',
        answer="rule",
        judge=judge,
        hints=(
            "Look at what goes, and at what only looks like it. What do all of the first have, and none of the others?",
            hint,
        ),
        solved=inspect.getsource(solved).replace(solved.__name__, "rule", 1),
        wrong=lambda: _wrong(kind),
        vary=lambda draw: _rule(draw.pick([other for other in SOLVED if other != kind]), draw.number(1, 10**6)),
        data=lambda: [{"drop": found == kind, "kind": found, "text": text} for found, text in documents()[0]],
    )


def _read(verdict: object, text: str) -> bool:
    """Whether a verdict keeps a text."""
    if isinstance(verdict, bool):
        raise NotYet('the rule gives a bare `True` or `False`; say why: `return drop(bad, "reason")`')
    if isinstance(verdict, str):
        raise NotYet('the rule gives a text; a verdict has two parts: `return drop(bad, "reason")`')
    parts = answers.items(verdict, "a verdict, as `drop` gives one")
    if len(parts) != 2 or not isinstance(parts[0], bool) or not isinstance(parts[1], str):
        raise NotYet(
            f'for {quoted(text)} it gives no verdict; `drop(bad, "reason")` makes one, with `bad` true or false'
        )
    if not parts[0] and not parts[1].strip():
        raise NotYet("a document is dropped without a reason; the second argument of `drop` says it")
    return parts[0]


def _wrong(kind: str) -> list[Wrong]:
    word, right = WORD[kind], SOLVED[kind][0]

    def heading(text: str) -> Verdict:
        return drop(text.startswith("# Changelog"), kind)

    kinds = [Wrong("one heading", heading, "stays and should go")] if kind == "changelog" else []
    return [
        *kinds,
        Wrong("a bare True or False", lambda text: word in text, "say why"),
        Wrong("one word", lambda text: drop(word in text.lower(), kind), "goes, too, and should stay"),
        Wrong("the wrong way round", lambda text: drop(right(text).keep, kind), "the wrong way round"),
        Wrong("no reason", lambda text: Verdict(False), "without a reason"),
        Wrong("everything kept", lambda text: Verdict(True), "keeps every document"),
        Wrong("everything dropped", lambda text: Verdict(False, "bad"), "drops every document"),
        Wrong("the first line of nothing", lambda text: drop(text.splitlines()[0] == "", kind), "IndexError"),
        Wrong("nothing given back", lambda text: None, "is a `return` missing"),
        Wrong("the reason alone", lambda text: kind, "two parts"),
        Wrong("a number for bad", lambda text: (1, kind), "no verdict"),
        Wrong("the verdict itself", drop(True, kind), "the function itself"),
    ]


own_rule = _rule("changelog", "practised")
