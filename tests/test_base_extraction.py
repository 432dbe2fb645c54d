"""How the files of a package become plain English: markup, docstrings, descriptions of services, any bytes at all."""

import gzip
import json
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labutils import places

sys.path.insert(0, str(places.DATA / "base"))

import extract
from inline import inline
from markup import plain, untagged
from paragraphs import opening, term
from sentences import sentences, tidied
from services import spaced

law = settings(
    derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def text_of(name: str, text: str) -> str:
    """The one document of a file."""
    (document,) = extract.documents(f"bird/{name}", text.encode())
    return document


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Open\n====\n\nUse :func:`~io.open`\nto open a ``file``.", "Open\n\nUse open to open a file."),
        ("A bird.\n\n.. note:: It sings.\n   Loudly.\n\nIt flies.", "A bird.\n\nIt sings. Loudly.\n\nIt flies."),
        ("A bird.\n\n.. code-block:: python\n\n   sing()\n\nIt flies.", "A bird.\n\nIt flies."),
        (".. function:: sing(loud)\n   :noindex:\n\n   It sings to the others.", "It sings to the others."),
        (".. versionadded:: 3.1 It sings now.", "It sings now."),
        ("It sings like this::\n\n    sing()\n\nIt flies.", "It flies."),  # the announcement goes with the block
        ("It sings. ::\n\n    sing()\n\nIt flies.", "It sings.\n\nIt flies."),
        (".. a comment\n   of two lines\n\nIt flies.", "It flies."),
        (".. _target: https://example.org\n\nIt flies.", "It flies."),
        ("It flies.\n\n>>> fly()\nTrue\n\nIt sings.", "It flies.\n\nIt sings."),
        ("It flies.\n\n+---+---+\n| a | b |\n+---+---+\n\nIt sings.", "It flies.\n\nIt sings."),
        ("It flies.\n\n=== ===\na   b\n=== ===\n1   2\n=== ===\n\nIt sings.", "It flies.\n\nIt sings."),
        (
            "The birds:\n\n* the wren\n* the heron,\n  which is grey",
            "The birds:\n\n- the wren\n- the heron, which is grey",
        ),
        ("wren\n    A small bird.\nheron\n    A large bird.", "wren: A small bird.\n\nheron: A large bird."),
        ("See `the page <https://example.org>`_ and [1]_.", "See the page and."),
    ],
)
def test_restructured_text(text, expected):
    assert text_of("page.rst", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\ntitle: x\n---\n# Birds #\n\nThey **fly**.", "Birds\n\nThey fly."),
        ("They fly.\n\n```python\nfly()\n```\n\nThey sing.", "They fly.\n\nThey sing."),
        ("They fly.\n\n~~~\nfly()\n", "They fly."),  # a fence without an end
        (":::{note}\nThey fly.\n:::\n", "They fly."),
        ("```{note}\nThey fly.\n```", "They fly."),
        ("> [!TIP]\n> They fly\n> far.", "They fly far."),
        ('!!! note "On birds"\n    They fly.', "On birds\n\nThey fly."),
        ('![a bird](bird.png) They fly [far](a.md "x").', "They fly far."),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n\nThey fly.", "They fly."),
        ("<details><b>x</b></details>\nThey <b>fly</b>.<br>They sing.", "They fly. They sing."),
        ("<!-- hidden\n\nwords -->They fly.", "They fly."),
        ("[bird]: https://example.org\nThey fly.", "They fly."),
    ],
)
def test_markdown(text, expected):
    assert text_of("page.md", text) == expected


@pytest.mark.parametrize(
    ("doc", "expected"),
    [
        (
            "Sing.\n\n:param loud: How loud it is.\n:type loud: bool\n:returns: The song.\n:raises Error: It fell.",
            "Sing.\n\nloud: How loud it is.\n\nReturns: The song.\n\nRaises: It fell.",
        ),
        (
            "Sing.\n\nArgs:\n    loud (bool): How loud\n        it is.\n    *more: Others.\n\nReturns:\n    The song.",
            "Sing.\n\nloud: How loud it is.\n\nmore: Others.\n\nThe song.",
        ),
        (
            "Sing.\n\nParameters\n-----\nloud, far : bool, optional\n    How.\n\nReturns\n-----\nstr\n    The song.",
            "Sing.\n\nloud, far: How.\n\nstr: The song.",
        ),
        ("Sing.\n\nExamples\n--------\n>>> sing()\n'tu'\n", "Sing."),
    ],
)
def test_docstrings(doc, expected):
    code = 'class Bird:\n    def sing(self):\n        """' + doc.replace("\n", "\n        ") + '"""\n'
    assert text_of("bird.py", code) == expected


SONG = "<p>The song that the bird sings in spring.</p>"
SERVICE = {
    "documentation": "<p>The service of birds.</p>",
    "operations": {
        "ListOldBirds": {"documentation": "<p>Lists <i>all</i> old birds.</p><ul><li><p>One.</p></li></ul>"},
        "Quiet": {},
    },
    "shapes": {"Bird": {"members": {"Id": {"documentation": "<p>The ID.</p>"}, "Song": {"documentation": SONG}}}},
}


def test_a_botocore_service():
    packed = gzip.compress(json.dumps(SERVICE).encode())
    (document,) = extract.documents("botocore/data/birds/1/service-2.json.gz", packed)
    lines = ["The service of birds.", "List old birds", "Lists all old birds.", "- One.", SONG[3:-4]]
    assert document.split("\n\n") == lines


def test_a_discovery_document():
    song = {"items": {"description": "A song that it sings when it is spring."}}
    seen = "Output only. A bird that somebody has seen near the coast."
    bird = {"description": seen, "properties": {"id": {"description": "The ID."}, "song": song}}
    most = {"max": {"description": "Optional. How many birds the list may hold in all."}}
    listed = {"description": "Lists the birds that somebody has seen this year.", "parameters": most}
    api = {"title": "Birds API", "description": "Finds birds.", "schemas": {"Bird": bird}}
    api["resources"] = {"birds": {"methods": {"list": listed}}}
    assert text_of("birds.v1.json", json.dumps(api)).split("\n\n") == [
        "Birds API",
        "Finds birds.",
        "A bird that somebody has seen near the coast.",
        "A song that it sings when it is spring.",
        "Lists the birds that somebody has seen this year.",
        "How many birds the list may hold in all.",
    ]


def test_other_files():
    note = "features:\n  - |\n    The bird can sing\n    at night.\nfixes:\n  - It no longer falls.\n"
    assert text_of("bird.yaml", note) == "The bird can sing at night.\n\nIt no longer falls."
    code = (
        '"First."\nif True:\n    def a():\n        """Second."""\n        class B:\n            "Third."\nx = 1\n"no"\n'
    )
    assert list(extract.docstrings(code)) == ["First.", "Second.", "Third."]
    cells = [
        {"cell_type": "markdown", "source": ["# Birds\n", "They fly."]},
        {"cell_type": "code", "source": ["fly()"]},
    ]
    assert text_of("birds.ipynb", json.dumps({"cells": cells})) == "Birds\n\nThey fly."
    assert list(extract.packed(["a" * 1600, "", "b" * 1600, "c"])) == ["a" * 1600 + "\n\n" + "b" * 1600, "c"]


def test_html():
    page = "<head><title>x</title></head><nav>menu</nav><h1>Birds</h1><p>They &amp; others\nfly.</p><pre>fly()</pre>"
    assert text_of("birds.html", page) == "Birds\n\nThey & others fly."
    assert untagged("<nav>menu</nav><main><p>They fly.</p></main><p>Foot.</p>") == "They fly."


@pytest.mark.parametrize(
    ("step", "given", "expected"),
    [
        (opening, "* one", "- one"),
        (opening, "b) one", "- one"),
        (opening, ":param str x: A number.", "x: A number."),
        (opening, ":type x: str", ""),
        (opening, "x (dict(str, int)): One.", "x: One."),
        (term, "x, y : array_like, optional", "x, y"),
        (spaced, "CreateVPCEndpoint", "Create VPC endpoint"),
        (inline, "Use :func:`~io.open`, [or](a.md) *not* ``eval``.", "Use open, or not eval."),
        (inline, "See :pep:`8`, |name| and snake_case_name \U0001f600.", "See PEP 8, name and snake_case_name."),
        (sentences, "It opens a file. Call open(path, mode).", "It opens a file."),
        (sentences, "- See https://example.org here. It opens a file.", "- It opens a file."),
        (sentences, "12.5 / 13.5 / 14.5", ""),
        (tidied, ["Parameters", "An order.", "- one", "- two"], "An order.\n\n- one\n- two"),
        (tidied, ["It is so. For example:", "It is not."], "It is so.\n\nIt is not."),
        (tidied, ["Examples"], ""),
        (plain, "=== ===\n" + "a   b\n" * 500 + "\nIt flies.", "It flies."),
    ],
)
def test_small_steps(step, given, expected):
    assert step(given) == expected


NAMES = "a.py a.rst a.md a.txt a.yaml a.json a.v1.json service-2.json service-2.json.gz a.html a.ipynb a.c"
PIECES = """    ~.. note::~.. code::~```~:::~|~===~+--+~* ~:param x: ~x : int~A bird sings.~\"\"\"~<p>~</p>~<pre>~{~}~
"shapes":~"cells":[~1~]~- ~&a [*a]~!!int x~`~**~\\~#~::~>>> ~def f():"""
pieces = st.sampled_from([*map(str.encode, PIECES.replace("\n", "").split("~")), b"\n", b"\x00", b"\xff"])
KEYS = "documentation operations shapes members schemas resources methods description properties title"
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda each: (
        st.lists(each, max_size=3)
        | st.dictionaries(st.sampled_from([*KEYS.split(), "cells", "cell_type", "source"]), each, max_size=4)
    ),
    max_leaves=12,
)


@law
@given(st.sampled_from(["service-2.json", "a.v1.json", "a.ipynb", "a.yaml"]), json_values)
def test_any_json_gives_texts(name, value):
    assert all(isinstance(text, str) for text in extract.documents(name, json.dumps(value).encode()))


@law
@given(st.sampled_from(NAMES.split()), st.binary(max_size=80) | st.lists(pieces, max_size=25).map(b"".join))
def test_any_bytes_give_texts(name, content):
    for held in (content, gzip.compress(content)):
        assert all(isinstance(text, str) for text in extract.documents(f"bird/{name}", held))


def test_files_that_nest_too_deep_and_unpack_too_large(monkeypatch):
    assert extract.documents("a.json", b"[" * 100_000) == []
    assert extract.documents("a.py", b"(" * 5_000) == []
    assert extract.documents("a.yaml", b"&a [*a]") == []  # holds itself
    bomb = gzip.compress(json.dumps(SERVICE).encode() + b" " * 5_000)
    assert extract.documents("service-2.json.gz", bomb) != []
    monkeypatch.setattr(extract, "BIGGEST", 4_000)
    assert extract.documents("service-2.json.gz", bomb) == []
