"""The README's tree, and the longer one of docs/files.md, say what is there, and nothing else.

Under the heading "What lies where" a fenced block holds one line per file or folder, `path  words`. An indented line
lies in the folder above it. A folder ends in a slash and covers nothing by itself; a path with a star covers what it
matches, below folders too (`data/base/*`).
"""

import re
import subprocess
from fnmatch import fnmatch
from pathlib import PurePosixPath

import pytest

from labutils import places

COMMANDS = ("python3 -m labutils open", "python3 -m labutils test")


def tree_of(readme: str) -> list[tuple[str, str]]:
    """(path, words) of every line in a page's tree, indentation resolved.

    Raises:
        ValueError: the page has no such block.
    """
    block = re.search(r"^##? What lies where\n.*?^```[^\n]*\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    if not block:
        raise ValueError("no fenced block under 'What lies where'")
    lines, folders = [], []
    for line in filter(str.strip, block[1].splitlines()):
        depth = len(line) - len(line.lstrip())
        folders = [folder for folder in folders if folder[0] < depth]
        name, _, words = line.strip().partition(" ")
        path = (folders[-1][1] if folders else "") + name
        if path.endswith("/"):
            folders.append((depth, path))
        lines.append((path, words.strip()))
    return lines


def problems(tree: list[tuple[str, str]], files: list[str]) -> list[str]:
    """What the tree and the files say differently."""
    folders = {f"{parent}/" for file in files for parent in PurePosixPath(file).parents}
    paths = [path for path, _ in tree]
    unlisted = [file for file in files if not any(fnmatch(file, path) for path in paths)]
    gone = [path for path in paths if path not in folders and not any(fnmatch(file, path) for file in files)]
    return [
        *(f"not in the tree: {file}" for file in unlisted),
        *(f"in the tree, but not there: {path}" for path in gone),
        *(f"no words: {path}" for path, words in tree if not words),
        *(f"twice: {path}" for path in sorted(set(paths)) if paths.count(path) > 1),
    ]


def files_here() -> list[str]:
    """What the repository holds or would hold: tracked files and new ones that git does not ignore."""
    argv = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(argv, cwd=places.ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted({name for name in listed if (places.ROOT / name).exists()})


def words(page: str) -> str:
    return (places.ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["README.md", "docs/files.md"])
def test_the_tree_is_true(page):
    if not (places.ROOT / ".git").exists():
        pytest.skip("not a git checkout, so nothing says which files belong to it")
    assert problems(tree_of(words(page)), files_here()) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_both_commands_are_named_early(command):
    assert command in "\n".join(words("README.md").splitlines()[:40])


def test_what_everybody_opens_is_short():
    assert len(words("README.md").splitlines()) <= 200
    assert len(words("CONTRIBUTING.md").splitlines()) <= 120


SMALL = """# Course
## What lies where
Words before it.
```
README.md     this
labutils/     the package
  places.py   where things lie
  model/      what is trained
    *.py      all of it
data/*        what ships
```
## Next
"""
FILES = ["README.md", "data/base/card.md", "labutils/model/models.py", "labutils/places.py"]


def test_a_small_tree_is_read():
    assert tree_of(SMALL)[2:5] == [
        ("labutils/places.py", "where things lie"),
        ("labutils/model/", "what is trained"),
        ("labutils/model/*.py", "all of it"),
    ]
    assert problems(tree_of(SMALL), FILES) == []


@pytest.mark.parametrize(
    ("readme", "files", "problem"),
    [
        (SMALL, [*FILES, "labutils/new.py"], "not in the tree: labutils/new.py"),
        (SMALL, [*FILES, "new.txt"], "not in the tree: new.txt"),
        (SMALL, FILES[1:], "in the tree, but not there: README.md"),
        (SMALL, [FILES[0], *FILES[2:]], "in the tree, but not there: data/*"),
        (SMALL.replace("README.md     this", "README.md"), FILES, "no words: README.md"),
        (SMALL.replace("data/*", "README.md again\ndata/*"), FILES, "twice: README.md"),
    ],
)
def test_what_is_wrong_is_seen(readme, files, problem):
    assert problem in problems(tree_of(readme), files)


def test_a_readme_without_a_tree():
    with pytest.raises(ValueError, match="no fenced block"):
        tree_of("# Course\n## What lies where\nnothing\n")
