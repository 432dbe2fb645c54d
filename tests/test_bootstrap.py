"""The set-up's decisions with its subprocesses replaced, and one real installation (marked `index`)."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from labutils import bootstrap, installing, machine, places
from labutils.installing import SetupError

LOCK = "torch==2.13.0\ntqdm==4.70.1\n"


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A checkout with the two files that decide what is installed; no subprocess does anything."""
    for name, text in {"constraints.txt": LOCK, "pyproject.toml": "[project]\n"}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(places, "ROOT", tmp_path)
    monkeypatch.setattr(places, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "version_of", lambda python: "3.12.1")
    (tmp_path / ".venv").mkdir()
    return tmp_path


@pytest.fixture
def calls(monkeypatch):
    """What the set-up would have run: every pip call and every quiet command, by its interesting words."""
    made = []
    monkeypatch.setattr(bootstrap, "pip", lambda python, *words: made.append(words))
    monkeypatch.setattr(bootstrap, "install_torch", lambda python, version: made.append(("torch", version)))
    monkeypatch.setattr(bootstrap, "quietly", lambda argv: (made.append(tuple(argv[1:])), (0, ""))[1])
    monkeypatch.setattr(bootstrap, "make_environment", lambda python: made.append(("environment",)))
    monkeypatch.delenv("LABUTILS_NO_FETCH", raising=False)
    return made


def test_a_set_up_installs_the_lock_fetches_and_is_current_afterwards(house, calls, monkeypatch, capsys):
    python = bootstrap.set_up(())
    fetch = ("-m", "labutils", "fetch", "smollm2")
    made = [("environment",), ("torch", "2.13.0"), ("install", "-q", "-c", "constraints.txt", "-e", "."), fetch]
    assert python == bootstrap.python_of(house / ".venv") and calls == made
    assert "Set up in 0.0 minutes." in capsys.readouterr().out
    calls.clear()
    assert bootstrap.set_up(()) == python and calls == []
    assert capsys.readouterr().out == "The set-up is current.\n"
    (house / ".venv" / bootstrap.STAMP).unlink()
    monkeypatch.setenv("LABUTILS_NO_FETCH", "1")
    bootstrap.set_up(())
    assert calls == made[:-1], "the fetch can be left out"
    monkeypatch.delenv("LABUTILS_NO_FETCH")
    (house / ".venv" / bootstrap.STAMP).unlink()
    monkeypatch.setattr(bootstrap, "quietly", lambda argv: (1, "Traceback\nerror: no network\n"))
    bootstrap.set_up(())
    told = capsys.readouterr().out.splitlines()[-1]
    assert told.startswith("Not fetched (error: no network). The course runs without")


def test_a_test_set_up_is_good_for_the_course_but_not_the_other_way_round(house, calls):
    python = bootstrap.set_up(("test",))
    assert ("install", "-q", "-c", "constraints.txt", "-e", ".[test]") in calls
    stamp = house / ".venv" / bootstrap.STAMP
    assert json.loads(stamp.read_text()) == {"key": bootstrap.key("3.12.1"), "extras": ["test"]}
    assert bootstrap.is_current(python, ()) and bootstrap.is_current(python, ("test",))
    stamp.unlink()
    bootstrap.set_up(())
    assert bootstrap.is_current(python, ()) and not bootstrap.is_current(python, ("test",))


@pytest.mark.parametrize("change", ["constraints.txt", "pyproject.toml", "3.12.2", ""])
def test_a_changed_file_or_another_python_makes_the_set_up_stale(house, calls, monkeypatch, change):
    python = bootstrap.set_up(())
    if (house / change).is_file():
        (house / change).write_text((house / change).read_text() + "# changed\n")
    else:
        monkeypatch.setattr(bootstrap, "version_of", lambda python: change)
    assert not bootstrap.is_current(python, ())


def test_an_installation_that_fails_leaves_no_stamp(house, calls, monkeypatch):
    def fail(python, *words):
        raise SetupError("pip could not install")

    python, stamp = bootstrap.set_up(()), house / ".venv" / bootstrap.STAMP
    for text in ("", "[]", "{}", '{"key": "x", "extras": []}', '{"key": 1, "extras": null}'):
        stamp.write_text(text)
        assert not bootstrap.is_current(python, ())
    monkeypatch.setattr(bootstrap, "pip", fail)
    with pytest.raises(SetupError):
        bootstrap.set_up(())
    assert not stamp.exists()


def test_what_the_set_up_needs():
    for version in ((3, 11, 0), (3, 14, 2), (4, 0, 0)):
        bootstrap.check_python(version)
    for version in ((3, 10, 12), (2, 7, 18)):
        with pytest.raises(SetupError, match=r"this is Python \d\.\d+\.\d+, the course needs 3\.11 or newer"):
            bootstrap.check_python(version)
    bootstrap.check_disk(bootstrap.DISK)
    with pytest.raises(SetupError, match=r"3\.9 GB of disk are free, the set-up needs 4 GB"):
        bootstrap.check_disk(3.9e9)


@pytest.mark.parametrize(
    ("version", "code", "ran"),
    [("", 1, "venv --clear"), ("3.10.1", 0, "venv --clear"), ("3.11.1", 0, ""), ("3.11.1", 1, "ensurepip")],
)
def test_an_environment_is_made_where_none_works(house, monkeypatch, version, code, ran):
    made = []
    monkeypatch.setattr(bootstrap, "version_of", lambda python: version)
    monkeypatch.setattr(bootstrap, "quietly", lambda argv: (made.extend(argv[2:]), (0, ""))[1])
    answer = subprocess.CompletedProcess([], code)
    monkeypatch.setattr(bootstrap.subprocess, "run", lambda *args, **kwargs: answer)
    bootstrap.make_environment(Path("python"))
    assert " ".join(word for word in made if word != str(places.VENV)) == ran
    monkeypatch.setattr(bootstrap, "quietly", lambda argv: (1, "ensurepip is not available\n"))
    if ran:
        with pytest.raises(SetupError, match="ensurepip is not available"):
            bootstrap.make_environment(Path("python"))


def test_the_version_of_a_real_python_and_of_a_broken_one(tmp_path):
    assert bootstrap.version_of(Path(sys.executable)).startswith("3.")
    assert bootstrap.version_of(tmp_path / "absent") == ""
    broken = tmp_path / "python"
    broken.write_text("not a program")
    broken.chmod(0o755)
    assert bootstrap.version_of(broken) == ""


def test_pip_is_silent_until_it_fails(monkeypatch, capsys):
    lines = ["WARNING: Location '/opt/x' is ignored", "Looking in links: /opt", "", "ERROR: No matching distribution"]
    noise = "\n".join([*lines, "[notice] A new release of pip"])
    monkeypatch.setattr(installing, "quietly", lambda argv: (0, noise))
    installing.pip(Path("python"), "install", "x")
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(installing, "quietly", lambda argv: (1, noise))
    with pytest.raises(SetupError) as raised:
        installing.pip(Path("python"), "install", "x")
    assert str(raised.value).splitlines() == [
        "pip could not install the packages (exit 1):",
        "  ERROR: No matching distribution",
        "What to do: check the network and the free disk, then run the same command again; it goes on from there.",
    ]
    monkeypatch.undo()
    monkeypatch.setattr(installing, "PATIENCE", 0.2)
    code = "import time; print('done'); time.sleep(0.7); raise SystemExit(3)"
    assert installing.quietly([sys.executable, "-c", code]) == (3, "done\n")
    assert "still working" in capsys.readouterr().out
    assert bootstrap.hand_over([sys.executable, "-c", "raise SystemExit(5)"]) == 5
    assert installing.locked("torch", "torchvision==1\ntorch==2.13.0 ; sys_platform == 'linux'\n") == "2.13.0"
    with pytest.raises(SetupError, match="does not name torch"):
        installing.locked("torch", "tqdm==1\n")


CPU = installing.CPU_INDEX
LOCAL = ["--no-index"]
NEAR, PROXY = (["--index-url", CPU, "--timeout", wait, "--retries", tries] for wait, tries in (("15", "1"), ("5", "0")))


@pytest.mark.parametrize(
    ("working", "how", "came", "asked", "told"),
    [
        ("", {"present": "2.13.0+cpu"}, "present", [], ""),
        ("--no-index", {"present": "2.12.0"}, "local wheel", [LOCAL], ""),
        ("--no-index", {"reachable": True}, "local wheel", [LOCAL], ""),
        (CPU, {"reachable": True}, "CPU index", [LOCAL, NEAR], ""),
        (CPU, {"proxy": True}, "CPU index", [LOCAL, PROXY], ""),
        ("", {}, "package index", [LOCAL], "some gigabytes"),
        ("", {"reachable": True}, "package index", [LOCAL, NEAR], "some gigabytes"),
        ("", {"platform": "darwin"}, "package index", [LOCAL], ""),
        ("", {"platform": "win32"}, "package index", [LOCAL], ""),
    ],
)
def test_where_torch_comes_from(monkeypatch, capsys, working, how, came, asked, told):
    """What is there, else a local wheel, else the CPU index where it answers, else the package index."""
    called = []

    def pip(python, *words):
        called.append(words)
        if working not in words:
            raise SetupError("no")

    proxies = {"https": "http://proxy"} if how.get("proxy") else {}
    monkeypatch.setattr(installing, "pip", pip)
    monkeypatch.setattr(installing, "installed", lambda python, name: how.get("present", ""))
    monkeypatch.setattr(installing.sys, "platform", how.get("platform", "linux"))
    monkeypatch.setattr(installing.urllib.request, "getproxies", lambda: proxies)
    monkeypatch.setattr(machine, "within", lambda seconds, ask: how.get("reachable", False))
    assert installing.install_torch(Path("python"), "2.13.0") == came
    assert [words[:4] for words in called] == [("install", "-q", "--no-deps", "torch==2.13.0")] * len(asked)
    assert [list(words[4:]) for words in called] == asked
    said = capsys.readouterr().out
    assert told in said and bool(told) is bool(said)


def test_the_commands_start_their_programs_in_the_environment(monkeypatch, tmp_path):
    started = []
    monkeypatch.setattr(bootstrap, "set_up", lambda extras: Path("-".join(("venv", *extras))))
    monkeypatch.setattr(bootstrap, "hand_over", lambda argv: started.append(argv) or 0)
    monkeypatch.setattr(places, "VENV", tmp_path)
    bootstrap.open_course(["--port=1", "--no-browser"])
    bootstrap.run_tests(["--slow"])
    bootstrap.build_site(["--out=folder"])
    lab, suite, site = started
    assert lab[:3] == ["venv", "-m", "jupyterlab"] and lab[-2:] == ["--port=1", "--no-browser"]
    assert f"--ServerApp.root_dir={places.ROOT}" in lab and f"--LabApp.default_url=/lab/tree/{bootstrap.FIRST}" in lab
    assert (places.ROOT / bootstrap.FIRST).is_file()
    assert suite == ["venv-test", "-P", "-m", "labutils.suite", "--slow"]
    assert site == ["venv-site", "-P", "-m", "labutils.lesson.site", "--out=folder"]
    overrides = tmp_path / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    assert json.loads(overrides.read_text()) == bootstrap.SETTINGS
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "share").write_text("a file, no folder")
    bootstrap.write_settings(tmp_path / "other")  # settings that cannot be written stop nothing


@pytest.mark.parametrize("name", ["__init__", "__main__", "bootstrap", "installing", "places"])
def test_an_old_python_can_read_far_enough_to_be_told_that_it_is_old(name):
    source = (Path(bootstrap.__file__).parent / f"{name}.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 8))
    functions = any(isinstance(node, ast.FunctionDef) for node in ast.walk(tree))
    assert not functions or "from __future__ import annotations" in source


@pytest.mark.index
def test_a_package_is_installed_for_real(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = bootstrap.python_of(tmp_path / "venv")
    lock = tmp_path / "constraints.txt"
    lock.write_text("iniconfig==2.3.1\n")
    installing.pip(python, "install", "-q", "iniconfig", "-c", str(lock))
    assert installing.installed(python, "iniconfig") == "2.3.1"
    with pytest.raises(SetupError, match="No matching distribution"):
        installing.pip(python, "install", "-q", "--no-index", "iniconfig==0.0.0")


def test_the_stamp_says_what_it_is_for(house, calls):
    bootstrap.set_up(("test",))
    stamp = json.loads((house / ".venv" / bootstrap.STAMP).read_text())
    assert stamp == {"key": bootstrap.key("3.12.1"), "extras": ["test"]}
    bootstrap.set_up(("site",))  # what was asked for before stays
    assert bootstrap.stamped()["extras"] == ["site", "test"]
