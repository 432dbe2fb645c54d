"""Predictions: clicked or typed, kept, revealed beside the result, counted; nothing where nobody sits."""

import json
import os

import nbformat
import pandas as pd
import pytest
from matplotlib.figure import Figure

from labutils import places
from labutils.lesson import predictions
from labutils.lesson.predictions import predict, progress, reveal


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """A person with an empty folder."""
    monkeypatch.setenv("LABUTILS_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(predictions.FILE, "unsaved", {})
    return tmp_path / "cache"


def click(asked, words: str) -> None:
    next(button for button in asked.controls if button.description == words).click()


def test_a_click_is_kept_and_revealed(home):
    asked = predict("01 documents", [300, 37093, "<b>"])
    assert repr(reveal("01 documents", 37093)) == "Result: 37,093"
    click(asked, "300")
    assert "kept: 300" in asked.note.value
    assert [button.icon for button in asked.controls] == ["check", "", ""]
    assert repr(reveal("01 documents", 37093)) == "You predicted 300; the result is 37,093."
    assert json.loads((home / "predictions.json").read_text())["01 documents"]["said"] == "300"
    assert repr(reveal("01 documents", 300)) == "You predicted 300, and that is the result."
    click(asked, "<b>")
    shown = reveal("01 documents", "<i>")._repr_html_()
    assert shown.startswith("Result:\n") and "&lt;b&gt;" in shown and "&lt;i&gt;" in shown and "<i>" not in shown
    assert "check" in [button.icon for button in predict("01 documents", [300, "<b>"]).controls]


def test_what_is_typed_is_kept():
    for key, said in (("01 share", " 40 % "), ("01 more", "x" * 500), ("04 loss", "2.1"), ("04 empty", " ")):
        predict(key).controls[0].value = said
    assert list(predictions.FILE.read()) == ["01 more", "01 share", "04 loss"]
    assert repr(reveal("01 share", 0.123456)) == "You predicted 40 %; the result is 0.123."
    assert len(repr(reveal("01 more", 1))) < 250
    assert predict("04 loss").controls[0].value == "2.1"


@pytest.mark.parametrize("name", ["PYTEST_VERSION", "LABUTILS_UNATTENDED"])
def test_where_nobody_sits_nothing_is_kept_or_read(home, monkeypatch, name):
    click(predict("01 a", [1, 2]), "1")
    monkeypatch.setenv(name, "1")
    asked = predict("01 a", [1, 2])
    click(asked, "2")
    assert repr(reveal("01 a", 2)) == "Result: 2"
    assert json.loads((home / "predictions.json").read_text())["01 a"]["said"] == "1"


@pytest.mark.parametrize("spoiled", [b"{", b'{"01 a": 7}', b'{"01 a": {}}', b'{"01 a": {"said": 1}}'])
def test_a_spoiled_file_is_set_aside(home, spoiled):
    home.mkdir()
    (home / "predictions.json").write_bytes(spoiled)
    assert repr(reveal("01 a", 2)) == "Result: 2"
    assert (home / "predictions.broken-1.json").read_bytes() == spoiled


def test_where_nothing_can_be_written_the_process_remembers(home):
    home.write_text("a file, no folder")
    asked = predict("01 a", [1, 2])
    click(asked, "1")
    assert "could not be saved" in asked.note.value and repr(reveal("01 a", 2)) == "You predicted 1; the result is 2."


def test_a_reader_without_a_kernel_sees_the_options():
    bundle = predict("01 a", [3, "<b>"])._repr_mimebundle_()
    assert bundle["text/plain"] == "your prediction: 3 / <b>"
    assert "&lt;b&gt;" in bundle["text/html"] and "<b>" not in bundle["text/html"]
    assert predict("01 b")._repr_mimebundle_()["text/plain"] == "your prediction: ..."


def test_more_is_shown_below(monkeypatch):
    shown = []
    monkeypatch.setattr(predictions, "display", lambda each, raw=False: shown.append(each))
    table, figure = pd.DataFrame({"a": [1]}), Figure()
    reveal("01 a", "so", table, figure.subplots())._ipython_display_()
    assert shown[0]["text/plain"] == "Result: so" and shown[1] is table and shown[2] is figure


@pytest.mark.parametrize("key", ["documents", "1 a", "01", "01 "])
def test_a_key_names_its_notebook(key):
    with pytest.raises(ValueError, match="expected a key like '01 documents'"):
        predict(key)


def test_how_many_a_notebook_asks_for(monkeypatch, tmp_path):
    monkeypatch.setattr(places, "NOTEBOOKS", tmp_path)
    cells = ['predict("01 a", [1])', 'reveal("01 a", 1)', 'predict(\n    "01 b")', 'predict("01 a")']
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    nbformat.write(notebook, tmp_path / "01_small.ipynb")
    for key in ("01 a", "01 gone"):
        click(predict(key, [1]), "1")
    assert progress() == [{"notebook": "01_small", "predictions": "1 of 2"}]


@pytest.fixture
def stick(tmp_path):
    """Ten learners' files in two folders, and files of every other kind."""
    said = ["3,000", "3000", " 3 000", *["3,000"] * 5, "$\\frac{", "\x1b[2J" + "x" * 150]
    for number, words in enumerate(said):
        folder = tmp_path / "stick" / f"row {number % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"01 documents": {"said": words, "day": "2026-01-01"}})
        (folder / f"{number}.json").write_text(text)
    wrong = {
        "cut": '{"01 documents"', "list": "[]", "empty": "{}", "long": '{"01 a": {"said": "%s"}}' % ("x" * 201),
        "key": '{"a": {"said": "1"}}', "progress": '{"shingles": {"tries": 3}}', "number": '{"01 a": {"said": 3}}',
        "deep": "[" * 100_000, "huge": " " * (predictions.MOST_BYTES + 1), "run": '{"point": "100 pairs", "seed": 7}',
    }  # fmt: skip
    for name, text in wrong.items():
        (tmp_path / "stick" / f"{name}.json").write_text(text)
    return tmp_path / "stick", wrong


def test_a_class_sees_what_it_predicted_and_files_of_any_other_kind_are_refused(labutils, refused, stick, tmp_path):
    folder, wrong = stick
    code, out, err = labutils("class", "predictions", folder, "01 documents", "--out", tmp_path / "all.png")
    assert code == 0 and sorted(line.split(": ")[1] for line in err.splitlines()) == sorted(f"{n}.json" for n in wrong)
    first, _, *bars = out.splitlines()
    assert first == "80 % of you said 3,000 (8 of 10)." and bars[0].endswith(f"{'█' * 32} 80%")
    assert len(bars) == 3 and "\x1b" not in out and bars[2].startswith("[U+001B][2Jxxx")
    assert (tmp_path / "all.png").read_bytes().startswith(b"\x89PNG")
    assert labutils("class", "predictions", folder)[1].splitlines()[1].split() == ["01", "documents", "10"]
    many = predictions.counted([str(number) for number in range(9)] + ["1"])
    assert many[0] == ("1", 2) and many[-1] == (predictions.OTHERS, 2) and len(many) == predictions.MOST_ANSWERS + 1
    assert labutils("class", "predictions", folder, "02 none")[0] == 2
    refused(f"class predictions {tmp_path}/nowhere", "no file or folder")


def test_a_learner_shares_a_file_that_the_class_merges(labutils, tmp_path):
    assert labutils("class", "predictions", tmp_path, "--share", "ann")[0] == 2
    click(predict("01 documents", [300, 3000]), "300")
    assert labutils("class", "predictions", tmp_path, "--share", "ann")[0] == 0
    assert predictions.merge(tmp_path / "ann.json") == ({"01 documents": ["300"]}, [])


def test_nothing_but_what_the_same_learner_has_shared_is_replaced(refused, labutils, tmp_path, monkeypatch):
    for said in ("300", "3,000"):  # shared, changed, shared again
        click(predict("01 documents", [300, 3000]), said)
        assert labutils("class", "predictions", tmp_path, "--share", "ann")[0] == 0
    before = (tmp_path / "ann.json").read_bytes()
    (tmp_path / "other.json").write_text('{"mine": 1}')
    refused(f"class predictions {tmp_path} --share other", "other.json holds something other than predictions")
    if hasattr(os, "mkfifo"):  # not on Windows
        (tmp_path / "link.json").symlink_to(tmp_path / "nowhere")
        refused(f"class predictions {tmp_path} --share link", "link.json is a link")
    monkeypatch.setenv("LABUTILS_HOME", str(tmp_path / "another learner"))
    click(predict("01 documents", [300, 3000]), "3,000")
    click(predict("01 more", [1]), "1")
    refused(f"class predictions {tmp_path} --share ann", "of somebody else: give another name")
    assert (tmp_path / "ann.json").read_bytes() == before and not (tmp_path / "nowhere").exists()
    assert labutils("class", "predictions", tmp_path, "--share", "ann-2")[0] == 0
