"""Survey and funnel as datatrove runs them: tasks of its executors against one run, and what a stopped one leaves."""

import gzip
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from unittest.mock import MagicMock

import pytest

pytest.importorskip("datatrove", reason="datatrove is not installed: pip install -e .[scale] -c constraints.txt")

from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor

from labutils import places
from labutils.corpus import quality, sharded, sources, steps
from labutils.lesson import cli_data as command

RULES = [quality.too_few_words, quality.curly_bracket]
SHORT = ["", "Too few.", "Too few."]


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> str:
    """Documents of the company's handbook, as gzipped JSON Lines; some stand there twice, some a rule drops."""
    paragraphs = (places.DATA / "company" / "handbook.md").read_text(encoding="utf-8").split("\n\n")
    good = ["\n\n".join(paragraphs[i : i + 6]) for i in range(0, len(paragraphs), 6)]
    texts = good + SHORT + [text + " {" for text in good[:5]] + good[:5]
    metas = [{"package": f"p{i % 7}", "pile_set_name": "Documentation"} for i in range(len(texts))]
    lines = [json.dumps({"text": text, "meta": meta}) + "\n" for text, meta in zip(texts, metas, strict=True)]
    path = tmp_path_factory.mktemp("steps") / "documents.jsonl.gz"
    path.write_bytes(gzip.compress("".join(lines).encode()))
    return str(path)


def pipeline(source: str, out: Path, **draw) -> list:
    """Read, count, drop, count what is left."""
    read = steps.Documents(source, **draw)
    kept = steps.Survey(out / "kept", read.drawn)
    return [read, steps.Survey(out / "survey", read.drawn), steps.Quality(out / "funnel"), kept]


def perform(pipeline: list, rank: int, of: int) -> list[Document]:
    """One task, as every executor runs it."""
    documents = None
    for step in pipeline:
        documents = step(documents, rank, of)
    return list(documents)


def wholly(out: Path, source: str, **draw) -> None:
    """Assert that the parts in a folder are what one run finds, without datatrove."""
    part = sharded.run(source, processes=1, **draw)
    assert steps.merged_survey(out / "survey") == part and part.whole
    documents = list(sharded.documents(part.drawn, (0, 1)))
    funnel, once = steps.merged_funnel(out / "funnel"), quality.funnel(documents)
    assert (funnel.kept, funnel.dropped) == (once.kept, once.dropped) and 0 < funnel.kept < funnel.documents
    assert set(funnel.examples) == set(funnel.dropped)
    starts = [{**document, "text": document["text"][: steps.BEGINNING]} for document in documents]
    assert all(example in starts for example in funnel.examples.values())


def test_the_script_of_the_page_on_clusters(file, tmp_path):
    """Four tasks of the local executor, started as a reader would: what one run finds, and the documents apart."""
    page = (places.ROOT / "docs" / "clusters.md").read_text(encoding="utf-8")
    (script,) = (block for block in re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S) if "def main" in block)
    assert "tasks=4, workers=2" in script
    (tmp_path / "corpus.py").write_text(
        script.replace("/shared/documents.jsonl.gz", Path(file).as_posix()).replace("/shared", tmp_path.as_posix())
    )
    subprocess.run([sys.executable, tmp_path / "corpus.py"], cwd=places.ROOT, check=True, capture_output=True)
    out = tmp_path / "corpus"
    wholly(out, file)
    funnel, files = steps.merged_funnel(out / "funnel"), sorted(map(str, (out / "survey").iterdir()))
    assert len(files) == 4 and command.read_part(files[2]).shards == ((2, 4),)
    kept = [row["text"] for path in (out / "kept").iterdir() for row in sources.jsonl(path)]
    dropped = b"".join(gzip.decompress(path.read_bytes()) for path in (out / "dropped").iterdir())
    assert (len(kept), dropped.count(b"\n")) == (funnel.kept, funnel.dropped.total())
    assert sorted(kept) == sorted(d["text"] for d in quality.kept(sources.jsonl(file)))


@pytest.mark.parametrize("draw", [{}, {"limit": 21, "seed": 3}])
def test_any_number_of_tasks_finds_the_same(file, tmp_path, draw):
    for rank in (2, 1, 0):
        perform(pipeline(file, tmp_path, **draw), rank, 3)
    perform(pipeline(file, tmp_path / "once", **draw), 0, 1)
    wholly(tmp_path, file, **draw)
    assert steps.merged_survey(tmp_path / "kept") == steps.merged_survey(tmp_path / "once" / "kept")
    assert steps.merged_funnel(tmp_path / "funnel") == steps.merged_funnel(tmp_path / "once" / "funnel")
    with pytest.raises(ValueError, match="nothing lists what c4"):
        steps.Documents("c4")


def test_a_stopped_run_goes_on(file, tmp_path):
    """The third task fails at first: its parts are missing, and only they are made by the next start."""

    def fails(data, rank, world_size):
        for document in data:
            if rank == 2:
                raise RuntimeError("the machine is gone")
            yield document

    def start(*more):
        steps_ = [*pipeline(file, tmp_path), *more]
        return LocalPipelineExecutor(steps_, tasks=4, workers=1, logging_dir=str(tmp_path / "logs")).run()

    with pytest.raises(RuntimeError, match="the machine is gone"):
        start(fails)
    assert sorted(path.name for path in (tmp_path / "survey").iterdir()) == ["00000.json", "00001.json"]
    for merged, folder in ((steps.merged_survey, "survey"), (steps.merged_funnel, "funnel")):
        with pytest.raises(ValueError, match=r"one part from every task, got 2 of 4 tasks; run the pipeline again"):
            merged(tmp_path / folder)
    before = (tmp_path / "survey" / "00000.json").stat().st_mtime_ns
    start()
    assert (tmp_path / "survey" / "00000.json").stat().st_mtime_ns == before
    wholly(tmp_path, file)


def test_parts_that_do_not_belong_together(file, tmp_path):
    with pytest.raises(ValueError, match="got 0 of no tasks"):
        steps.merged_survey(tmp_path / "nothing")
    perform(pipeline(file, tmp_path), 0, 1)
    perform(pipeline(file, tmp_path), 1, 2)
    with pytest.raises(ValueError, match=r"got 2 of 1 and 2 tasks; .* where the number of tasks has changed"):
        steps.merged_funnel(tmp_path / "funnel")
    for text in ("{", "[]", "{}", '{"shards": []}'):
        (tmp_path / "funnel" / "00000.json").write_text(text)
        with pytest.raises(ValueError, match=r"00000\.json is no part of a task"):
            steps.merged_funnel(tmp_path / "funnel")


@pytest.mark.parametrize(
    ("metadata", "meta"),
    [({"meta": {"package": "a"}, "file_path": "x"}, {"package": "a"}), ({"meta": "a"}, {"meta": "a"})],
)
def test_documents_of_other_readers(tmp_path, metadata, meta):
    step, drop = steps.Survey(tmp_path / "survey", "some web pages"), steps.Quality(tmp_path / "funnel", RULES)
    documents = list(step([Document("The plover.", "1", metadata=metadata)]))
    assert [document.text for document in documents] == ["The plover."] and list(drop(documents)) == []
    found, why = steps.merged_survey(tmp_path / "survey"), "too few words"
    assert found.drawn.source == "some web pages"
    assert list(found.survey.tallies) == [(meta.get("package", ""), "(no set)")]
    example = {"text": "The plover.", "meta": meta}
    assert steps.merged_funnel(tmp_path / "funnel") == quality.Funnel(0, Counter({why: 1}), {why: example})


def test_what_is_dropped_goes_to_a_writer_and_its_beginning_is_the_example(tmp_path):
    text, writer = "This is a line of a page. " * 200 + "{", MagicMock()
    assert list(steps.Quality(tmp_path, RULES, writer)([Document(text, "1", metadata={"package": "a"})])) == []
    example = {"text": text[: steps.BEGINNING], "meta": {"package": "a"}}
    assert steps.merged_funnel(tmp_path).examples == {"a curly bracket": example}
    (written, _), _ = writer.__enter__().write.call_args
    assert (written.text, written.metadata) == (text, {"package": "a", "filter_reason": "a curly bracket"})
