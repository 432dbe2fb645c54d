"""Docstrings as running text: which paragraphs are plain, which files make a document, the held-out package."""

import itertools
import json

import pytest

from labutils import places
from labutils.corpus import sources
from labutils.corpus.sources import docstrings, paragraphs
from labutils.measure.held_out import PACKAGE, documents


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Add up to a sum.", True),
        ("It adds two numbers (whole ones), isn't it?", True),
        ("Two things happen here, as follows:", True),
        ("Add up a sum.", False),  # four words
        ("add up to a sum.", False),
        ("Add up to a sum", False),
        (">>> add(1, 2) + add(3, 4).", False),
        ("Calls `add` up to a sum.", False),
        ("Parameters ---------- a : int, the first number.", False),
        (".. note:: This adds up numbers.", False),
        ("Adds up a_first and a_second, too.", False),
        ("Sum of {a} and of b, c.", False),
        ("Größe of the sum of both.", False),
    ],
)
def test_which_paragraphs_are_plain(text, kept):
    assert list(paragraphs(f'"""{text}"""')) == [text] * kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (
            "Returns ``True`` if *x* is an instance of :class:`~torch.Tensor`.",
            "Returns True if x is an instance of torch.Tensor.",
        ),
        ("The value of max_length is n/2 = 4.", "The value of max_length is n/2 = 4."),
        ("width : int, optional, in pixels", None),
        ("Use ``True``.", None),
        (">>> a session of more words than five.", None),
    ],
)
def test_which_paragraphs_need_not_be_plain(text, kept):
    assert list(paragraphs(f'"""{text}"""', plain=False)) == [kept] * (kept is not None)
    assert list(paragraphs(f'"""{text}"""')) == []


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


@pytest.mark.parametrize("source", ["", "def", "x = 'a\0'", "(" * 500, "# Only a comment is here."])
def test_source_without_docstrings(source):
    assert list(paragraphs(source)) == []


def test_an_escape_that_python_warns_of_is_silent(recwarn):
    assert list(paragraphs('"""It holds one \\\\d that is odd."""')) == []
    assert list(paragraphs('"""Fine is this one line."""\nx = "\\d"')) == ["Fine is this one line."]
    assert not list(recwarn)


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


def test_a_package_that_is_not_here():
    with pytest.raises(ValueError, match="not installed from a package index here: no-such-package"):
        next(docstrings("no-such-package"))


def test_the_held_out_package_gives_enough_text_without_a_network():
    texts = documents()
    assert len(texts) == len(set(texts)) == 64
    assert 60_000 < sum(map(len, texts)) < 200_000 and min(map(len, texts)) >= 500
    assert documents(3) == texts[:3] == [d["text"] for d in itertools.islice(docstrings(PACKAGE), 3)]


def test_the_base_has_not_read_the_held_out_package():
    rows = map(json.loads, (places.DATA / "base" / "packages.jsonl").read_text(encoding="utf-8").splitlines())
    assert [row["role"] for row in rows if row["name"].lower() == PACKAGE] == ["held_out"]
