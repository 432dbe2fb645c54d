"""The progress file: nothing is lost to a kill, to a second kernel, or to a file that somebody spoiled."""

import errno
import json
import multiprocessing
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from labutils.lesson import keeping
from labutils.lesson.exercises import attempts
from labutils.lesson.exercises.attempts import Entry

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills and forks as Linux and macOS do")
SPOILED = [
    b"",
    b"{",
    b"[]",
    b"7",
    b"\xff\xfe\x00",
    b'{"shingles": 1}',
    b'{"shingles": {"tries": "many"}}',
    b'{"shingles": {"tries": true}}',
    b'{"shingles": {"right": 1}}',
    b"[" * 100_000,
]


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path) -> Path:
    """A cache folder that is not there yet, and a process that remembers nothing."""
    monkeypatch.setenv("LABUTILS_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(attempts.FILE, "unsaved", {})
    monkeypatch.setattr(keeping, "PATIENCE", 50)
    return tmp_path / "cache"


def more(entry: Entry) -> Entry:
    return replace(entry, tries=entry.tries + 1)


def hammer(name: str, times: int) -> None:
    for _ in range(times):
        assert not attempts.change(name, more).problem


def forked(target, *args) -> multiprocessing.Process:
    process = multiprocessing.get_context("fork").Process(target=target, args=args)
    process.start()
    return process


def test_nothing_is_there_before_the_first_change(home):
    assert attempts.read() == {}
    assert not home.exists()


def test_what_is_changed_is_read_again(home):
    assert attempts.change("a", lambda e: replace(e, tries=2, hints=1)) == (Entry(tries=2, hints=1), "")
    assert attempts.change("b", lambda e: replace(e, right=True)).entry.right
    assert attempts.read() == {"a": Entry(tries=2, hints=1), "b": Entry(right=True)}
    assert sorted(path.name for path in home.iterdir()) in (["progress.json"], ["progress.json", "progress.json.lock"])


def test_what_a_later_version_wrote_stays(home):
    home.mkdir()
    later = {"a": {"tries": 1, "minutes": 4}, "future": {"colour": "blue"}}
    (home / "progress.json").write_text(json.dumps(later))
    attempts.change("a", more)
    kept = json.loads((home / "progress.json").read_text())
    assert kept["future"] == {"colour": "blue"}
    assert (kept["a"]["tries"], kept["a"]["minutes"]) == (2, 4)


@pytest.mark.parametrize("spoiled", SPOILED, ids=lambda data: repr(data[:32]))
@pytest.mark.parametrize("first", ["read", "change"])
def test_a_spoiled_file_is_set_aside(home, spoiled, first):
    home.mkdir()
    for number in (1, 2):
        (home / "progress.json").write_bytes(spoiled)
        if first == "read":
            assert attempts.read() == {}
        assert attempts.change("a", more) == (Entry(tries=1), "")
        assert (home / f"progress.broken-{number}.json").read_bytes() == spoiled
    assert attempts.read() == {"a": Entry(tries=1)}


@forks
def test_a_kill_in_the_middle_of_a_write_leaves_the_old_file(home):
    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    def change_and_die():
        Path.replace = die
        attempts.change("a", more)

    attempts.change("a", more)
    before = (home / "progress.json").read_bytes()
    process = forked(change_and_die)
    process.join(200)
    assert process.exitcode == -signal.SIGKILL
    assert (home / "progress.json").read_bytes() == before
    assert len(list(home.glob(".*.part"))) == 1
    assert attempts.change("a", more) == (Entry(tries=2), "")
    assert list(home.glob(".*.part")) == []


@forks
@pytest.mark.parametrize("moment", [0.03, 0.07, 0.11])
def test_a_kill_at_any_moment_leaves_a_whole_file(home, moment):
    attempts.change("other", more)
    process = forked(hammer, "a", 10**6)
    while not attempts.read().get("a"):
        time.sleep(0.005)
    time.sleep(moment)
    os.kill(process.pid, signal.SIGKILL)
    process.join(200)
    tries = attempts.read()["a"].tries
    assert tries >= 1
    assert attempts.change("a", more) == (Entry(tries=tries + 1), "")
    assert attempts.read()["other"] == Entry(tries=1)
    assert not list(home.glob("*broken*"))


@forks
def test_two_processes_at_once_lose_nothing():
    processes = [forked(hammer, name, 40) for name in ("a", "a", "b")]
    hammer("b", 40)
    for process in processes:
        process.join(600)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert attempts.read() == {"a": Entry(tries=80), "b": Entry(tries=80)}


def test_where_no_folder_can_be_made_the_process_remembers(home):
    home.write_text("a file, no folder")
    assert attempts.change("a", more).entry == Entry(tries=1)
    kept = attempts.change("a", more)
    assert kept.entry == Entry(tries=2)
    assert kept.problem.startswith("progress could not be saved: ")
    assert attempts.read() == {"a": Entry(tries=2)}
    home.unlink()
    assert attempts.change("a", more) == (Entry(tries=3), "")
    assert (attempts.FILE.unsaved, attempts.read()) == ({}, {"a": Entry(tries=3)})


def test_a_full_disk_leaves_the_old_file(home, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    attempts.change("a", more)
    before = (home / "progress.json").read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    assert attempts.change("a", more) == (Entry(tries=2), "progress could not be saved: OSError")
    assert (home / "progress.json").read_bytes() == before
    assert list(home.glob(".*.part")) == []


def test_a_lock_that_is_never_freed_does_not_stop_the_learner(home, monkeypatch):
    attempts.change("a", more)
    monkeypatch.setattr(keeping, "PATIENCE", 0.1)
    with FileLock(home / "progress.json.lock"):
        assert attempts.read() == {"a": Entry(tries=1)}
        assert attempts.change("a", more) == (Entry(tries=2), "progress could not be saved: Timeout")
    assert attempts.change("a", more) == (Entry(tries=3), "")
