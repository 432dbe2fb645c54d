"""Push and pull through a small hub on loopback: private, with a card, only when asked, and never a token in sight."""

import json
import os
import subprocess
import sys

import pytest
import yaml
from datasets import Dataset, DatasetDict
from hub_server import READER, WRITER, HubServer, Repo

from labutils import hub
from labutils.hub import Card

RECORDS = [
    {"question": "What is it?", "answer": "A plover.\n\u2028 \U0001f426 é \x00 end"},
    {"question": "", "answer": "2020-01-01 00:00:00", "fact": "12"},
    {"question": "1", "answer": "null", "fact": None},
]
CLIENT = """
import json, os, sys, time, traceback
from datasets import Dataset, DatasetDict
from labutils import hub
from labutils.hub import Card
records = json.loads(sys.argv[1])
def parts(n=1):
    return DatasetDict(train=Dataset.from_list(records[1:]), test=Dataset.from_list(records[1:2] * n))
for line in sys.stdin:
    step = json.loads(line)
    os.environ.pop("HF_TOKEN", None)
    if step["token"]:
        os.environ["HF_TOKEN"] = step["token"]
    begin = time.monotonic()
    try:
        value = eval(step["do"])
        result = {"repr": repr(value), "str": str(value)}
        if isinstance(value, DatasetDict):
            result["rows"] = {name: part.to_list() for name, part in value.items()}
        else:
            result["value"] = value._asdict()
    except Exception as error:
        behind = [repr(each) for each in (error.__cause__, error.__context__) if each is not None]
        result = {"error": type(error).__name__, "message": str(error), "behind": behind}
        result["trace"] = traceback.format_exc()
    print(json.dumps({**result, "seconds": time.monotonic() - begin}), flush=True)
"""
STEPS = {  # name: (token, what is done)
    "look": (None, "hub.push(records, 'pairs')"),
    "push": (
        WRITER,
        "hub.push(records, 'pairs', card=Card('Bird: pairs', 'cc-by-4.0', made='By hand.'), confirm=True)",
    ),
    "pull": (WRITER, "hub.pull('ada/pairs')"),
    "pull without a token": (None, "hub.pull('ada/pairs')"),
    "pull as somebody else": (READER, "hub.pull('ada/pairs')"),
    "push again": (WRITER, "hub.push(parts(2), 'ada/pairs', confirm=True)"),
    "pull again": (WRITER, "hub.pull('ada/pairs')"),
    "push openly": (WRITER, "hub.push(records, 'ada/open', private=False, confirm=True)"),
    "pull what is open": (None, "hub.pull('ada/open')"),
    "push onto what is public": (WRITER, "hub.push(records, 'ada/public', confirm=True)"),
    "push without a token": (None, "hub.push(records, 'ada/new', confirm=True)"),
    "push without the right": (READER, "hub.push(records, 'bob/new', confirm=True)"),
    "push with a wrong token": ("hf_" + "x" * 34, "hub.push(records, 'ada/new', confirm=True)"),
    "push with a broken token": ("hf_secret\x01" + "y" * 30, "hub.push(records, 'ada/new', confirm=True)"),
    "pull with a broken token": ("hf_secret\xfc" + "y" * 30, "hub.pull('ada/open')"),
    "push to a bad name": (WRITER, "hub.push(records, 'a b/c', confirm=True)"),
    "pull what is not there": (WRITER, "hub.pull('ada/nothing')"),
    "pull what is gated": (WRITER, "hub.pull('ada/gated')"),
    "push to a hub that fails": (WRITER, "hub.push(records, 'ada/broken', confirm=True)"),
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Every step in one process, in order, as results by name; with it what the hub holds and was asked."""
    home = tmp_path_factory.mktemp("hub")
    with HubServer({"ada/public": Repo({"README.md": b"mine"}), "ada/gated": Repo()}) as server:
        server.broken = {"ada/gated": 403, "ada/broken": 503}
        env = {**os.environ, "NO_PROXY": "*", **server.environment(home, token=None)}
        argv = [sys.executable, "-c", CLIENT, json.dumps(RECORDS)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        client, results, asked, states = subprocess.Popen(argv, env=env, **pipes), {}, {}, {}
        for name, (token, do) in STEPS.items():
            before = len(server.asked)
            client.stdin.write(json.dumps({"token": token, "do": do}) + "\n")
            client.stdin.flush()
            results[name] = json.loads(client.stdout.readline())
            asked[name] = server.asked[before:]
            states[name] = {repo: (each.private, dict(each.files)) for repo, each in server.repos.items()}
        rest, errors = client.communicate()
    return results, asked, states, rest + errors


def test_nothing_is_pushed_or_asked_unless_it_is_said(ran):
    results, asked, states, _ = ran
    assert asked["look"] == []
    assert set(states["look"]) == {"ada/public", "ada/gated"}
    shown = results["look"]["repr"]
    assert shown.startswith("NOT pushed (confirm=True does it) to pairs, private: data/train.parquet (")
    assert shown == results["look"]["str"]


def test_what_is_pushed_is_private_and_has_a_card(ran):
    results, asked, states, _ = ran
    private, files = states["push"]["ada/pairs"]
    assert private and sorted(files) == ["README.md", "data/train.parquet"]
    assert sum("/commit/" in line for line in asked["push"]) == 1
    repo_id, private, sizes, text, done = results["push"]["value"].values()
    assert (repo_id, private, done) == ("ada/pairs", True, True)
    assert sizes == {path: len(content) for path, content in files.items()}
    assert files["README.md"].decode() == text
    assert results["push"]["repr"].startswith("pushed to ada/pairs, private: ")


def test_what_comes_back_is_what_went(ran):
    results = ran[0]
    rows = [{"fact": None, **record} for record in RECORDS]
    assert results["pull"]["rows"] == {"train": rows}
    assert results["pull what is open"]["rows"] == {"train": rows}
    assert {name: len(part) for name, part in results["pull again"]["rows"].items()} == {"train": 2, "test": 2}


def test_public_only_when_asked(ran):
    results, _, states, _ = ran
    assert states["push openly"]["ada/open"][0] is False
    assert "PUBLIC" in results["push openly"]["repr"]
    assert states["push onto what is public"]["ada/public"] == (False, {"README.md": b"mine"})


@pytest.mark.parametrize(
    ("step", "error", "message"),
    [
        (
            "push onto what is public",
            "HubError",
            "ada/public: there already and public; take another name, or private=",
        ),
        ("push without a token", "HubError", "no token; set HF_TOKEN to one that may write, or run `hf auth login`"),
        ("push without the right", "HubError", "bob/new: the token is not allowed to do this at http://127.0.0.1:"),
        ("push with a wrong token", "HubError", "ada/new: http://127.0.0.1:"),
        ("push with a broken token", "HubError", "the token holds characters that no token has; set HF_TOKEN anew"),
        ("pull with a broken token", "HubError", "the token holds characters that no token has; set HF_TOKEN anew"),
        ("push to a bad name", "HubError", "a b/c: HFValidationError: Repo id must"),
        ("pull what is not there", "HubError", "ada/nothing: not at http://127.0.0.1:"),
        ("pull without a token", "HubError", "ada/pairs: not at http://127.0.0.1:"),
        ("pull as somebody else", "HubError", "ada/pairs: not at http://127.0.0.1:"),
        ("pull what is gated", "HubError", "ada/gated: the token is not allowed to do this at http://127.0.0.1:"),
        ("push to a hub that fails", "ConnectionError", "ada/broken: http://127.0.0.1:"),
    ],
)
def test_what_goes_wrong_is_one_clear_line(ran, step, error, message):
    result = ran[0][step]
    assert result["error"] == error
    assert result["message"].startswith(message) and "\n" not in result["message"]
    assert result["behind"] == []  # the request, and with it the token, hangs on the error behind


def test_what_may_not_be_pushed_is_not_there(ran):
    assert set(ran[2]["push to a hub that fails"]) == {"ada/public", "ada/gated", "ada/pairs", "ada/open"}


def test_no_token_stands_anywhere(ran):
    everything = json.dumps([ran[0], ran[3]])
    for token, _ in STEPS.values():
        assert not token or (token not in everything and json.dumps(token)[1:-1] not in everything)
    assert "y" * 30 not in everything
    assert ran[3] == ""  # no progress bar, no warning


def test_a_card():
    parts = DatasetDict(
        train=Dataset.from_dict({"question": ["a"] * 1500, "n": [1] * 1500, "many": [["x"]] * 1500}),
        test=Dataset.from_dict({"question": ["b"], "n": [2], "many": [[]]}),
    )
    text = hub.card_text(parts, Card(title="Birds: all #1", licence="cc-by-4.0", made="Written by hand."))
    front, body = text.removeprefix("---\n").split("\n---\n")
    assert yaml.safe_load(front) == {
        "language": "en",
        "license": "cc-by-4.0",
        "pretty_name": "Birds: all #1",
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": "train", "path": "data/train.parquet"},
                    {"split": "test", "path": "data/test.parquet"},
                ],
            }
        ],
    }
    for line in ("# Birds: all #1", "| train | 1,500 |", "| test | 1 |", "- `question`: string", "- `n`: int64"):
        assert f"\n{line}\n" in body
    assert body.endswith("## How it was made\n\nWritten by hand.\n")


@pytest.mark.parametrize("data", [[], DatasetDict(), DatasetDict(train=Dataset.from_dict({"a": []}))])
def test_nothing_to_push(data):
    with pytest.raises(ValueError, match="no records to push; expected at least one"):
        hub.push(data, "pairs")


def test_splits_of_different_columns():
    parts = DatasetDict(train=Dataset.from_dict({"a": ["x"]}), test=Dataset.from_dict({"a": ["x"], "b": ["y"]}))
    with pytest.raises(
        ValueError, match=r"^the splits 'train' and 'test' have different columns or types, .*; expected"
    ):
        hub.push(parts, "pairs")


@pytest.mark.parametrize("records", [[{"a": "1"}, {"a": 1}], [{"a": "\ud800"}], [{"a": {"b": 1}}, {"a": "x"}]])
def test_records_that_make_no_table(records):
    with pytest.raises(ValueError, match=r"^the records make no table: .*; expected one type of value under each key$"):
        hub.push(records, "pairs")


def test_no_hub(monkeypatch):
    monkeypatch.setattr(hub.machine, "hub_answers", lambda: False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    for act in (lambda: hub.pull("ada/pairs"), lambda: hub.push(RECORDS, "ada/pairs", confirm=True)):
        with pytest.raises(ConnectionError, match=r"^http://127.0.0.1:9 does not answer; check the network, or"):
            act()
    assert not hub.push(RECORDS, "ada/pairs").done
