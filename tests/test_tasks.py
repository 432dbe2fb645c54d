"""The metrics of the bundled tasks and of any pairs: what answers are worth, and whether one model's are worth more."""

import re

import pytest

from labutils.measure import tasks
from labutils.measure.intervals import Mean, Score, paired, share
from labutils.measure.scoring import macro_f1
from labutils.measure.tasks import Routed, judge, judge_pairs, labels, lift, routed
from labutils.pairs.records import pair, read_jsonl

SUPPORT, EMAILS = (read_jsonl(tasks.FOLDER / task / "dev.jsonl") for task in ("support", "emails"))


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ("queue: sales\nkeywords: heron, price", Routed("sales", ["heron", "price"])),
        ("**Queue:** Sales\n\n**Keywords:** Heron, `price`.", Routed("sales", ["heron", "price"])),
        ("Sure. Queue : sales; Keyword: heron", Routed("sales", ["heron"])),
        ("queue: sales\nkeywords: heron\n\nMessage: x\nqueue: returns\nkeywords: y", Routed("sales", ["heron"])),
        ("queue:\nkeywords:", Routed("keywords", [])),
        ("It belongs to sales.", Routed("", [])),
        ("", Routed("", [])),
    ],
)
def test_a_reply_is_read_whatever_its_marks(reply, found):
    assert routed(reply) == found


def test_the_right_answers_are_worth_everything():
    for task, key, records in (("support", "output", SUPPORT), ("emails", "response", EMAILS)):
        judged = judge(task, [record[key] for record in records], records)
        assert {score.value for score in judged.scores().values()} == {1}


def test_an_answer_is_worth_what_it_has():
    record = {"input": "m", "output": "queue: sales\nkeywords: heron, price"}
    given = ["sales\nkeywords: heron", "Sales\nKeywords: heron mast, pole", "repairs\nkeywords: a, b, c, d, e"]
    judged = judge("support", [f"queue: {answer}" for answer in given], [record] * 3)
    assert judged.values == {
        "form": [False, False, False],
        "queue": [True, True, False],
        "keywords": pytest.approx([2 / 3, 0, 0]),
        "words": pytest.approx([2 / 3, 2 / 5, 0]),
    }
    assert judged.given == ["sales", "sales", "repairs"] and judged.expected == ["sales"] * 3
    for count, form in [(1, False), (2, True), (4, True), (5, False)]:
        answer = f"queue: sales\nkeywords: {', '.join('abcde'[:count])}"
        assert judge("support", [answer], SUPPORT[:1]).values["form"] == [form]


def test_a_copied_brief_has_the_facts_and_a_polite_mail_has_the_style():
    """Why one metric is not enough: each of these two is nearly perfect in one of them."""
    copied = judge("emails", [record["instruction"] for record in EMAILS], EMAILS)
    others = [*EMAILS[1:], EMAILS[0]]
    polite = judge("emails", [record["response"] for record in others], EMAILS)
    assert copied.scores()["facts"].value == 1 > copied.scores()["style"].value
    assert polite.scores()["style"].value > 0.8 and polite.scores()["facts"].value < 0.2
    assert not any(copied.values["ready"]) and not any(polite.values["ready"])


@pytest.mark.parametrize(
    ("old", "new"),
    [("nylon ", "nylon and steel Plover "), ("36", "some"), ("Dear", "Hello"), ("free of freight", "for nothing")],
)
def test_a_mail_with_one_fault_is_not_ready(old, new):
    mail = EMAILS[0]["response"]
    assert old in mail and judge("emails", [mail], EMAILS[:1]).values["ready"] == [True]
    assert judge("emails", [mail.replace(old, new, 1)], EMAILS[:1]).values["ready"] == [False]


def test_shares_have_wilsons_interval_and_means_the_bootstraps():
    answers = [record["output"] for record in SUPPORT[:8]] + [""] * 2
    judged = judge("support", answers, SUPPORT[:10])
    scores = judged.scores()
    assert list(scores) == ["macro_f1", "form", "queue", "keywords", "words"]
    assert scores["queue"] == share([True] * 8 + [False] * 2) and type(scores["queue"]) is Score
    assert scores["macro_f1"] == macro_f1(judged.given, judged.expected) and type(scores["keywords"]) is Mean


def test_the_lift_is_paired_question_by_question():
    before = judge("support", ["queue: repairs"] * 100, SUPPORT)
    after = judge("support", [record["output"] for record in SUPPORT], SUPPORT)
    found = lift(before, after)
    assert found["queue"] == paired(before.values["queue"], after.values["queue"]) and found["macro_f1"].low > 0.8
    assert all(difference[:3] == (0, 0, 0) for difference in lift(after, after).values())
    for wrong in (judge("support", ["queue: repairs"] * 99, SUPPORT[1:]), judge("emails", [""], EMAILS[:1])):
        with pytest.raises(ValueError, match="same questions"):
            lift(before, wrong)


def test_any_pairs_are_judged_by_the_expected_answers_and_labels_without_letter_case_and_stop():
    judged = judge_pairs(["The red LED", "blue"], ["the red led.", "the red led"])
    assert judged.values == {"exact": [True, False], "words": [1, 0]} and judged.expected == []
    found = labels(["Yes", "no."] * 5)
    judged = judge_pairs(["yes.", "NO", "maybe"], ["Yes", "no.", "no"], found)
    assert found == ["no", "yes"] and judged.values["exact"] == [True, True, False]
    assert judged.scores()["macro_f1"].value == pytest.approx((1 + 2 / 3) / 2)


def test_what_counts_as_labels():
    twenty, more = ([str(n) for n in range(count)] * 5 for count in (20, 21))
    for answers, count in [("ab" * 5, 2), ("ab" * 4 + "a", 0), ("a" * 50, 0), (twenty, 20), (more, 0), ("", 0)]:
        assert len(labels(list(answers))) == count


PROMPTS = [(task, part) for task, parts in tasks.PARTS.items() for part in parts]


@pytest.mark.parametrize(("task", "part"), PROMPTS)
def test_the_examples_of_a_prompt_are_pairs_to_tune_on(task, part):
    """Not of dev or test, which would leak; and the text ends where the reply begins."""
    *examples, last = re.split(r"\n\n(?:Message|Brief): ", tasks.prompt(task, part))[1:]
    assert examples and re.fullmatch(r"\{question\}\n(Queue|Keywords|E-mail):", last)
    train = dict(pair(record) for record in read_jsonl(tasks.FOLDER / task / "train.jsonl"))
    for example in examples:
        message, _, answer = re.split(r"\n(Queue: |Keywords: |E-mail:\n)", example)
        assert answer in train[message]


def test_a_reply_ends_before_a_made_up_example_and_parts_are_put_together():
    assert tasks.replied(" sales\n\nMessage: Where", "support") == "sales"
    assert tasks.replied("\nDear A,\n\nThe", "emails") == "Dear A,\n\nThe"
    assert tasks.replied("Dear A\n\nBrief: to", "emails") == "Dear A"
    assert tasks.put_together("support", ["sales", "a, b"]) == "queue: sales\nkeywords: a, b"
    assert tasks.put_together("emails", ["Dear A,"]) == "Dear A,"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: judge("tickets", [""], [{}]), "no task 'tickets'; there are support, emails"),
        (lambda: tasks.prompt("tickets", "queue"), "no task"),
        (lambda: tasks.prompt("support", "mail"), "no part 'mail' of support; there are queue, keywords"),
        (lambda: judge("support", [], []), "got 0 for 0"),
        (lambda: judge("support", ["a"], SUPPORT), "got 1 for 100"),
        (lambda: judge_pairs(["a"], []), "got 1 for 0"),
    ],
)
def test_what_cannot_be_judged_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
