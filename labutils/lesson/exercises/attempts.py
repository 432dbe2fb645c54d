"""What a learner has tried so far, so that a restarted kernel, or another one, goes on from it.

How the file is kept is for `keeping`. Which exercises there are is not known here.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import NamedTuple

from labutils.lesson.keeping import Keeping


@dataclass(frozen=True)
class Entry:
    """What is kept of one exercise."""

    tries: int = 0  # answers that were checked, right ones included
    right: bool = False  # once right stays right
    hints: int = 0  # hints seen
    asked: int = 0  # calls of solution()
    seen: bool = False  # whether the solution was shown before an answer was right


class Kept(NamedTuple):
    """An entry as it now is, and why it could not be saved; empty where it was."""

    entry: Entry
    problem: str = ""


RENAMED = {"mean_surprise": "mean_loss", "manners_first": "behaviour_first"}  # kept under an older name


def read() -> dict[str, Entry]:
    """All entries by the exercise's name; empty where there are none or they cannot be read."""
    kept = FILE.read()
    old = {new: kept[name] for name, new in RENAMED.items() if name in kept}
    return {name: _entry(each) for name, each in (old | kept).items() if name not in RENAMED}


def change(name: str, step: Callable[[Entry], Entry]) -> Kept:
    """Read one exercise's entry, change it by `step`, and save it; other entries stay as they are."""
    old = next((FILE.read().get(was) for was, now in RENAMED.items() if now == name), None)
    kept, problem = FILE.change(name, lambda kept: (kept or old or {}) | asdict(step(_entry(kept or old or {}))))
    return Kept(_entry(kept), problem and f"progress could not be saved: {problem}")


def _entry(kept: dict) -> Entry:
    """An entry from what the file holds; keys that a later version may have added are passed over."""
    known = {key: kept[key] for key in kept.keys() & Entry.__dataclass_fields__.keys()}
    for key, value in known.items():
        if type(value) is not type(getattr(Entry, key)):
            raise ValueError(f"{key}: {value!r:.40}")
    return Entry(**known)


FILE = Keeping("progress", _entry)
