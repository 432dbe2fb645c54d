"""The metrics of the bundled tasks and of any pairs, lifts, prompts; the house style, each rule broken alone."""

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
        ("**Queue:** Sales\n\n**Keywords:** Heron, `price`.", Routed("sales", ["heron", "price"])),
        ("Sure. Queue : sales; Keyword: heron", Routed("sales", ["heron"])),
        ("queue: sales\nkeywords: heron\n\nMessage: x\nqueue: returns\nkeywords: y", Routed("sales", ["heron"])),
        ("queue:\nkeywords:", Routed("keywords", [])),
        ("It belongs to sales.", Routed("", [])),
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
    assert tasks.replied("\nDear A,\n\nThe\n\nBrief: to", "emails") == "Dear A,\n\nThe"
    assert tasks.put_together("support", ["sales", "a, b"]) == "queue: sales\nkeywords: a, b"
    assert tasks.put_together("emails", ["Dear A,"]) == "Dear A,"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: judge("tickets", [""], [{}]), "no task 'tickets'; there are support, emails"),
        (lambda: tasks.prompt("tickets", "queue"), "no task"),
        (lambda: tasks.prompt("support", "mail"), "no part 'mail' of support; there are queue, keywords"),
        (lambda: judge("support", ["a"], SUPPORT), "got 1 for 100"),
        (lambda: judge_pairs([], []), "got 0 for 0"),
        (lambda: tasks.carried(MAIL, []), "no facts"),
    ],
)
def test_what_cannot_be_judged_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


BRIEF = "to: Mrs Lund; Heron leaves Tuesday, 2 masts; invoice 30077, 1,150 euros; no hurry"
MAIL = (
    "Dear Mrs Lund,\n\nYour Heron leaves us on Tuesday, together with the 2 masts that you asked for last week.\n\n"
    "The sum on invoice 30077 is 1,150 euros. There is no hurry about it, and we are glad to answer what you wonder "
    "about.\n\nKind regards from the quay,\nTidewren Instruments"
)
FACTS = ["Heron", "Tuesday", "2", "30077", "1,150 euros"]
BREAK = {
    "greeting": ("Dear Mrs Lund,", "Dear customer,"),
    "closing": ("Kind regards from the quay,", "Best wishes,"),
    "2 to 4 paragraphs": ("\n\nThe sum", " The sum"),
    "no exclamation mark": ("no hurry about it,", "no hurry about it!"),
    "apologies as asked for": ("we are glad", "we are sorry and glad"),
    "we, not I": ("we are glad", "I am glad"),
    "no short form": ("There is", "There's one; it isn't"),
    "no stock phrase": ("we are glad to answer", "do not hesitate to ask"),
}


def broken(brief: str, mail: str) -> list[str]:
    return [rule for rule, kept in tasks.style(brief, mail).items() if not kept]


def test_a_mail_in_order():
    assert broken(BRIEF, MAIL) == []
    assert tasks.carried(MAIL, FACTS) == 1 and tasks.point_first(MAIL, FACTS)
    assert not tasks.point_first(MAIL, ["30077"]) and not tasks.point_first("", ["30077"])
    assert tasks.lacking(BRIEF, MAIL) == tasks.dropped(BRIEF, MAIL) == []
    assert broken(BRIEF, "") == ["greeting", "closing", "2 to 4 paragraphs", "40 to 90 words"]
    assert tasks.addressee("to: Ann\nBob; Carl") == "Ann" and tasks.addressee("nobody") == ""
    assert tasks.sentences("It came. Is it 6.3?") == ["It came.", "Is it 6.3?"]


@pytest.mark.parametrize("rule", BREAK)
def test_a_mail_that_breaks_one_rule(rule):
    old, new = BREAK[rule]
    assert old in MAIL and broken(BRIEF, MAIL.replace(old, new)) == [rule]


def test_an_apology_where_the_brief_asks_for_one():
    asked = BRIEF + "; apologise"
    assert broken(asked, MAIL) == ["apologies as asked for"] and tasks.apologies("no apology") == 0
    assert broken(asked, MAIL.replace(*BREAK["apologies as asked for"])) == []


WORDS, PARAGRAPH = "40 to 90 words", "no paragraph over 45 words"


@pytest.mark.parametrize(
    ("words", "paragraph", "rules"),
    [(39, 10, [WORDS]), (40, 10, []), (90, 40, []), (91, 41, [WORDS]), (80, 45, []), (80, 46, [PARAGRAPH])],
)
def test_both_sides_of_each_length(words, paragraph, rules):
    rest = words - paragraph - 3 - 7  # beside greeting and closing
    mail = f"Dear Mrs Lund,\n\n{'so ' * paragraph}\n\n{'so ' * rest}\n\n{tasks.CLOSING}".replace(" \n", "\n")
    assert len(mail.split()) == words and broken(BRIEF, mail) == rules


def test_what_a_mail_carries_and_invents():
    without = MAIL.replace("30077", "30078")
    assert tasks.carried(without, FACTS) == pytest.approx(4 / 5)
    assert tasks.lacking(BRIEF, without) == ["30078"] and tasks.dropped(BRIEF, without) == ["30077"]
    for old, new, found in [
        ("Tuesday", "Friday", ["friday", "Friday"]),
        ("2 masts", "three masts", ["three"]),
        ("answer what", "tell Anna what", ["Anna"]),
    ]:
        assert tasks.lacking(BRIEF, MAIL.replace(old, new)) == found
