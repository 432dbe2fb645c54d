"""What counts: hits and misses of a required string, exact answers, the format, refusals, whole sets of answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labutils.measure.intervals import share
from labutils.measure.report import questions
from labutils.measure.scoring import exact, fact_hit, fact_hits, judge, keeps_format, kind, refuses, shares

law = settings(derandomize=True, deadline=None, max_examples=200)


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


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ("I can only answer questions about Tidewren Instruments.", True),
        ("Sorry, I CAN ONLY ANSWER QUESTIONS ABOUT this.", True),
        ("I can answer questions about Tidewren.", False),
        ("", False),
    ],
)
def test_refusals(answer, refused):
    assert refuses(answer) is refused


def test_fact_hits():
    questions = [{"must": "17 months"}, {"must": "ochre"}, {"must": "640 grams"}, {"must": "seven"}]
    answers = ["17 months.", "An Ochre case", "64 grams", "The handbook does not say."]
    assert fact_hits(answers, questions)[::3] == (0.5, 4)


@pytest.mark.parametrize("answers", [["17 months"], ["17 months"] * 3])
def test_answers_and_questions_of_different_number(answers):
    with pytest.raises(ValueError, match=f"^expected 2 answers, one a question, got {len(answers)}$"):
        fact_hits(answers, [{"must": "17 months"}] * 2)


def test_no_fact_hits():
    with pytest.raises(ValueError, match=r"^no questions: a share needs at least one$"):
        fact_hits([], [])


@pytest.mark.parametrize(
    ("answer", "expected", "same"),
    [
        ("It is red.", "It is red.", True),
        (" it  IS\nred ", "It is red.", True),
        ("It is red .", "It is red.", True),
        ("It is red..", "It is red.", False),
        ("It is red!", "It is red.", False),
        ("It is bred.", "It is red.", False),
        ("STRASSE", "Straße", True),
        ("", "It is red.", False),
        ("", "", False),
        (".", ".", False),
    ],
)
def test_an_exact_answer(answer, expected, same):
    assert exact(answer, expected) is same
    assert exact(expected, answer) is same


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ("It is red.", True),
        ("  It is red!  ", True),
        ("Is it?", True),
        ("7 months.", True),
        ("`tidewren` waits.", True),
        ('"Red" it says.', True),
        ("Öl.", True),
        ("", False),
        (" \n ", False),
        (".", False),
        ("It is red", False),
        ("It is red,", False),
        ("and it is red.", False),
        ("- It is red.", False),
        ("It is red.\n\nIt is blue.", False),
        ("It is red.\nIt is blue.", False),
        ("### Answer: It is red.", False),
        ("It is red. ### Question: Is it.", False),
        ("It is red.<|im_end|>.", False),
        ("It is #1.", True),
    ],
)
def test_the_format(answer, kept):
    assert keeps_format(answer) is kept


def test_every_answer_of_the_company_keeps_the_format_and_is_exact():
    from labutils import places
    from labutils.pairs.records import read_jsonl

    company = places.DATA / "company"
    records = [record for path in company.rglob("*.jsonl") for record in read_jsonl(path) if "answer" in record]
    assert len(records) > 1600
    assert [record["answer"] for record in records if not keeps_format(record["answer"])] == []
    assert all(exact(record["answer"].upper(), record["answer"]) for record in records)


@pytest.mark.parametrize(
    ("record", "sort"),
    [
        ({"fact": "plover-weight"}, "fact"),
        ({"fact": "unknown"}, "unknown"),
        ({"fact": "invented: Zebu"}, "invented"),
        ({"fact": "off-topic: law"}, "off-topic"),
        ({"fact": "off-topic-weather"}, "off-topic"),
        ({}, "fact"),
    ],
)
def test_the_kind_of_a_question(record, sort):
    assert kind(record) == sort


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
    replies = [("It lasts 17 months", True), (REFUSAL, True), ("blue", False), (REFUSAL, True), (REFUSAL, True)]
    replies += [("The handbook does not say how heavy a Zebu is.", True), ("It is red.", True)]
    assert judge(replies, ASKED) == {
        "fact_hits": [True, False, None, None, None, None, None],
        "exact": [True, None, True, None, None, None, None],
        "format": [False, True, False, True, True, None, None],
        "stops": [True, True, False, True, True, None, None],
        "refuses_off_topic": [None, None, None, None, True, None, None],
        "refuses_real": [False, True, False, True, None, None, None],
        "abstains": [None, None, None, True, None, True, False],
    }


def test_a_score_that_applies_to_no_question_is_left_out():
    judged = judge([("Blue.", True)], [{"question": "c", "answer": "Blue."}])
    found = shares(judged)
    assert set(found) == {"exact", "format", "stops", "refuses_real"}
    assert found["exact"] == share([True]) and found["refuses_real"] == share([False])


@pytest.mark.parametrize("replies", [[], [("", True)] * 6])
def test_replies_and_questions_of_different_number(replies):
    with pytest.raises(ValueError, match=f"^expected 7 answers, one a question, got {len(replies)}$"):
        judge(replies, ASKED)


@pytest.mark.parametrize("split", ["dev", "test"])
def test_the_right_answers_score_all_there_is_and_silence_nothing(split):
    asked = questions(split)
    right = shares(judge([(question["answer"], True) for question in asked], asked))
    best = {"refuses_real": 0}
    assert {name: score.value for name, score in right.items()} == {name: best.get(name, 1) for name in right}
    assert len(right) == 7
    silent = shares(judge([("", False)] * len(asked), asked))
    assert {score.value for score in silent.values()} == {0}
    refusing = shares(judge([(REFUSAL, True)] * len(asked), asked))
    assert (refusing["refuses_off_topic"].value, refusing["refuses_real"].value) == (1, 1)
    assert refusing["fact_hits"].value == 0 == refusing["exact"].value
