"""Streams: made-up packages, a few small real ones, JSON Lines, docstrings; open corpora from a small hub."""

import functools
import gzip
import importlib.metadata
import io
import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from hub_server import HubServer, Repo

from labutils import places
from labutils.corpus import remote, sources
from labutils.corpus.sources import COMPONENTS, CORPORA, SETS, docstrings, installed, jsonl, kind, listed, paragraphs
from labutils.measure.held_out import PACKAGE, documents

SMALL = ["idna", "certifi", "six", "h11"]  # real packages of a few files each
METADATA = "Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{more}\nThe README of {name}.\n"


@pytest.fixture
def site(monkeypatch, tmp_path) -> Path:
    """An empty folder of installed packages, the only one there is."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    found = functools.partial(importlib.metadata.distributions, path=[str(folder)])
    monkeypatch.setattr(sources.metadata, "distributions", found)
    return folder


def install(site: Path, name: str, files: dict[str, bytes | None], **own: str | bytes) -> Path:
    """A package of these files, as pip leaves it; a file of None is only listed. `own` goes to its dist-info folder."""
    info = f"{name}-1.0.dist-info"
    own = {"METADATA": METADATA.format(name=name, more=""), "WHEEL": "Wheel-Version: 1.0\n", **own}
    listed = [*files, *(f"{info}/{each}" for each in own), f"{info}/RECORD", "../bin/tool.py"]
    own = {"RECORD": "".join(f"{path},sha256=abc,1\n" for path in listed), **own}
    for path, content in {**files, **{f"{info}/{each}": text for each, text in own.items()}}.items():
        if content is not None:
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    return site / info


def paths(documents) -> list[str]:
    return [document["meta"]["path"] for document in documents]


KINDS = {
    "Python": "torch/nn/init.py a/B.PY a/license.py",
    "C and C++": "a/b.pyx a/b.cuh",
    "Documentation": "README.md my_license.txt",
    "JSON": "a/b.js.map a/release.json",
    "Licences": "LICENSE a/licence.md a-1.0.dist-info/licenses/AUTHORS.rst",
    "Changelogs": "CHANGELOG.rst HISTORY docs/news.txt",
    "READMEs": "a-1.0.dist-info/METADATA",
    None: "a/METADATA a-1.0.dist-info/entry_points.txt a-1.0.dist-info/sboms/a.json l/libc10.so a/b.pyc Makefile a/.py",
}


def test_kinds():
    assert {
        name: " ".join(path for path in found.split() if kind(path) == name) for name, found in KINDS.items()
    } == KINDS
    assert set(SETS) == {*sources.KINDS.values(), "Licences", "Changelogs", "READMEs"} > set(KINDS) - {None}


def test_a_document_has_the_shape_of_the_pile(site):
    about = METADATA.format(name="Some.Bird", more="License-Expression: MIT\n")
    install(site, "Some.Bird", {"bird/song.py": b"sing = 1\n"}, METADATA=about)
    meta = {"package": "Some.Bird", "version": "1.0", "license": "MIT"}
    readme = {**meta, "pile_set_name": "READMEs", "path": "Some.Bird-1.0.dist-info/METADATA"}
    song = {**meta, "pile_set_name": "Python", "path": "bird/song.py"}
    documents = list(installed())
    assert documents == [{"text": "The README of Some.Bird.\n", "meta": readme}, {"text": "sing = 1\n", "meta": song}]
    assert list(documents[0]["meta"]) == ["pile_set_name", "package", "version", "path", "license"]


def test_packages_come_by_name_and_files_by_path_and_a_package_once(site, tmp_path, monkeypatch):
    install(site, "wren", {"wren/b.py": b"2", "wren/a/c.py": b"1"})
    install(site, "Avocet", {"zz.py": b"0"})
    install(site, "plover_eggs", {"p.py": b"3"})
    (tmp_path / "second").mkdir()
    install(tmp_path / "second", "wren", {"second.py": b"2"})
    both = functools.partial(importlib.metadata.distributions, path=[str(site), str(tmp_path / "second")])
    monkeypatch.setattr(sources.metadata, "distributions", both)
    assert paths(installed(sets=["Python"])) == ["zz.py", "p.py", "wren/a/c.py", "wren/b.py"]
    assert (
        paths(installed(packages=["wren", "Plover-Eggs", "plover.eggs"], sets=["Python"]))
        == paths(installed(sets=["Python"]))[1:]
    )
    assert paths(installed(packages=[])) == paths(installed(sets=[])) == []
    for options in ({"limit": 4}, {"limit": 4, "seed": 3}, {"seed": 3}, {}):
        assert [file["path"] for file in listed(**options)] == paths(installed(**options))


BECOMES = {b"plain": "plain", "Größe µ\r\n".encode(): "Größe µ\r\n", b"caf\xe9 \xff!": "caf\ufffd \ufffd!", b"": None,
           b"a" * 4095 + b"\0": None, b"a" * 4096 + b"\0": "a" * 4096 + "\0", None: None}  # fmt: skip


def test_what_a_file_becomes_and_a_damaged_package_does_not_stop_the_others(site):
    """Bad UTF-8 is marked; a zero byte in the head, an empty and a missing file are no text."""
    damages = ({"METADATA": b"Name: \xff\nVersion: 1\n"}, {"RECORD": b"\xff.py,,\n"}, {"METADATA": ""}, {"RECORD": ""})
    for i, damage in enumerate(damages):
        install(site, f"avocet{i}", {f"avocet{i}.py": b"a"}, **damage)
    install(site, "bird", {f"bird/{i}.py": content for i, content in enumerate(BECOMES)})
    assert [d["text"] for d in installed(sets=["Python"])] == [text for text in BECOMES.values() if text is not None]


def test_sizes_are_those_listed_and_where_none_is_those_on_the_disk(site):
    wild = {"a.py": "7", "b.py": "", "c.py": "-7", "d.py": "9" * 5000, "e.py": "x", "gone.py": "", "left.py": "12"}
    rows = [f"{path},sha256=abc,{size}" for path, size in wild.items()] + ["short.py", "tiny.py,"]
    left = dict.fromkeys([*wild, "short.py", "tiny.py"], b"four") | {"gone.py": None, "left.py": None}
    install(site, "bird", left, RECORD="\n".join(rows))
    assert {file["path"]: file["bytes"] for file in listed()} == {
        "a.py": 7, "b.py": 4, "c.py": 4, "d.py": 4, "e.py": 4, "gone.py": 0, "left.py": 12, "short.py": 4, "tiny.py": 4,
    }  # fmt: skip


def test_what_is_no_text_or_lies_elsewhere_is_passed_over(site):
    elsewhere = {str(site.parent / "outside.py"): b"x", "../bin/tool.py": b"x"}
    files = {"bird/a.so": b"x", "bird/a.pyc": b"x", "bird/Makefile": b"x", "bird/a.json": b"{}", "bird/f.py": None}
    info = install(site, "bird", {**files, **elsewhere}, **{"entry_points.txt": "x", "licenses/LICENSE": "MIT"})
    (site / "bird" / "f.py").mkdir()  # a folder where a file is listed
    (site / "~ird-1.0.dist-info").mkdir()  # left over from an uninstalled package
    assert paths(installed()) == [f"{info.name}/METADATA", f"{info.name}/licenses/LICENSE", "bird/a.json"]


def test_only_packages_from_an_index_are_read(site):
    editable = '{"url": "file:///x", "dir_info": {"editable": true}}'
    install(site, "editable", {"e.py": b"e"}, **{"direct_url.json": editable})
    install(site, "from_address", {"u.py": b"u"}, **{"direct_url.json": '{"url": "https://example.org/u.whl"}'})
    install(site, "plain", {"p.py": b"p"})
    (site / "checkout.egg-info").mkdir()
    (site / "checkout.egg-info" / "PKG-INFO").write_text(METADATA.format(name="checkout", more=""))
    assert {d["meta"]["package"] for d in installed()} == {"plain"}


def test_a_readme_in_the_old_form_and_none(site):
    """Before metadata 2.1 the README was a header, each further line indented."""
    old = "Metadata-Version: 2.0\nName: bird\nVersion: 1.0\nDescription: Sings.\n        Loudly.\n"
    install(site, "bird", {}, METADATA=old)
    install(site, "wren", {"a.py": b"a"}, METADATA="Metadata-Version: 2.4\nName: wren\nVersion: 1.0\n")
    assert [document["text"].split() for document in installed()] == [["Sings.", "Loudly."], ["a"]]


OSI = "Classifier: License :: OSI Approved :: "
LICENCES = {
    f"License-Expression: MIT\nLicense: other\n{OSI}BSD License\n": "MIT",
    f"{OSI}MIT License\nLicense: other\n": "MIT License",
    f"{OSI}MIT License\nClassifier: Topic :: X\n{OSI}BSD License\n": "MIT License, BSD License",
    "License:  BSD-3-Clause \n": "BSD-3-Clause",
    f"License: {'x' * 60}\n": "x" * 60,
    f"License: {'x' * 61}\n": "see its licence file",
    "": "see its licence file",
}


def test_the_licences_of_packages(site):
    install(site, "heron", {}, RECORD="")
    install(site, "mine", {}, **{"direct_url.json": "{}"})
    for i, more in enumerate(LICENCES):
        install(site, f"bird{i}", {}, METADATA=METADATA.format(name=f"bird{i}", more=more))
    assert [document["meta"]["license"] for document in installed()] == list(LICENCES.values())
    assert list(sources.licences().items()) == [(f"bird{i}", told) for i, told in enumerate(LICENCES.values())]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"packages": ["six", "no", "labutils"]}, "not installed from a package index here: no, labutils; `pip list` "),
        ({"sets": ["Python", "Perl", "Ada"]}, "no set named Ada, Perl; there are Changelogs, Licences, READMEs, C and"),
        ({"shards": [4], "of": 4}, "shards must lie in range(4), got [4]; shards=(0,), of=1 is the whole corpus"),
        ({"shards": [-1], "of": 4}, "shards must lie in range(4), got [-1]; "),
        ({"shards": [], "of": 0}, "shards must lie in range(0), got []; "),
        ({"limit": -1}, "limit must be at least 0, got -1"),
    ],
)
def test_what_is_refused(how, message):
    with pytest.raises(ValueError) as raised:
        next(installed(**how))
    assert str(raised.value).startswith(message)


@pytest.fixture(scope="module")
def whole() -> list[dict]:
    """The documents of a few small real packages, in order."""
    found = list(installed(packages=SMALL))
    counts = Counter(d["meta"]["package"] for d in found)
    assert list(counts) == sorted(SMALL) and min(counts.values()) >= 3
    assert "def encode(" in next(d["text"] for d in found if d["meta"]["path"] == "idna/core.py")
    return found


def test_a_seed_shuffles_the_same_documents_and_does_so_each_time(whole):
    assert list(installed(packages=SMALL[::-1])) == whole
    first, again, other = (list(installed(packages=SMALL, seed=seed)) for seed in (0, 0, 1))
    assert first == again != other and sorted(first, key=json.dumps) == sorted(whole, key=json.dumps)
    packages = [d["meta"]["package"] for d in first]
    assert sum(one != other for one, other in itertools.pairwise(packages)) > len(SMALL)


def test_a_limit_draws_the_first_of_the_shuffled_files_and_opens_no_other(monkeypatch):
    opened = []
    monkeypatch.setattr(sources, "_read", lambda package, path: opened.append(path) or "text")
    whole = paths(installed(packages=SMALL, seed=5))
    assert sorted(whole) == sorted(file["path"] for file in listed(packages=SMALL))
    opened.clear()
    documents = installed(packages=SMALL, limit=7, seed=5)
    assert opened == [], "nothing is opened before it is asked for"
    assert [next(documents)["meta"]["path"]] == opened == whole[:1]
    assert paths(documents) == whole[1:7] == opened[1:]
    shards = [installed(packages=SMALL, limit=7, seed=5, shards=[i], of=3) for i in range(3)]
    assert sorted(path for shard in shards for path in paths(shard)) == sorted(whole[:7])


@pytest.mark.parametrize(("of", "seed"), [(1, 5), (2, None), (7, 5)])
def test_shards_are_the_whole_and_share_nothing(whole, of, seed):
    shards = [list(installed(packages=SMALL, shards=[i], of=of, seed=seed)) for i in range(of)]
    order = paths(installed(packages=SMALL, seed=seed))
    assert sorted(path for shard in shards for path in paths(shard)) == sorted(paths(whole))
    assert all(paths(shard) == sorted(paths(shard), key=order.index) for shard in shards)
    assert sum(map(bool, shards)) > of / 2
    together = paths(installed(packages=SMALL, shards=range(0, of, 2), of=of, seed=seed))
    assert sorted(together) == sorted(path for shard in shards[::2] for path in paths(shard))


def test_a_file_of_documents(tmp_path):
    path = tmp_path / "a.jsonl"
    lines = [b'{"text": "one", "meta": {"a": 1}}', b"", b'{"text": "two", "more": 2}', b'{"text": "", "meta": null}']
    path.write_bytes(b"\n".join([*lines, b'{"text": "\xe2\x80\xa8"}']))
    found = [(each["text"], each["meta"]) for each in jsonl(path)]
    assert found == [("one", {"a": 1}), ("two", {}), ("", {}), ("\u2028", {})]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"text": "one"', "not JSON (Expecting"),
        (b'{"text": "\xff"}', "not JSON ('utf-8' codec can't decode"),
        (b"[" * 100_000, "not JSON (maximum recursion depth"),
        (b'["text"]', 'expected an object with a string under "text"'),
        (b'{"text": null}', 'expected an object with a string under "text"'),
        (b'{"text": "one", "meta": ["a"]}', 'expected an object under "meta", got list'),
    ],
)
def test_a_line_that_is_no_document(tmp_path, line, message):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "one"}\n\n' + line + b'\n{"text": "two"}\n')
    documents = jsonl(path)
    assert next(documents)["text"] == "one"
    with pytest.raises(ValueError) as raised:
        next(documents)
    assert str(raised.value).startswith(f"{path}, line 3: {message}")


PLAIN = """Add up to a sum.|It adds two numbers (whole ones), isn't it?|Two things happen here, as follows:"""
OTHER = """Add up a sum.|add up to a sum.|Add up to a sum|>>> add(1, 2) + add(3, 4).|Calls `add` up to a sum.
Parameters ---------- a : int, the first number.|.. note:: This adds up numbers.|Adds up a_first and a_second, too.
Sum of {a} and of b, c.|Größe of the sum of both.|It holds one \\\\d that is odd."""
LOOSE = {
    "Returns ``True`` if *x* is one of :class:`~torch.Tensor`.": ["Returns True if x is one of torch.Tensor."],
    "The value of max_length is n/2 = 4.": ["The value of max_length is n/2 = 4."],
    "width : int, optional, in pixels": [],
    "Use ``True``.": [],
    ">>> a session of more words than five.": [],
}


def test_which_paragraphs_are_plain_and_which_need_not_be(recwarn):
    for texts, kept in ((PLAIN, True), (OTHER, False)):
        for text in texts.replace("\n", "|").split("|"):
            assert list(paragraphs(f'"""{text}"""')) == [text] * kept, text
    for text, kept in LOOSE.items():
        assert list(paragraphs(f'"""{text}"""', plain=False)) == kept
        assert list(paragraphs(f'"""{text}"""')) == []
    for source in ("", "def", "x = 'a\0'", "(" * 500, "# Only a comment is here."):
        assert list(paragraphs(source)) == []
    assert list(paragraphs('"""Fine is this one line."""\nx = "\\d"')) == ["Fine is this one line."]
    assert not list(recwarn), "an escape that Python warns of is silent"


def test_paragraphs_are_lines():
    source = '''"""Add two
    numbers up to a sum.

      It is the
      second paragraph here.
    """
class A:
    "The class has one, too."
    async def f(self):
        r"""The method has one, too."""
x = """No docstring is this string."""
'''
    assert list(paragraphs(source)) == [
        "Add two numbers up to a sum.",
        "It is the second paragraph here.",
        "The class has one, too.",
        "The method has one, too.",
    ]


def test_documents_of_a_package(monkeypatch):
    def installed(*, seed, packages, sets):
        assert (seed, packages, sets) == (3, ["bird"], ("Python",))
        line = "It flies over the sea."
        for path, text in [
            ("bird/a.py", f'"""{line}"""\ndef f():\n    """{line}\n\n    It comes back every spring."""'),
            ("bird/tests/b.py", f'"""{line} {line} {line}"""'),
            ("bird/c.py", '"""It is too short."""'),
        ]:
            yield {"text": text, "meta": {"path": path, "pile_set_name": "Python", "license": "MIT"}}

    monkeypatch.setattr(sources, "installed", installed)
    expected = {
        "text": "It flies over the sea.\n\nIt comes back every spring.",
        "meta": {"path": "bird/a.py", "pile_set_name": "Docstrings", "license": "MIT"},
    }
    assert list(docstrings("bird", least=40, seed=3)) == [expected]


def test_the_held_out_package_gives_enough_text_and_is_not_read_by_the_base():
    texts = documents()
    assert len(texts) == len(set(texts)) == 64
    assert 60_000 < sum(map(len, texts)) < 200_000 and min(map(len, texts)) >= 500
    assert documents(3) == texts[:3] == [d["text"] for d in itertools.islice(docstrings(PACKAGE), 3)]
    rows = map(json.loads, (places.DATA / "base" / "packages.jsonl").read_text(encoding="utf-8").splitlines())
    assert [row["role"] for row in rows if row["name"].lower() == PACKAGE] == ["held_out"]


CLIENT = """
import json
import datasets
from labutils.corpus.sources import CORPORA
for corpus in CORPORA.values():
    stream = datasets.load_dataset(corpus.hub_id, corpus.config, split="train", streaming=True)
    print(json.dumps([type(stream).__name__, list(stream)], default=str))
"""


def as_jsonl(*rows: dict) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def parquet(*rows: dict) -> bytes:
    buffer = io.BytesIO()
    pa.parquet.write_table(pa.Table.from_pylist(list(rows)), buffer)
    return buffer.getvalue()


def card(config: str, path: str) -> bytes:
    return f"---\nconfigs:\n- config_name: {config}\n  data_files:\n  - split: train\n    path: {path}\n---\n".encode()


PAGE = {"text": "A page.", "timestamp": "2019-04-25T12:57:54Z", "url": "https://example.org/"}
WEB = {"text": "A lesson.", "id": "<urn:1>", "dump": "CC-MAIN-2013-20", "score": 3.5, "token_count": 4}
ARTICLE = {"id": "12", "url": "https://en.example.org/A", "title": "A", "text": "An article."}
PILE = [{"text": f"Text {i}.", "meta": {"pile_set_name": name}} for i, name in enumerate(["Pile-CC", "Github"] * 9)]
COMMON = {"id": "7", "text": "A thesis.", "source": "doab", "added": "2024-01-01", "metadata": {"license": "CC BY"}}
OTHER_SPLIT = as_jsonl({"text": "not for training", "meta": {"pile_set_name": "x"}})
EN, TEN, WIKI = "en/c4-train", "sample/10BT/000_00000.parquet", "20231101.en/train-00000-of-00041.parquet"
REPOS = {
    "allenai/c4": {
        "README.md": card("en", f"{EN}.*.json.gz"),
        f"{EN}.00000-of-01024.json.gz": gzip.compress(as_jsonl(PAGE)),
        f"{EN}.00001-of-01024.json.gz": gzip.compress(as_jsonl({**PAGE, "text": "Another."})),
        "en/c4-validation.00000-of-00008.json.gz": gzip.compress(OTHER_SPLIT),
    },
    "HuggingFaceFW/fineweb-edu": {
        "README.md": card("sample-10BT", "sample/10BT/*"),
        TEN: parquet(WEB),
        "data/CC-MAIN-2013-20/000_00000.parquet": parquet({**WEB, "text": "no"}),
    },
    "HuggingFaceFW/fineweb": {"README.md": card("sample-10BT", "sample/10BT/*"), TEN: parquet(WEB)},
    "monology/pile-uncopyrighted": {
        "README.md": b"---\nlicense: other\n---\n",
        "train/00.jsonl.zst": remote.zstd.compress(as_jsonl(*PILE)),
        "val.jsonl.zst": remote.zstd.compress(OTHER_SPLIT),
        "test.jsonl.zst": remote.zstd.compress(OTHER_SPLIT),
    },
    "common-pile/comma_v0.1_training_dataset": {"doab/00000_doab.jsonl.gz": gzip.compress(as_jsonl(COMMON))},
    "wikimedia/wikipedia": {"README.md": card("20231101.en", "20231101.en/train-*"), WIKI: parquet(ARTICLE)},
}
STREAMED = {
    "c4": ["A page.", "Another."],
    "fineweb-edu": ["A lesson."],
    "fineweb": ["A lesson."],
    "pile": [row["text"] for row in PILE],
    "common-pile": ["A thesis."],
    "wikipedia": ["An article."],
}


def test_the_calls_of_the_rows_stream_the_training_texts(tmp_path):
    assert {each.hub_id for each in CORPORA.values()} == set(REPOS)
    assert all(each.size and each.licence and each.citation for each in CORPORA.values())
    with HubServer({name: Repo(files) for name, files in REPOS.items()}) as hub:
        env = {**os.environ, "NO_PROXY": "*", **hub.environment(tmp_path, token=None)}
        ran = subprocess.run([sys.executable, "-c", CLIENT], env=env, capture_output=True, text=True, check=True)
        assert not [asked for asked in hub.asked if not asked.startswith(("GET ", "HEAD "))]
    kinds, rows = zip(*map(json.loads, ran.stdout.splitlines()), strict=True)
    assert set(kinds) == {"IterableDataset"}
    found = dict(zip(CORPORA, rows, strict=True))
    assert {name: [row["text"] for row in rows] for name, rows in found.items()} == STREAMED and found["pile"] == PILE


def test_the_piles_numbers_agree_with_each_other():
    """What the table's caption says: weights are shares of the effective bytes, raw size times epochs."""
    assert len(COMPONENTS) == len({part.name for part in COMPONENTS}) == 22
    assert sum(part.gib for part in COMPONENTS) == pytest.approx(825.18, abs=0.1)  # the table's own total
    assert sum(part.weight for part in COMPONENTS) == pytest.approx(100, abs=0.1)
    effective = sum(part.gib * part.epochs for part in COMPONENTS)
    assert effective == pytest.approx(1254.20, abs=0.2)
    for part in COMPONENTS:
        assert 100 * part.gib * part.epochs / effective == pytest.approx(part.weight, abs=0.011), part.name
    assert list(COMPONENTS) == sorted(COMPONENTS, key=lambda part: -part.weight)
