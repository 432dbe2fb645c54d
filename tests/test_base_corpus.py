"""The corpus of the base model: which licences are taken, archives, what is dropped, two builds with the same bytes."""

import http.server
import importlib.metadata
import io
import json
import random
import re
import sys
import tarfile
import threading
import zipfile
from functools import partial
from multiprocessing.pool import ThreadPool

import pytest

from labutils import places
from labutils.corpus import sources

BASE = places.DATA / "base"
sys.path.insert(0, str(BASE))

import archives  # noqa: E402
import build  # noqa: E402
import card  # noqa: E402
import licences  # noqa: E402
import reading  # noqa: E402
import selection  # noqa: E402
from documents import place, until  # noqa: E402

ROWS = [json.loads(line) for line in (BASE / "packages.jsonl").read_text(encoding="utf-8").splitlines()]
CORPUS = json.loads((BASE / "corpus.json").read_text(encoding="utf-8"))
HELD_OUT = ["astropy", "biopython", "celery", "networkx", "scrapy", "twisted"]


PERMISSIVE = """MIT|BSD-3-Clause|Apache-2.0 WITH LLVM-exception AND MIT|(MIT OR Apache-2.0) AND BSD-2-Clause|psf-2.0
ISC License (ISCL)|Apache License, Version 2.0|MIT License, BSD License|DFSG approved, MIT License|public domain
MIT-CMU (HPND)|LicenseRef-Biopython-License-Agreement"""
OTHER = """GPL-3.0-or-later|MIT OR GPL-2.0|MPL-2.0 AND MIT|Mozilla Public License 2.0 (MPL 2.0)|LGPL-2.1|AGPL-3.0
CC-BY-SA-4.0|MIT AND CC-BY-SA-3.0|CC-BY-NC-4.0|EPL-2.0 OR Apache-2.0|SSPL-1.0|GFDL-1.1|EUPL-1.2|BUSL-1.1|not MIT
MITRE|MIT with the Commons Clause|Mostly MIT, some GPL/BSD|see its licence file|UNKNOWN|DFSG approved
proprietary|LLVM-exception|| AND """


@pytest.mark.parametrize(("names", "good"), [(PERMISSIVE, True), (OTHER, False)])
def test_permissive_licences(names, good):
    names = names.replace("\n", "|").split("|")
    assert [name for name in names if licences.permissive(name) is not good] == []


def test_the_list_of_packages_is_ordered_and_of_permissive_licences(tmp_path):
    path = tmp_path / "packages.jsonl"
    rows = [("c", "train", True, "MIT"), ("b", "train", False, "MIT"), ("A", "train", False, "MIT"),
            ("d", "held_out", False, "MIT"), ("rook", "train", False, "GPL-3.0")]  # fmt: skip
    lines = [json.dumps(dict(zip(("name", "role", "api", "licence"), row, strict=True))) + "\n" for row in rows]
    path.write_text("".join(lines[:4]))
    assert [row["name"] for row in archives.read_rows(path)] == ["d", "A", "b", "c"]
    path.write_text("".join(lines))
    with pytest.raises(ValueError, match=r"packages.jsonl: not under a permissive licence: rook$"):
        archives.read_rows(path)


RULE = {"package": "wren", "leave": ["*/docs/*"], "licence": "GFDL-1.1", "stated": "docs/index.rst"}


def test_files_under_another_licence(tmp_path):
    for package, path, left in [("wren", "wren-1/docs/a.rst", True), ("wren", "wren-1/docs/a.json#3", True),
                                ("wren", "wren-1/a.rst", False), ("heron", "heron-1/docs/a.rst", False)]:  # fmt: skip
        assert licences.left_out({"package": package, "path": path}, [RULE]) is left
    for fault in ({"leave": []}, {"licence": "MIT"}, {"stated": ""}):
        (tmp_path / "leave.jsonl").write_text(json.dumps({**RULE, **fault}) + "\n")
        with pytest.raises(ValueError, match="a rule needs files, another licence, and the place"):
            licences.read_leave(tmp_path / "leave.jsonl")


def archive(files: dict[str, bytes | str], ending: str = ".tar.gz") -> bytes:
    """An archive of these files, in memory; a text is where a link leads."""
    held = io.BytesIO()
    if ending == ".whl":
        with zipfile.ZipFile(held, "w") as wheel:
            for path, content in files.items():
                wheel.writestr(path, content)
        return held.getvalue()
    with tarfile.open(fileobj=held, mode="w:gz") as tar:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            if isinstance(content, str):
                member.type, member.linkname, content = tarfile.SYMTYPE, content, b""
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return held.getvalue()


@pytest.mark.parametrize("ending", [".tar.gz", ".whl"])
def test_an_archive_is_read_in_memory(tmp_path, monkeypatch, ending):
    """Paths that point elsewhere are names only; links, large members, tests and other languages are passed over."""
    monkeypatch.setattr(archives, "BIGGEST", 1000)
    files = {"../../evil.rst": b"e", "/etc/evil.rst": b"a", "b-1/docs/a.rst": b"d", "b-1/big.rst": b"x" * 1001,
             "b-1/tests/a.py": b"t", "b-1/docs/de/a.rst": b"l", "b-1/LICENSE.txt": b"l", "b-1/a.so": b"s"}  # fmt: skip
    files |= {"b-1/link.rst": "/etc/passwd"} if ending == ".tar.gz" else {}
    (tmp_path / "cache").mkdir()
    file = tmp_path / "cache" / f"b-1{ending}"
    file.write_bytes(archive(files, ending))
    assert dict(archives.members(file)) == {"../../evil.rst": b"e", "/etc/evil.rst": b"a", "b-1/docs/a.rst": b"d"}
    row = {"name": "b", "version": "1", "licence": "MIT", "file": file.name, "take": ["*.rst"], "leave": ["/etc/*"]}
    prose, code = reading.row_texts(row, tmp_path / "cache")
    assert [document["meta"]["path"] for document in prose] == ["../../evil.rst", "b-1/docs/a.rst"] and code == []
    assert sorted(path.name for path in tmp_path.rglob("*")) == [file.name, "cache"]


@pytest.fixture
def index(monkeypatch, tmp_path):
    """A package index on loopback: a function that puts a file there, and the requests that were sent."""
    root, asked = tmp_path / "index", []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    def give(name: str, content: bytes | None) -> None:
        files = [{"filename": name, "url": f"../../{name}"}] if content else []
        (root / "zope-wren").mkdir(parents=True, exist_ok=True)
        (root / "zope-wren" / "index.html").write_text(json.dumps({"files": files}))
        (root / name).write_bytes(content or b"")

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=root)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(archives, "INDEX", f"http://127.0.0.1:{server.server_port}/")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield give, asked
        server.shutdown()


def test_an_archive_is_fetched_once_and_a_fetch_that_goes_wrong_leaves_nothing(index, tmp_path):
    give, asked = index
    cache, row = tmp_path / "cache", {"name": "Zope.Wren", "file": "wren-1.tar.gz", "sha256": archives.sha256(b"good")}
    give("wren-1.tar.gz", None)
    with pytest.raises(FileNotFoundError, match=r"/zope-wren/ lists no wren-1.tar.gz$"):
        archives.fetch(row, cache)
    give("wren-1.tar.gz", b"other")
    with pytest.raises(ValueError, match=r"^wren-1.tar.gz: expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}$"):
        archives.fetch(row, cache)
    assert not cache.exists()
    give("wren-1.tar.gz", b"good")
    asked.clear()
    for damage in (None, None, b"damaged"):
        if damage:
            (cache / "wren-1.tar.gz").write_bytes(damage)
        archives.fetch(row, cache)
        assert [path.read_bytes() for path in cache.iterdir()] == [b"good"]
    assert asked == ["/zope-wren/", "/wren-1.tar.gz"] * 2


@pytest.mark.index
@pytest.mark.parametrize("name", ["attrs", "zc.buildout"])
def test_pinned_archives_are_on_the_index(name, tmp_path):
    (row,) = (row for row in ROWS if row["name"] == name)
    archives.fetch(row, tmp_path)
    prose, code = reading.row_texts(row, tmp_path)
    assert len(prose) > 5 and code and all(document["meta"]["package"] == name for document in prose + code)


WORDS = {
    "state": ["old", "cold", "far", "new", "quiet", "wide", "small", "green"],
    "bird": ["wren", "heron", "robin", "finch", "plover", "eagle", "raven", "crane", "avocet", "curlew"],
    "place": ["garden", "valley", "harbour", "forest", "meadow", "village", "orchard", "marsh"],
    "verb": ["watch", "follow", "call", "answer", "find", "carry", "leave", "forget"],
    "thing": ["river", "winter", "morning", "stone", "shadow", "window", "letter", "market"],
}


def story(seed: int) -> str:
    """A paragraph of English that is like no other."""
    draw = random.Random(seed)
    said = [
        f"The {{}} of the {draw.choice(WORDS['place'])} had to {draw.choice(WORDS['verb'])} "
        f"a {draw.choice(WORDS['thing'])} that was {draw.choice(WORDS['state'])} and {draw.choice(WORDS['state'])}."
        for _ in range(5)
    ]
    return " ".join(sentence.format(draw.choice(WORDS["bird"])) for sentence in said)


def code_of(seed: int) -> bytes:
    """A Python file that is like no other; it opens with a licence."""
    draw = random.Random(seed)
    names = [draw.choice(WORDS["bird"]) + draw.choice(WORDS["place"]) for _ in range(20)]
    lines = [
        f"def {name}_{i}(value, other):\n    return value + other.{draw.choice(WORDS['verb'])}\n"
        for i, name in enumerate(names)
    ]
    return ("# Copyright 2020\n# All rights reserved\n" + "\n".join(lines)).encode()


def pinned(cache, name: str, files: dict[str, bytes], **more) -> dict:
    """A row of packages.jsonl whose archive lies in the cache."""
    content = archive({f"{name}-1/{path}": content for path, content in files.items()})
    cache.mkdir(exist_ok=True)
    (cache / f"{name}-1.tar.gz").write_bytes(content)
    row = {"name": name, "version": "1", "file": f"{name}-1.tar.gz", "sha256": archives.sha256(content)}
    row |= {"licence": "MIT", "copyright": f"The {name} authors", "role": "train", "take": ["docs/*"]}
    return row | more


def install(site, name: str, licence: str, files: dict[str, bytes]) -> None:
    """An installed package, as pip leaves it."""
    info = f"{name}-1.dist-info"
    about = f"Metadata-Version: 2.4\nName: {name}\nVersion: 1\nLicense-Expression: {licence}\n\n".encode()
    licence = {f"{info}/licenses/LICENSE": b"Copyright (c) 2020 Ann <a@b.org>\n"}
    files = {**files, f"{info}/METADATA": about, **licence}
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in files).encode()
    for path, content in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(content)


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A made-up environment and made-up archives: their rows, and a function that builds a corpus of them."""
    site, cache = tmp_path / "site", tmp_path / "archives"
    docs = {n: f'"""{story(n)}"""\n'.encode() for n in (1, 2, 3, 4)}
    install(site, "inside", "BSD-3-Clause", {"inside/a.py": docs[1], "inside/own.py": docs[2]})
    install(site, "rook", "GPL-3.0-only", {"rook/a.py": docs[3]})
    install(site, "wren", "MIT", {"wren/a.py": docs[4]})  # pinned, too: the archive is read
    told = {n: story(n).encode() for n in range(10, 16)}
    nearly = story(10).replace("garden", "parlour", 1).replace("had to", "has to", 1).encode()
    german = b"Der Vogel sitzt auf dem Baum und singt. Das ist ein Lied von der Nacht. " * 4
    wren = {"docs/a.rst": told[11], "docs/old/b.rst": told[12], "wren.py": code_of(2)}
    finch = {"docs/again.rst": told[11] + b"\n\n" + told[13], "docs/near.rst": nearly, "docs/short.rst": b"A word."}
    rows = [
        pinned(cache, "owl", {"docs/a.rst": told[10], "owl.py": code_of(1)}, role="held_out"),
        pinned(cache, "wren", wren),
        pinned(cache, "finch", {**finch, "docs/b.rst": told[14], "docs/german.rst": german}),
        pinned(cache, "terns", {"docs/a.rst": told[15]}, api=True),
    ]
    leave = [
        {"package": "wren", "leave": ["*/docs/old/*"], "licence": "GFDL-1.1", "stated": "here"},
        {"package": "inside", "leave": ["inside/own.py"], "licence": "EPL-1.0", "stated": "here"},
    ]
    found = partial(importlib.metadata.distributions, path=[str(site)])
    monkeypatch.setattr(sources.metadata, "distributions", found)
    monkeypatch.setattr(build, "Pool", ThreadPool)  # children would not see the made-up environment
    return rows, lambda out, rows=rows: build.build(out, cache, rows, leave, 2)


def read(file) -> list[dict]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_corpus_of_made_up_packages(small, tmp_path):
    _, make = small
    counts = make(tmp_path / "one" / "corpus")
    prose, code = (read(tmp_path / "one" / "corpus" / f"{name}.jsonl") for name in ("prose", "code"))
    assert [place(document) for document in prose] == sorted(map(place, prose))
    assert {(d["meta"]["package"], d["meta"]["path"]): d["text"] for d in prose} == {
        ("inside", "inside/a.py"): story(1),
        ("wren", "wren-1/docs/a.rst"): story(11),
        ("finch", "finch-1/docs/again.rst"): story(13),  # without the paragraph that wren has
        ("finch", "finch-1/docs/b.rst"): story(14),
        ("terns", "terns-1/docs/a.rst"): story(15),
    }
    assert prose[0]["meta"].keys() == {"pile_set_name", "package", "version", "path", "license"}
    (only,) = code
    assert only["meta"]["package"] == "wren" and only["text"].startswith("def ")
    (unread,) = read(tmp_path / "one" / "held_out.jsonl")
    assert (unread["meta"]["package"], unread["text"]) == ("owl", story(10))
    assert counts["totals"]["prose"]["documents"] == 5 and counts["totals"]["held_out"]["documents"] == 1
    dropped = counts["dropped"]
    assert dropped["near a held-out document"] == dropped["lines seen before"] == dropped["too few words"] == 1
    assert dropped["under another licence"] == 2


def test_two_builds_are_the_same_bytes(small, tmp_path):
    """The second from the archives again, the third from the texts that are remembered."""
    files = ("corpus/prose.jsonl", "corpus/code.jsonl", "corpus/counts.json", "held_out.jsonl")
    made = []
    for name in ("one", "two", "three"):
        small[1](tmp_path / name / "corpus")
        made.append([(tmp_path / name / file).read_bytes() for file in files])
        for remembered in (tmp_path / "texts").iterdir() if name == "one" else ():
            remembered.unlink()
    assert made[0] == made[1] == made[2]


def test_all_modules_that_read_are_known():
    """What `reading` imports from this folder, directly or not, decides about the texts."""
    known, new = set(), {"reading"}
    while new:
        name = new.pop()
        known.add(name)
        lines = (BASE / f"{name}.py").read_text(encoding="utf-8").splitlines()
        imported = {line.split()[1] for line in lines if line.startswith(("import ", "from "))}
        new |= {other for other in imported if (BASE / f"{other}.py").exists()} - known
    assert known - {"licences"} == set(reading.MODULES)  # the gate decides which packages are read, not how


def test_summary_and_notice(small, tmp_path):
    rows, make = small
    make(tmp_path / "one" / "corpus")
    corpus = card.summary(tmp_path / "one" / "corpus", rows)
    packages = {package["package"]: package for package in corpus["packages"]}
    inside = {"package": "inside", "version": "1", "licence": "BSD-3-Clause", "from": "environment"}
    assert packages["inside"] == {**inside, "copyright": "Copyright (c) 2020 Ann", "prose": [1, len(story(1))]}
    assert packages["wren"]["copyright"] == "The wren authors" and "held_out" in packages["owl"]
    assert corpus["sets"]["environment: Docstrings"] == {"documents": 1, "bytes": len(story(1))}
    part = {"package": "wren", "part": "docs/", "licence": "CC BY 4.0", "by": "Ann"}
    lines = card.notice(corpus, [part, {"package": "gone", "part": "", "licence": "", "by": ""}]).splitlines()
    assert lines[0] == card.TITLE and "inside 1; BSD-3-Clause; Copyright (c) 2020 Ann" in lines
    assert lines[-1] == "wren, docs/: CC BY 4.0, by Ann" and not any("owl" in line or "gone" in line for line in lines)
    assert card.tidy("Copyright 2020 Ann <a@b.org>. All rights reserved.") == "Copyright 2020 Ann"
    assert card.tidy("Copyright 2020 Ann (https://ann.org)") == "Copyright 2020 Ann"


def test_bare_code():
    kept = {"# a licence\n\nx = value\n": "x = value\n", "\r\n# a\r\nvalue = other\r\n": "value = other\n"}
    out = ["x = 'é'\n", "value = (\n", "1, 2, 3, 4\n", f"x = '{'a' * 300}'\n"]
    for text, code in (kept | dict.fromkeys(out)).items():
        assert reading.bare_code({"text": text, "meta": {}}) == (code and {"text": code, "meta": {}})


def test_what_is_cut_and_masked():
    said, dropped = "one two three four five six seven eight", selection.Counter()
    text = f"{said}\n\nshort line\nOther"
    documents = [{"text": text, "meta": {"pile_set_name": kind}} for kind in ("a", "a", selection.API)]
    kept = [document["text"] for document in selection.unseen(documents, dropped)]
    assert kept == [text, "short line\nOther", "short line\nOther"]
    assert dropped == {"lines seen before": 2, "bytes of lines seen before": 2 * len(said)}
    document, reason = selection.judge({"text": "Write to ann@birds.org today.", "meta": {}}, [])
    assert "ann@birds.org" not in document["text"] and document["text"].endswith(" today.") and reason == ""
    assert [len(until([{"text": "é" * 2}, {"text": "a"}, {"text": "b"}], most)) for most in (3, 4, 5, 6)] == [
        0,
        1,
        2,
        3,
    ]


def test_descriptions_of_services_are_at_most_their_share():
    def documents(kind: str, sizes: list[int]) -> list[dict]:
        meta = {"pile_set_name": kind, "package": kind}
        return [{"text": "x" * size, "meta": {**meta, "path": str(i)}} for i, size in enumerate(sizes)]

    dropped = selection.Counter()
    kept = selection.capped(documents("Documentation", [551]) + documents(selection.API, [150] * 4), dropped)
    assert sum(document["meta"]["pile_set_name"] == selection.API for document in kept) == 3
    assert dropped == {"over the share of API descriptions": 1}


def test_the_list_of_packages():
    assert archives.read_rows(BASE / "packages.jsonl")
    names = [archives.canonical(row["name"]) for row in ROWS]
    assert len(names) == len(set(names))
    assert sorted(row["name"] for row in ROWS if row["role"] == "held_out") == HELD_OUT
    keys = {"name", "version", "file", "sha256", "licence", "copyright", "role", "take", "leave", "api"}
    for row in ROWS:
        assert re.fullmatch("[0-9a-f]{64}", row["sha256"]) and row["version"] in row["file"], row
        assert row["file"].endswith((".tar.gz", ".whl", ".zip")) and "/" not in row["file"], row
        assert row["role"] in ("train", "held_out") and row["take"] and row.keys() <= keys, row
        assert row["copyright"] and "@" not in row["copyright"], row


def test_the_summary_that_ships():
    rows = {row["name"]: row for row in ROWS}
    for part, total in CORPUS["totals"].items():
        counts = [package[part] for package in CORPUS["packages"] if part in package]
        assert [sum(count) for count in zip(*counts, strict=True)] == [total["documents"], total["bytes"]]
    for package in CORPUS["packages"]:
        assert licences.permissive(package["licence"]) and package["copyright"], package
        assert "@" not in package["copyright"], package
        if package["from"] == "packages.jsonl":
            row = rows.pop(package["package"])
            assert all(row[key] == package[key] for key in ("version", "licence", "copyright"))
            assert (row["role"] == "held_out") == ("held_out" in package)
    assert not rows
    section = (places.ROOT / "NOTICE").read_text(encoding="utf-8").partition(f"\n\n{card.TITLE}\n")[2]
    assert f"{card.TITLE}\n{section}" == card.notice(CORPUS, card.attributions())


def test_the_card_has_the_counts():
    text = (BASE / "README.md").read_text(encoding="utf-8")
    scores = json.loads((BASE / "scores.json").read_text(encoding="utf-8"))
    assert card.tables(CORPUS) in text and f"closes {scores['closed']:.1%} of the distance" in text
    assert all(f"| {name} | {value[0]:.2f} (" in text for name, value in scores["bits_per_byte"]["random"].items())
    rules = {rule["package"] for rule in licences.read_leave(BASE / "leave.jsonl")}
    assert rules <= {package["package"] for package in CORPUS["packages"]} and all(name in text for name in rules)
