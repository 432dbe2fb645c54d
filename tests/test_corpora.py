"""Open corpora, each by the call of its row, through a small hub on loopback with files shaped like the real ones."""

import gzip
import io
import json
import os
import socket
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet
import pytest
from hub_server import HubServer, Repo

from labutils.corpus import remote
from labutils.corpus.sources import CORPORA

CLIENT = """
import json, sys
import datasets
from labutils.corpus.sources import CORPORA
for name in sys.argv[1:]:
    corpus = CORPORA[name]
    stream = datasets.load_dataset(corpus.hub_id, corpus.config, split="train", streaming=True)
    print(json.dumps([type(stream).__name__, list(stream)], default=str))
"""
PROBE = """
import time
from labutils.machine import need_hub
for _ in range(2):
    begin = time.monotonic()
    try:
        need_hub("read a file")
    except ConnectionError as error:
        print(time.monotonic() - begin, error)
"""


def run(client: str, environment: dict[str, str], *names: str) -> list[str]:
    """The lines that a fresh process prints."""
    env = {**os.environ, "NO_PROXY": "*", **environment}
    ran = subprocess.run([sys.executable, "-c", client, *names], env=env, capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()


def jsonl(*rows: dict) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def parquet(*rows: dict) -> bytes:
    buffer = io.BytesIO()
    pa.parquet.write_table(pa.Table.from_pylist(list(rows)), buffer)
    return buffer.getvalue()


def card(config: str, path: str) -> bytes:
    return f"---\nconfigs:\n- config_name: {config}\n  data_files:\n  - split: train\n    path: {path}\n---\n".encode()


PAGE = {"text": "A page.", "timestamp": "2019-04-25T12:57:54Z", "url": "https://example.org/"}
WEB = {"text": "A lesson.", "id": "<urn:1>", "dump": "CC-MAIN-2013-20", "score": 3.5, "token_count": 4}
ARTICLE = {"id": "12", "url": "https://en.example.org/A", "title": "A", "text": "An article."}
PILE = [{"text": f"Text {i}.", "meta": {"pile_set_name": name}} for i, name in enumerate(["Pile-CC", "Github"] * 9)]
COMMON = {"id": "7", "text": "A thesis.", "source": "doab", "added": "2024-01-01", "metadata": {"license": "CC BY"}}
OTHER = jsonl({"text": "not for training", "meta": {"pile_set_name": "x"}})
EN, TEN, WIKI = "en/c4-train", "sample/10BT/000_00000.parquet", "20231101.en/train-00000-of-00041.parquet"
REPOS = {
    "allenai/c4": {
        "README.md": card("en", f"{EN}.*.json.gz"),
        f"{EN}.00000-of-01024.json.gz": gzip.compress(jsonl(PAGE)),
        f"{EN}.00001-of-01024.json.gz": gzip.compress(jsonl({**PAGE, "text": "Another."})),
        "en/c4-validation.00000-of-00008.json.gz": gzip.compress(OTHER),
    },
    "HuggingFaceFW/fineweb-edu": {
        "README.md": card("sample-10BT", "sample/10BT/*"),
        TEN: parquet(WEB),
        "data/CC-MAIN-2013-20/000_00000.parquet": parquet({**WEB, "text": "no"}),
    },
    "HuggingFaceFW/fineweb": {"README.md": card("sample-10BT", "sample/10BT/*"), TEN: parquet(WEB)},
    "monology/pile-uncopyrighted": {
        "README.md": b"---\nlicense: other\n---\n",
        "train/00.jsonl.zst": remote.zstd.compress(jsonl(*PILE)),
        "val.jsonl.zst": remote.zstd.compress(OTHER),
        "test.jsonl.zst": remote.zstd.compress(OTHER),
    },
    "common-pile/comma_v0.1_training_dataset": {"doab/00000_doab.jsonl.gz": gzip.compress(jsonl(COMMON))},
    "wikimedia/wikipedia": {"README.md": card("20231101.en", "20231101.en/train-*"), WIKI: parquet(ARTICLE)},
}
TEXTS = {
    "c4": ["A page.", "Another."],
    "fineweb-edu": ["A lesson."],
    "fineweb": ["A lesson."],
    "pile": [row["text"] for row in PILE],
    "common-pile": ["A thesis."],
    "wikipedia": ["An article."],
}


def test_the_calls_of_the_rows_stream_the_training_texts(tmp_path):
    assert {each.hub_id for each in CORPORA.values()} == set(REPOS)
    assert all(each.size and each.licence and each.citation for each in CORPORA.values())
    with HubServer({name: Repo(files) for name, files in REPOS.items()}) as hub:
        lines = run(CLIENT, hub.environment(tmp_path, token=None), *CORPORA)
        assert not [asked for asked in hub.asked if not asked.startswith(("GET ", "HEAD "))]
    kinds, rows = zip(*map(json.loads, lines), strict=True)
    assert set(kinds) == {"IterableDataset"}
    found = dict(zip(CORPORA, rows, strict=True))
    assert {name: [row["text"] for row in rows] for name, rows in found.items()} == TEXTS and found["pile"] == PILE


@pytest.mark.parametrize("how", ["nobody answers", "offline by choice"])
def test_no_hub_is_noticed_within_two_seconds(how, tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        environment = {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path)}
        lines = run(PROBE, {**environment, **({"HF_HUB_OFFLINE": "1"} if "choice" in how else {})})
    seconds, messages = zip(*(line.split(maxsplit=1) for line in lines), strict=True)
    assert set(messages) == {f"{endpoint} does not answer; read a file"} and len(messages) == 2
    assert max(map(float, seconds)) < 20  # the probe waits for two seconds, each time anew
