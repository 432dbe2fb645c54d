"""A notebook in JupyterLab as a reader meets it: opened, run by the menu, looked at. Pictures go to screenshots/."""

from pathlib import Path

import browser
import nbformat
import pytest

from labutils import places

SCREENSHOTS = places.ROOT / "screenshots"
QUICK = ("00_", "01_", "03_")  # in the light theme; the others, and the dark theme, are in the slow group
RUNS = [
    pytest.param(
        path,
        theme,
        id=f"{path.stem}-{theme}",
        marks=() if path.stem.startswith(QUICK) and theme == "light" else pytest.mark.slow,
    )
    for path in sorted(places.NOTEBOOKS.glob("*.ipynb"))
    for theme in browser.THEMES
]


@pytest.fixture(scope="module", autouse=True)
def chromium():
    browser.need()


def shown(
    notebook: Path, folder: Path, theme: str, stem: str, seconds: float = 1800
) -> tuple[list[str], int, list[Path]]:
    """Run a notebook in the browser: its counts, the number of red outputs, the pictures."""
    with browser.lab(folder, theme) as address, browser.page() as page:
        browser.open_notebook(page, address, browser.copy_into(notebook, folder, fresh=True))
        browser.run_all(page, seconds)
        counts, errors = browser.prompts(page), browser.errors(page).count()
        return counts, errors, browser.screenshots(page, SCREENSHOTS, f"{stem}_{theme}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lab").mkdir()
    return tmp_path / "lab"


@pytest.mark.parametrize("theme", browser.THEMES)
def test_run_all_by_the_menu(make_notebook, folder, theme):
    path = make_notebook("rows = range(90)", "print(*rows, sep='\\n')", "1 + 1")
    counts, errors, pictures = shown(path, folder, theme, "small")
    assert (counts, errors) == (["1", "2", "3"], 0)
    assert len(pictures) == 2 and all(picture.stat().st_size > 5_000 for picture in pictures)


def test_an_error_ends_the_run_and_is_seen(make_notebook, folder):
    counts, errors, _ = shown(make_notebook("1", "1 / 0", "2"), folder, "light", "error")
    assert (counts, errors) == (["1", "2", ""], 1)


@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("path", "theme"), RUNS)
def test_every_notebook_runs_in_both_themes(path, theme, folder):
    content = nbformat.read(path, as_version=4)
    expected = sum("raises-exception" in cell.metadata.get("tags", []) for cell in content.cells)
    counts, errors, _ = shown(path, folder, theme, path.stem, seconds=6000)
    assert counts == [str(number) for number in range(1, len(counts) + 1)]
    assert errors == expected
