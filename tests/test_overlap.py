import pytest

from labutils.measure.scoring import f1, word_f1, words


@pytest.mark.parametrize(
    ("given", "expected", "value"),
    [
        (["heron", "mast"], ["heron", "price"], 0.5),
        (["heron"], ["heron", "price", "mast"], 2 / 4),
        (["heron", "heron"], ["heron"], 2 / 3),
        (["heron"], ["Heron"], 0),
        ([], ["heron"], 0),
        ([], [], 1),
    ],
)
def test_f1_counts_what_both_have(given, expected, value):
    assert f1(given, expected) == pytest.approx(value) == pytest.approx(f1(expected, given))


def test_words_keep_numbers_whole():
    assert words("It's 1,150 euros, by 7:10 on e-mail.") == ["it", "s", "1,150", "euros", "by", "7:10", "on", "e-mail"]
    assert words("") == []


def test_words_see_neither_order_nor_letter_case():
    assert word_f1("the RED light", "Light, the red!") == 1
    assert word_f1("blue", "the red light") == 0
    assert word_f1("red", "the red light") == pytest.approx(2 / 4)
