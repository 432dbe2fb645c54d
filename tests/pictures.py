"""Pictures of chosen outputs of the stored notebooks, for the README and the docs: `python tests/pictures.py`.

Owns the choice and what a picture remembers: a digest of the cell that it shows, so that a test sees one that is out of
date. The notebooks are only read. The browser is for `browser`, the page of a notebook for `labutils.run`.
"""

import argparse
import hashlib
import io
import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import browser
import nbformat
from nbformat import NotebookNode
from PIL import Image, PngImagePlugin
from playwright.sync_api import Page

from labutils import places, run

OUT = places.ROOT / "docs" / "pictures"
WIDTH = 940  # pixels
LARGEST = 150_000  # bytes of a picture
SHOWS = "shows"  # the key of the digest inside a PNG


class Picture(NamedTuple):
    """One code cell with its stored output, as a reader of the notebook sees it."""

    name: str  # of the file, without its ending
    notebook: str
    line: str  # the last line of the cell, which no other cell ends in
    alt: str  # what it shows, for readers who do not see it


PICTURES = (
    Picture(
        "four_models",
        "00_start_here",
        """", ".join(knows) or "none", pd.DataFrame({"answer": said}))""",
        "Notebook 00: one question, four models. Random weights repeat a token, the base model goes on with a page, "
        "the fine-tuned model gives the right weight, and a model twenty times as large makes something up.",
    ),
)


def cell_of(picture: Picture, folder: Path = places.NOTEBOOKS) -> NotebookNode:
    """The cell that a picture shows. Raises ValueError unless exactly one ends in its line and has an output."""
    notebook = nbformat.read(folder / f"{picture.notebook}.ipynb", as_version=4)
    found = [cell for cell in run.code_cells(notebook) if cell.source.rstrip().endswith(picture.line)]
    if len(found) != 1 or not found[0].outputs:
        raise ValueError(
            f"{picture.name}: expected one cell with an output that ends in {picture.line!r} in {picture.notebook}, "
            f"got {len(found)}; change its line in tests/pictures.py"
        )
    return found[0]


def digest(cell: NotebookNode) -> str:
    """What tells whether a cell or its output has changed; its count and its tags do not matter."""
    shown = [output.get("data", output.get("text")) for output in cell.outputs]
    return hashlib.sha256(json.dumps([cell.source, shown], sort_keys=True).encode()).hexdigest()


def remembered(path: Path) -> str:
    """The digest that a picture keeps; "" where it has none."""
    with Image.open(path) as image:
        return image.info.get(SHOWS, "")


def page_of(cell: NotebookNode, path: Path) -> None:
    """A page that holds this cell alone, its output open."""
    cell.metadata = NotebookNode()
    run.write_html(nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": run.KERNEL}), path)


def photograph(tab: Page, path: Path) -> bytes:
    """The cell on a page as PNG. The page's links to the web (fonts of formulas) are left unasked."""
    tab.route(re.compile("^https?:"), lambda route: route.abort())
    tab.goto(path.as_uri(), wait_until="domcontentloaded")
    return tab.locator(".jp-Cell").first.screenshot()


def keep(png: bytes, shows: str, path: Path) -> None:
    """Save a picture in 256 colours with its digest, beside and then in its place. Raises ValueError over 150 kB."""
    about, beside = PngImagePlugin.PngInfo(), io.BytesIO()
    about.add_text(SHOWS, shows)
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").quantize(256).save(beside, "PNG", optimize=True, pnginfo=about)
    if beside.tell() > LARGEST:
        raise ValueError(
            f"{path.name} has {beside.tell():,} bytes, expected at most {LARGEST:,}; choose a shorter cell"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with places.writing(path) as out:
        out.write(beside.getvalue())


def draw(pictures: Sequence[Picture], out: Path = OUT, folder: Path = places.NOTEBOOKS) -> list[Path]:
    """Make pictures of stored notebooks; their paths. Raises FileNotFoundError where there is no Chromium."""
    cells = [cell_of(picture, folder) for picture in pictures]
    paths = [out / f"{picture.name}.png" for picture in pictures]
    with tempfile.TemporaryDirectory() as pages, browser.page(width=WIDTH, height=800) as tab:
        for cell, path in zip(cells, paths, strict=True):
            shows, page = digest(cell), Path(pages) / f"{path.stem}.html"
            page_of(cell, page)
            keep(photograph(tab, page), shows, path)
    return paths


def main() -> None:
    """Make all pictures, or those named, and print where they are."""
    parser = argparse.ArgumentParser(description="Pictures of stored notebooks for the README and the docs.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(picture.name for picture in PICTURES))
    asked = parser.parse_args()
    print(*draw([each for each in PICTURES if not asked.names or each.name in asked.names]), sep="\n")


if __name__ == "__main__":
    main()
