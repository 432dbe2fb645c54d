"""Made-up documents of six kinds, for rules to be tried on: nobody else's text, the same for the same draw."""

from collections.abc import Callable

from labutils.lesson.exercises.drawing import Draw

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
