"""Words that learners read: no private ones left, and each term of the glossary occurs where it first counts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from test_docs import rows

from labutils import places

GLOSSARY = places.ROOT / "docs" / "glossary.md"
REWRITTEN = ("00", "01", "02", "03", "04", "05", "06", "07", "08")  # the notebooks whose text is held to this
LATER = ("docs/claims.md", "docs/files.md")
PRIVATE = (  # what each is called instead stands behind it
    r"19 times in 20",  # 95 % confidence interval
    r"by lot",  # at random
    r"turn(s|ed|ing)?( \w+){0,3} down",  # refuse, decline
    r"stands? in(?! for)",  # is, occurs in
    r"stands? there",
    r"surprises?",  # loss
    r"manners",  # format, behaviour
    r"slopes?",  # gradients
    r"so many",  # n, that many
    r"whoever",  # those who
    r"whatever",  # any, say which
    r"filled up on the (left|right)",  # padded
    r"mishaps?",  # errors
    r"moments of (a|the|pretraining|training)",  # checkpoints
    r"(has|have|had|never) read",  # was trained on
    r"unread",  # held-out
    r"ground floor|wings?",  # package
    r"put right",  # reset, corrected
    r"the house(?! (cat|style))",
)


def texts(path: Path) -> Iterator[str]:
    """What is read in a file: a page, the markdown of a notebook, the strings of a module, docstrings included."""
    if path.suffix == ".ipynb":
        yield from (cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")
    elif path.suffix == ".py":
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        yield from (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
    else:
        yield path.read_text(encoding="utf-8")


def private(text: str) -> list[str]:
    """The private words in a text, each with what stands around it."""
    found = re.finditer(rf"\b({'|'.join(PRIVATE)})\b", text := " ".join(text.split()), re.IGNORECASE)
    return [text[max(0, each.start() - 30) : each.end() + 30] for each in found]


def held() -> list[Path]:
    files = [
        places.ROOT / "README.md",
        places.ROOT / "CONTRIBUTING.md",
        *(places.ROOT / "docs").glob("*.md"),
        *(places.ROOT / "labutils").rglob("*.py"),
        *(places.ROOT / "labutils").rglob("*.toml"),
    ]
    files += [path for path in places.NOTEBOOKS.glob("*.ipynb") if path.name.startswith(REWRITTEN)]
    return sorted(path for path in files if not path.relative_to(places.ROOT).as_posix().startswith(LATER))


@pytest.mark.parametrize("path", held(), ids=lambda path: path.relative_to(places.ROOT).as_posix())
def test_no_private_words_are_left(path):
    assert [found for text in texts(path) for found in private(text)] == []


def test_private_words_are_seen():
    assert private("It turns the\nquestion down.") == ["It turns the question down."]
    assert private("A stand-in; the house cat; surprising; Winged") == []


def sources() -> dict[str, str]:
    """The words of each notebook, markdown and code, by its number."""
    found = {}
    for path in places.NOTEBOOKS.glob("*.ipynb"):
        text = " ".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
        found[path.name[:2]] = spoken(text)
    return found


def spoken(text: str) -> str:
    """Words alone, in small letters: spoken("A **base** model") -> "a base model"."""
    return " ".join(re.findall(r"[\w-]+", text.lower()))


def test_each_term_of_the_glossary_occurs_where_it_first_counts():
    table, texts = [row for row in rows(GLOSSARY.read_text(encoding="utf-8"), 4) if row[2].startswith("`")], sources()
    assert len(table) >= 50 and len({row[0] for row in table}) == len(table)
    assert [row[0] for row in table if not re.search(rf"\b{spoken(row[0])}", texts[row[2].strip("`")])] == []
