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


def test_a_set_up_installs_the_lock_fetches_and_is_current_afterwards(house, calls, capsys):
    python = bootstrap.set_up(())
    assert python == bootstrap.python_of(house / ".venv")
    assert calls == [
        ("environment",),
        ("torch", "2.13.0"),
        ("install", "-q", "-c", "constraints.txt", "-e", "."),
        ("-m", "labutils", "fetch", "smollm2"),
    ]
    assert "Set up in 0.0 minutes." in capsys.readouterr().out
    calls.clear()
    assert bootstrap.set_up(()) == python
    assert calls == []
    assert capsys.readouterr().out == "The set-up is current.\n"


def test_the_fetch_can_be_left_out(house, calls, monkeypatch):
    monkeypatch.setenv("LABUTILS_NO_FETCH", "1")
    bootstrap.set_up(())
    assert not any("fetch" in call for call in calls)


def test_a_failing_fetch_is_one_line(house, calls, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, "quietly", lambda argv: (1, "Traceback\nerror: no network\n"))
    bootstrap.set_up(())
    assert (
        capsys.readouterr().out.splitlines()[-1].startswith("Not fetched (error: no network). The course runs without")
    )


def test_a_test_set_up_is_good_for_the_course_but_not_the_other_way_round(house, calls):
    python = bootstrap.set_up(("test",))
    assert ("install", "-q", "-c", "constraints.txt", "-e", ".[test]") in calls
    assert bootstrap.is_current(python, ()) and bootstrap.is_current(python, ("test",))
    (house / ".venv" / bootstrap.STAMP).unlink()
    bootstrap.set_up(())
    assert bootstrap.is_current(python, ()) and not bootstrap.is_current(python, ("test",))


@pytest.mark.parametrize("name", ["constraints.txt", "pyproject.toml"])
def test_a_changed_file_makes_the_set_up_stale(house, calls, name):
    python = bootstrap.set_up(())
    (house / name).write_text((house / name).read_text() + "# changed\n")
    assert not bootstrap.is_current(python, ())


@pytest.mark.parametrize("version", ["3.12.2", "3.13.0", ""])
def test_another_python_makes_the_set_up_stale(house, calls, monkeypatch, version):
    python = bootstrap.set_up(())
    monkeypatch.setattr(bootstrap, "version_of", lambda python: version)
    assert not bootstrap.is_current(python, ())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"key": "x", "extras": []}', '{"key": 1, "extras": null}'])
def test_a_stamp_that_says_nothing_is_no_stamp(house, text):
    (house / ".venv" / bootstrap.STAMP).write_text(text)
    assert not bootstrap.is_current(Path("python"), ())


def test_an_installation_that_fails_leaves_no_stamp(house, calls, monkeypatch):
    def fail(python, *words):
        raise SetupError("pip could not install")

    bootstrap.set_up(())
    (house / "pyproject.toml").write_text("more\n")
    monkeypatch.setattr(bootstrap, "pip", fail)
    with pytest.raises(SetupError):
        bootstrap.set_up(())
    assert not (house / ".venv" / bootstrap.STAMP).exists()


@pytest.mark.parametrize("version", [(3, 10, 12), (2, 7, 18), (3, 8, 0)])
def test_a_python_that_is_too_old(version):
    with pytest.raises(SetupError, match=r"this is Python \d\.\d+\.\d+, the course needs 3\.11 or newer"):
        bootstrap.check_python(version)


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 14, 2), (4, 0, 0)])
def test_a_python_that_will_do(version):
    bootstrap.check_python(version)


def test_too_little_disk():
    bootstrap.check_disk(bootstrap.DISK)
    with pytest.raises(SetupError, match=r"3\.9 GB of disk are free, the set-up needs 4 GB"):
        bootstrap.check_disk(3.9e9)


@pytest.mark.parametrize(
    ("version", "has_pip", "ran"),
    [
        ("", False, ["venv", "--clear"]),
        ("3.10.1", True, ["venv", "--clear"]),
        ("3.11.1", True, []),
        ("3.11.1", False, ["ensurepip"]),
    ],
)
def test_an_environment_is_made_where_none_works(house, monkeypatch, version, has_pip, ran):
    made = []
    monkeypatch.setattr(bootstrap, "version_of", lambda python: version)
    monkeypatch.setattr(bootstrap, "quietly", lambda argv: (made.extend(argv[2:]), (0, ""))[1])
    answer = subprocess.CompletedProcess([], 0 if has_pip else 1)
    monkeypatch.setattr(bootstrap.subprocess, "run", lambda *args, **kwargs: answer)
    bootstrap.make_environment(Path("python"))
    assert [word for word in made if word != str(places.VENV)] == ran


def test_an_environment_that_cannot_be_made_says_why(house, monkeypatch):
    monkeypatch.setattr(bootstrap, "version_of", lambda python: "")
    monkeypatch.setattr(bootstrap, "quietly", lambda argv: (1, "ensurepip is not available\n"))
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
    lines = [
        "WARNING: Location '/opt/x' is ignored",
        "Looking in links: /opt",
        "",
        "ERROR: No matching distribution found",
    ]
    noise = "\n".join([*lines, "[notice] A new release of pip"])
    monkeypatch.setattr(installing, "quietly", lambda argv: (0, noise))
    installing.pip(Path("python"), "install", "x")
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(installing, "quietly", lambda argv: (1, noise))
    with pytest.raises(SetupError) as raised:
        installing.pip(Path("python"), "install", "x")
    assert str(raised.value).splitlines() == [
        "pip could not install the packages (exit 1):",
        "  ERROR: No matching distribution found",
        "What to do: check the network and the free disk, then run the same command again; it goes on from there.",
    ]


def test_a_long_command_gives_signs_of_life_and_its_output(monkeypatch, capsys):
    monkeypatch.setattr(installing, "PATIENCE", 0.2)
    code, output = installing.quietly(
        [sys.executable, "-c", "import time; print('done'); time.sleep(0.7); raise SystemExit(3)"]
    )
    assert (code, output) == (3, "done\n")
    assert "still working" in capsys.readouterr().out


def test_the_lock_is_read(tmp_path):
    assert installing.locked("torch", "torchvision==1\ntorch==2.13.0 ; sys_platform == 'linux'\n") == "2.13.0"
    with pytest.raises(SetupError, match="does not name torch"):
        installing.locked("torch", "tqdm==1\n")


@pytest.fixture
def torch_choice(monkeypatch):
    """A function: which sources work -> where torch came from, and what pip was asked."""

    def choose(working: set, present: str = "", platform: str = "linux", proxy: bool = False, reachable: bool = False):
        asked = []

        def pip(python, *words):
            asked.append(words)
            if not working & set(words):
                raise SetupError("no")

        monkeypatch.setattr(installing, "pip", pip)
        monkeypatch.setattr(installing, "installed", lambda python, name: present)
        monkeypatch.setattr(installing.sys, "platform", platform)
        monkeypatch.setattr(installing.urllib.request, "getproxies", lambda: {"https": "http://proxy"} if proxy else {})
        monkeypatch.setattr(machine, "within", lambda seconds, ask: reachable)
        return installing.install_torch(Path("python"), "2.13.0"), asked

    return choose


def test_torch_that_is_there_is_kept(torch_choice):
    assert torch_choice(set(), present="2.13.0+cpu") == ("present", [])
    assert torch_choice({"--no-index"}, present="2.12.0")[0] == "local wheel"


def test_a_local_wheel_comes_first_and_asks_no_index(torch_choice):
    came, asked = torch_choice({"--no-index"}, reachable=True)
    assert came == "local wheel"
    assert asked == [("install", "-q", "--no-deps", "torch==2.13.0", "--no-index")]


def test_then_the_cpu_index_where_it_answers(torch_choice):
    came, asked = torch_choice({installing.CPU_INDEX}, reachable=True)
    assert came == "CPU index"
    assert asked[1][3:6] == ("torch==2.13.0", "--index-url", installing.CPU_INDEX)


def test_behind_a_proxy_pip_asks_with_a_short_time_out(torch_choice):
    came, asked = torch_choice({installing.CPU_INDEX}, proxy=True, reachable=False)
    assert came == "CPU index"
    assert asked[1][-4:] == ("--timeout", "5", "--retries", "0")


def test_else_the_package_index_with_a_warning(torch_choice, capsys):
    came, asked = torch_choice(set(), reachable=False)
    assert (came, len(asked)) == ("package index", 1)
    assert "some gigabytes" in capsys.readouterr().out
    assert torch_choice(set(), reachable=True)[0] == "package index"


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_the_package_index_has_the_cpu_build(torch_choice, platform, capsys):
    assert torch_choice(set(), platform=platform, reachable=True)[0] == "package index"
    assert capsys.readouterr().out == ""


def test_an_exit_code_is_handed_over():
    assert bootstrap.hand_over([sys.executable, "-c", "raise SystemExit(5)"]) == 5


def test_the_commands_start_their_programs_in_the_environment(monkeypatch, tmp_path):
    started = []
    monkeypatch.setattr(
        bootstrap, "set_up", lambda extras: Path("venv-python") if not extras else Path(f"venv-{extras[0]}")
    )
    monkeypatch.setattr(bootstrap, "hand_over", lambda argv: started.append(argv) or 0)
    monkeypatch.setattr(places, "VENV", tmp_path)
    bootstrap.open_course(["--port=1", "--no-browser"])
    bootstrap.run_tests(["--slow"])
    bootstrap.build_site(["--out=folder"])
    lab, suite, site = started
    assert lab[:3] == ["venv-python", "-m", "jupyterlab"] and lab[-2:] == ["--port=1", "--no-browser"]
    assert f"--ServerApp.root_dir={places.ROOT}" in lab and f"--LabApp.default_url=/lab/tree/{bootstrap.FIRST}" in lab
    assert (places.ROOT / bootstrap.FIRST).is_file()
    assert suite == ["venv-test", "-P", "-m", "labutils.suite", "--slow"]
    assert site == ["venv-site", "-P", "-m", "labutils.lesson.site", "--out=folder"]
    overrides = tmp_path / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    assert json.loads(overrides.read_text()) == bootstrap.SETTINGS


def test_settings_that_cannot_be_written_stop_nothing(tmp_path):
    (tmp_path / "share").write_text("a file, no folder")
    bootstrap.write_settings(tmp_path)


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
