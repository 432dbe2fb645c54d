"""Small notebooks executed for real: what comes back, what is stored, what memory was seen, how an error reads."""

import argparse
import subprocess
import sys

import nbformat
import pytest

from labutils import run


def test_a_good_notebook_gives_time_memory_and_a_page_and_stays_as_it_is(make_notebook, tmp_path):
    where = "import os, sys\nprint(os.getcwd(), sys.executable, 'MPLBACKEND' in os.environ and 'HF_HUB_OFFLINE')"
    path = make_notebook("word = 'lens'", "word.upper()", where)
    before, told = path.read_bytes(), []
    (result,) = run.run([path], tmp_path / "html", tell=told.append)
    assert result.error == "" and told == [result]
    assert 0 < result.seconds < 600 and 20 < result.peak_mb < 500
    html = (tmp_path / "html" / "05_small.html").read_text(encoding="utf-8")
    assert "LENS" in html and f"{path.parent.resolve()} {sys.executable} " in html
    assert path.read_bytes() == before


def test_an_expected_error_is_none_and_a_dead_kernel_is_named(make_notebook):
    path = make_notebook("1 / 0", "import os; os._exit(1)")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].metadata.tags = ["raises-exception"]
    nbformat.write(notebook, path)
    _, result = run.execute(path)
    assert result.error.startswith("cell 2: DeadKernelError")


def test_stored_is_clean(make_notebook):
    path = make_notebook("1 + 1", "import ipywidgets\nprint('a'); print('b')", "ipywidgets.HTML('c')", "2 + 2")
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata = {"kernelspec": {"name": "other", "display_name": "x"}, "widgets": {"state": 1}, "toc": {}}
    notebook.cells[0].metadata.update(execution={"shell.execute_reply": "2001"}, tags=["kept"], collapsed=True)
    notebook.cells[3].execution_count = 77
    nbformat.write(notebook, path)
    run.run([path], None, store=True)
    kept = nbformat.read(path, as_version=4)
    nbformat.validate(kept)
    assert set(kept.metadata) == {"kernelspec", "language_info"} and kept.metadata.kernelspec.name == "python3"
    assert kept.metadata.language_info.version == "{}.{}".format(*sys.version_info)
    assert kept.cells[0].metadata == {"tags": ["kept"]}
    assert [cell.execution_count for cell in kept.cells] == [1, 2, 3, 4]
    assert kept.cells[3].outputs[0].execution_count == 4
    assert [output.text for output in kept.cells[1].outputs] == ["a\nb\n"]
    assert run.forgotten(kept).cells[1].outputs == [] and list(path.parent.glob(".*.part")) == []


def test_a_save_that_fails_leaves_the_old_file(make_notebook, monkeypatch):
    path = make_notebook("1")
    before = path.read_bytes()
    with pytest.raises(TypeError):
        run.save({"cells": [object()]}, path)
    assert path.read_bytes() == before


PROGRAM = "import time; big = b'x' * 300_000_000; time.sleep(2)"


def test_300_mb_of_a_child_are_seen(make_notebook):
    _, result = run.execute(
        make_notebook(f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {PROGRAM!r}])")
    )
    assert 330 < result.peak_mb < 700
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    watch = run.PeakMemory(gone.pid)
    watch.start()
    assert watch.stop() == 0


def test_notebooks_are_found_by_number_by_path_and_all_of_them(tmp_path, monkeypatch):
    for name in ("03_tune.ipynb", "01_read.ipynb", "10_more.ipynb"):
        nbformat.write(nbformat.v4.new_notebook(), tmp_path / name)
    monkeypatch.setattr(run.places, "NOTEBOOKS", tmp_path)
    assert [path.name for path in run.find([])] == ["01_read.ipynb", "03_tune.ipynb", "10_more.ipynb"]
    assert run.find(["03"]) == [tmp_path / "03_tune.ipynb"]
    assert run.find([str(tmp_path / "10_more.ipynb"), "01"]) == [tmp_path / "10_more.ipynb", tmp_path / "01_read.ipynb"]
    for name in ("99", "nothing.ipynb"):
        with pytest.raises(FileNotFoundError, match=rf"no notebook '{name}'; in notebooks/: 01_read.ipynb, 03_tune"):
            run.find([name])


def test_the_command_prints_a_table_and_fails_at_the_first_error(make_notebook, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(run, "HTML", tmp_path / "html")
    parser = argparse.ArgumentParser()
    run.add_options(parser)
    path = make_notebook("1", "", "import os\nraise ValueError('no lens\\nin the box')", "open('after', 'w')")
    before = path.read_bytes()
    assert run.main(parser.parse_args([str(path), "--store"])) == 1
    out = capsys.readouterr().out
    assert "notebook" in out and "peak MB" in out and "cell 2: ValueError: no lens\n" in out
    assert not (path.parent / "after").exists() and path.read_bytes() == before


def test_offline_the_notebook_reaches_nothing(make_notebook):
    path = make_notebook("import socket\nsocket.getaddrinfo('example.org', 80)")
    argv = [sys.executable, "-m", "labutils", "run", "--offline", str(path)]
    ran = subprocess.run(argv, capture_output=True, text=True, cwd=path.parent)
    (run.HTML / "05_small.html").unlink()
    assert ran.returncode == 1
    assert "cell 1: gaierror" in ran.stdout
