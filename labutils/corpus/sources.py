"""Streams of documents, `{"text", "meta"}`: the software installed here, its docstrings, JSONL files near and far; and
open corpora by name. No stream holds a whole corpus. What is *in* the documents is for `survey`, which ones are good is
for `quality`.
"""

import ast
import csv
import inspect
import json
import re
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from labutils.corpus import remote
from labutils.corpus.survey import content_hash

KINDS = {  # the name of a file's set, by its ending
    ".py": "Python", ".pyi": "Python stubs", ".pyx": "C and C++", ".pxd": "C and C++",
    ".c": "C and C++", ".cc": "C and C++", ".cpp": "C and C++", ".h": "C and C++", ".hpp": "C and C++",
    ".cuh": "C and C++", ".cu": "C and C++",
    ".js": "JavaScript", ".mjs": "JavaScript", ".ts": "JavaScript", ".tsx": "JavaScript",
    ".md": "Documentation", ".rst": "Documentation", ".txt": "Documentation",
    ".html": "Web pages", ".htm": "Web pages", ".css": "Style sheets", ".svg": "XML", ".xml": "XML", ".xsd": "XML",
    ".json": "JSON", ".map": "JSON", ".ipynb": "JSON", ".csv": "Tables", ".tsv": "Tables",
    ".yaml": "Settings", ".yml": "Settings", ".toml": "Settings", ".cfg": "Settings", ".ini": "Settings",
    ".po": "Translations", ".pot": "Translations",
}  # fmt: skip
LICENCES = re.compile(r"^(licen[cs]e|copying|notice|authors|copyright)", re.IGNORECASE)
CHANGELOGS = re.compile(r"^(change|history|news|release)", re.IGNORECASE)
PROSE_ENDINGS = {"", ".md", ".rst", ".txt"}


@lru_cache(1 << 16)  # asked several times a file
def kind(path: str) -> str | None:
    """The set that a file belongs to, by its name alone; None for what is not text.

    kind("torch/nn/init.py") -> "Python";  kind("LICENSE") -> "Licences";  kind("torch/lib/libc10.so") -> None
    """
    file = PurePosixPath(path)
    ending = file.suffix.lower()
    if file.name == "METADATA" and file.parent.suffix == ".dist-info":
        return "READMEs"
    if ending in PROSE_ENDINGS and LICENCES.match(file.name):
        return "Licences"
    if ending in PROSE_ENDINGS and CHANGELOGS.match(file.name):
        return "Changelogs"
    return None if ".dist-info" in path else KINDS.get(ending)


SETS = ("Changelogs", "Licences", "READMEs", *sorted(set(KINDS.values())))


def installed(
    *,
    seed: int | None = None,
    limit: int | None = None,
    shards: Sequence[int] = (0,),
    of: int = 1,
    packages: Sequence[str] | None = None,
    sets: Sequence[str] = SETS,
) -> Iterator[dict]:
    """Stream the text files of the packages installed in this environment, in the Pile's shape.

    Packages come in the order of their names, files in the order of their paths; with a `seed`, all files come in one
    shuffled order, the same on every run. A `limit` draws that many files, each as likely as any other: the first of
    the shuffled order (of seed 0 where none is given), and opens no other. `shards=(1,), of=4` gives the second of four
    parts; `packages` and `sets` narrow it. Left out are packages that were not installed from a package index (this
    course, a learner's own projects), and files that are not text.

    Yields {"text": str, "meta": {"pile_set_name", "package", "version", "path", "license"}}. The first document raises
    ValueError when a name in `packages` is not installed, one in `sets` unknown, a shard not in range(of), or the limit
    under 0.
    """
    if of < 1 or not set(shards) <= set(range(of)):
        raise ValueError(f"shards must lie in range({of}), got {list(shards)}; shards=(0,), of=1 is the whole corpus")
    about = cache(_about)  # read once a package, not once a file
    for package, path, _ in _all_files(packages, sets, seed, limit):
        if of > 1 and _hash(path) % of not in shards:
            continue
        if text := _read(package, path):
            name, version, licence = about(package)
            meta = {"pile_set_name": kind(path), "package": name, "version": version, "path": path, "license": licence}
            yield {"text": text, "meta": meta}


def listed(
    *,
    seed: int | None = None,
    limit: int | None = None,
    packages: Sequence[str] | None = None,
    sets: Sequence[str] = SETS,
) -> Iterator[dict]:
    """The files that `installed` would open, in its order and from the packages' file lists alone: nothing is opened.

    Yields {"pile_set_name", "package", "path", "bytes"}: bytes as installed, of a README those of its whole METADATA. A
    file that is gone, empty or binary is listed and gives no document. Raises ValueError as `installed` does.
    """
    name = cache(_name)
    for package, path, size in _all_files(packages, sets, seed, limit):
        yield {"pile_set_name": kind(path), "package": name(package), "path": path, "bytes": _size(package, path, size)}


def licences() -> dict[str, str]:
    """The packages of this environment that came from a package index, each with the licence it states, by name:
    {"idna": "BSD-3-Clause", ..., "tqdm": "MPL-2.0 AND MIT"}.
    """
    return {name: licence for name, _, licence in map(_about, _packages(None))}


def jsonl(path: str | Path, called: str | Path = "") -> Iterator[dict]:
    """Stream a JSON Lines file of documents; a line needs a string under "text", an object under "meta" or nothing.

    The file is a path or a web address, and may be packed (.gz, .zst); a copy is `called` what it is a copy of. Raises
    ValueError naming the first line that is no such document, and what `remote.lines` raises.
    """
    name = remote.shown(called or path)
    for number, line in enumerate(remote.lines(path, name), 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{name}, line {number}: not JSON ({error}); expected one object per line") from None
        if not isinstance(document, dict) or not isinstance(document.get("text"), str):
            raise ValueError(f'{name}, line {number}: expected an object with a string under "text"')
        meta = document.get("meta") or {}
        if not isinstance(meta, dict):
            raise ValueError(f'{name}, line {number}: expected an object under "meta", got {type(meta).__name__}')
        yield {"text": document["text"], "meta": meta}


def _all_files(
    packages: Sequence[str] | None, sets: Sequence[str], seed: int | None, limit: int | None
) -> Iterable[tuple[metadata.Distribution, str, str]]:
    """Packages, paths and sizes as listed, in the order and up to the limit that `installed` states."""
    if limit is not None and limit < 0:
        raise ValueError(f"limit must be at least 0, got {limit}")
    if unknown := set(sets) - set(SETS):
        raise ValueError(f"no set named {', '.join(sorted(unknown))}; there are {', '.join(SETS)}")
    found = _packages(packages)
    files = ((package, *file) for package in found for file in _files(package) if kind(file[0]) in sets)
    if seed is None and limit is None:
        return files
    return sorted(files, key=lambda file: _hash(f"{seed or 0}/{file[1]}"))[:limit]


def _packages(names: Sequence[str] | None) -> list[metadata.Distribution]:
    """The distributions of this environment that came from a package index, once each, ordered by name."""
    found = {}
    for package in metadata.distributions():
        name = _name(package)
        if name and package.read_text("direct_url.json") is None:
            found.setdefault(_canonical(name), package)
    if names is None:
        return [found[name] for name in sorted(found)]
    if missing := [name for name in names if _canonical(name) not in found]:
        raise ValueError(f"not installed from a package index here: {', '.join(missing)}; `pip list` names what is")
    return [found[name] for name in sorted(set(map(_canonical, names)))]


def _name(package: metadata.Distribution) -> str | None:
    """A package's name; None when its description or its list of files is damaged, as a broken install leaves them."""
    try:
        return package.metadata.get("Name") if package.read_text("RECORD") else None
    except (OSError, UnicodeDecodeError):
        return None


def _files(package: metadata.Distribution) -> list[tuple[str, str]]:
    """The paths and sizes of a package's text files, from the list it was installed with; nothing is opened."""
    record = package.read_text("RECORD") or ""
    files = ((*row, "", "")[:3] for row in csv.reader(record.splitlines()) if row)  # path, hash, size
    return sorted((path, size) for path, _, size in files if not path.startswith(("..", "/")) and kind(path))


def _size(package: metadata.Distribution, path: str, listed: str) -> int:
    """A file's bytes as the list states them, else as the disk does; 0 of a file that is gone."""
    if listed.isdecimal() and len(listed) < 16:  # a damaged list may hold anything
        return int(listed)
    try:
        return Path(package.locate_file(path)).stat().st_size
    except OSError:
        return 0


def _read(package: metadata.Distribution, path: str) -> str | None:
    """A file's text, None when it is gone, empty or binary; a README is cut out of its METADATA."""
    if kind(path) == "READMEs":
        return package.metadata.get_payload() or package.metadata.get("Description")
    try:
        content = Path(package.locate_file(path)).read_bytes()
    except OSError:
        return None
    return None if b"\0" in content[:4096] else content.decode("utf-8", errors="replace")


def _about(package: metadata.Distribution) -> tuple[str, str, str]:
    """Name, version, and the licence that it states: an SPDX expression, classifiers, or a short free text."""
    about = package.metadata
    classifiers = [line.split(" :: ")[-1] for line in about.get_all("Classifier", []) if line.startswith("License ::")]
    free = about.get("License", "").strip()
    stated = about.get("License-Expression") or ", ".join(classifiers) or (free if len(free) <= 60 else "")
    return about.get("Name"), about.get("Version"), stated or "see its licence file"


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _hash(text: str) -> int:
    return content_hash(text.encode("utf-8", "surrogateescape"))


# What the docstrings of installed packages say in plain English: running text that is on every learner's disk. The base
# model was trained on text of this form: a paragraph a line, code and markup left out.

PLAIN = re.compile(r"[A-Z](?:(?!--)[A-Za-z0-9 ,;:.!?'\"()%-])*[.:!?]")  # a sentence without a sign of code or markup
MARKUP = re.compile(r":[\w:]+:`~?\.?([^`<]*)[^`]*`|[`*]+")  # of reStructuredText, around what is said
SAID = re.compile(r"[A-Z](?:(?!--)[A-Za-z0-9 ,;:.!?'\"()%_/=\[\]-])*[.:!?]")  # a sentence that may have such signs
WORDS = 5  # a paragraph has at least so many
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
HOLDS_STATEMENTS = (ast.stmt, ast.ExceptHandler, ast.match_case)


def docstrings(package: str | None = None, *, least: int = 500, seed: int = 0, plain: bool = True) -> Iterator[dict]:
    """Stream the docstrings of a package as documents of at least `least` characters, one a file, tests left out.

    Without a name, those of everything installed; `plain` as for `paragraphs`. Files come in one shuffled order that
    follows from the seed. Yields what `installed` yields; the first document raises ValueError when the package is not
    installed.
    """
    packages = [package] if package else None
    for document in installed(seed=seed, packages=packages, sets=("Python",)):
        if "/tests/" in document["meta"]["path"]:
            continue
        text = "\n\n".join(dict.fromkeys(paragraphs(document["text"], plain)))
        if len(text) >= least:
            yield {"text": text, "meta": document["meta"] | {"pile_set_name": "Docstrings"}}


def paragraphs(source: str, plain: bool = True) -> Iterator[str]:
    """The plain paragraphs of all docstrings in Python source, each on one line; none where it does not parse.

    paragraphs("'Add up to a sum.\\n\\n>>> add(1, 2)'") -> "Add up to a sum."; where they need not be plain, names and
    signs of code may occur in them, and markup is taken off: nearly three times the text.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    nodes = deque([tree])  # as `ast.walk`, without expressions, which are a hundred times as many and hold no docstring
    while nodes:
        node = nodes.popleft()
        nodes.extend(part for part in ast.iter_child_nodes(node) if isinstance(part, HOLDS_STATEMENTS))
        said = ast.get_docstring(node, clean=False) if isinstance(node, DOCUMENTED) else None
        for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(said or "")):
            line = " ".join(paragraph.split())
            line = line if plain else MARKUP.sub(r"\1", line)
            if len(line.split()) >= WORDS and (PLAIN if plain else SAID).fullmatch(line):
                yield line


# Open corpora by name. Each is one call, `load_dataset(hub_id, config, split="train", streaming=True)`, and has its
# text in the column "text". Ids, sizes and licences are those of their cards and papers.


class Corpus(NamedTuple):
    """An open corpus on a hub."""

    hub_id: str  # repository of the hub
    config: str | None  # which part of it
    size: str  # as its makers state it
    licence: str  # of the collection; the texts keep the rights they had
    citation: str


FINEWEB = "Penedo et al. 2024, The FineWeb Datasets, arXiv 2406.17557"
CORPORA = {
    "c4": Corpus("allenai/c4", "en", "305 GB packed", "ODC-By 1.0",
                 "Raffel et al. 2020, Exploring the Limits of Transfer Learning, JMLR 21:140"),
    "fineweb-edu": Corpus("HuggingFaceFW/fineweb-edu", "sample-10BT", "10 billion tokens", "ODC-By 1.0", FINEWEB),
    "fineweb": Corpus("HuggingFaceFW/fineweb", "sample-10BT", "27.6 GB, 10 billion tokens", "ODC-By 1.0", FINEWEB),
    "pile": Corpus("monology/pile-uncopyrighted", None, "17 of the Pile's 22 sets (all: 825 GiB)",
                   "other: without Books3, BookCorpus2, OpenSubtitles, YTSubtitles, OpenWebText2",
                   "Gao et al. 2020, The Pile: An 800GB Dataset of Diverse Text, arXiv 2101.00027"),
    "common-pile": Corpus("common-pile/comma_v0.1_training_dataset", None, "464 billion tokens",
                          "open licences and public domain, stated per document",
                          "Kandpal et al. 2025, The Common Pile v0.1, arXiv 2506.05209"),
    "wikipedia": Corpus("wikimedia/wikipedia", "20231101.en", "English, November 2023", "CC BY-SA 3.0 and GFDL",
                        "Wikimedia Foundation, Wikimedia Downloads, dumps.wikimedia.org"),
}  # fmt: skip


class Component(NamedTuple):
    """A set of the Pile: Gao et al. 2020, arXiv:2101.00027, table 1. Not measured here: most can no longer be had."""

    name: str
    gib: float  # raw size in GiB (2**30 bytes), before anything is repeated
    weight: float  # per cent of the bytes of one epoch of the whole
    epochs: float  # how often a model sees it meanwhile


COMPONENTS = (
    Component("Pile-CC", 227.12, 18.11, 1.0),
    Component("PubMed Central", 90.27, 14.40, 2.0),
    Component("Books3", 100.96, 12.07, 1.5),
    Component("OpenWebText2", 62.77, 10.01, 2.0),
    Component("ArXiv", 56.21, 8.96, 2.0),
    Component("Github", 95.16, 7.59, 1.0),
    Component("FreeLaw", 51.15, 6.12, 1.5),
    Component("Stack Exchange", 32.20, 5.13, 2.0),
    Component("USPTO Backgrounds", 22.90, 3.65, 2.0),
    Component("PubMed Abstracts", 19.26, 3.07, 2.0),
    Component("Gutenberg (PG-19)", 10.88, 2.17, 2.5),
    Component("OpenSubtitles", 12.98, 1.55, 1.5),
    Component("Wikipedia (en)", 6.38, 1.53, 3.0),
    Component("DM Mathematics", 7.75, 1.24, 2.0),
    Component("Ubuntu IRC", 5.52, 0.88, 2.0),
    Component("BookCorpus2", 6.30, 0.75, 1.5),
    Component("EuroParl", 4.59, 0.73, 2.0),
    Component("HackerNews", 3.90, 0.62, 2.0),
    Component("YoutubeSubtitles", 3.73, 0.60, 2.0),
    Component("PhilPapers", 2.38, 0.38, 2.0),
    Component("NIH ExPorter", 1.89, 0.30, 2.0),
    Component("Enron Emails", 0.88, 0.14, 2.0),
)
