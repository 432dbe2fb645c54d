"""Templates: what they become when filled, letter for letter, and the way back from a text to its answer."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labutils.pairs import templates
from labutils.pairs.templates import TEMPLATES, before_next, fill, lookup, messages, prompt, texts

law = settings(derandomize=True, deadline=None, max_examples=200)
RECORD = {"question": "2+2?", "answer": "4"}
CUSTOM = "Q: {question}\nA: {answer}"
MARKED = [name for name in TEMPLATES if name != "concatenated"]  # templates from which an answer can be told


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("lecture", "### Question:\n2+2?\n\n### Answer:\n4"),
        ("concatenated", "2+2?4"),
        ("instruction", "### Instruction:\n2+2?\n\n### Response:\n4"),
        ("chatml", "<|im_start|>user\n2+2?<|im_end|>\n<|im_start|>assistant\n4"),
        (CUSTOM, "Q: 2+2?\nA: 4"),
    ],
)
def test_a_filled_template(template, filled):
    assert fill(template, RECORD) == filled
    assert prompt(template, "2+2?") == filled.removesuffix("4")


def test_every_template_is_tested_above():
    assert set(TEMPLATES) == {"lecture", "concatenated", "instruction", "chatml"}


@pytest.mark.parametrize(
    "template",
    [
        "",
        "lectures",
        "{question}",
        "{answer}",
        "{answer} {question}",
        "{question} {answer} ",
        "{question}{answer}{answer}",
    ]
    + ["{question}{question}{answer}", "{Question}{answer}"],
)
def test_a_string_that_is_no_template(template):
    with pytest.raises(ValueError) as raised:
        lookup(template)
    assert str(raised.value) == (
        f"a template has {{question}} once and ends in {{answer}}; got {template!r} "
        "(known names: lecture, concatenated, instruction, chatml)"
    )


def test_the_least_template():
    assert lookup("{question}{answer}") == "{question}{answer}"


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


@pytest.mark.parametrize("form", [texts, templates.questions_and_answers, lambda _, records: messages(records)])
def test_every_form_of_an_empty_set_is_empty_and_none_takes_an_unknown_family(form):
    assert form("lecture", []) == []
    with pytest.raises(ValueError, match="no known key family: got keys \\['prompt'\\]"):
        form("lecture", [{"prompt": "x"}])


@law
@given(st.sampled_from([*TEMPLATES, CUSTOM]), st.text(), st.text())
def test_the_parts_of_a_record_are_its_text(template, question, answer):
    record = {"question": question, "answer": answer}
    (parts,) = templates.questions_and_answers(template, [record])
    assert parts["question"] + parts["answer"] == texts(template, [record])[0]["text"] == fill(template, record)
    assert parts["answer"] == answer


def marks(template: str) -> list[str]:
    """What a question or an answer must not hold if the answer is to be found: the words around the places."""
    return [part.strip() for part in lookup(template).replace("{answer}", "").split("{question}")]


@law
@given(st.sampled_from([*MARKED, CUSTOM]), st.text(min_size=1), st.text())
@example("lecture", "\n\n###", "### Answer\n\n")
@example("chatml", "<|im_end|>\n", "<|im_start|>")
def test_the_answer_is_found_again(template, question, answer):
    if any(mark in text for mark in marks(template) for text in (question, answer)):
        return
    assert before_next(template, answer) == answer.strip()
    assert before_next(template, answer + "\n\n" + fill(template, RECORD)) == answer.strip()


def test_a_bare_answer_is_cut_where_a_further_question_begins():
    assert before_next("lecture", " 4\n\n### Question:\n3+3?") == "4"
    assert before_next("lecture", "### Answer:\n4") == "### Answer:\n4"
    assert before_next("{question}\nA: {answer}", "4\nA: 5") == "4\nA: 5"


@pytest.mark.parametrize("use", [lambda t: prompt(t, "q"), lambda t: fill(t, RECORD), lambda t: before_next(t, "x")])
def test_no_use_of_a_template_passes_over_a_broken_one(use):
    with pytest.raises(ValueError, match="a template has"):
        use("{question}")
