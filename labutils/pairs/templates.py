"""Prompt templates as data: fill one with a pair, or cut what a model wrote where its answer ends.

A template is a string with the places {question} and {answer}. What comes before {answer} is the prompt: it is what
a model is given when it is asked, letter for letter, and what it was shown in training.
"""

from collections.abc import Iterable

from labutils.pairs.records import pair

TEMPLATES = {
    "lecture": "### Question:\n{question}\n\n### Answer:\n{answer}",
    "concatenated": "{question}{answer}",
    "instruction": "### Instruction:\n{question}\n\n### Response:\n{answer}",
    "chatml": "<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n{answer}",
}
QUESTION, ANSWER = "{question}", "{answer}"


def lookup(template: str) -> str:
    """A template by its name, or the template itself when it has the two places. "\\n" as two signs, as a shell passes
    it, is a line end where the template has no other.

    Raises ValueError for a template in which a place is missing, doubled, or {answer} is not the last thing.
    """
    if template in TEMPLATES:
        return TEMPLATES[template]
    text = template if "\n" in template else template.replace("\\n", "\n")
    if not text.isascii() and text.encode("utf-8", "replace").decode() != text:
        raise ValueError(f"the template is no UTF-8: {template!r}")
    if text.count(QUESTION) != 1 or text.count(ANSWER) != 1 or not text.endswith(ANSWER):
        known = ", ".join(TEMPLATES)
        raise ValueError(f"a template has {QUESTION} once and ends in {ANSWER}; got {text!r} (known names: {known})")
    return text


def prompt(template: str, question: str) -> str:
    """What a model is given: the template up to the answer.

    prompt("Q: {question} A: {answer}", "2+2?") -> "Q: 2+2? A: "
    """
    return lookup(template).removesuffix(ANSWER).replace(QUESTION, question)


def fill(template: str, record: dict) -> str:
    """The full training text of a record: its prompt and its answer. Plain text (key "text") stays as it is."""
    question, answer = pair(record)
    return prompt(template, question) + answer if question else answer


def texts(template: str, records: Iterable[dict]) -> list[dict]:
    """The whole set as plain text, the form that pretraining data has: [{"text": question and answer}, ...]."""
    return [{"text": fill(template, record)} for record in records]


def questions_and_answers(template: str, records: Iterable[dict]) -> list[dict]:
    """The whole set in two parts: [{"question": the filled prompt, "answer": the bare answer}, ...].

    Plain text (key "text") has an empty prompt.
    """
    return [
        {"question": prompt(template, question) if question else "", "answer": answer}
        for question, answer in map(pair, records)
    ]


def messages(records: Iterable[dict]) -> list[dict]:
    """The whole set as conversations, the form of chat models: [{"messages": [{"role", "content"}, ...]}, ...]."""
    return [
        {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}
        for question, answer in map(pair, records)
    ]


def before_next(template: str, answer: str) -> str:
    """A bare answer up to where a further question begins, with which a model may go on."""
    before = lookup(template).partition(QUESTION)[0]
    return (answer.partition(before)[0] if before.strip() else answer).strip()
