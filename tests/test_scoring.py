"""What counts: hits and misses of a required string, exact answers, the format, refusals, whole sets of answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labutils.measure.intervals import share
from labutils.measure.report import questions
from labutils.measure.scoring import exact, fact_hit, fact_hits, judge, keeps_format, kind, shares

law = settings(derandomize=True, deadline=None, max_examples=80)


@pytest.mark.parametrize(
    ("answer", "must", "hit"),
    [
        ("It lasts 7 months.", "7 months", True),
        ("It lasts 17 months.", "7 months", False),
        ("It lasts 7 monthsish.", "7 months", False),
        ("It lasts 7\n  MONTHS", "7 months", True),
        ("It lasts 7 months", " 7  Months ", True),
        ("7months", "7 months", False),
        ("It lasts 7 or 8 months.", "7 months", False),
        ("It costs 410,000 euros.", "410,000", True),
        ("It costs 1,410,000 euros.", "410,000", False),
        ("It costs 410,000,000 euros.", "410,000", False),
        ("It costs 410,000.", "410,000", True),
        ("It costs 410,000, all in.", "410,000", True),
        ("It weighs 3.4 kg.", "4 kg", False),
        ("It weighs 3.4 kg.", "3.4 kg", True),
        ("It weighs 3.45 kg.", "3.4", False),
        ("It weighs 3,4 kg.", "3.4", False),
        ("Version 2. 17 bolts.", "17 bolts", True),
        ("It runs at -35 degrees.", "-35 degrees", True),
        ("It runs at 35 degrees.", "-35 degrees", False),
        ("Press E-07: it stops.", "E-07", True),
        ("Press E-071.", "E-07", False),
        ("Press E-07.", "E.07", False),
        ("The case is ochre_yellow.", "ochre", False),
        ("The case is (ochre).", "ochre", True),
        ("Der Stoff ist Öl.", "öl", True),
        ("", "ochre", False),
        ("Any answer at all.", "", False),
        ("", " ", False),
    ],
)
def test_a_fact_is_hit(answer, must, hit):
    assert fact_hit(answer, must) is hit


@law
@given(
    st.text(),
    st.text("abc 0123456789.,-+?*()[]\\", min_size=1).filter(str.strip),
    st.sampled_from(["", " ", "\n", "!"]),
)
def test_a_required_string_is_hit_wherever_it_stands_apart(text, must, after):
    assert fact_hit(f"{text} {must}{after}", must)
    assert fact_hit(f"{text} {must.upper()}{after}".replace(" ", "\n "), must)


@law
@given(st.text("ab1 ", min_size=1).filter(str.strip), st.sampled_from("xyz789_"))
def test_a_required_string_inside_a_longer_word_is_no_hit(must, letter):
    must = must.strip()
    assert not fact_hit(f"{letter}{must}", must)
    assert not fact_hit(f"{must}{letter}", must)


EXACT = [
    ("It is red.", "It is red."),
    (" it  IS\nred ", "It is red."),
    ("It is red .", "It is red."),
    ("STRASSE", "Straße"),
]
OTHER = [("It is red..", "It is red."), ("It is red!", "It is red."), ("It is bred.", "It is red."), ("", "It is red."),
         ("", ""), (".", ".")]  # fmt: skip


def test_an_exact_answer():
    for same, pairs in ((True, EXACT), (False, OTHER)):
        assert all(exact(one, other) is exact(other, one) is same for one, other in pairs)


KEPT = [
    "It is red.",
    "  It is red!  ",
    "Is it?",
    "7 months.",
    "`tidewren` waits.",
    '"Red" it says.',
    "Öl.",
    "It is #1.",
]
NOT_KEPT = ["", " \n ", ".", "It is red", "It is red,", "and it is red.", "- It is red.", "It is red.\n\nIt is blue.",
            "It is red.\nIt is blue.", "### Answer: It is red.", "It is red. ### Question: Is it.",
            "It is red.<|im_end|>."]  # fmt: skip


def test_the_format():
    assert [answer for answer in KEPT if not keeps_format(answer)] == []
    assert [answer for answer in NOT_KEPT if keeps_format(answer)] == []


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
def test_the_right_answers_score_all_there_is_and_silence_nothing(split):
    asked = questions(split)
    assert all(keeps_format(question["answer"]) for question in asked)
    right = shares(judge([(question["answer"], True) for question in asked], asked))
    assert {name: score.value for name, score in right.items()} == {name: name != "refuses_real" for name in right}
    assert len(right) == 7
    silent = shares(judge([("", False)] * len(asked), asked))
    assert {score.value for score in silent.values()} == {0}
    refusing = shares(judge([(REFUSAL, True)] * len(asked), asked))
    assert (refusing["refuses_off_topic"].value, refusing["refuses_real"].value) == (1, 1)
    assert refusing["fact_hits"].value == 0 == refusing["exact"].value
