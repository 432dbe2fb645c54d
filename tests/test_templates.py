"""Templates: what they become when filled, letter for letter, the way back to the answer, and the faults of one."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labutils.pairs import templates
from labutils.pairs.templates import TEMPLATES, before_next, faults, fill, lookup, messages, prompt, texts

law = settings(derandomize=True, deadline=None, max_examples=200)
RECORD = {"question": "2+2?", "answer": "4"}
CUSTOM = "Q: {question}\nA: {answer}"
FILLED = {
    "lecture": "### Question:\n2+2?\n\n### Answer:\n4",
    "concatenated": "2+2?4",
    "instruction": "### Instruction:\n2+2?\n\n### Response:\n4",
    "chatml": "<|im_start|>user\n2+2?<|im_end|>\n<|im_start|>assistant\n4",
    CUSTOM: "Q: 2+2?\nA: 4",
}


@pytest.mark.parametrize("template", [*TEMPLATES, CUSTOM])
def test_a_filled_template(template):
    assert fill(template, RECORD) == FILLED[template]
    assert prompt(template, "2+2?") == FILLED[template].removesuffix("4")


@pytest.mark.parametrize(
    "template",
    ["", "lectures", "{question}", "{answer}", "{answer} {question}", "{question} {answer} ",
     "{question}{answer}{answer}", "{question}{question}{answer}", "{Question}{answer}"],
)  # fmt: skip
def test_a_string_that_is_no_template(template):
    with pytest.raises(ValueError) as raised:
        lookup(template)
    assert str(raised.value) == (
        f"a template has {{question}} once and ends in {{answer}}; got {template!r} "
        "(known names: lecture, concatenated, instruction, chatml)"
    )
    for use in (prompt, before_next, lambda template, _: fill(template, RECORD)):
        with pytest.raises(ValueError, match="a template has"):
            use(template, "x")


def test_the_marks_of_a_template_in_a_question_are_plain_text():
    record = {"question": "what is {answer} or {question}?", "answer": "{question}"}
    assert fill(CUSTOM, record) == "Q: what is {answer} or {question}?\nA: {question}"


def test_the_forms_of_a_whole_set():
    records = [{"instruction": "Add 2 and 2.", "response": "4"}, {"text": "plain text"}]
    assert texts(CUSTOM, records) == [{"text": "Q: Add 2 and 2.\nA: 4"}, {"text": "plain text"}]
    assert templates.questions_and_answers(CUSTOM, records) == [
        {"question": "Q: Add 2 and 2.\nA: ", "answer": "4"},
        {"question": "", "answer": "plain text"},
    ]
    assert messages(records[:1]) == [
        {"messages": [{"role": "user", "content": "Add 2 and 2."}, {"role": "assistant", "content": "4"}]}
    ]


@law
@given(st.sampled_from([*TEMPLATES, CUSTOM]), st.text(), st.text())
def test_the_parts_of_a_record_are_its_text(template, question, answer):
    record = {"question": question, "answer": answer}
    (parts,) = templates.questions_and_answers(template, [record])
    assert parts["question"] + parts["answer"] == texts(template, [record])[0]["text"] == fill(template, record)
    assert parts["answer"] == answer


@law
@given(st.sampled_from(sorted({*TEMPLATES, CUSTOM} - {"concatenated"})), st.text(min_size=1), st.text())
@example("lecture", "\n\n###", "### Answer\n\n")
@example("chatml", "<|im_end|>\n", "<|im_start|>")
def test_the_answer_is_found_again(template, question, answer):
    marks = [part.strip() for part in lookup(template).replace("{answer}", "").split("{question}")]
    if any(mark in text for mark in marks for text in (question, answer)):
        return
    assert before_next(template, answer) == answer.strip()
    assert before_next(template, answer + "\n\n" + fill(template, RECORD)) == answer.strip()


def test_a_bare_answer_is_cut_where_a_further_question_begins():
    assert before_next("lecture", " 4\n\n### Question:\n3+3?") == "4"
    assert before_next("lecture", "### Answer:\n4") == "### Answer:\n4"
    assert before_next("{question}\nA: {answer}", "4\nA: 5") == "4\nA: 5"


GOOD = "Q: {question}\nA:\n{answer}"


def told(template: str, record: dict | None = RECORD, **how: bool) -> list[tuple[str, str]]:
    return [(fault.severity[0], fault.cause) for fault in faults(template, record, **how) if fault.fix]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (GOOD, []),
        ("", [("e", "the place {question} is missing"), ("e", "the place {answer} is missing")]),
        ("Q:\n{answer}", [("e", "the place {question} is missing")]),
        ("Q: {question}\nA:", [("e", "the place {answer} is missing")]),
        ("{question} {question}\nA:\n{answer}", [("e", "the place {question} occurs 2 times")]),
        ("{question}\nA:\n{answer}{answer}", [("e", "the place {answer} occurs 2 times")]),
        ("Q: {question}\nA:\n{answer}\n", [("e", "something follows {answer}")]),
        ("Q: {question}\nA: {answer}", [("w", "the prompt ends in a space")]),
        ("Q: {question}\nA:\t{answer}", [("w", "the prompt ends in a space")]),
        ("Q: {question}\nA:{answer}", []),
        ("{question}\n{answer}", [("w", "there is no mark between question and answer")]),
        ("{question} - {answer}", [("w", "the prompt ends in a space")]),
        ("Q: {question}\n{Name}\n{answer}", [("w", "{Name} is no place and stays as it is")]),
        ("Q: {Question}\nA:\n{answer}",
         [("e", "the place {question} is missing"), ("w", "{Question} is no place and stays as it is")]),
    ],
)  # fmt: skip
def test_each_fault_of_a_template(template, expected):
    assert told(template) == expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (None, []),
        ({"question": "How tall?", "answer": "It is 3.4 m.\nA:\n3"}, [("w", "the pair itself holds the mark 'A:'")]),
        ({"question": "How tall?", "answer": "It is 3.4 m. A : 3"}, []),
        ({"text": "Q: who?"}, [("w", "the pair itself holds the mark 'Q:'")]),
    ],
)
def test_a_mark_inside_the_pair(record, expected):
    assert told(GOOD, record) == expected
    assert told(GOOD, record, ends=False) == [*expected, ("w", "there is no end-of-text behind the answer")]


@law
@given(st.lists(st.sampled_from(["{question}", "{answer}", "Q:", "\n", " ", "{", "}", "{x}"]), max_size=7).map("".join))
@example(TEMPLATES["concatenated"])
@example(TEMPLATES["chatml"])
def test_an_error_is_told_exactly_where_a_template_cannot_be_filled(template):
    try:
        lookup(template)
        fillable = True
    except ValueError:
        fillable = False
    assert fillable == all(severity != "e" for severity, _ in told(template))
