"""What people do with a notebook, in a real JupyterLab: predict, run again, interrupt, restart in the middle, come back
another day. No traceback, and no widget without a picture.
"""

import re

import browser
import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from labutils import places, run
from labutils.lesson import checks

expect.set_options(timeout=120_000)  # a machine may be busy with other things
CELLS = (
    "import time\nfrom labutils.lesson import checks, live\nfrom labutils.lesson.predictions import predict, reveal\n"
    "from labutils.model.training import Progress\nchecks.explain_errors()",
    "predict('05 documents', [300, 37093])",
    "found = 37093",
    "reveal('05 documents', found)",
    "tell, steps = live.progress(), 2",
    "for step in range(1, steps + 1):\n    tell(Progress(step, steps, 1.0, None, 1.0, 9.0))\n    time.sleep(0.1)",
)
PREDICT, REVEAL, TRAIN = 2, 4, 6
DEAD = "Error displaying widget"


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """A person's folder with a notebook."""
    browser.need()
    monkeypatch.setenv("LABUTILS_HOME", str(tmp_path / "home"))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    notebook.metadata["kernelspec"] = run.KERNEL
    (tmp_path / "lab").mkdir()
    nbformat.write(notebook, tmp_path / "lab" / "05_small.ipynb")
    return tmp_path / "lab"


def cell(page: Page, number: int) -> Locator:
    return browser.code_cell(page, number)


def output(page: Page, number: int) -> Locator:
    return cell(page, number).locator(".jp-OutputArea")


def run_one(page: Page, number: int, source: str | None = None) -> None:
    """A cell, by its keys; with `source`, after it is typed anew."""
    cell(page, number).locator(".cm-content").click()
    if source is not None:
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(source)
    page.keyboard.press("Control+Enter")


def test_a_walk(folder, tmp_path):
    with browser.lab(folder, home=tmp_path) as address, browser.page(1024) as page:
        browser.open_notebook(page, address, "05_small.ipynb")
        browser.run_all(page)
        expect(cell(page, REVEAL)).to_contain_text("Result: 37,093")
        cell(page, PREDICT).get_by_role("button", name="300").press("Enter")
        expect(cell(page, PREDICT)).to_contain_text("kept: 300")
        run_one(page, REVEAL)
        expect(cell(page, REVEAL)).to_contain_text("You predicted 300; the result is 37,093.")

        run_one(page, TRAIN - 1, "tell, steps = live.progress(), 10_000")
        run_one(page, TRAIN)
        expect(cell(page, TRAIN)).to_contain_text("step 1")
        browser.choose(page, "Kernel", "Interrupt Kernel")
        expect(cell(page, TRAIN)).to_contain_text(checks.STOPPED)
        expect(cell(page, TRAIN)).to_contain_text("of 10000 · ended here")

        browser.choose(page, "File", "Save Notebook")
        browser.choose(page, "Kernel", "Restart Kernel…")
        page.locator(".jp-Dialog .jp-mod-accept").click()
        page.wait_for_timeout(3000)
        run_one(page, 1)
        expect(cell(page, 1).locator(".jp-InputPrompt")).to_contain_text("1")
        run_one(page, REVEAL)
        expect(cell(page, REVEAL)).to_contain_text("run the cell that begins with `found = 37093`")
        assert browser.errors(page).count() == 0
    with browser.lab(folder, home=tmp_path) as address, browser.page(1024) as page:  # another day
        browser.open_notebook(page, address, "05_small.ipynb")
        expect(cell(page, PREDICT).get_by_role("button", name="300")).to_be_visible()
        expect(cell(page, PREDICT)).to_contain_text("kept: 300")
        assert DEAD not in page.locator(".jp-Notebook").inner_text()
    with browser.lab(folder) as address, browser.page(1024) as page:  # somebody else, who does not trust it
        browser.open_notebook(page, address, "05_small.ipynb")
        expect(cell(page, PREDICT)).to_contain_text("your prediction: 300")
        assert DEAD not in page.locator(".jp-Notebook").inner_text()


def interrupt(page: Page) -> None:
    """Interrupt the kernel, and wait until it is idle."""
    browser.choose(page, "Kernel", "Interrupt Kernel")
    page.locator(IDLE).wait_for()


IDLE = '.jp-NotebookPanel .jp-Notebook-ExecutionIndicator[data-status="idle"]'
STEP = re.compile(r"step \d+")
TRAINS = {  # a piece of the cell that trains
    "00": "training.finetune(",
    "02": "training.pretrain(",
    "04": "widgets.dashboard(",
    "05": "points.run(",
    "06": "training.finetune(",
    "07": "training.finetune(",
}


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", TRAINS)
def test_a_notebook_is_reloaded_while_it_trains_and_interrupted_and_restarted(number, tmp_path, monkeypatch):
    """With the small model, so that it is a matter of minutes."""
    browser.need()
    monkeypatch.setenv("LABUTILS_HOME", str(tmp_path / "home"))
    (tmp_path / "lab").mkdir()
    name = browser.copy_into(next(places.NOTEBOOKS.glob(f"{number}_*.ipynb")), tmp_path / "lab", fresh=True)
    cells = [c for c in nbformat.read(tmp_path / "lab" / name, as_version=4).cells if c.cell_type == "code"]
    train = next(i for i, c in enumerate(cells, 1) if TRAINS[number] in c.source)
    with browser.lab(tmp_path / "lab", home=tmp_path) as address, browser.page(1024) as page:
        browser.open_notebook(page, address, name)
        for each in range(1, train):
            run_one(page, each)
            expect(cell(page, each).locator(".jp-InputPrompt")).to_contain_text(f"{each}]", timeout=600_000)
        assert "is not there yet" not in page.locator(".jp-Notebook").inner_text()
        run_one(page, train)
        expect(output(page, train)).to_contain_text(STEP, timeout=600_000)
        browser.choose(page, "File", "Save Notebook")
        page.reload()
        expect(output(page, train)).to_contain_text(STEP)
        other = page.context.browser.new_page()  # the same notebook in another tab
        other.goto(address.format(name=name))
        expect(output(other, train)).to_contain_text(STEP)
        other.wait_for_timeout(3000)
        assert DEAD not in other.locator(".jp-Notebook").inner_text()
        other.close()
        interrupt(page)
        run_one(page, train)  # once more, and now it is seen how it ends
        page.wait_for_timeout(1000)
        expect(output(page, train)).to_contain_text(STEP, timeout=600_000)
        interrupt(page)
        expect(output(page, train)).to_contain_text(
            re.compile(f"{re.escape(checks.STOPPED)}|ended here|stopped at step|done")
        )
        for each in range(train + 1, min(train + 4, len(cells) + 1)):  # it goes on, or says what to run first
            run_one(page, each)
            page.wait_for_timeout(1000)
            page.locator(IDLE).wait_for()
        browser.choose(page, "Kernel", "Restart Kernel…")
        page.locator(".jp-Dialog .jp-mod-accept").click()
        page.wait_for_timeout(3000)
        run_one(page, 1)
        run_one(page, train)
        expect(cell(page, train)).to_contain_text("run the cell that begins with", timeout=600_000)
        assert browser.errors(page).all_inner_texts() == []
        assert DEAD not in page.locator(".jp-Notebook").inner_text()
