"""What pairs have in common over a whole file: duplicates, one question with two answers, one answer for all, leaks.

Only hashes are kept, 24 bytes a pair and relation, and beyond a few megabytes they lie on disk: memory stays flat.
Nearly equal texts are for `near`.
"""

import hashlib
import tempfile
from collections.abc import Iterator

import numpy as np

from labutils.pairs.validation.problems import LISTED, Tally, named

PARTS = 64  # the hashes are sorted one part at a time
IN_MEMORY = 1 << 17  # bytes of a part before it moves to disk
ROW = np.dtype([("key", "<u8"), ("other", "<u8"), ("line", "<u8")])
OTHER_FILE = 1 << 63  # marks the line of a second file
DOMINATES, COLLAPSED, LEAST = 0.1, 0.8, 10


def digest(text: str) -> bytes:
    """Eight bytes that stand for a text, spacing aside: two of ten million texts share them once in 400,000 files."""
    return hashlib.blake2b(" ".join(text.split()).encode("utf-8", "surrogatepass"), digest_size=8).digest()


class Hashes:
    """Rows (key, other, line), grouped by key at the end. Much like an external sort, without its order."""

    def __init__(self) -> None:
        self.parts = [bytearray() for _ in range(PARTS)]
        self.files, self.distinct = {}, 0

    def add(self, key: bytes, other: bytes, line: int) -> None:
        """Add a row."""
        place = key[0] % PARTS
        part = self.parts[place]
        part += key + other + line.to_bytes(8, "little")
        if len(part) > IN_MEMORY:
            if place not in self.files:
                self.files[place] = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as this object)
            self.files[place].write(part)
            part.clear()

    def groups(self) -> Iterator[np.ndarray]:
        """The rows of each key that occurs more than once, lines in order; `distinct` then counts all keys."""
        self.distinct = 0
        for place, part in enumerate(self.parts):
            early = b""
            if file := self.files.get(place):
                file.seek(0)
                early = file.read()
            rows = np.frombuffer(early + part, ROW)
            rows = rows[np.argsort(rows["key"], kind="stable")]
            found = runs(rows["key"])
            self.distinct += len(found)
            for start, end in found[found[:, 1] - found[:, 0] > 1]:
                yield rows[start:end]


def runs(keys: np.ndarray) -> np.ndarray:
    """Where equal neighbours begin and end, shape (runs, 2). runs([5, 5, 7]) -> [[0, 2], [2, 3]]."""
    starts = np.flatnonzero(np.concatenate([np.ones(min(1, len(keys)), bool), keys[1:] != keys[:-1]]))
    return np.stack([starts, np.append(starts[1:], len(keys))[: len(starts)]], axis=1)


class Relations:
    """The pairs of a file, and of the other side of a split where there is one."""

    def __init__(self, tally: Tally) -> None:
        self.tally, self.pairs = tally, 0
        self.questions, self.answers = Hashes(), Hashes()

    def add(self, number: int, question: str, answer: str, *, other_file: bool = False) -> bytes:
        """Remember a pair; the hash of its question, letter case aside. A text without a question is one."""
        asked, said = digest((question or answer).casefold()), digest(answer if question else "")
        self.questions.add(asked, said, number | OTHER_FILE if other_file else number)
        if not other_file:
            self.pairs += 1
            if question:
                self.answers.add(said, asked, number)
        return asked

    def finish(self, other_name: str) -> set[int]:
        """Tell all relations; the lines whose very question is in the other file."""
        leaked: set[int] = set()
        for group in self.questions.groups():
            if len(group) > 1:
                elsewhere = group["line"] >= OTHER_FILE
                self._same_question(group[~elsewhere])
                if elsewhere.any() and not elsewhere.all():
                    leaked |= self._leak(group[~elsewhere], group[elsewhere], other_name)
        self._dominating()
        return leaked

    def _same_question(self, group: np.ndarray) -> None:
        group = group[np.argsort(group["other"], kind="stable")]
        answers = [group["line"][start:end] for start, end in runs(group["other"])]
        if len(answers) > 1:
            ties = tuple(sorted(int(lines[0]) for lines in answers))
            cause = f"the same question has {len(answers):,} answers, on {named(ties)}"
            self.tally.add(ties[1], "different_answers", cause, lines=ties)
        for lines in answers:
            if len(lines) > 1:
                ties = tuple(int(line) for line in lines[:LISTED])
                times = "twice" if len(lines) == 2 else f"{len(lines):,} times"
                self.tally.add(ties[1], "duplicate", f"the same pair occurs {times}: {named(ties)}", lines=ties)

    def _leak(self, here: np.ndarray, there: np.ndarray, other_name: str) -> set[int]:
        where = named([int(line) - OTHER_FILE for line in there["line"][:LISTED]])
        for line in here["line"]:
            self.tally.add(int(line), "split_leak", f"the same question is on {where} of {other_name}")
        return {int(line) for line in here["line"]}

    def _dominating(self) -> None:
        often = []
        for group in self.answers.groups():
            if len(group) >= max(LEAST, DOMINATES * self.pairs):
                often.append(([int(line) for line in group["line"][:LISTED]], len(group)))
        for lines, count in sorted(often):
            if count >= threshold(self.answers.distinct) * self.pairs:
                cause = f"one answer is on {count:,} of {self.pairs:,} lines ({count / self.pairs:.0%}), first on "
                self.tally.add(lines[0], "dominating_answer", cause + named(lines[:1]), lines=tuple(lines))


def threshold(answers: int) -> float:
    """The share from which one answer dominates, given how many different ones there are: a tenth; where labels are
    few, twice an equal share, but four fifths at most. threshold(1000) -> 0.1; threshold(5) -> 0.4.
    """
    return min(COLLAPSED, max(DOMINATES, 2 / max(1, answers)))
