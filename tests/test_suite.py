"""The suite's steps: which, where, and what counts as a failure."""

from pathlib import Path

import pytest

from labutils import suite
from labutils.suite import Step

NOTEBOOKS = [Path("notebooks/01_a.ipynb")]


def names(**options) -> list[str]:
    return [step.name for step in suite.steps(**{"slow": False, "only": None, "notebooks": NOTEBOOKS, **options})]


def test_all_steps_in_order():
    assert names() == ["style", "layout", "tests", "notebooks", "package index"]
    assert names(notebooks=[]) == ["style", "layout", "tests", "package index"]
    assert names(only="tests") == ["style", "layout", "tests"]
    assert (names(only="notebooks"), names(only="index")) == (["notebooks"], ["package index"])
    assert names(only="notebooks", notebooks=[]) == []
    steps = suite.steps(False, None, NOTEBOOKS)
    assert [step.name for step in steps if step.blocked] == ["tests", "notebooks"], "only the index needs the network"
    argv = next(step.argv for step in steps if step.name == "notebooks")
    assert "--nbval" in argv and "no:cacheprovider" in argv and argv[-1] == str(NOTEBOOKS[0])
    for slow, mark in [(False, "not slow and not index"), (True, "not index")]:
        assert mark in next(step.argv for step in suite.steps(slow, "tests", []) if step.name == "tests")


@pytest.mark.parametrize(("cores", "workers"), [(1, None), (2, "2"), (64, "4")])
def test_test_files_run_side_by_side(cores, workers, monkeypatch):
    """Notebooks do not: a learner has all cores, too."""
    monkeypatch.setattr(suite.machine, "cores", lambda: cores)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    tests = next(step for step in suite.steps(False, "tests", []) if step.name == "tests")
    assert ("-n" in tests.argv) is (workers is not None)
    assert workers is None or tests.argv[tests.argv.index("-n") + 1] == workers
    assert suite.environment(tests.workers).get("OMP_NUM_THREADS") == (workers and str(cores // int(workers)))
    (notebooks,) = suite.steps(False, "notebooks", NOTEBOOKS)
    assert "-n" not in notebooks.argv and notebooks.workers == 1


@pytest.mark.parametrize(
    ("code", "may_be_empty", "passes"), [(0, False, True), (1, True, False), (5, False, False), (5, True, True)]
)
def test_finding_no_test_fails_unless_the_group_may_be_empty(code, may_be_empty, passes):
    assert suite.passes(Step("x", [], may_be_empty=may_be_empty), code) is passes


def test_the_environment_is_a_newcomers(monkeypatch):
    for name in ("MPLBACKEND", "HF_HUB_OFFLINE", "PYTHONHASHSEED"):
        monkeypatch.setenv(name, "1")
    environment = suite.environment()
    assert environment["TOKENIZERS_PARALLELISM"] == "false" and environment["LABUTILS_UNATTENDED"] == "1"
    assert not {"MPLBACKEND", "HF_HUB_OFFLINE", "PYTHONHASHSEED"} & set(environment)


def test_every_step_runs_although_one_failed(monkeypatch, capsys):
    failing = [Step("first", ["-c", "raise SystemExit(1)"]), Step("second", ["-c", "print()"])]
    monkeypatch.setattr(suite, "steps", lambda *args: failing)
    assert suite.main([]) == 1
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if " min " in line]
    assert [(row[0], row[-1]) for row in rows] == [("first", "FAILED"), ("second", "passed")]
    monkeypatch.setattr(suite, "steps", lambda *args: failing[1:])
    assert suite.main([]) == 0
