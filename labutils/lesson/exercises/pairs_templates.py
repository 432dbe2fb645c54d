"""Exercises on templates: the question-only one that fits a full one to the letter, and one for a whole set."""

from collections.abc import Mapping

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet, quoted
from labutils.lesson.exercises.exercise import PAIRS, Draw, Exercise, Wrong
from labutils.lesson.exercises.pairs_facts import records
from labutils.pairs.records import FAMILIES
from labutils.pairs.templates import ANSWER, QUESTION, fill, questions_and_answers

ASKS, ANSWERS = ("User", "Visitor", "Caller", "Client", "Reader"), ("Reply", "Desk", "Clerk", "Said", "Editor")
FRAMES = (
    "[{0}]\n{{question}}\n[{1}]\n{{answer}}",
    "{0}: {{question}}\n\n{1}:\n{{answer}}",
    "<{0}>\n{{question}}\n\n<{1}>\n{{answer}}",
)
NAMES = {"\n": "a newline", " ": "a space", "": "nothing more"}


def _question_only(template: str, seed: int | str) -> Exercise:
    right = template.removesuffix(ANSWER)
    pairs = records(Draw(f"prompts {seed}"), 1)

    def judge(answer: object) -> str:
        mine = answers.text(answer, "the template, a text")
        if ANSWER in mine:
            raise NotYet(f"`{ANSWER}` is still in it; when you ask, there is no answer yet")
        if QUESTION not in mine:
            raise NotYet(f"the place `{QUESTION}` is gone; leave it open, it is filled for each question anew")
        for pair in pairs:
            full = right.replace(QUESTION, pair["question"]) + pair["answer"]
            made = mine.replace(QUESTION, pair["question"]) + pair["answer"]
            if made != full:
                raise NotYet(difference(made, full))
        return (
            "question-only text and answer make the full text; the model is asked with exactly what it was trained on"
        )

    bare = right.rstrip("\n")
    return Exercise(
        name="question_only",
        title="The question-only template",
        subject=PAIRS,
        size="small",
        question=(
            "A model was fine-tuned on texts that were made with this template:\n\n"
            f"```\n{template}\n```\n\n"
            f"Which template will you ask it with? Write the question-only one, with the place `{QUESTION}`. The "
            "check fills both for three pairs, and compares question-only text plus answer with the full text."
        ),
        starter="my_answer = ...  # a text in quotes; a newline is \\n",
        answer="my_answer",
        judge=judge,
        hints=(
            f"Everything before `{ANSWER}` comes before the first letter of the answer, line breaks included.",
            f'Take the full template as a text, and cut it: `full.removesuffix("{ANSWER}")`.',
        ),
        solved=f"my_answer = {right!r}".replace("'", '"'),
        wrong=lambda: [
            Wrong("the newline lost", bare, "has a newline, yours has"),
            Wrong("a newline too many", right + "\n", "yours has a newline"),
            Wrong("a space behind", right + " ", "yours has a space"),
            Wrong("the answer left in", template, "there is no answer yet"),
            Wrong("filled already", right.replace(QUESTION, pairs[0]["question"]), "leave it open"),
            Wrong("the question alone", QUESTION, "at the very beginning"),
            Wrong("a function", lambda question: right, "got a function"),
        ],
        vary=lambda draw: _question_only(
            draw.pick(FRAMES).format(draw.pick(ASKS), draw.pick(ANSWERS)), draw.number(1, 10**6)
        ),
    )


def difference(made: str, full: str) -> str:
    """Where two texts part, in words that show the place."""
    place = next((i for i, (a, b) in enumerate(zip(made, full, strict=False)) if a != b), min(len(made), len(full)))
    wanted, got = (NAMES.get(text[place : place + 1], f"`{text[place : place + 1]}`") for text in (full, made))
    after = f"after {quoted(full[max(0, place - 20) : place])}" if place else "at the very beginning"
    return f"they differ {after}: there the full text has {wanted}, yours has {got}"


question_only = _question_only("Customer:\n{question}\n\nTidewren:\n{answer}", "practised")


KEYS = [keys for keys in FAMILIES.values() if len(keys) == 2]
ROWS = 9


def _whole(template: str, seed: int | str) -> Exercise:
    draw = Draw(f"whole set {seed}")
    pairs = records(draw, 3)
    named = draw.shuffled(KEYS * 3)
    given = [
        dict(zip(keys, (pair["question"], pair["answer"]), strict=True))
        for keys, pair in zip(named, pairs, strict=True)
    ]
    texts = [fill(template, pair) for pair in pairs]
    prompts = [{"prompt": row["question"], "answer": row["answer"]} for row in questions_and_answers(template, pairs)]

    def judge(answer: object) -> str:
        parts = answers.parts(answer, 2, "both lists, `my_texts, my_prompts`")
        _judge_texts(_rows(parts[0], "my_texts", ("text",)), texts)
        _judge_prompts(_rows(parts[1], "my_prompts", ("prompt", "answer")), prompts)
        return f"{ROWS} records of three key families are one set now, in both forms, and prompt + answer is the text"

    made = [{"text": text} for text in texts]
    shown = template.replace("\n", "\\n")
    return Exercise(
        name="whole_set",
        title="A template for the whole set",
        subject=PAIRS,
        size="medium",
        question=(
            f"`THIS.given()` holds {ROWS} records from three files, and each file named its keys in its own way: "
            "`question` and `answer`, `instruction` and `response`, `input` and `output`. Apply this template to all "
            f"of them, in the order in which they come:\n\n```\n{template}\n```\n\n"
            'Hand in two lists: `my_texts`, with a row `{"text": ...}` for each record, and `my_prompts`, with a row '
            '`{"prompt": ..., "answer": ...}`, whose two sides, joined, are the text again.'
        ),
        starter=f'template = "{shown}"\ngiven = THIS.given()\nmy_texts, my_prompts = ..., ...',
        answer="my_texts, my_prompts",
        judge=judge,
        hints=(
            "First get question and answer out of a record of any family: `as_text`, further up, shows the "
            "three cases.",
            f'`template.removesuffix("{ANSWER}")` is the template of the prompt; fill it with `.format(question=...)`, '
            "and the text is that prompt plus the answer.",
        ),
        solved=f"""
            template = "{shown}"
            given = THIS.given()
            my_texts, my_prompts = [], []
            for record in given:
                for ask, reply in [("question", "answer"), ("instruction", "response"), ("input", "output")]:
                    if ask in record:
                        question, answer = record[ask], record[reply]
                prompt = template.removesuffix("{ANSWER}").format(question=question)
                my_texts.append({{"text": prompt + answer}})
                my_prompts.append({{"prompt": prompt, "answer": answer}})
        """,
        wrong=lambda: _wrong_sets(made, prompts, pairs, given),
        vary=lambda draw: _whole(draw.pick(FRAMES).format(draw.pick(ASKS), draw.pick(ANSWERS)), draw.number(1, 10**6)),
        data=lambda: given,
    )


def _rows(part: object, name: str, keys: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The rows of one list, each as its texts in the order of the keys."""
    rows = answers.items(part, f"a list as `{name}`")
    shape = "{" + ", ".join(f'"{key}": ...' for key in keys) + "}"
    for row in rows:
        if not isinstance(row, Mapping) or not all(isinstance(row.get(key), str) for key in keys):
            got = f"the keys {', '.join(map(str, row))}" if isinstance(row, Mapping) else answers.kind(row)
            raise NotYet(f"each row of `{name}` is a dictionary `{shape}` of texts; one holds {got}")
    if len(rows) != ROWS:
        raise NotYet(f"`{name}` has {len(rows)} rows for {ROWS} records; does the loop handle all three key families?")
    return [tuple(row[key] for key in keys) for row in rows]


def _judge_texts(rows: list[tuple[str, ...]], texts: list[str]) -> None:
    found = [text for (text,) in rows]
    if found != texts and sorted(found) == sorted(texts):
        raise NotYet("every text is right, but not in the order of the records")
    for number, (mine, right) in enumerate(zip(found, texts, strict=True)):
        if "{" in mine:
            raise NotYet(f"a place of the template is still open in text {number}: {quoted(mine)}")
        if mine != right:
            raise NotYet(f"in text {number}, {difference(mine, right)}")


def _judge_prompts(rows: list[tuple[str, ...]], prompts: list[dict]) -> None:
    for number, ((prompt, answer), right) in enumerate(zip(rows, prompts, strict=True)):
        if answer != right["answer"]:
            raise NotYet(
                f"the answer of prompt {number} is {quoted(answer)}, the record's is {quoted(right['answer'])}"
            )
        if prompt.endswith(answer):
            raise NotYet(f"prompt {number} already holds its answer; the prompt ends where the answer begins")
        if prompt != right["prompt"]:
            raise NotYet(f"in prompt {number}, {difference(prompt, right['prompt'])}")


def _wrong_sets(texts: list[dict], prompts: list[dict], pairs: list[dict], given: list[dict]) -> list[Wrong]:
    bare = [{**row, "prompt": row["prompt"].rstrip("\n")} for row in prompts]
    full = [{**row, "prompt": row["prompt"] + row["answer"]} for row in prompts]
    questions = [{"prompt": pair["question"], "answer": pair["answer"]} for pair in pairs]
    joined = [{"text": pair["question"] + pair["answer"]} for pair in pairs]
    opened = [{"text": row["text"].replace(pair["answer"], ANSWER)} for row, pair in zip(texts, pairs, strict=True)]
    one_family = [row for row, record in zip(texts, given, strict=True) if "question" in record]
    return [
        Wrong("one family alone", (one_family, prompts), "three key families"),
        Wrong("no template", (joined, prompts), "in text 0,"),
        Wrong("a place left open", (opened, prompts), "still open"),
        Wrong("another order", (texts[::-1], prompts), "not in the order"),
        Wrong("texts without keys", ([row["text"] for row in texts], prompts), "one holds a text"),
        Wrong("the records themselves", (given, prompts), "one holds the keys"),
        Wrong("the newline lost", (texts, bare), "in prompt 0,"),
        Wrong("the answer in the prompt", (texts, full), "already holds its answer"),
        Wrong("the bare question as prompt", (texts, questions), "in prompt 0,"),
        Wrong("one list alone", texts, "expected both lists"),
        Wrong("sides exchanged", (prompts, texts), "`my_texts` is a dictionary"),
        Wrong("the last prompt lost", (texts, prompts[:-1]), f"`my_prompts` has {ROWS - 1} rows"),
    ]


whole_set = _whole(f"Visitor: {QUESTION}\n\nDesk:\n{ANSWER}", "practised")
