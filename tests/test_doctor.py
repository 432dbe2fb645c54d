"""The doctor's rows on both sides of every limit, and the command for real."""

import json
import subprocess
import sys
import time

import pytest

from labutils import doctor, machine
from labutils.doctor import Row


def test_a_package_that_is_missing_or_of_another_version(monkeypatch):
    here = {"torch": "2.13.0", "pandas": "3.1.1"}
    texts = {
        "pyproject.toml": "project.dependencies = ['torch', 'pandas']",
        "constraints.txt": "# lock\npandas==3.1.1\ntorch==2.13.0\nruff==1\n",
    }
    monkeypatch.setattr(doctor, "_text", texts.get)
    monkeypatch.setattr(doctor, "installed", lambda name: here.get(name, ""))
    assert doctor.packages() == Row("packages", "2 in the expected versions", "ok")
    here["pandas"] = "2.0"
    assert doctor.packages().state == "note" and "pandas 2.0 (lock: 3.1.1)" in doctor.packages().found
    del here["torch"]
    assert doctor.packages().state == "problem" and "missing: torch" in doctor.packages().found


def test_the_files_agree(monkeypatch):
    lock = doctor.locked(doctor._text("constraints.txt"))
    assert f"rev: v{lock['ruff']} " in doctor._text(".pre-commit-config.yaml")
    assert set(doctor.direct(doctor._text("pyproject.toml"))) <= set(lock)
    text = "project.dependencies = ['torch', 'pandas>=2', 'toml; python_version<\"3\"', 'tomli; python_version>=\"3\"']"
    assert doctor.direct(text) == ["torch", "pandas", "tomli"]
    monkeypatch.setattr(doctor.importlib.metadata, "version", lambda name: "2.13.0+cpu")
    assert doctor.installed("torch") == "2.13.0"


@pytest.mark.parametrize(("question", "ends"), [("memory", (1.9, 2.1, 3.9, 4.1)), ("disk", (0.9, 1.1, 3.9, 4.1))])
def test_memory_and_disk(monkeypatch, question, ends):
    for size, state in zip(ends, ("problem", "note", "note", "ok"), strict=True):
        monkeypatch.setattr(machine, {"memory": "memory", "disk": "free_disk"}[question], lambda *a, n=size: n * 1e9)
        assert getattr(doctor, question)().state == state


@pytest.mark.parametrize(("question", "fact"), [("cores", 1), ("bf16", False), ("hub", False)])
def test_what_is_missing_is_a_note_with_advice(monkeypatch, question, fact):
    monkeypatch.setattr(machine, "hub_answers" if question == "hub" else question, lambda: fact)
    row = getattr(doctor, question)()
    assert row.state == "note" and row.advice

    def torch() -> Row:
        raise ImportError("No module named 'torch'")

    assert doctor._asked(torch) == Row("torch", "cannot ask: No module named 'torch'", "problem", doctor.SET_UP)


def test_the_small_model_is_in_the_cache_or_not(monkeypatch, tmp_path):
    monkeypatch.setenv("LABUTILS_HOME", str(tmp_path))
    assert doctor.small_model().state == "note"
    (tmp_path / "smollm2").mkdir()
    (tmp_path / "smollm2" / "model.safetensors").touch()
    assert doctor.small_model().state == "ok"


def test_a_problem_is_exit_code_1(monkeypatch, capsys):
    asked = doctor.argparse.Namespace(json=False)
    monkeypatch.setattr(doctor, "rows", lambda: [Row("x", "y", "note", "z")])
    assert doctor.main(asked) == 0
    monkeypatch.setattr(doctor, "rows", lambda: [Row("x", "y", "problem", "do this")])
    assert doctor.main(asked) == 1
    assert capsys.readouterr().out.splitlines()[-1].split() == ["x", "problem", "y", "do", "this"]


def test_the_command_answers_in_seconds():
    start = time.monotonic()
    ran = subprocess.run([sys.executable, "-m", "labutils", "doctor", "--json"], capture_output=True, text=True)
    assert time.monotonic() - start < 150
    found = json.loads(ran.stdout)
    assert [row["what"] for row in found][:3] == ["Python", "packages", "cores"]
    assert all(set(row) == {"what", "found", "state", "advice"} for row in found)
