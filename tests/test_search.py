"""The n-gram search, the Pile's numbers, and the language of a text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labutils.corpus import pile
from labutils.corpus.languages import language
from labutils.corpus.search import Match, find
from labutils.corpus.sources import installed

law = settings(derandomize=True, deadline=None, max_examples=100)
META = {"package": "bird", "path": "bird/song.md", "license": "MIT"}


def document(text: str) -> dict:
    return {"text": text, "meta": META}


@pytest.mark.parametrize(
    ("phrase", "text", "times"),
    [
        ("the plover", "the plover", 1),
        ("the plover", "See the\n\t plover. And the plover!", 2),
        (" the  plover\n", "the plover", 1),
        ("the plover", "The plover", 0),
        ("the plover", "the plovers", 0),
        ("the plover", "bathe plover", 0),
        ("the plover", "theplover", 0),
        ("a.b", "axb", 0),
        ("f(x)", "if(x) f(x)y", 1),
        ("(x)", "f(x)y", 1),
        ("Größe", "die Größe!", 1),
    ],
)
def test_what_is_found(phrase, text, times):
    found = [Match("bird", "bird/song.md", "MIT", times, text)] if times else []
    assert list(find(phrase, [document("nothing"), document(text)])) == found


def test_the_case_can_be_ignored():
    assert next(find("THE plover", [document("The Plover")], ignore_case=True)).around == "The Plover"


@pytest.mark.parametrize("around", [0, 10, 11, 50, 200])
def test_what_is_shown_has_the_phrase_in_its_middle(around):
    (match,) = find("the plover", [document("x " * 500 + "the plover" + " y" * 500)], around=around)
    assert len(match.around) == around
    assert match.around == "the plover"[:around] or match.around.count("x") - match.around.count("y") in (-1, 0, 1)


def test_documents_come_one_by_one():
    def endless():
        while True:
            yield document("the plover")

    matches = find("plover", endless())
    assert next(matches) == next(matches)


@pytest.mark.parametrize(("phrase", "around"), [("", 10), (" \n", 10), ("a", -1), ("a", 201)])
def test_what_cannot_be_looked_for(phrase, around):
    with pytest.raises(ValueError, match=r"^an empty phrase|^around must lie between 0 and 200"):
        find(phrase, [], around=around)


@law
@given(st.text(), st.text())
def test_any_text_is_looked_through(phrase, text):
    if phrase.split():
        for match in find(phrase, [{"text": text}, document(text)]):
            assert match.times >= 1 and match.around in text and len(match.around) <= 200


def test_a_real_package():
    (match,) = find(
        "def encode(", [each for each in installed(packages=["idna"]) if each["meta"]["path"] == "idna/core.py"]
    )
    assert (match.package, match.path) == ("idna", "idna/core.py") and "def encode(" in match.around


def test_the_piles_numbers_agree_with_each_other():
    """What the table's caption says: weights are shares of the effective bytes, raw size times epochs."""
    assert len(pile.COMPONENTS) == len({part.name for part in pile.COMPONENTS}) == 22
    assert sum(part.gib for part in pile.COMPONENTS) == pytest.approx(pile.GIB, abs=0.1)
    assert sum(part.weight for part in pile.COMPONENTS) == pytest.approx(100, abs=0.1)
    effective = sum(part.gib * part.epochs for part in pile.COMPONENTS)
    assert effective == pytest.approx(1254.20, abs=0.2)
    for part in pile.COMPONENTS:
        assert 100 * part.gib * part.epochs / effective == pytest.approx(part.weight, abs=0.011), part.name
    assert list(pile.COMPONENTS) == sorted(pile.COMPONENTS, key=lambda part: -part.weight)


def test_the_pile_beside_another_corpus():
    rows = pile.beside([("XML", 0.25), ("Python", 0.75)])
    assert len(rows) == 22
    assert rows[0] == {"the Pile": "Pile-CC", "its share": "27.5 %", "here": "Python", "share here": "75.0 %"}
    assert list(rows[1].values()) == ["Books3", "12.2 %", "XML", "25.0 %"]
    assert list(rows[-1].values()) == ["Enron Emails", "0.1 %", "", ""]
    assert list(pile.beside([("a", 0.04)] * 25)[-1].values()) == ["", "", "a", "4.0 %"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The plover measures wind and rain on the coast.", "en"),
        ("Der Regenpfeifer misst Wind und Regen an der Küste.", "de"),
        ("Le pluvier mesure le vent et la pluie sur la côte.", "fr"),
        ("千鳥は海岸で風と雨を測定します。そして毎日その結果を送ります。", "ja"),
        ("https://plover.org/the/wind <b> 12 + 12 = 24 </b>", "unclear"),
        ("a" * 19, "unclear"),
        ("", "unclear"),
    ],
)
def test_the_language_of_a_text(text, code):
    assert language(text) == code


def test_twenty_letters_are_enough():
    assert (language("the wind and the rain fell"), language("the wind and the rain, oh")) == ("en", "unclear")
    assert language("12 " * 3000 + "the wind of the coast and the rain") == "unclear"  # too far behind
    assert language("x" * 10**6) != ""


@law
@given(st.text())
def test_any_text_has_a_language_or_is_unclear(text):
    assert 2 <= len(language(text)) <= 7
