"""The summary as Markdown, and its place in `docs/speed.md`."""

import json
from collections.abc import Sequence
from pathlib import Path

from labutils import places

from .rivals import BEST, RIVALS

PAGE = places.ROOT / "docs" / "speed.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def keep(found: dict, page: Path = PAGE) -> None:
    """Put the tables between the marks of a page, and the numbers beside it. Raises ValueError without the marks."""
    text = page.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"{page} must hold {BEGIN} and {END} once each")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    places.write(page, f"{before}{BEGIN}\n{tables(found)}\n{END}{after}")
    places.write(page.with_suffix(".json"), json.dumps(found, indent=1) + "\n")


def tables(found: dict) -> str:
    """Every stage that was measured, the machine first."""
    about = found["about"]
    versions = ", ".join(f"{name} {of}" for name, of in about["versions"].items())
    parts = [f"{about['processor']}, {about['cores']} cores; {versions}."]
    for path, of_model in found["models"].items():
        model = f"`{Path(path).name}`"
        if of_model["speed"]:
            parts += [f"### Tokens a second, {model}", peaks(of_model["matrix"]), speeds(of_model["speed"])]
        if of_model["race"]:
            parts += [f"### Seconds to a held-out loss of {of_model['loss']:.2f}, {model}", races(of_model["race"])]
    for path, of_model in found["models"].items():
        if of_model["profile"]:
            parts += [f"### Where a step of this course goes, `{Path(path).name}`", *where(of_model["profile"][-1])]
    if rows := [row for row in found["growth"] if row["tokens_a_second"]]:
        lines = [
            (
                f"{row['weights'][0] / 1e6:.0f} million",
                f"{row['pairs']:,}",
                number(row["tokens_a_second"]),
                number(row["megabytes"]),
            )
            for row in rows
        ]
        parts += ["### As it grows", table(("weights", "pairs", "tokens a second", "peak MB"), lines)]
    if lines := rest(found):
        parts += ["### Beside tuning", table(("", "a second"), lines)]
    return "\n\n".join(parts)


def peaks(matrix: dict) -> str:
    """The matrix peak in a sentence."""
    rates = [f"{number(spread, 1e9)} GFLOP/s in {kind}" for kind, spread in matrix.items()]
    return f"The matrix peak, taken before each measurement: {', '.join(rates)}."


def speeds(rows: list[dict]) -> str:
    """A line a rival; of TRL's settings all that were tried."""
    own = [f"{RIVALS[name].name} is" for name in rows[0]["ratios"]]
    head = ("", "settings", "tokens a second", *own, "padding", "peak MB", "of the matrix peak")
    return table(head, [_speed(row) for row in rows])


def _speed(row: dict) -> tuple[str, ...]:
    rival = RIVALS[row["rival"]]
    name = rival.name + (", best settings" if row["best"] else ", tried (first round)") * (row["rival"] in BEST)
    about = (name, f"{rival.words}, {rival.precision}")
    if row["tokens_a_second"] is None:
        return (*about, f"does not run here: {row['error']}", *[""] * (3 + len(row["ratios"])))
    times = [f"{number(ratio, digits=2)} x" if ratio else "" for ratio in row["ratios"].values()]
    rest = (f"{row['padding'][0]:.0%}", number(row["megabytes"] and row["megabytes"][:1]), f"{row['share'][0]:.0%}")
    return (*about, number(row["tokens_a_second"]), *times, *rest)


def races(rows: list[dict]) -> str:
    """A line a rival."""
    ours = next(row for row in rows if row["rival"] == "ours")["seconds"]
    lines = []
    for row in rows:
        name = RIVALS[row["rival"]].name + ", best settings" * (row["rival"] in BEST)
        about = (name, f"{row['rate']:g}", f"{row['reached']} of {row['runs']}", number(row["tokens"]))
        times = f"{row['seconds'][0] / ours[0]:.1f} x" if ours and row["seconds"] and row["rival"] != "ours" else ""
        lines.append((*about, number(row["seconds"], digits=1), times))
    return table(("", "learning rate", "reached", "tokens", "seconds", "ours is faster"), lines)


def where(profile: dict) -> list[str]:
    """The sections of a step, and the operations of the first of them."""
    spent, operations = profile["milliseconds"], profile["operations"]
    whole = sum(spent.values())
    sections = [(name, f"{each:,.0f} ms", f"{each / whole:.0%}") for name, each in spent.items()]
    kinds = [(name, f"{share:.0%}") for name, share in operations.items()]
    return [table(("section", "a step", "share"), sections), table(("operations of the layers", "share"), kinds)]


def rest(found: dict) -> list[tuple[str, str]]:
    """Survey, validation, generation: what, and how much of it a second."""
    lines, survey, size = [], found["survey"], found["validation"]["megabytes"]
    if survey["documents"]:
        amount = f"{number(survey['documents'])} documents, {number(survey['megabytes'], digits=1)} MB"
        lines.append(("`survey`, one core", amount))
    if size:
        lines.append(("`validate`, one core", f"{number(size, digits=1)} MB"))
    for path, of_model in found["models"].items():
        if all(of_model["replies"].values()):
            alone, many = of_model["replies"].values()
            rates = [f"{number(rates, digits=1)} replies {name}" for name, rates in of_model["replies"].items()]
            lines.append((f"`ask`, `{Path(path).name}`", f"{', '.join(rates)}: {many[0] / alone[0]:.1f} x"))
    return lines


def number(spread: Sequence[float] | None, unit: float = 1, digits: int = 0) -> str:
    """A median and its range, or one number where there is no range. number([2, 1, 3]) -> "2 (1 to 3)"."""
    middle, *ends = [f"{value / unit:,.{digits}f}" for value in spread or ()] or [""]
    return f"{middle} ({' to '.join(ends)})" if len(set(spread or ())) > 1 else middle


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; a line of an error cannot break it."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in rows)
