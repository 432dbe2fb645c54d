"""Docstrings as running text: which paragraphs are plain, which files make a document, the held-out package."""

import itertools
import json

import pytest

from labutils import places
from labutils.corpus import sources
from labutils.corpus.sources import docstrings, paragraphs
from labutils.measure.held_out import PACKAGE, documents

PLAIN = """Add up to a sum.|It adds two numbers (whole ones), isn't it?|Two things happen here, as follows:"""
OTHER = """Add up a sum.|add up to a sum.|Add up to a sum|>>> add(1, 2) + add(3, 4).|Calls `add` up to a sum.
Parameters ---------- a : int, the first number.|.. note:: This adds up numbers.|Adds up a_first and a_second, too.
Sum of {a} and of b, c.|Größe of the sum of both."""


@pytest.mark.parametrize(("texts", "kept"), [(PLAIN, True), (OTHER, False)])
def test_which_paragraphs_are_plain(texts, kept):
    for text in texts.replace("\n", "|").split("|"):
        assert list(paragraphs(f'"""{text}"""')) == [text] * kept, text


LOOSE = {
    "Returns ``True`` if *x* is one of :class:`~torch.Tensor`.": ["Returns True if x is one of torch.Tensor."],
    "The value of max_length is n/2 = 4.": ["The value of max_length is n/2 = 4."],
    "width : int, optional, in pixels": [],
    "Use ``True``.": [],
    ">>> a session of more words than five.": [],
}


def test_which_paragraphs_need_not_be_plain():
    for text, kept in LOOSE.items():
        assert list(paragraphs(f'"""{text}"""', plain=False)) == kept
        assert list(paragraphs(f'"""{text}"""')) == []
    for source in ("", "def", "x = 'a\0'", "(" * 500, "# Only a comment is here."):
        assert list(paragraphs(source)) == []


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


def test_the_held_out_package_gives_enough_text_and_is_not_read_by_the_base():
    texts = documents()
    assert len(texts) == len(set(texts)) == 64
    assert 60_000 < sum(map(len, texts)) < 200_000 and min(map(len, texts)) >= 500
    assert documents(3) == texts[:3] == [d["text"] for d in itertools.islice(docstrings(PACKAGE), 3)]
    rows = map(json.loads, (places.DATA / "base" / "packages.jsonl").read_text(encoding="utf-8").splitlines())
    assert [row["role"] for row in rows if row["name"].lower() == PACKAGE] == ["held_out"]
