"""The language of a text, and the Pile's numbers."""

import pytest

from labutils.corpus import sources as corpora
from labutils.corpus.survey import language


def test_the_piles_numbers_agree_with_each_other():
    """What the table's caption says: weights are shares of the effective bytes, raw size times epochs."""
    assert len(corpora.COMPONENTS) == len({part.name for part in corpora.COMPONENTS}) == 22
    assert sum(part.gib for part in corpora.COMPONENTS) == pytest.approx(
        825.18, abs=0.1
    )  # the table's own total of the raw sizes
    assert sum(part.weight for part in corpora.COMPONENTS) == pytest.approx(100, abs=0.1)
    effective = sum(part.gib * part.epochs for part in corpora.COMPONENTS)
    assert effective == pytest.approx(1254.20, abs=0.2)
    for part in corpora.COMPONENTS:
        assert 100 * part.gib * part.epochs / effective == pytest.approx(part.weight, abs=0.011), part.name
    assert list(corpora.COMPONENTS) == sorted(corpora.COMPONENTS, key=lambda part: -part.weight)


TEXTS = {
    "The plover measures wind and rain on the coast.": "en",
    "Der Regenpfeifer misst Wind und Regen an der Küste.": "de",
    "Le pluvier mesure le vent et la pluie sur la côte.": "fr",
    "千鳥は海岸で風と雨を測定します。そして毎日その結果を送ります。": "ja",
    "https://plover.org/the/wind <b> 12 + 12 = 24 </b>": "unclear",
    "a" * 19: "unclear",
    "": "unclear",
    "the wind and the rain fell": "en",
    "the wind and the rain, oh": "unclear",  # nineteen letters
    "12 " * 3000 + "the wind of the coast and the rain": "unclear",  # too far behind
}


def test_the_language_of_a_text():
    assert {text: language(text) for text in TEXTS} == TEXTS and language("x" * 10**6) != ""
