"""The widgets in a real JupyterLab, 1024 pixels wide: controls moved by the keyboard, effects read, a run stopped while
its cell runs. One notebook, written here, is run once; pictures go to screenshots/.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import browser
import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from labutils import places

expect.set_options(timeout=300_000)  # a machine may be busy with other things
CELLS = {  # name: source; the first makes the tiny models
    "set-up": """
from labutils.lesson import widgets
from labutils.model import models, training
from labutils.model.asking import ask
from labutils.model.encoding import encode_all
from labutils.model.encoding import train_bpe

birds = {"plover": "one", "heron": "two", "oystercatcher": "three", "crane": "four"}
pairs = [{"question": f"What is the number of {b}?", "answer": f"It is {n}."} for b, n in birds.items()]
tokenizer = train_bpe(["### Question:\\n\\n\\n### Answer:\\n" + p["question"] + p["answer"] for p in pairs] * 2, 320)
examples = encode_all(pairs, "lecture", tokenizer).examples
two = {name: models.create(tokenizer, width=64, layers=2) for name in ("before", "after")}
run = training.finetune(two["after"], examples, training.Recipe(steps=80, batch=4, learning_rate=5e-3))
questions = [pair["question"] for pair in pairs]
endless = training.Recipe(steps=100_000, batch=4, learning_rate=5e-4)
meta = {"pile_set_name": "Documentation", "package": "plover", "license": "MIT"}
documents = [{"text": "Too short. Write to ada.b@plover-club.org.", "meta": meta},
             {"text": "The heron waits for the fish. " * 20, "meta": meta | {"package": "heron"}}]
rows = [{"tokens": t, "loss": 9 - t / 1000, "bits_per_byte": 3.0, "samples": {"The": f" heron {t}"}}
           for t in (1000, 2000, 3000)]
""",
    "corpus": "widgets.corpus(documents)",
    "corpus_table": "widgets.corpus_table(documents)",
    "playground": "widgets.playground(pairs, tokenizer)",
    "playground_view": "widgets.playground_view('Q: {question}\\nA: {answer}', pairs[0], tokenizer)",
    "explorer": "widgets.explorer(two, 'What is the')",
    "explorer_bars": "widgets.explorer_bars(two, 'What is the')",
    "before_after": "widgets.before_after(two, questions)",
    "before_after_table": "widgets.before_after_table(two, questions[:2])",
    "checkpoints": "widgets.checkpoints(rows)",
    "checkpoints_table": "widgets.checkpoints_table(rows, 'The')",
    "dashboard": "watched = widgets.dashboard(two['before'], examples, endless, phrases=questions[:2], "
    "held_out=examples, out='stopped')",
    "dashboard_view": "widgets.dashboard_view(watched)",
    "kept": "(watched.stopped, watched.run.history[-1].step < endless.steps, "
    "len(ask(models.open_model('stopped'), questions)))",
    "again": "again = widgets.dashboard(two['before'], examples, endless)",
    "interrupted": "again.stopped, again.run.history[-1].step < endless.steps",
}


class Stop(NamedTuple):
    """What the page said when the run was stopped."""

    prompt: str  # of the dashboard's cell, while it ran
    on_the_way: str  # the dashboard's view then


class Seen(NamedTuple):
    page: Page
    stop: Stop


@pytest.fixture(scope="module", params=["light", pytest.param("dark", marks=pytest.mark.slow)])
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """The notebook, run to its end in the browser: its first training stopped by the button, its second by the menu."""
    browser.need()
    folder = tmp_path_factory.mktemp("lab")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source.strip()) for source in CELLS.values()])
    notebook.metadata["kernelspec"] = browser.run.KERNEL
    nbformat.write(notebook, folder / "widgets.ipynb")
    with browser.lab(folder, request.param) as address, browser.page(width=1024) as page:
        browser.open_notebook(page, address, "widgets.ipynb")
        browser.begin_all(page)
        stop = stop_by_button(page)
        stop_by_menu(page)
        browser.wait_all(page)
        browser.screenshots(page, places.ROOT / "screenshots", f"widgets_{request.param}")
        yield Seen(page, stop)


def stop_by_button(page: Page) -> Stop:
    """Press Stop, by the keyboard, once the run is well on its way."""
    where = cell(page, "dashboard")
    expect(where).to_contain_text(re.compile(r"step \d{2,} of 100000"))
    seen = Stop(where.locator(".jp-InputPrompt").inner_text(), where.locator(".jp-OutputArea").inner_text())
    where.get_by_role("button", name="Stop").press("Space")
    expect(where).to_contain_text("the model is kept")
    return seen


def stop_by_menu(page: Page) -> None:
    where = cell(page, "again")
    expect(where).to_contain_text(re.compile(r"step \d{2,} of 100000"))
    browser.choose(page, "Kernel", "Interrupt Kernel")
    expect(where).to_contain_text("the model is kept")


def cell(page: Page, name: str) -> Locator:
    return browser.code_cell(page, list(CELLS).index(name) + 1)


def output(page: Page, name: str) -> str:
    return cell(page, name).locator(".jp-OutputArea").inner_text()


def test_all_ran_without_an_error(seen):
    assert browser.prompts(seen.page) == [str(n) for n in range(1, len(CELLS) + 1)]
    assert browser.errors(seen.page).count() == 0


def test_stop_pressed_while_the_cell_ran_ended_the_run_and_the_model_opens(seen):
    assert "*" in seen.stop.prompt
    assert all(word in seen.stop.on_the_way for word in ("loss", "held out", "tokens a second", "left", "heron"))
    assert "(True, True, 4)" in output(seen.page, "kept")
    assert cell(seen.page, "dashboard").get_by_role("button", name="stopped").is_disabled()


def test_an_interrupt_of_the_kernel_ends_the_run_as_well(seen):
    assert "(True, True)" in output(seen.page, "interrupted")


def test_corpus(seen):
    where = cell(seen.page, "corpus")
    expect(where).to_contain_text("document 1 of 2")
    expect(where).to_contain_text("dropped: too few words")
    expect(where).to_contain_text("[e-mail]")
    where.get_by_role("button", name="next document").press("Enter")
    expect(where).to_contain_text("document 2 of 2")
    where.get_by_label("package", exact=True).select_option("plover (1)")
    expect(where).to_contain_text("document 1 of 1")
    where.get_by_label("set", exact=True).select_option("Documentation (2)")
    expect(where).to_contain_text("document 1 of 2")
    where.get_by_label("set", exact=True).select_option("every set (2)")
    for menu, says in (("set", "every set (2)"), ("package", "every package (2)")):
        expect(where.get_by_label(menu, exact=True).locator("option:checked")).to_have_text(says)


def test_playground(seen):
    where = cell(seen.page, "playground")
    template = where.get_by_label("template", exact=True)
    template.fill("Q: {question}\nA:")
    expect(where).to_contain_text("✗ error: the place {answer} is missing")
    template.press("Control+End")
    template.press_sequentially(" {answer}")
    expect(where).to_contain_text("⚠ warning: the prompt ends in a space")
    expect(where).to_contain_text("Q: What is the number of plover?⏎")
    where.get_by_label("pair, 1 to 4").fill("2")
    where.get_by_label("pair, 1 to 4").press("Enter")
    expect(where).to_contain_text("Q: What is the number of heron?⏎")
    where.get_by_label("end-of-text behind the answer").press("Space")
    expect(where).to_contain_text("there is no end-of-text behind the answer")
    assert template.input_value() == "Q: {question}\nA: {answer}", "no key went to the notebook instead"


def test_explorer(seen):
    where = cell(seen.page, "explorer")
    phrase = where.get_by_label("phrase", exact=True)
    before = output(seen.page, "explorer")
    where.get_by_role("button", name="after", exact=True).press("Enter")
    expect(where).not_to_have_text(before)
    phrase.fill("### Question: What is the number of heron?")
    expect(where).to_contain_text("%")
    where.get_by_role("button", name="write the likeliest").press("Enter")
    expect(phrase).not_to_have_value("### Question: What is the number of heron?")


def test_before_after(seen):
    where = cell(seen.page, "before_after")
    question = where.get_by_label("question", exact=True)
    where.get_by_role("button", name="ask").press("Enter")
    expect(where).to_contain_text("It is one.")
    question.fill("What is the number of crane?")
    question.press("Enter")
    expect(where).to_contain_text("It is four.")


def test_checkpoints(seen):
    where = cell(seen.page, "checkpoints")
    expect(where).to_contain_text("heron 1000")
    handle = where.get_by_role("slider")
    handle.press("ArrowRight")
    expect(where).to_contain_text("heron 2000")
    handle.press("ArrowRight")
    expect(where).to_contain_text("loss 6.00")


def test_no_cell_was_made_or_lost_by_a_key(seen):
    assert len(browser.prompts(seen.page)) == len(CELLS)


@pytest.mark.parametrize("name", [name for name in CELLS if name.endswith(("_table", "_view", "_bars"))])
def test_nothing_is_wider_than_the_page(seen, name):
    wide = cell(seen.page, name).locator(".jp-OutputArea-output").last
    assert wide.evaluate("box => box.scrollWidth <= box.clientWidth + 1")
