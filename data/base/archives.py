"""Archives of pinned packages: fetched from the package index, checked, read in memory. Nothing is unpacked to disk."""

import hashlib
import json
import re
import tarfile
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

from labutils import places
from licences import permissive

INDEX = "https://pypi.org/simple/"
BIGGEST = 20_000_000  # bytes of one file in an archive
ENDINGS = (
    ".py", ".md", ".mdx", ".rst", ".txt", ".inc", ".yaml", ".yml", ".json", ".json.gz", ".html", ".htm", ".ipynb",
)  # fmt: skip
OTHER_TEXTS = re.compile(  # licences, tables of names, tests, pages in other languages
    r"(?i)(?:^|/)(?:(?:licen[cs]e|copying|notice|authors|contributors|requirements|credits|maintainers|thanks)[^/]*|"
    r"(?:top_level|entry_points|requires|sources|dependency_links|cmakelists|namespace_packages)\.txt|"
    r"(?:tests?|testing|locale|locales|_locale|translations|node_modules|fixtures|testdata|test_data|i18n)/.*|"
    r"(?:test_[^/]*|[^/]*_test|conftest)\.py|[^/]*\.egg-info/.*|"
    r"(?:de|fr|es|it|ja|ko|zh|pt|ru|pl|uk|tr|nl|cs|fa|vi|id|ar)(?:[-_]\w{2,4})?/.*)"
)


def read_rows(path: Path) -> list[dict]:
    """The pinned packages: held-out ones first, descriptions of services last, so that what repeats others falls.

    Raises ValueError naming the packages that are not under a permissive licence.
    """
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    if bad := [row["name"] for row in rows if not permissive(row["licence"])]:
        raise ValueError(f"{path}: not under a permissive licence: {', '.join(bad)}")
    return sorted(rows, key=lambda row: (row["role"] != "held_out", row.get("api", False), row["name"].lower()))


def fetch(row: dict, cache: Path) -> None:
    """See that the cache holds a package's archive with the right sha256, from the package index if it does not yet.

    Raises FileNotFoundError when the index lists no such file, ValueError when the file is another one, and what
    urllib raises when the index does not answer.
    """
    file = cache / row["file"]
    if file.exists() and sha256(file.read_bytes()) == row["sha256"]:
        return
    page = urljoin(INDEX, canonical(row["name"]) + "/")
    asked = urllib.request.Request(page, headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        files = {found["filename"]: found["url"] for found in json.load(answer)["files"]}
    if row["file"] not in files:
        raise FileNotFoundError(f"{page} lists no {row['file']}")
    with urllib.request.urlopen(urljoin(page, files[row["file"]]), timeout=300) as answer:
        content = answer.read()
    if sha256(content) != row["sha256"]:
        raise ValueError(f"{row['file']}: expected sha256 {row['sha256']}, got {sha256(content)}")
    cache.mkdir(parents=True, exist_ok=True)
    places.write(file, content)


def members(file: Path) -> Iterator[tuple[str, bytes]]:
    """Paths and contents of the texts in an archive, as it orders them; a path is never opened as a file."""
    if file.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                if wanted(member.filename) and member.file_size <= BIGGEST:
                    yield member.filename, archive.read(member)
    else:
        with tarfile.open(file) as archive:
            for member in archive:
                if member.isfile() and wanted(member.name) and member.size <= BIGGEST:
                    yield member.name, archive.extractfile(member).read()


def wanted(path: str) -> bool:
    """Whether a file's name is that of an English text or of code. wanted("bird/song.py") -> True"""
    return not OTHER_TEXTS.search(path) and path.lower().endswith(ENDINGS)


def canonical(name: str) -> str:
    """A package's name as the index writes it. canonical("Zope.Interface") -> "zope-interface"."""
    return re.sub(r"[-_.]+", "-", name).lower()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
