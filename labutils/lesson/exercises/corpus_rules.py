"""An exercise on cleaning: a quality rule of one's own, judged on documents that were not shown.

The documents are made up, of six kinds: nobody else's text, the same for the same draw.
"""

import inspect
import re
from collections.abc import Callable

from labutils.corpus.quality import Verdict, drop
from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet, call, quoted
from labutils.lesson.exercises.exercise import CORPUS, Draw, Exercise, Wrong

TOOLS = ("Plover", "Heron", "Dunlin", "Curlew", "Avocet", "Godwit")
CHANGES = (
    "Fixed a crash when the logger was empty",
    "Added the option `--quiet`",
    "Removed the old reader for tape files",
    "Times are stored in UTC",
    "Faster start on small machines",
    "The scale on the left is drawn again",
    "Renamed `load` to `read`",
)
SENTENCES = (
    "Hang the sensor in the shade, two metres above the grass.",
    "Rinse the probe with clean water before you measure again.",
    "Press the release button until the lid opens.",
    "The lamp blinks twice when the card is full.",
    "Write down the number on the lid before you call us.",
    "A change of the batteries takes a minute and loses no reading.",
)
PLACES = ("Harwick", "Norrend", "Sandby", "Oldmoor", "Tarn", "Westey", "Lunde")


def changelog(draw: Draw) -> str:
    """What changed from version to version, in one of four forms, not all of which say what they are."""
    major, minor, year = draw.number(0, 4), draw.number(3, 9), draw.number(2015, 2024)
    form, parts = draw.number(0, 3), []
    for step in range(3):
        version = f"{major}.{minor - step}.{draw.number(0, 4)}"
        day = f"{year - step}-0{draw.number(1, 9)}-1{draw.number(0, 9)}"
        heads = (f"## {version} ({day})\n", f"v{version}\n------", f"Version {version}, {day}\n", f"{version} - {day}")
        entries = [f"{'-*'[form % 2]} {change}" for change in draw.some(CHANGES, draw.number(2, 3))]
        parts.append("\n".join([heads[form], *entries]))
    return "\n\n".join([*(("# Changelog",), (), ("Release notes",), ())[form], *parts])


def manual(draw: Draw) -> str:
    """Running prose that speaks of a version and of changes without being a list of them."""
    firmware = f"Since version {draw.number(2, 5)}.{draw.number(0, 9)} of the firmware the display can be turned off."
    return " ".join(draw.shuffled([firmware, *draw.some(SENTENCES, 4)]))


def readme(draw: Draw) -> str:
    """The front page of a package, which points to a changelog and to a licence."""
    tool, version = draw.pick(TOOLS), f"{draw.number(1, 9)}.{draw.number(0, 9)}"
    return (
        f"# {tool}\n\n{tool} reads what a logger has stored and draws it.\n\n"
        f"    pip install {tool.lower()}>={version}\n\n"
        f"{draw.pick(SENTENCES)} What is new is in the changelog; the licence is beside it. "
        f"{tool} comes without a warranty."
    )


def licence(draw: Draw) -> str:
    """The terms of an invented licence."""
    name = f"The {draw.pick(TOOLS)} Licence, version {draw.number(1, 3)}.{draw.number(0, 2)}"
    terms = (
        "Permission is granted to use, copy and pass on this work, with changes or without.",
        "Every copy carries these terms and the names of the authors.",
        "There is no warranty of any kind, stated or implied.",
        "The authors are not liable for a loss that comes from its use.",
    )
    return "\n\n".join([name, *(terms if draw.number(0, 1) else reversed(terms))])


def table(draw: Draw) -> str:
    """Readings of stations, in columns."""
    sign = draw.pick((";", ",", "\t", " | "))
    rows = [
        sign.join([place, *(f"{draw.number(0, 99)}.{draw.number(10, 99)}" for _ in range(4))])
        for place in draw.some(PLACES, 6)
    ]
    head = [sign.join(["station", "low", "mean", "high", "rain"])] if draw.number(0, 1) else []
    return "\n".join([*head, *rows])


def code(draw: Draw) -> str:
    """A few lines of a program, its version among them."""
    name = draw.pick(("read", "draw", "store"))
    return (
        f'__version__ = "{draw.number(0, 5)}.{draw.number(0, 9)}.{draw.number(0, 9)}"\n\n\n'
        f"def {name}(path, limit={draw.number(10, 500)}):\n"
        f'    """{name.capitalize()} the readings of a logger."""\n'
        f"    with open(path) as lines:\n        return [line.split() for line in lines][:limit]"
    )


KINDS: dict[str, Callable[[Draw], str]] = {
    "changelog": changelog,
    "manual": manual,
    "README": readme,
    "licence": licence,
    "table": table,
    "program": code,
}


def labelled(draw: Draw, wanted: str, hits: int, others: int) -> list[tuple[str, str]]:
    """(kind, text) of `hits` documents of the wanted kind and `others` of the other kinds in turn, shuffled."""
    rest = [kind for kind in KINDS if kind != wanted]
    kinds = [wanted] * hits + [rest[i % len(rest)] for i in range(others)]
    return draw.shuffled([(kind, KINDS[kind](draw)) for kind in kinds])


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
