"""The survey and the quality funnel as steps of a `datatrove` pipeline, for its executors: local, Slurm, Ray.

A task is a shard. Each leaves a part as JSON, and all parts together are what one run finds: those of the survey are
what `survey --shard` prints. What is counted and which rules there are is for `survey` and `quality`; how tasks are
started, and started again, is datatrove's (Penedo et al. 2024, https://github.com/huggingface/datatrove).
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path

from labutils.corpus import quality, sharded, survey
from labutils.corpus.quality import Funnel, Rule, Verdict
from labutils.corpus.sharded import Part, SampleSpec
from labutils.corpus.survey import content_hash

try:
    from datatrove.data import Document, DocumentsPipeline
    from datatrove.io import DataFolderLike, get_datafolder
    from datatrove.pipeline.base import PipelineStep
    from datatrove.pipeline.filters.base_filter import BaseFilter
    from datatrove.pipeline.writers.disk_base import DiskWriter
except ImportError as error:
    raise ImportError(f"{error}; the steps need datatrove: pip install -e .[scale] -c constraints.txt") from error

BEGINNING = 1000  # characters kept of an example; whole documents are for a writer


class Documents(PipelineStep):
    """Reads a source of this course, `sharded.run`'s: each task goes through all of it and keeps its own documents. Of
    a corpus in many files, datatrove's own readers give each task its own files.
    """

    type, name = "READER", "documents"

    def __init__(self, source: str | Path = "installed", *, limit: int | None = None, seed: int = 0):
        super().__init__()
        sharded.check(source, limit)
        self.drawn = sharded.draw(source, limit, seed)

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        yield from data or ()
        for number, document in enumerate(sharded.documents(self.drawn, (rank, world_size))):
            yield Document(document["text"], f"{rank}/{number}", metadata=document["meta"])


class Survey(PipelineStep):
    """Counts what passes; a task leaves its part in `folder`.

    `drawn` says what is read: `Documents(...).drawn`, or a name for what another reader reads. `tokens` tells how many
    tokens a text has; it is sent to the tasks, so it must be a function that can be pickled.
    """

    type, name = "STATS", "survey"

    def __init__(
        self, folder: DataFolderLike | Path, drawn: SampleSpec | str, tokens: Callable[[str], int] | None = None
    ):
        super().__init__()
        self.folder, self.tokens = _folder(folder), tokens
        self.drawn = SampleSpec(drawn) if isinstance(drawn, str) else drawn

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        counts = survey.Survey()
        for document in data:
            with self.track_time():
                counts.add(_plain(document), self.tokens)
            yield document
        _keep(self.folder, rank, Part(self.drawn, ((rank, world_size),), counts).to_dict())


class Quality(BaseFilter):
    """Keeps what every rule keeps; a task leaves its part of the funnel in `folder`.

    What is dropped goes to `exclusion_writer`, if there is one, with its reason under "filter_reason".
    """

    name = "quality"

    def __init__(
        self,
        folder: DataFolderLike | Path,
        rules: Sequence[Rule] = quality.RULES,
        exclusion_writer: DiskWriter | None = None,
    ):
        super().__init__(exclusion_writer)
        self.folder, self.rules = _folder(folder), list(rules)

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        self.kept, self.dropped, self.examples = 0, Counter(), {}
        yield from super().run(data, rank, world_size)
        counts = {"kept": self.kept, "dropped": dict(sorted(self.dropped.items())), "examples": self.examples}
        _keep(self.folder, rank, {"shards": [[rank, world_size]], **counts})

    def filter(self, doc: Document) -> Verdict:
        verdict = quality.judge(doc.text, self.rules)
        self.kept += verdict.keep
        if not verdict.keep:
            self.dropped[verdict.reason] += 1
            document = _plain(doc)
            _offer(self.examples, verdict.reason, {**document, "text": document["text"][:BEGINNING]})
        return verdict


def merged_survey(folder: DataFolderLike | Path) -> Part:
    """The survey of all tasks. Raises ValueError where a task has left no part, or a file is none."""
    return reduce(sharded.merge, map(sharded.from_dict, _kept(folder)))


def merged_funnel(folder: DataFolderLike | Path) -> Funnel:
    """The funnel of all tasks, with the same counts and examples for any number of them. Raises as `merged_survey`.

    An example is the beginning of a document, chosen by its hash: the tasks do not know who came first.
    """
    kept, dropped, examples = 0, Counter(), {}
    for part in _kept(folder):
        kept += part["kept"]
        dropped.update(part["dropped"])
        for reason, example in part["examples"].items():
            _offer(examples, reason, example)
    return Funnel(kept, dropped, examples)


def _plain(document: Document) -> dict:
    """As the course has documents; a file of the course that datatrove read holds "meta" among its metadata."""
    meta = document.metadata.get("meta")
    return {"text": document.text, "meta": dict(meta if isinstance(meta, dict) else document.metadata)}


def _offer(examples: dict[str, dict], reason: str, example: dict) -> None:
    """Take an example of a reason where there is none, or its hash is the smaller."""

    def place(example: dict) -> int:
        return content_hash(json.dumps(example, sort_keys=True, default=str).encode())

    examples[reason] = min(example, examples.get(reason, example), key=place)


def _folder(folder: DataFolderLike | Path):
    return get_datafolder(str(folder) if isinstance(folder, Path) else folder)


def _keep(folder, rank: int, part: dict) -> None:
    """Write a task's part beside, then put it in its place: a task that is killed leaves none."""
    with folder.open(f".{rank:05d}.part", "wt", encoding="utf-8") as file:
        json.dump(part, file, default=str)
    folder.mv(f".{rank:05d}.part", f"{rank:05d}.json")


def _kept(folder: DataFolderLike | Path) -> list[dict]:
    """The parts of all tasks, in their order."""
    files, found = _folder(folder), {}
    for name in files.list_files(glob_pattern="*.json"):
        try:
            with files.open(name, "rt", encoding="utf-8") as file:
                part = json.load(file)
            ((rank, of),) = part["shards"]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{folder}: {name} is no part of a task ({type(error).__name__}: {error})") from None
        found[rank, of] = part
    if not found or sorted(found) != [(rank, len(found)) for rank in range(len(found))]:
        of = " and ".join(sorted({f"{of:,}" for _, of in found})) or "no"
        raise ValueError(
            f"{folder}: expected one part from every task, got {len(found):,} of {of} tasks; run the pipeline again, "
            f"which skips finished tasks, or take new folders where the number of tasks has changed"
        )
    return [found[key] for key in sorted(found)]
