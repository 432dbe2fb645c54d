"""A part of a corpus, surveyed: which documents were read, and what is in them. Parts become JSON, come back, merge.

Owns the drawing of a sample, what the lists of files say of the rest, the processes that read shards side by side, and
the check that no shard is counted twice. Leaves out what is counted (`survey`) and what the counts mean (`sampling`).
"""

from __future__ import annotations

import heapq
import math
import multiprocessing
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import product
from pathlib import Path
from typing import NamedTuple

from labutils import machine, places
from labutils.corpus import remote, sources, survey
from labutils.corpus.survey import Survey, content_hash


class Sizes(NamedTuple):
    """The bytes that are listed of one set in one package; the squares of each file's are kept for the error."""

    package: str
    set: str
    drawn: int  # of the files drawn
    squares: int
    listed: int  # of all files


@dataclass(frozen=True)
class SampleSpec:
    """Which documents a survey is about; shards of the same draw merge."""

    source: str  # "installed", or a JSONL file
    limit: int | None = None  # how many files or lines are drawn, all without a limit
    seed: int = 0  # of the draw
    listed: int = 0  # how many there are to draw from
    sizes: tuple[Sizes, ...] = field(default=(), repr=False)  # of installed files, where not all are drawn

    @property
    def read(self) -> float:
        """The part of the whole that is read, between 0 and 1."""
        return 1.0 if self.limit is None or self.limit >= self.listed else self.limit / self.listed


@dataclass(frozen=True)
class Part:
    """The survey of some shards of a draw."""

    drawn: SampleSpec
    shards: tuple[tuple[int, int], ...]  # (1, 4) is the second of four; all of them become ((0, 1),)
    survey: Survey = field(default_factory=Survey)

    @property
    def whole(self) -> bool:
        """Whether no shard is missing."""
        return self.shards == ((0, 1),)

    @property
    def sizes(self) -> tuple[Sizes, ...]:
        """What is listed of all that this part was drawn from: of a part with shards missing, nothing."""
        return self.drawn.sizes if self.whole else ()

    def to_dict(self) -> dict:
        """As JSON, in one form only."""
        return {"drawn": vars(self.drawn), "shards": [list(shard) for shard in self.shards], **self.survey.to_dict()}


def run(
    source: str | Path = "installed",
    *,
    limit: int | None = None,
    seed: int = 0,
    shard: tuple[int, int] = (0, 1),
    processes: int | None = None,
    tokens: Callable[[str], int] | None = None,
) -> Part:
    """Survey a corpus, or one of its shards, on all cores that this process may use.

    `source` is "installed", or the path or address of a JSON Lines file of documents; a far one is kept on disk as long
    as it is read. A `limit` draws that many files (lines), each as likely as any other, by a hash of seed and path
    (line number); the rest is never opened (of a file: never kept). `shard=(1, 4)` surveys the second of four parts,
    which `merge` puts together. `processes` read side by side, with the same result for any number. `tokens` tells how
    many tokens a text has; more than one process needs a function that can be pickled.

    Raises ValueError for a shard or limit out of range, a source that is none, a file of anything but documents.
    """
    check(source, limit, shard)
    number = processes or machine.cores()
    i, of = shard
    with _near(source) as near:
        drawn = draw(source, limit, seed, near)
        jobs = [(drawn, (i + of * k, of * number), tokens, near) for k in range(number)]
        if number == 1:
            return _part(*jobs[0])
        with ProcessPoolExecutor(number, mp_context=multiprocessing.get_context("spawn")) as pool:
            return reduce(merge, pool.map(_part, *zip(*jobs, strict=True)))


def merge(one: Part, other: Part) -> Part:
    """The part that is both. Raises ValueError for parts of different draws, and for shards that overlap."""
    if one.drawn != other.drawn:
        raise ValueError(
            f"parts of different surveys: {one.drawn} and {other.drawn}; survey all with the same options and packages"
        )
    for (i, n), (j, m) in product(one.shards, other.shards):
        if i % math.gcd(n, m) == j % math.gcd(n, m):
            raise ValueError(f"shards {i}/{n} and {j}/{m} share documents; give every part once")
    shards = _joined({*one.shards, *other.shards})
    return replace(one, shards=shards, survey=survey.merge(one.survey, other.survey))


def from_dict(plain: dict) -> Part:
    """A part back from its JSON. Raises ValueError for JSON of another shape."""
    try:
        shards = tuple((int(i), int(n)) for i, n in plain["shards"])
        if not shards or not all(0 <= i < n for i, n in shards):
            raise ValueError(f"shards {plain['shards']}")
        sizes = tuple(Sizes(package, name, *map(int, sums)) for package, name, *sums in plain["drawn"].get("sizes", ()))
        return Part(SampleSpec(**{**plain["drawn"], "sizes": sizes}), shards, survey.from_dict(plain))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not the JSON of a part ({type(error).__name__}: {error})") from None


def documents(drawn: SampleSpec, shard: tuple[int, int], near: str | Path | None = None) -> Iterator[dict]:
    """The documents of a shard of a draw, from its source or a copy of it that is `near`."""
    i, of = shard
    if drawn.source == "installed":
        seed = None if drawn.limit is None else drawn.seed
        yield from sources.installed(seed=seed, limit=drawn.limit, shards=(i,), of=of)
        return
    chosen = None if drawn.limit is None else _lines(drawn)
    for number, document in enumerate(sources.jsonl(near or drawn.source, drawn.source)):
        if number % of == i and (chosen is None or number in chosen):
            yield document


def sizes(files: Iterable[dict], drawn: Iterable[dict]) -> tuple[Sizes, ...]:
    """What is listed of `files`, all that there are, and of those `drawn`, both as `sources.listed` gives them."""

    def key(file: dict) -> tuple[str, str]:
        return file["package"][: survey.NAME], file["pile_set_name"]

    sums: dict[tuple[str, str], list[int]] = {}
    for file in files:
        sums.setdefault(key(file), [0, 0, 0])[2] += file["bytes"]
    for file in drawn:
        row = sums[key(file)]
        row[0], row[1] = row[0] + file["bytes"], row[1] + file["bytes"] ** 2
    return tuple(Sizes(*key, *row) for key, row in sorted(sums.items()))


@contextmanager
def _near(source: str | Path) -> Iterator[str | Path]:
    """The source, or a copy of a far one: it is read to count its lines, and by each process, but fetched once."""
    if not remote.is_address(source):
        yield source
        return
    with tempfile.TemporaryDirectory() as folder:
        with (copy := Path(folder) / "copy").open("wb") as file:
            file.writelines(remote.web_chunks(str(source)))
        yield copy


def _part(drawn: SampleSpec, shard: tuple[int, int], tokens: Callable[[str], int] | None, near: str | Path) -> Part:
    return Part(drawn, (shard,), survey.of(documents(drawn, shard, near), tokens))


def _lines(drawn: SampleSpec) -> set[int]:
    """The numbers of the lines that are drawn, from their hashes alone."""
    numbers = range(drawn.listed)
    return set(heapq.nsmallest(drawn.limit, numbers, key=lambda i: content_hash(b"%d/%d" % (drawn.seed, i))))


def draw(source: str | Path, limit: int | None, seed: int, near: str | Path | None = None) -> SampleSpec:
    """The draw, with how much there is to draw from."""
    if source != "installed":
        return SampleSpec(str(source), limit, seed, sum(1 for _ in sources.jsonl(near or source, source)))
    files = list(sources.listed())
    drawn = SampleSpec(source, limit, seed, len(files))
    return drawn if drawn.read == 1 else replace(drawn, sizes=sizes(files, sources.listed(seed=seed, limit=limit)))


def check(source: str | Path, limit: int | None, shard: tuple[int, int] = (0, 1)) -> None:
    """Raises ValueError as `run` does of its arguments."""
    i, of = shard
    if not 0 <= i < of:
        raise ValueError(f"a shard is I/N with 0 <= I < N, got {i}/{of}")
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, got {limit}")
    if source in sources.CORPORA:
        raise ValueError(
            f"nothing lists what {source} holds, so none can be drawn; write documents of it to a file first"
        )
    places.check_rereadable(source)


def _joined(shards: set[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Shards in one form: where all of 2N that make one of N are there, they become that one.

    _joined({(0, 4), (2, 4), (1, 4)}) -> ((0, 2), (1, 4));  _joined({(0, 3), (1, 3), (2, 3)}) -> ((0, 1),)
    """
    for i, n in sorted(shards, key=lambda shard: -shard[1]):
        for parts in (part for part in range(2, n + 1) if n % part == 0):
            pieces = {(i % (n // parts) + (n // parts) * k, n) for k in range(parts)}
            if pieces <= shards:
                return _joined(shards - pieces | {(i % (n // parts), n // parts)})
    return tuple(sorted(shards))
