"""What works on this machine and what to do about the rest: the rows of the command `doctor`, in seconds, with or
without a network.
"""

import argparse
import importlib.metadata
import json
import platform
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass

from labutils import machine, places

GB = 1e9
SET_UP = "run `python3 -m labutils open`"


@dataclass(frozen=True)
class Row:
    """One finding."""

    what: str
    found: str
    state: str  # "ok", "note" (the course runs, with less) or "problem"
    advice: str = ""


def rows() -> list[Row]:
    """All findings, in the order in which they matter."""
    questions = (packages, cores, memory, bf16, disk, small_model, hub)
    return [Row("Python", platform.python_version(), "ok"), *map(_asked, questions)]


def packages() -> Row:
    """The installed packages against the lock: the direct ones must be there, all should have its versions."""
    lock = locked(_text("constraints.txt"))
    here = {name: installed(name) for name in lock}
    missing = [name for name in direct(_text("pyproject.toml")) if not installed(name)]
    other = [f"{name} {here[name]} (lock: {lock[name]})" for name in lock if here[name] not in ("", lock[name])]
    if missing:
        return Row("packages", f"missing: {', '.join(missing)}", "problem", SET_UP)
    if other:
        return Row("packages", f"other versions: {', '.join(other)}", "note", f"{SET_UP} for the versions of the lock")
    return Row("packages", f"{sum(map(bool, here.values()))} in the expected versions", "ok")


def cores() -> Row:
    """The cores that may be used."""
    count = machine.cores()
    return Row("cores", str(count), "ok") if count > 1 else Row("cores", "1", "note", "training takes twice as long")


def memory() -> Row:
    """The memory that may be used; notebooks without the hub model take up to 1.7 GB."""
    size = machine.memory() / GB
    little = (2, "problem", "a notebook needs up to 1.7 GB without `smollm2`")
    return _sized("memory", size, (little, (4, "note", "close other programs before training")))


def bf16() -> Row:
    """Whether training may use bf16."""
    if machine.bf16():
        return Row("bf16", "fast", "ok")
    return Row("bf16", "not fast on this CPU", "note", "training uses fp32, at a half to a third of the speed")


def disk() -> Row:
    """The room for checkpoints and caches."""
    size = machine.free_disk(places.ROOT) / GB
    return _sized("free disk", size, ((1, "problem", "make room first"), (4, "note", "checkpoints need some room")))


def small_model() -> Row:
    """Whether the small hub model was fetched."""
    if (places.cache() / "smollm2" / "model.safetensors").is_file():
        return Row("smollm2", "in the cache", "ok")
    advice = "`python3 -m labutils fetch smollm2`; until then its recorded results are shown"
    return Row("smollm2", "not fetched", "note", advice)


def hub() -> Row:
    """Whether the hub answers, or what is used instead."""
    endpoint = machine.hub_endpoint()
    if machine.hub_answers():
        return Row("hub", f"{endpoint} answers", "ok")
    return Row("hub", f"{endpoint} does not answer", "note", "what ships and what is cached is used instead")


def locked(text: str) -> dict[str, str]:
    """Name and version of every line of the lock that holds on this platform.

    >>> locked("tqdm==4.70.1\\npywinpty==3.1.2 ; os_name == 'none'")
    {'tqdm': '4.70.1'}
    """
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {each.name: str(each.specifier).removeprefix("==") for each in _here(lines)}


def direct(text: str) -> list[str]:
    """The packages that the text of a pyproject.toml names for this platform.

    >>> direct("[project]\\ndependencies = ['torch', 'pandas>=2', 'toml; python_version < \\"3\\"']")
    ['torch', 'pandas']
    """
    return [each.name for each in _here(tomllib.loads(text)["project"]["dependencies"])]


def installed(name: str) -> str:
    """The version of an installed package without its local part ("+cpu"); "" where it is missing."""
    try:
        return importlib.metadata.version(name).partition("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return ""


def table(found: list[Row]) -> str:
    """The findings as text, one a line; long ones are cut."""
    lines = [f"{'what':<10} {'state':<8} {'found':<44} what to do"]
    for row in found:
        seen = row.found if len(row.found) <= 44 or row.state != "ok" else row.found[:43] + "…"
        lines.append(f"{row.what:<10} {row.state:<8} {seen:<44} {row.advice}".rstrip())
    return "\n".join(lines)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command `doctor`."""
    parser.add_argument("--json", action="store_true", help="a list for programs")


def main(asked: argparse.Namespace) -> int:
    """The command `doctor`; 1 if anything is a problem."""
    found = rows()
    print(json.dumps([asdict(row) for row in found], indent=1) if asked.json else table(found))
    return 1 if any(row.state == "problem" for row in found) else 0


def _here(lines: list[str]) -> list:
    """The requirements that hold on this platform."""
    from packaging.requirements import Requirement

    return [each for each in map(Requirement, lines) if not each.marker or each.marker.evaluate()]


def _asked(question: Callable[[], Row]) -> Row:
    """A question's row; one that cannot be asked because a package is missing is a problem of its own."""
    try:
        return question()
    except ImportError as missing:
        return Row(question.__name__, f"cannot ask: {missing}", "problem", SET_UP)


def _sized(what: str, size: float, limits: tuple[tuple[float, str, str], ...]) -> Row:
    for limit, state, advice in limits:
        if size < limit:
            return Row(what, f"{size:.1f} GB", state, advice)
    return Row(what, f"{size:.1f} GB", "ok")


def _text(name: str) -> str:
    return (places.ROOT / name).read_text(encoding="utf-8")
