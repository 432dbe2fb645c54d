"""Streams of documents: from made-up packages in a temporary folder, from a few small real ones, from JSON Lines."""

import functools
import importlib.metadata
import itertools
import json
from collections import Counter
from pathlib import Path

import datasets
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labutils.corpus import sources
from labutils.corpus.sources import SETS, installed, jsonl, kind, listed

law = settings(
    derandomize=True, deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SMALL = ["idna", "certifi", "six", "h11"]  # real packages of a few files each
METADATA = "Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{more}\nThe README of {name}.\n"


@pytest.fixture(autouse=True)
def no_user_cache(monkeypatch, tmp_path_factory):
    """`datasets` puts its locks into a folder of the test."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("datasets"))


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
    "Python stubs": "a/b.pyi",
    "C and C++": "a/b.pyx a/b.cuh",
    "JavaScript": "a/b.tsx",
    "Documentation": "README.md my_license.txt",
    "Web pages": "a/b.html",
    "Style sheets": "a/b.css",
    "XML": "a/b.svg",
    "JSON": "a/b.js.map a/release.json",
    "Tables": "a/b.tsv",
    "Settings": "a/b.toml",
    "Translations": "a/de.po",
    "Licences": "LICENSE a/licence.md a-1.0.dist-info/licenses/AUTHORS.rst",
    "Changelogs": "CHANGELOG.rst HISTORY docs/news.txt",
    "READMEs": "a-1.0.dist-info/METADATA",
    None: "a/METADATA a-1.0.dist-info/entry_points.txt a-1.0.dist-info/sboms/a.json l/libc10.so a/b.pyc Makefile a/.py",
}


def test_kinds():
    assert {
        name: " ".join(path for path in found.split() if kind(path) == name) for name, found in KINDS.items()
    } == KINDS
    assert set(KINDS) - {None} == set(SETS)


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
    for options in ({"limit": 4}, {"limit": 4, "seed": 3}, {"seed": 3}, {}):
        assert [file["path"] for file in listed(**options)] == paths(installed(**options))


BECOMES = {b"plain": "plain", "Größe µ\r\n".encode(): "Größe µ\r\n", b"caf\xe9 \xff!": "caf\ufffd \ufffd!", b"": None,
           b"a" * 4095 + b"\0": None, b"a" * 4096 + b"\0": "a" * 4096 + "\0", None: None}  # fmt: skip


def test_what_a_file_becomes(site):
    """Bad UTF-8 is marked; a zero byte in the head, an empty and a missing file are no text."""
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
    for name in ("editable", "from-address", "checkout"):
        with pytest.raises(ValueError, match=rf"^not installed from a package index here: {name}; `pip list` names"):
            next(installed(packages=[name]))


@pytest.mark.parametrize(
    "damage",
    [{"METADATA": b"Name: bird\xff\nVersion: 1\n"}, {"RECORD": b"\xff.py,,\n"}, {"METADATA": ""}, {"RECORD": ""}],
    ids=["METADATA no UTF-8", "RECORD no UTF-8", "METADATA empty", "RECORD empty"],
)
def test_a_damaged_package_does_not_stop_the_others(site, damage):
    install(site, "bird", {"bird/a.py": b"a"}, **damage)
    install(site, "wren", {"wren/a.py": b"w"})
    assert paths(installed(sets=["Python"])) == ["wren/a.py"]


def test_a_readme_in_the_old_form_and_none(site):
    """Before metadata 2.1 the README was a header, each further line indented."""
    old = "Metadata-Version: 2.0\nName: bird\nVersion: 1.0\nDescription: Sings.\n        Loudly.\n"
    install(site, "bird", {}, METADATA=old)
    install(site, "wren", {"a.py": b"a"}, METADATA="Metadata-Version: 2.4\nName: wren\nVersion: 1.0\n")
    assert [document["text"].split() for document in installed()] == [["Sings.", "Loudly."], ["a"]]


OSI = "Classifier: License :: OSI Approved :: "


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


def test_the_corpus_narrowed_to_packages_and_sets(site):
    install(site, "wren", {"w.py": b"w", "w.md": b"# w"})
    install(site, "some.bird", {"b.py": b"b", "b.md": b"# b"})
    install(site, "heron", {"h.py": b"h"})
    assert paths(installed(packages=["wren", "Some_Bird", "some-bird"], sets=["Python"])) == ["b.py", "w.py"]
    assert paths(installed(packages=["wren"], sets=["Documentation", "Python"])) == ["w.md", "w.py"]
    assert paths(installed(packages=[])) == paths(installed(sets=[])) == []


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"packages": ["six", "nosuch", "labutils"]}, "not installed from a package index here: nosuch, labutils; "),
        ({"sets": ["Python", "Perl", "Ada"]}, "no set named Ada, Perl; there are Changelogs, Licences, READMEs, C and"),
        ({"shards": [4], "of": 4}, "shards must lie in range(4), got [4]; shards=(0,), of=1 is the whole corpus"),
        ({"shards": [-1], "of": 4}, "shards must lie in range(4), got [-1]; "),
        ({"of": 0}, "shards must lie in range(0), got [0]; "),
        ({"shards": [], "of": 0}, "shards must lie in range(0), got []; "),
    ],
)
def test_what_is_refused(how, message):
    with pytest.raises(ValueError) as raised:
        next(installed(**how))
    assert str(raised.value).startswith(message)


@pytest.fixture(scope="module")
def whole() -> list[dict]:
    """The documents of a few small real packages, in order."""
    return list(installed(packages=SMALL))


def test_real_packages(whole):
    counts = Counter(d["meta"]["package"] for d in whole)
    assert list(counts) == sorted(SMALL) and min(counts.values()) >= 3
    for document in whole:
        meta = document["meta"]
        file = Path(importlib.metadata.distribution(meta["package"]).locate_file(meta["path"]))
        assert not Path(meta["path"]).is_absolute()
        assert meta["version"] == importlib.metadata.version(meta["package"])
        assert meta["pile_set_name"] == kind(meta["path"]) and meta["pile_set_name"] in SETS
        assert document["text"] in file.read_bytes().decode("utf-8", "replace")
    assert "def encode(" in next(d["text"] for d in whole if d["meta"]["path"] == "idna/core.py")


def test_a_seed_shuffles_the_same_documents_and_does_so_each_time(whole):
    assert list(installed(packages=SMALL[::-1])) == whole
    first, again, other = (list(installed(packages=SMALL, seed=seed)) for seed in (0, 0, 1))
    assert first == again != other
    assert all(sorted(each, key=json.dumps) == sorted(whole, key=json.dumps) != each for each in (first, other))
    packages = [d["meta"]["package"] for d in first]
    assert sum(one != other for one, other in itertools.pairwise(packages)) > len(SMALL)


@pytest.mark.parametrize("seed", [None, 5])
@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_shards_are_the_whole_and_share_nothing(whole, of, seed):
    shards = [list(installed(packages=SMALL, shards=[i], of=of, seed=seed)) for i in range(of)]
    order = paths(installed(packages=SMALL, seed=seed))
    assert sorted(path for shard in shards for path in paths(shard)) == sorted(paths(whole))
    assert all(paths(shard) == sorted(paths(shard), key=order.index) for shard in shards)
    assert sum(map(bool, shards)) > of / 2
    together = paths(installed(packages=SMALL, shards=range(0, of, 2), of=of, seed=seed))
    assert sorted(together) == sorted(path for shard in shards[::2] for path in paths(shard))


def test_nothing_is_opened_before_it_is_asked_for(site, monkeypatch):
    install(site, "bird", {f"bird/{i}.py": b"x" for i in range(9)})
    opened = []
    monkeypatch.setattr(sources, "_read", lambda package, path: opened.append(path) or "text")
    documents = installed(sets=["Python"])
    assert opened == []
    next(documents), next(documents)
    assert opened == ["bird/0.py", "bird/1.py"]


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


pieces = st.sampled_from([b'{"text":', b'"a"', b"}", b',"meta":', b"{}", b"[", b"1", b"\n", b"\x00", b"\xff", b" "])


@law
@given(st.binary() | st.lists(pieces, max_size=12).map(b"".join))
def test_any_bytes_are_documents_or_a_value_error(tmp_path, content):
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    try:
        documents = list(jsonl(path))
    except ValueError as error:
        assert str(error).startswith(f"{path}, line ")
    else:
        assert all(type(d["text"]) is str and type(d["meta"]) is dict and len(d) == 2 for d in documents)
