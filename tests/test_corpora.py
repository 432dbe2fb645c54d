"""Open corpora by name, through a small hub on loopback with files of the very shapes that the real ones have."""

import gzip
import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from hub_server import HubServer, Repo

from labutils.corpus import corpora, remote
from labutils.corpus.corpora import CORPORA

CLIENT = """
import json, sys, time
from labutils.corpus import sources
for name in sys.argv[1:]:
    begin = time.monotonic()
    try:
        stream = sources.stream(name)
        result = {"documents": list(stream), "type": type(stream).__name__}
        if name == "pile":  # at the end of a shuffled stream of Parquet, datasets sleeps for five seconds
            result["shuffled"] = [list(sources.stream(name, seed=1)) for _ in range(2)]
    except Exception as error:
        result = {"error": type(error).__name__, "message": str(error)}
    print(json.dumps({**result, "seconds": time.monotonic() - begin}))
"""


def run(environment: dict[str, str], *names: str) -> list[dict]:
    """What a fresh process gets from `stream(name)`, name by name."""
    env = {**os.environ, "NO_PROXY": "*", **environment}
    ran = subprocess.run([sys.executable, "-c", CLIENT, *names], env=env, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]


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
REPOS = {
    "allenai/c4": Repo(
        {
            "README.md": card("en", "en/c4-train.*.json.gz"),
            "en/c4-train.00000-of-01024.json.gz": gzip.compress(jsonl(PAGE)),
            "en/c4-train.00001-of-01024.json.gz": gzip.compress(jsonl({**PAGE, "text": "Another."})),
            "en/c4-validation.00000-of-00008.json.gz": gzip.compress(OTHER),
        }
    ),
    "HuggingFaceFW/fineweb-edu": Repo(
        {
            "README.md": card("sample-10BT", "sample/10BT/*"),
            "sample/10BT/000_00000.parquet": parquet(WEB),
            "data/CC-MAIN-2013-20/000_00000.parquet": parquet({**WEB, "text": "no"}),
        }
    ),
    "HuggingFaceFW/fineweb": Repo(
        {"README.md": card("sample-10BT", "sample/10BT/*"), "sample/10BT/000_00000.parquet": parquet(WEB)}
    ),
    "monology/pile-uncopyrighted": Repo(
        {
            "README.md": b"---\nlicense: other\n---\n",
            "train/00.jsonl.zst": remote.zstd.compress(jsonl(*PILE)),
            "val.jsonl.zst": remote.zstd.compress(OTHER),
            "test.jsonl.zst": remote.zstd.compress(OTHER),
        }
    ),
    "common-pile/comma_v0.1_training_dataset": Repo({"doab/00000_doab.jsonl.gz": gzip.compress(jsonl(COMMON))}),
    "wikimedia/wikipedia": Repo(
        {
            "README.md": card("20231101.en", "20231101.en/train-*"),
            "20231101.en/train-00000-of-00041.parquet": parquet(ARTICLE),
        }
    ),
}


def without_text(row: dict) -> dict:
    return {key: value for key, value in row.items() if key != "text"}


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict[str, dict]:
    """What `stream` gives for every corpus, and for one that the hub has lost."""
    lost = {name: repo for name, repo in REPOS.items() if name != "HuggingFaceFW/fineweb"}
    with HubServer(lost) as hub:
        results = run(hub.environment(tmp_path_factory.mktemp("hub"), token=None), *CORPORA)
        assert not [asked for asked in hub.asked if not asked.startswith(("GET ", "HEAD "))]
    return dict(zip(CORPORA, results, strict=True))


def test_the_small_hub_has_every_corpus():
    assert {each.hub_id for each in CORPORA.values()} == set(REPOS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fineweb-edu", [{"text": "A lesson.", "meta": without_text(WEB)}]),
        ("wikipedia", [{"text": "An article.", "meta": without_text(ARTICLE)}]),
        ("pile", PILE),
    ],
)
def test_an_open_corpus_by_name(found, name, expected):
    assert found[name]["documents"] == expected
    assert found[name]["type"] == "IterableDataset"


def test_a_seed_shuffles(found):
    once, again = found["pile"]["shuffled"]
    assert once == again != PILE
    assert sorted(once, key=str) == sorted(PILE, key=str)


def test_times_are_text(found):
    meta = {"timestamp": "2019-04-25T12:57:54", "url": "https://example.org/"}
    assert found["c4"]["documents"] == [{"text": "A page.", "meta": meta}, {"text": "Another.", "meta": meta}]
    (document,) = found["common-pile"]["documents"]
    assert document["text"] == "A thesis."
    assert (document["meta"]["source"], document["meta"]["metadata"]) == ("doab", {"license": "CC BY"})
    assert document["meta"]["added"].startswith("2024-01-01")


def test_a_corpus_that_is_gone(found):
    assert found["fineweb"]["error"] == "HubError"
    assert found["fineweb"]["message"].startswith("HuggingFaceFW/fineweb: not at http://127.0.0.1:")
    assert "\n" not in found["fineweb"]["message"]


@pytest.mark.parametrize("how", ["nobody listens", "nobody answers", "offline by choice"])
def test_no_hub_is_noticed_within_two_seconds_and_the_message_says_what_to_use_instead(how, tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if how == "nobody answers":
            silent.listen()
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        environment = {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path)}
        first, again = run({**environment, **({"HF_HUB_OFFLINE": "1"} if "choice" in how else {})}, "c4", "pile")
    assert first["error"] == "ConnectionError"
    assert first["message"] == (
        f"{endpoint} does not answer; c4 cannot be streamed; use what is here: "
        'stream("installed") or the path of a .jsonl file'
    )
    assert first["seconds"] < 20  # the probe waits for two seconds
    assert again["error"] == "ConnectionError" and again["seconds"] < 1


def test_an_unknown_name():
    with pytest.raises(ValueError, match=r"^no open corpus named 'c5'; there are c4, fineweb-edu, fineweb, pile"):
        corpora.open_corpus("c5")


def test_the_table():
    rows = corpora.table()
    assert [row["name"] for row in rows] == list(CORPORA)
    assert rows[0] == {
        "name": "c4",
        "on the hub": "allenai/c4 (en)",
        "size": "305 GB packed",
        "documents": "364,868,892",
        "licence": "ODC-By 1.0",
        "citation": "Raffel et al. 2020, Exploring the Limits of Transfer Learning, JMLR 21:140",
    }
    assert rows[3]["documents"] == "not stated" and rows[3]["on the hub"] == "monology/pile-uncopyrighted"
    assert all(value for row in rows for value in row.values())
    assert not (set(CORPORA) & {"installed"}) and not any(Path(name).exists() for name in CORPORA)
