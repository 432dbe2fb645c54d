"""An exercise on whole sets: records of several key families, a template, two lists that training can use."""

from collections.abc import Mapping

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import quoted
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.pairs.facts import records
from labutils.lesson.exercises.pairs.prompts import ANSWERS, ASKS, FRAMES, difference
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import PAIRS
from labutils.pairs.records import FAMILIES
from labutils.pairs.templates import ANSWER, QUESTION, fill, questions_and_answers

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
        parts = answers.items(answer, "both lists, `texts, prompts`")
        if len(parts) != 2:
            raise NotYet(f"expected both lists, `texts, prompts`, got {len(parts)}")
        _judge_texts(_rows(parts[0], "texts", ("text",)), texts)
        _judge_prompts(_rows(parts[1], "prompts", ("prompt", "answer")), prompts)
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
            'Hand in two lists: `texts`, with a row `{"text": ...}` for each record, and `prompts`, with a row '
            '`{"prompt": ..., "answer": ...}`, whose two sides, joined, are the text again.'
        ),
        starter=f'template = "{shown}"\ngiven = THIS.given()\ntexts, prompts = ..., ...',
        answer="texts, prompts",
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
            texts, prompts = [], []
            for record in given:
                for ask, reply in [("question", "answer"), ("instruction", "response"), ("input", "output")]:
                    if ask in record:
                        question, answer = record[ask], record[reply]
                prompt = template.removesuffix("{ANSWER}").format(question=question)
                texts.append({{"text": prompt + answer}})
                prompts.append({{"prompt": prompt, "answer": answer}})
        """,
        wrong=lambda: _wrong(made, prompts, pairs, given),
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


def _wrong(texts: list[dict], prompts: list[dict], pairs: list[dict], given: list[dict]) -> list[Wrong]:
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
        Wrong("sides exchanged", (prompts, texts), "`texts` is a dictionary"),
        Wrong("the last prompt lost", (texts, prompts[:-1]), f"`prompts` has {ROWS - 1} rows"),
    ]


whole_set = _whole(f"Visitor: {QUESTION}\n\nDesk:\n{ANSWER}", "practised")
