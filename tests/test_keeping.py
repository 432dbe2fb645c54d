"""A learner's progress file: nothing is lost to a kill, to a second kernel, or to a file that somebody spoiled."""

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
from labutils.lesson.exercises.exercise import PROGRESS, Entry, change_progress, read_progress

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills and forks as Linux and macOS do")
SPOILED = [
    b"", b"{", b"[]", b"7", b"\xff\xfe\x00", b'{"shingles": 1}', b'{"shingles": {"tries": "many"}}',
    b'{"shingles": {"tries": true}}', b'{"shingles": {"right": 1}}', b"[" * 100_000,
]  # fmt: skip


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path) -> Path:
    """A cache folder that is not there yet, and a process that remembers nothing."""
    monkeypatch.setenv("LABUTILS_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(PROGRESS, "unsaved", {})
    monkeypatch.setattr(keeping, "PATIENCE", 50)
    return tmp_path / "cache"


def tried(name: str = "a") -> tuple[Entry, str]:
    """One try more."""
    return change_progress(name, lambda entry: replace(entry, tries=entry.tries + 1))


def hammer(name: str, times: int) -> None:
    for _ in range(times):
        assert tried(name)[1] == ""


def forked(target, *args) -> multiprocessing.Process:
    process = multiprocessing.get_context("fork").Process(target=target, args=args)
    process.start()
    return process


def test_what_is_changed_is_read_again(home):
    assert read_progress() == {}
    assert not home.exists(), "nothing is there before the first change"
    assert change_progress("a", lambda e: replace(e, tries=2, hints=1)) == (Entry(tries=2, hints=1), "")
    assert change_progress("b", lambda e: replace(e, right=True))[0].right
    assert read_progress() == {"a": Entry(tries=2, hints=1), "b": Entry(right=True)}
    assert sorted(path.name for path in home.iterdir()) in (["progress.json"], ["progress.json", "progress.json.lock"])


def test_what_another_version_wrote_stays(home):
    home.mkdir()
    other = {
        "a": {"tries": 1, "minutes": 4},
        "future": {"colour": "blue"},
        "manners_first": {"tries": 3, "right": True},
    }
    (home / "progress.json").write_text(json.dumps(other))
    assert read_progress()["behaviour_first"] == Entry(tries=3, right=True), "kept under an older name"
    assert tried("behaviour_first") == (Entry(tries=4, right=True), "")
    tried()
    kept = json.loads((home / "progress.json").read_text())
    assert kept["future"] == {"colour": "blue"}
    assert (kept["a"]["tries"], kept["a"]["minutes"]) == (2, 4)


@pytest.mark.parametrize("spoiled", SPOILED, ids=lambda data: repr(data[:32]))
def test_a_spoiled_file_is_set_aside(home, spoiled):
    home.mkdir()
    for number in (1, 2):
        (home / "progress.json").write_bytes(spoiled)
        if number == 1:
            assert read_progress() == {}
        assert tried() == (Entry(tries=1), "")
        assert (home / f"progress.broken-{number}.json").read_bytes() == spoiled
    assert read_progress() == {"a": Entry(tries=1)}


@forks
def test_a_kill_in_the_middle_of_a_write_leaves_the_old_file(home):
    def change_and_die():
        Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        tried()

    tried()
    before = (home / "progress.json").read_bytes()
    process = forked(change_and_die)
    process.join(200)
    assert process.exitcode == -signal.SIGKILL
    assert (home / "progress.json").read_bytes() == before
    assert len(list(home.glob(".*.part"))) == 1
    assert tried() == (Entry(tries=2), "")
    assert list(home.glob(".*.part")) == []


@forks
@pytest.mark.parametrize("moment", [0.03, 0.07, 0.11])
def test_a_kill_at_any_moment_leaves_a_whole_file(home, moment):
    tried("other")
    process = forked(hammer, "a", 10**6)
    while not read_progress().get("a"):
        time.sleep(0.005)
    time.sleep(moment)
    os.kill(process.pid, signal.SIGKILL)
    process.join(200)
    tries = read_progress()["a"].tries
    assert tries >= 1
    assert tried() == (Entry(tries=tries + 1), "")
    assert read_progress()["other"] == Entry(tries=1)
    assert not list(home.glob("*broken*"))


@forks
def test_two_processes_at_once_lose_nothing():
    processes = [forked(hammer, name, 40) for name in ("a", "a", "b")]
    hammer("b", 40)
    for process in processes:
        process.join(600)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert read_progress() == {"a": Entry(tries=80), "b": Entry(tries=80)}


def test_where_no_folder_can_be_made_the_process_remembers(home):
    home.write_text("a file, no folder")
    assert tried()[0] == Entry(tries=1)
    entry, problem = tried()
    assert entry == Entry(tries=2)
    assert problem.startswith("progress could not be saved: ")
    assert read_progress() == {"a": Entry(tries=2)}
    home.unlink()
    assert tried() == (Entry(tries=3), "")
    assert (PROGRESS.unsaved, read_progress()) == ({}, {"a": Entry(tries=3)})


def test_a_full_disk_leaves_the_old_file_and_a_lock_does_not_stop_the_learner(home, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    tried()
    before = (home / "progress.json").read_bytes()
    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        assert tried() == (Entry(tries=2), "progress could not be saved: OSError")
    assert (home / "progress.json").read_bytes() == before
    assert list(home.glob(".*.part")) == []
    monkeypatch.setattr(keeping, "PATIENCE", 0.1)
    with FileLock(home / "progress.json.lock"):
        assert read_progress() == {"a": Entry(tries=2)}
        assert tried() == (Entry(tries=3), "progress could not be saved: Timeout")
    assert tried() == (Entry(tries=4), "")
