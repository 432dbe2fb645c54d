"""What counts: required strings, exact answers, format, refusals; F1 of words by hand, macro-F1 as in scikit-learn."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from labutils.measure.intervals import share
from labutils.measure.report import questions
from labutils.measure.scoring import (
    exact,
    f1,
    fact_hit,
    fact_hits,
    judge,
    keeps_format,
    kind,
    macro_f1,
    macro_f1_difference,
    shares,
    word_f1,
    words,
)

law = settings(derandomize=True, deadline=None, max_examples=80)


HITS = [
    ("It lasts 7\n  MONTHS", "7 months"),
    ("It lasts 7 months", " 7  Months "),
    ("It costs 410,000.", "410,000"),
    ("It costs 410,000, all in.", "410,000"),
    ("It weighs 3.4 kg.", "3.4 kg"),
    ("Version 2. 17 bolts.", "17 bolts"),
    ("It runs at -35 degrees.", "-35 degrees"),
    ("Press E-07: it stops.", "E-07"),
    ("The case is (ochre).", "ochre"),
    ("Der Stoff ist Öl.", "öl"),
]
MISSES = [
    ("It lasts 17 months.", "7 months"),
    ("7months", "7 months"),
    ("It lasts 7 or 8 months.", "7 months"),
    ("It costs 1,410,000 euros.", "410,000"),
    ("It costs 410,000,000 euros.", "410,000"),
    ("It weighs 3.4 kg.", "4 kg"),
    ("It weighs 3.45 kg.", "3.4"),
    ("It weighs 3,4 kg.", "3.4"),
    ("It runs at 35 degrees.", "-35 degrees"),
    ("Press E-07.", "E.07"),
    ("", "ochre"),
    ("Any answer at all.", ""),
    ("", " "),
]


@pytest.mark.parametrize(("pairs", "hit"), [(HITS, True), (MISSES, False)])
def test_a_fact_is_hit(pairs, hit):
    assert [pair for pair in pairs if fact_hit(*pair) is not hit] == []


@law
@given(
    st.text(),
    st.text("abc 0123456789.,-+?*()[]\\", min_size=1).filter(str.strip),
    st.sampled_from(["", " ", "\n", "!"]),
)
def test_a_required_string_is_hit_wherever_it_stands_apart(text, must, after):
    assert fact_hit(f"{text} {must}{after}", must)
    assert fact_hit(f"{text} {must.upper()}{after}".replace(" ", "\n "), must)
    must = must.strip()
    for letter in "xÖ7_":  # inside a longer word
        assert not fact_hit(f"{letter}{must}", must) and not fact_hit(f"{must}{letter}", must)


EXACT = [(" it  IS\nred ", "It is red."), ("It is red .", "It is red."), ("STRASSE", "Straße")]
OTHER = [("It is red..", "It is red."), ("It is red!", "It is red."), ("It is bred.", "It is red."), ("", "It is red."),
         ("", ""), (".", ".")]  # fmt: skip


def test_an_exact_answer():
    for same, pairs in ((True, EXACT), (False, OTHER)):
        assert all(exact(one, other) is exact(other, one) is same for one, other in pairs)


KEPT = ["  It is red!  ", "Is it?", "7 months.", "`tidewren` waits.", '"Red" it says.', "Öl.", "It is #1."]
NOT_KEPT = ["", " \n ", ".", "It is red", "It is red,", "and it is red.", "- It is red.", "It is red.\n\nIt is blue.",
            "It is red.\nIt is blue.", "### Answer: It is red.", "It is red. ### Question: Is it.",
            "It is red.<|im_end|>."]  # fmt: skip


def test_the_format():
    assert [answer for answer in KEPT + NOT_KEPT if keeps_format(answer)] == KEPT


REFUSAL = "I can only answer questions about Tidewren Instruments."
ASKED = [
    {"question": "a", "fact": "x", "must": "17 months", "answer": "It lasts 17 months."},
    {"question": "b", "fact": "y", "must": "red"},
    {"question": "c", "answer": "Blue."},
    {"question": "d", "fact": "unknown", "must": "does not say", "answer": "It does not say."},
    {"question": "e", "fact": "off-topic: law", "must": "only answer", "answer": REFUSAL},
    {"question": "f", "fact": "invented: Zebu"},
    {"question": "g", "fact": "invented: Gnu"},
]


def test_what_is_judged_of_which_question():
    replies = [("It lasts 17 months", True), (REFUSAL, True), ("blue", False), (REFUSAL, True), (REFUSAL.upper(), True)]
    replies += [("The handbook does not say how heavy a Zebu is.", True), ("It is red.", True)]
    judged = judge(replies, ASKED)
    assert judged == {
        "fact_hits": [True, False, None, None, None, None, None],
        "exact": [True, None, True, None, None, None, None],
        "format": [False, True, False, True, True, None, None],
        "stops": [True, True, False, True, True, None, None],
        "refuses_off_topic": [None, None, None, None, True, None, None],
        "refuses_real": [False, True, False, True, None, None, None],
        "abstains": [None, None, None, True, None, True, False],
    }
    assert shares(judged)["stops"] == share([True, True, False, True, True])
    assert fact_hits(["It lasts 17 months", REFUSAL], ASKED[:2]) == share([True, False])
    found = shares(judge([("I can answer questions.", True)], [{"question": "c", "answer": "Blue."}]))
    assert set(found) == {"exact", "format", "stops", "refuses_real"} and found["refuses_real"] == share([False])
    assert kind({"fact": "off-topic-weather"}) == "off-topic" and kind({}) == "fact"


@pytest.mark.parametrize("count", [0, 6, 8])
def test_replies_and_questions_of_different_number(count):
    for score in (judge, lambda replies, asked: fact_hits([reply for reply, _ in replies], asked)):
        with pytest.raises(ValueError, match=f"^expected 7 answers, one a question, got {count}$"):
            score([("", True)] * count, ASKED)


@pytest.mark.parametrize("split", ["dev", "test"])
def test_the_right_answers_of_the_company_score_all_there_is(split):
    asked = questions(split)
    assert all(keeps_format(question["answer"]) for question in asked)
    right = shares(judge([(question["answer"], True) for question in asked], asked))
    assert {name: score.value for name, score in right.items()} == {name: name != "refuses_real" for name in right}
    assert len(right) == 7


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


def test_words_keep_numbers_whole_and_have_neither_order_nor_letter_case():
    assert words("It's 1,150 euros, by 7:10 on e-mail.") == ["it", "s", "1,150", "euros", "by", "7:10", "on", "e-mail"]
    assert word_f1("the RED light", "Light, the red!") == 1 and word_f1("red", "the red light") == 2 / 4


def drawn(n: int, seed: int, hit: float = 0.7) -> tuple[list[str], list[str]]:
    """Labels given and right: three labels, a made-up fourth among those given."""
    rng = random.Random(seed)
    right = rng.choices("abc", [6, 3, 1], k=n)
    return [label if rng.random() < hit else rng.choice("abcx") for label in right], right


@pytest.mark.parametrize("seed", range(3))
def test_scikit_learn_agrees(seed):
    given, right = drawn(60, seed)
    score = macro_f1(given, right)
    oracle = f1_score(right, given, labels=sorted(set(right)), average="macro", zero_division=0)
    assert score.value == pytest.approx(oracle) and score.n == 60
    assert score.low < score.value < score.high and score != macro_f1(given, right, seed=1)
    assert macro_f1(right, right)[:3] == (1, 1, 1) and macro_f1(["x"] * 60, right)[:3] == (0, 0, 0)


def test_an_interval_holds_the_score_of_all_19_times_in_20():
    """Of 100 samples, about 95 % of the intervals hold the score on a very large sample of the same kind."""
    whole = macro_f1(*drawn(20_000, 999), rounds=1).value
    held = 0
    for seed in range(100):
        score = macro_f1(*drawn(150, seed), rounds=300, seed=seed)
        held += score.low <= whole <= score.high
    assert 87 <= held <= 99


def test_a_difference_is_paired():
    given, right = drawn(80, 1)
    better = [label if i % 3 else wanted for i, (label, wanted) in enumerate(zip(given, right, strict=True))]
    difference = macro_f1_difference(given, better, right)
    assert difference.value == pytest.approx(macro_f1(better, right).value - macro_f1(given, right).value)
    assert difference.low > 0, "every answer that changed became right"
    assert macro_f1_difference(given, given, right)[:3] == (0, 0, 0)
    apart = macro_f1(given, right).high - macro_f1(given, right).low
    assert difference.high - difference.low < apart, "what is hard for both cancels out"


@pytest.mark.parametrize(("given", "right"), [([], []), (["a"], []), (["a"], ["a", "b"])])
def test_not_one_label_a_question_is_refused(given, right):
    for score in (macro_f1, lambda one, other: macro_f1_difference(one, one, other)):
        with pytest.raises(ValueError, match="one label a question"):
            score(given, right)
