"""The metrics of the bundled tasks and of any pairs: what answers are worth, and whether one model's are worth more."""

import pytest

from labutils.measure import tasks
from labutils.measure.classes import macro_f1
from labutils.measure.intervals import Mean, Score, paired, share
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
    judged = judge("support", [record["output"] for record in SUPPORT], SUPPORT)
    assert {name: score.value for name, score in judged.scores().items()} == {
        "macro_f1": 1, "form": 1, "queue": 1, "keywords": 1, "words": 1
    }  # fmt: skip
    judged = judge("emails", [record["response"] for record in EMAILS], EMAILS)
    assert {name: score.value for name, score in judged.scores().items()} == {
        "facts": 1, "style": 1, "invents_nothing": 1, "ready": 1
    }  # fmt: skip


def test_an_answer_is_worth_what_it_has():
    record = {"input": "m", "output": "queue: sales\nkeywords: heron, price"}
    answers = [
        "queue: sales\nkeywords: heron",
        "Queue: sales\nKeywords: heron mast, pole",
        "queue: repairs\nkeywords: a, b, c, d, e",
    ]
    judged = judge("support", answers, [record] * 3)
    assert judged.values == {
        "form": [False, False, False],
        "queue": [True, True, False],
        "keywords": pytest.approx([2 / 3, 0, 0]),
        "words": pytest.approx([2 / 3, 2 / 5, 0]),
    }
    assert judged.given == ["sales", "sales", "repairs"] and judged.expected == ["sales"] * 3


@pytest.mark.parametrize(("count", "form"), [(1, False), (2, True), (4, True), (5, False)])
def test_the_form_has_two_to_four_keywords(count, form):
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
    assert scores["queue"] == share([True] * 8 + [False] * 2) and type(scores["queue"]) is Score
    assert scores["macro_f1"] == macro_f1(judged.given, judged.expected) and type(scores["keywords"]) is Mean


def test_the_lift_is_paired_question_by_question():
    before = judge("support", ["queue: repairs"] * 100, SUPPORT)
    after = judge("support", [record["output"] for record in SUPPORT], SUPPORT)
    found = lift(before, after)
    assert list(found) == ["macro_f1", "form", "queue", "keywords", "words"]
    assert found["queue"] == paired(before.values["queue"], after.values["queue"]) and found["macro_f1"].low > 0.8
    assert all(difference[:3] == (0, 0, 0) for difference in lift(after, after).values())


def test_a_lift_over_other_questions_is_refused():
    one, other = (judge("support", [r["output"] for r in part], part) for part in (SUPPORT[:5], SUPPORT[5:10]))
    mails = judge("emails", [""], EMAILS[:1])
    for wrong in (other, mails):
        with pytest.raises(ValueError, match="same questions"):
            lift(one, wrong)


def test_any_pairs_are_judged_by_the_expected_answers():
    judged = judge_pairs(["The red LED", "blue"], ["the red led.", "the red led"])
    assert judged.values == {"exact": [True, False], "words": [1, 0]} and judged.expected == []
    assert list(judged.scores()) == ["exact", "words"]


def test_labels_are_compared_without_letter_case_and_stop():
    found = labels(["Yes", "no."] * 5)
    judged = judge_pairs(["yes.", "NO", "maybe"], ["Yes", "no.", "no"], found)
    assert found == ["no", "yes"] and judged.values["exact"] == [True, True, False]
    assert judged.scores()["macro_f1"].value == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize(
    ("answers", "count"),
    [
        (list("ab") * 5, 2),
        (list("ab") * 4 + ["a"], 0),
        (["a"] * 50, 0),
        ([str(n) for n in range(20)] * 5, 20),
        ([str(n) for n in range(21)] * 5, 0),
        ([], 0),
    ],
)
def test_what_counts_as_labels(answers, count):
    assert len(labels(answers)) == count


@pytest.mark.parametrize("task", tasks.METRICS)
def test_a_prompt_is_a_conversation_that_ends_in_the_place_of_the_question(task):
    turns = tasks.prompt(task)
    assert turns[-1] == {"role": "user", "content": "{question}"}
    assert [turn["role"] for turn in turns] == ["system", *["user", "assistant"] * (len(turns) // 2 - 1), "user"]
    text = tasks.prompt_text(task, "Is {question} a place?")
    assert text.startswith(turns[0]["content"]) and text.endswith("Question:\nIs {question} a place?\n\nAnswer:\n")
    assert text.count("{question}") == 1


@pytest.mark.parametrize("task", tasks.METRICS)
def test_the_examples_of_a_prompt_are_pairs_to_tune_on(task):
    """Not of dev or test, which would leak."""
    train = [pair(record) for record in read_jsonl(tasks.FOLDER / task / "train.jsonl")]
    said = [turn["content"] for turn in tasks.prompt(task)[1:-1]]
    assert said and all(example in train for example in zip(said[::2], said[1::2], strict=True))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: judge("tickets", [""], [{}]), "no task 'tickets'; there are support, emails"),
        (lambda: tasks.prompt("tickets"), "no task"),
        (lambda: judge("support", [], []), "got 0 for 0"),
        (lambda: judge("support", ["a"], SUPPORT), "got 1 for 100"),
        (lambda: judge_pairs(["a"], []), "got 1 for 0"),
    ],
)
def test_what_cannot_be_judged_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
