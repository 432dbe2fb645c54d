"""What exercises are made of: facts about instruments, a corpus of packages, documents of six kinds.

All of it is made up: nobody else's text, no handbook knows it, and the same draw gives the same.
"""

from functools import lru_cache

from labutils.lesson.exercises.exercise import TEXTS, Draw, filled

BIRDS = ("Lapwing", "Redshank", "Ruff", "Sanderling", "Whimbrel", "Kittiwake", "Pochard", "Gadwall", "Wigeon", "Grebe")
FACTS = TEXTS["fair_split"]["about"]


def records(draw: Draw, n: int) -> list[dict]:
    """`n` facts, three records each, shuffled: [{"question", "answer", "fact"}, ...]."""
    made = []
    for about in draw.some(list(FACTS), n):
        fact, bird = FACTS[about], draw.pick(BIRDS)
        values = {"bird": bird, "n": draw.number(*fact["between"])}
        answer, name = filled(fact["answer"], values), f"{bird.lower()}-{about}"
        made += [{"question": filled(asked, values), "answer": answer, "fact": name} for asked in fact["questions"]]
    return draw.shuffled(made)


SETS = ("Python", "Translations", "Web pages", "JSON", "Documentation", "Licences")
HEAD = ["Python"] * 6  # what the first packages are mostly made of, and the others in some order
REST = ["Python"] * 12 + ["Translations"] * 8 + ["Web pages"] * 6 + ["JSON"] * 8
PACKAGES = TEXTS["share_of_set"]["packages"].split()  # by name, which is the order of the corpus


@lru_cache(8)
def corpus(seed: int | str, n: int) -> tuple[tuple[str, str], ...]:
    """A made-up corpus as (package, set) of each document, packages by name; the first has more than n documents."""
    draw = Draw(f"pile {seed}")
    rows = []
    for package, main in zip(PACKAGES, [*HEAD, *draw.shuffled(REST)], strict=True):
        first = package == PACKAGES[0]
        size = n + draw.number(50, 150) if first else draw.number(100, 450)
        mostly = 90 if first else 70
        rows += [(package, main if draw.number(1, 100) <= mostly else draw.pick(SETS)) for _ in range(size)]
    return tuple(rows)


MADE = TEXTS["own_rule"]["made"]


KINDS = ("changelog", "manual", "README", "licence", "table", "program")


def document(kind: str, draw: Draw) -> str:
    """A made-up document of a kind."""
    if kind == "changelog":
        return _changelog(draw)
    if kind == "manual":  # running prose that speaks of a version and of changes without being a list of them
        firmware = filled(MADE["firmware"], {"version": f"{draw.number(2, 5)}.{draw.number(0, 9)}"})
        return " ".join(draw.shuffled([firmware, *draw.some(MADE["sentences"], 4)]))
    if kind == "README":  # points to a changelog and to a licence
        tool, version = draw.pick(MADE["tools"]), f"{draw.number(1, 9)}.{draw.number(0, 9)}"
        values = {"tool": tool, "lower": tool.lower(), "version": version, "sentence": draw.pick(MADE["sentences"])}
        return filled(MADE["readme"], values)
    if kind == "licence":
        name = f"The {draw.pick(MADE['tools'])} Licence, version {draw.number(1, 3)}.{draw.number(0, 2)}"
        return "\n\n".join([name, *(MADE["terms"] if draw.number(0, 1) else reversed(MADE["terms"]))])
    if kind == "table":
        return _table(draw)
    name = draw.pick(("read", "draw", "store"))
    version = f"{draw.number(0, 5)}.{draw.number(0, 9)}.{draw.number(0, 9)}"
    values = {"name": name, "title": name.capitalize(), "version": version, "limit": draw.number(10, 500)}
    return filled(MADE["program"], values)


def _changelog(draw: Draw) -> str:
    """What changed from version to version, in one of four forms, not all of which say what they are."""
    major, minor, year = draw.number(0, 4), draw.number(3, 9), draw.number(2015, 2024)
    form, parts = draw.number(0, 3), []
    for step in range(3):
        version = f"{major}.{minor - step}.{draw.number(0, 4)}"
        day = f"{year - step}-0{draw.number(1, 9)}-1{draw.number(0, 9)}"
        heads = (f"## {version} ({day})\n", f"v{version}\n------", f"Version {version}, {day}\n", f"{version} - {day}")
        entries = [f"{'-*'[form % 2]} {change}" for change in draw.some(MADE["changes"], draw.number(2, 3))]
        parts.append("\n".join([heads[form], *entries]))
    return "\n\n".join([*(("# Changelog",), (), ("Release notes",), ())[form], *parts])


def _table(draw: Draw) -> str:
    """Readings of stations, in columns."""
    sign, rows = draw.pick((";", ",", "\t", " | ")), []
    for place in draw.some(MADE["places"], 6):
        rows.append([place, *(f"{draw.number(0, 99)}.{draw.number(10, 99)}" for _ in range(4))])
    head = [["station", "low", "mean", "high", "rain"]] if draw.number(0, 1) else []
    return "\n".join(map(sign.join, [*head, *rows]))


def labelled(draw: Draw, wanted: str, hits: int, others: int) -> list[tuple[str, str]]:
    """(kind, text) of `hits` documents of the wanted kind and `others` of the other kinds in turn, shuffled."""
    rest = [kind for kind in KINDS if kind != wanted]
    kinds = [wanted] * hits + [rest[i % len(rest)] for i in range(others)]
    return draw.shuffled([(kind, document(kind, draw)) for kind in kinds])
