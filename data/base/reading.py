"""A package -> its documents: English texts from the files it is taken for, code from its Python files.

Two kinds of packages: pinned archives, whose texts are remembered beside them, and those installed here. How a file
becomes text is for `extract`; nothing is judged here but whether a Python file is code at all.
"""

import ast
import json
import re
import warnings
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache as once
from pathlib import Path

import extract
from archives import OTHER_TEXTS, members, sha256
from documents import place, until
from labutils import places
from labutils.corpus import sources
from licences import permissive

CODE_EACH = 1_000_000  # bytes of code from one package, at most
CODE_SIZES = range(501, 60_000)  # bytes of a code file
LONGEST_LINE = 300  # characters; a file with a longer line holds data
MODULES = ("archives", "documents", "extract", "inline", "markup", "paragraphs", "reading", "sentences", "services")
FIELDS = ("name", "version", "licence", "sha256", "take", "leave", "api")  # of a row, what decides about its texts

Texts = tuple[list[dict], list[dict]]  # prose, code


def archive_texts(row: dict, cache: Path) -> Texts:
    """The English texts and the code of a pinned package, remembered until the row or the modules that read change."""
    about = json.dumps([row.get(field) for field in FIELDS])
    remembered = cache.parent / "texts" / f"{sha256(about.encode() + modules())[:24]}.json"
    if remembered.exists():
        return tuple(json.loads(remembered.read_text(encoding="utf-8")))
    found = row_texts(row, cache)
    remembered.parent.mkdir(parents=True, exist_ok=True)
    places.write(remembered, json.dumps(found))
    return found


@once
def modules() -> bytes:
    """The sources of everything that decides how an archive is read."""
    return b"".join((Path(__file__).parent / f"{name}.py").read_bytes() for name in MODULES)


def row_texts(row: dict, cache: Path) -> Texts:
    """The texts and the code of a pinned package, from its archive in the cache."""
    about = {"package": row["name"], "version": row["version"], "license": row["licence"]}
    files = [(path, about, content) for path, content in sorted(members(cache / row["file"]))
             if not any(fnmatchcase(path, glob) for glob in row.get("leave", ()))]  # fmt: skip
    return read_texts(files, row["take"], row.get("api", False))


def installed_packages() -> list[str]:
    """The packages of this environment under permissive licences, by name."""
    return sorted(name for name, licence in sources.licences().items() if permissive(licence))


def installed_texts(package: str) -> Texts:
    """The docstrings, READMEs and pages of an installed package, and its code."""
    files = []
    for document in sources.installed(packages=[package], sets=("Python", "READMEs", "Documentation")):
        path = document["meta"]["path"]
        path += "/README.md" if path.endswith("METADATA") else ""
        if not OTHER_TEXTS.search(path):
            files.append((path, document["meta"], document["text"].encode()))
    return read_texts(files, ["*"], False)


def read_texts(files: Iterable[tuple[str, dict, bytes]], take: list[str], api: bool) -> Texts:
    """Documents of prose from the files that `take` names, and of code from all Python files."""
    prose, code = [], []
    for path, about, content in files:
        meta = {"package": about["package"], "version": about["version"], "path": path, "license": about["license"]}
        if any(fnmatchcase(path, glob) or fnmatchcase(path.partition("/")[2], glob) for glob in take):
            kind = "API descriptions" if api else "Docstrings" if path.endswith(".py") else "Documentation"
            for number, text in enumerate(extract.documents(path, content)):
                part = f"#{number}" if number else ""
                prose.append({"text": text, "meta": {"pile_set_name": kind, **meta, "path": path + part}})
        if path.endswith(".py") and not api and len(content) in CODE_SIZES:
            code.append({"text": content.decode(errors="replace"), "meta": {"pile_set_name": "Python", **meta}})
    return prose, until(filter(None, map(bare_code, sorted(code, key=place))), CODE_EACH)


def bare_code(document: dict) -> dict | None:
    """A code file without the comments it opens with (most are licences); None if it is data or does not parse."""
    text = re.sub(r"\A(?:\s*(?:#.*)?\n)+", "", document["text"].replace("\r\n", "\n"))
    letters = sum(map(str.isalpha, text))
    if letters < 0.5 * len(text) or max(map(len, text.split("\n"))) > LONGEST_LINE or not text.isascii():
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return {"text": text, "meta": document["meta"]}
