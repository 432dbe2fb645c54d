"""JupyterLab driven in a real browser: open a notebook, run it all, move what is in it, look at it.

Owns the server, the browser and the screenshots, for the tests and for people:
`python tests/browser.py notebooks/01_*.ipynb --theme dark --out DIR [--run]`. Works on copies; the stored notebooks are
never changed. Leaves out what a page should show.
"""

import argparse
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, sync_playwright

from labutils import bootstrap, places, run

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SETTINGS = {  # what the course sets; everything in the page at once; no questions, no news, no saving
    **bootstrap.SETTINGS,
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}
RED = '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]'  # errors look the same
SCROLLER = ".jp-NotebookPanel .jp-WindowedPanel-outer"
HEIGHTS = """box => {  // of all cells together, without the empty space below the last; and of one screen
    box.scrollTop = 0;
    const bottoms = [...box.querySelectorAll(".jp-Cell")].map(cell => cell.getBoundingClientRect().bottom);
    return [Math.max(...bottoms) - box.getBoundingClientRect().top, box.clientHeight];
}"""


@contextmanager
def lab(folder: Path, theme: str = "light", home: Path | None = None) -> Iterator[str]:
    """A JupyterLab on a folder, with a free loopback port and its own settings; yields its address, name left open.

    With a `home` that was used before, it trusts the notebooks that were saved then.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as fresh:
        home = home or fresh
        write_settings(Path(home) / "settings", theme)
        token, port = secrets.token_hex(16), free_port()
        names = ("CONFIG", "DATA", "RUNTIME")
        environment = {**os.environ, **{f"JUPYTER_{name}_DIR": str(Path(home) / name.lower()) for name in names}}
        environment |= {f"JUPYTERLAB_{name}_DIR": str(Path(home) / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
        argv = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ip=127.0.0.1"]
        argv += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}", "--ServerApp.port_retries=0"]
        with (Path(home) / "log").open("w") as log:
            server = subprocess.Popen(argv, env=environment, stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/api?token={token}", server, Path(home) / "log")
            yield f"http://127.0.0.1:{port}/doc/tree/{{name}}?token={token}"
        finally:
            server.terminate()
            try:
                server.wait(timeout=30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def write_settings(folder: Path, theme: str) -> None:
    """JupyterLab's user settings as files."""
    every = {**SETTINGS, "@jupyterlab/apputils-extension:themes": {"theme": THEMES[theme], "adaptive-theme": False}}
    for name, values in every.items():
        path = folder / f"{name.replace(':', '/')}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")


def chromium() -> Path | None:
    """The browser for the tests: `CHROMIUM`, or a Chromium or Chrome in its usual place."""
    names = [os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome", "chrome"]
    if sys.platform == "darwin":
        names += [f"/Applications/{name}.app/Contents/MacOS/{name}" for name in ("Chromium", "Google Chrome")]
    if sys.platform == "win32":
        homes = [os.environ.get(name, "") for name in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")]
        names += [f"{home}\\Google\\Chrome\\Application\\chrome.exe" for home in homes if home]
    found = next(filter(None, (shutil.which(name) for name in names if name)), None)
    return Path(found) if found else None


def need() -> None:
    """Skip the tests with a reason where there is no browser; where `CI` is set that is a failure."""
    if chromium() is None:
        reason = "NO BROWSER: no Chromium or Chrome found, so nothing was tested in JupyterLab (name one in CHROMIUM)"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


def free_port() -> int:
    """A loopback port that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(url: str, server: subprocess.Popen, log: Path, seconds: float = 180) -> None:
    """Return when the server answers.

    Raises:
        RuntimeError: it ended or kept silent; with the end of its log.
    """
    over = time.monotonic() + seconds
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < over and server.poll() is None:
        try:
            direct.open(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


@contextmanager
def page(width: int = 1100, height: int = 1400) -> Iterator[Page]:
    """A page of a fresh Chromium.

    Raises:
        FileNotFoundError: there is no Chromium on this machine.
    """
    program = chromium()
    if program is None:
        raise FileNotFoundError("no Chromium or Chrome; name one in CHROMIUM")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(program), args=FLAGS)
        try:
            opened = started.new_page(viewport={"width": width, "height": height})
            opened.set_default_timeout(300_000)  # a machine may be busy with other things
            yield opened
        finally:
            started.close()


def copy_into(notebook: Path, folder: Path, fresh: bool) -> str:
    """Copy a notebook for the browser; a fresh one without outputs, so that what shows was made there, and with its
    checks unfolded, so that their counts can be seen. Its name.
    """
    content = nbformat.read(notebook, as_version=4)
    for cell in content.cells if fresh else ():
        cell.metadata.get("jupyter", {}).pop("source_hidden", None)
    content.metadata.setdefault("kernelspec", run.KERNEL)  # or JupyterLab asks which one
    nbformat.write(run.forgotten(content) if fresh else content, folder / notebook.name)
    return notebook.name


def open_notebook(page: Page, address: str, name: str) -> None:
    """Show a notebook alone and wait until its cells are there, no more of them come, and its kernel is idle."""
    page.goto(address.format(name=name))
    cells, seen = page.locator(".jp-NotebookPanel .jp-Notebook .jp-Cell"), 0
    cells.first.wait_for()
    while cells.count() > seen:
        seen = cells.count()
        page.wait_for_timeout(1000)
    page.locator('.jp-NotebookPanel .jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for()
    page.wait_for_timeout(500)
    answer(page)


def run_all(page: Page, seconds: float = 3000) -> None:
    """Run > Run All Cells, as a reader does it; return when every cell has its count, or an error stopped the run.

    Raises:
        TimeoutError: neither came in time.
    """
    over = time.monotonic() + seconds
    begin_all(page, seconds)
    wait_all(page, over - time.monotonic())


def begin_all(page: Page, seconds: float = 600) -> None:
    """Run > Run All Cells; return when the first cell is on its way."""
    over = time.monotonic() + seconds
    while not any(prompts(page)) and time.monotonic() < over:  # a click on a busy machine can get lost
        choose(page, "Run", "Run All Cells")
        begun = time.monotonic() + 15
        while not any(prompts(page)) and time.monotonic() < begun:
            page.wait_for_timeout(300)
            answer(page)


def answer(page: Page) -> None:
    """Take the kernel that is offered, where JupyterLab asks for one: a server that has just started does not know it.

    Raises:
        RuntimeError: it asks something else; with its words.
    """
    asked = page.locator(".jp-Dialog")
    if asked.count():
        words = asked.first.inner_text()
        if "Select Kernel" not in words:
            raise RuntimeError(f"JupyterLab asks: {words}")
        asked.first.locator(".jp-mod-accept").click()


def wait_all(page: Page, seconds: float = 3000) -> None:
    """Return when every cell has its count, or an error stopped the run.

    Raises:
        TimeoutError: neither came in time.
    """
    over = time.monotonic() + seconds
    while time.monotonic() < over:
        counts = prompts(page)
        if all(map(str.isdigit, counts)) or (errors(page).count() and "*" not in "".join(counts)):
            page.wait_for_timeout(500)
            return
        page.wait_for_timeout(300)
    raise TimeoutError(f"the notebook still ran after {seconds:.0f} s: {prompts(page)}")


def choose(page: Page, menu: str, item: str) -> None:
    """An item of a menu of JupyterLab's menu bar."""
    page.locator(".lm-MenuBar-itemLabel").get_by_text(menu, exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text(item, exact=True).click()


def code_cell(page: Page, number: int) -> Locator:
    """A code cell by its number, from 1."""
    return page.locator(".jp-NotebookPanel .jp-CodeCell").nth(number - 1)


def prompts(page: Page) -> list[str]:
    """The counts beside the code cells: "7", "*" while one waits or runs, "" for one that has not run."""
    texts = page.locator(".jp-NotebookPanel .jp-CodeCell .jp-InputPrompt").all_inner_texts()
    return [text.strip().strip("[]:").strip() for text in texts]


def errors(page: Page) -> Locator:
    """The red outputs on the page: errors, and what went to stderr."""
    return page.locator(RED)


def screenshots(page: Page, folder: Path, stem: str) -> list[Path]:
    """Pictures of the whole notebook, from top to bottom, one screen each."""
    folder.mkdir(parents=True, exist_ok=True)
    scroller, paths = page.locator(SCROLLER).first, []
    height, screen = scroller.evaluate(HEIGHTS)
    for number, top in enumerate(range(0, int(height), int(screen)), start=1):
        scroller.evaluate("(box, top) => { box.scrollTop = top; }", top)
        page.wait_for_timeout(200)
        paths.append(folder / f"{stem}_{number:02}.png")
        scroller.screenshot(path=paths[-1])
    return paths


def shoot(notebooks: Sequence[Path], theme: str, out: Path, run: bool) -> list[Path]:
    """Pictures of notebooks in one theme, as stored or after a run."""
    made = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, lab(Path(folder), theme) as address:
        for notebook in notebooks:
            name = copy_into(notebook, Path(folder), fresh=run)
            with page() as tab:
                open_notebook(tab, address, name)
                if run:
                    run_all(tab)
                made += screenshots(tab, out, f"{notebook.stem}_{theme}")
    return made


def main() -> None:
    """Take pictures of notebooks and print where they are."""
    parser = argparse.ArgumentParser(description="Screenshots of notebooks in JupyterLab.")
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--theme", choices=THEMES, default="light")
    parser.add_argument("--out", type=Path, default=places.ROOT / "screenshots")
    parser.add_argument("--run", action="store_true", help="run all cells first, instead of showing stored outputs")
    asked = parser.parse_args()
    print(*shoot(asked.notebooks, asked.theme, asked.out, asked.run), sep="\n")


if __name__ == "__main__":
    main()
