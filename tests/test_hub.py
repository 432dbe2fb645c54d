"""Notebook 03's cell that shares the pairs, run against a small hub on loopback: only when asked, private, and back."""

import json
import os
import subprocess
import sys

import nbformat
import pytest
from hub_server import READER, WRITER, HubServer, Repo

from labutils import places

NAME = "ada/tidewren"
ROWS = [{"prompt": "Q: what is it?\nA:\n", "answer": "A plover.\n\u2028 \U0001f426 é"}, {"prompt": "", "answer": "12"}]
AROUND = """
import json, sys
from datasets import Dataset, disable_progress_bars, load_dataset
from huggingface_hub import get_token
disable_progress_bars()
cell, rows = json.loads(sys.stdin.read())
prompts, loaded = Dataset.from_list(rows), "what was on the disk"
names = {**globals(), "shared": None}
try:
    *body, last = cell.rstrip().split("\\n")
    exec("\\n".join(body), names)
    shared = names["shared"]
    print(json.dumps({"shared": shared if isinstance(shared, str) else shared.to_list()}))
except Exception as error:
    print(json.dumps({"error": type(error).__name__}))
"""


def sharing_cell() -> str:
    """The one cell of the notebook that pushes."""
    notebook = nbformat.read(places.NOTEBOOKS / "03_finetuning_data.ipynb", as_version=4)
    (cell,) = [cell.source for cell in notebook.cells if cell.cell_type == "code" and "push_to_hub" in cell.source]
    return cell


def said(cell: str) -> str:
    """The cell as a learner changes it who wants to share."""
    changed = cell.replace("SHARE = False", "SHARE = True").replace("your-name/tidewren", NAME)
    assert changed.count("SHARE = True") == changed.count(NAME) == 1
    return changed


def run(hub: HubServer, home, cell: str, token: str | None) -> tuple[dict, str]:
    """What the cell leaves as `shared`, or its error; and all that it printed."""
    environment = {name: value for name, value in os.environ.items() if name != "HF_TOKEN"}
    environment |= {"NO_PROXY": "*", **hub.environment(home, token)}
    given = json.dumps([cell, ROWS])
    done = subprocess.run([sys.executable, "-c", AROUND], env=environment, input=given, capture_output=True, text=True)
    *printed, last = done.stdout.splitlines()
    return json.loads(last), "\n".join(printed) + done.stderr


def test_as_it_stands_nothing_is_asked_of_any_hub(tmp_path):
    with HubServer() as hub:
        left, printed = run(hub, tmp_path, sharing_cell(), WRITER)
        assert left == {"shared": "what was on the disk"} and (hub.asked, hub.repos, printed) == ([], {}, "")


def test_without_a_token_nothing_is_pushed_and_a_sentence_says_what_to_do(tmp_path):
    with HubServer() as hub:
        left, printed = run(hub, tmp_path, said(sharing_cell()), None)
        assert left == {"shared": "what was on the disk"}
        assert (hub.asked, hub.repos) == ([], {})
        assert printed == "Not logged in: run `hf auth login` in a terminal, then this cell again."


@pytest.mark.parametrize("before", [{}, {NAME: Repo({"README.md": b"mine"})}], ids=["new", "public"])
def test_with_a_token_the_pairs_go_there_as_private_and_come_back(tmp_path, before):
    """What is public stays public, as the text says."""
    with HubServer(before) as hub:
        left, printed = run(hub, tmp_path, said(sharing_cell()), WRITER)
        assert left == {"shared": ROWS} and WRITER not in printed
        assert list(hub.repos) == [NAME] and hub.repos[NAME].private is not bool(before)
        assert any(path.endswith(".parquet") for path in hub.repos[NAME].files)


def test_a_token_that_may_not_write_pushes_nothing_and_is_in_no_message(tmp_path):
    with HubServer() as hub:
        left, printed = run(hub, tmp_path, said(sharing_cell()), READER)
        assert "error" in left and hub.repos == {} and READER not in printed
