"""Check the company's files against one another: `python data/company/check.py`. Prints the counts, or every fault.

What it holds: every fact, and every answer about it, stands in the handbook; every question has one answer; no
evaluation question is close to a training question; questions are not made from a mould; answers that turn a question
down begin alike; off-topic evaluation uses topics that training does not; and an evaluation question requires what its
fact requires.
"""

import re
import sys
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

from labutils.corpus.duplicates import near_pairs
from labutils.measure.scoring import fact_hit, refuses
from labutils.pairs.records import read_jsonl

HERE = Path(__file__).parent
NAMES = ["plover", "heron", "godwit", "sandpiper", "turnstone", "curlew", "dunlin", "avocet"]
NAMES += ["shoreline", "estuary", "tidewren", "wren"]
OPENING = {  # one each: a small model learns one way to begin sooner than several
    "unknown": "The handbook does not say",
    "off-topic": "I can only answer questions about Tidewren Instruments",
}
CLOSE = 0.55  # shared runs of five characters between two questions, as a share of all of theirs
MOULD = 3  # questions that may be alike but for names and numbers
ORDER = re.compile(r"TQ-\d+")
LEAST = {"facts": 200, "pairs": 2500, "off-topic": 550, "topics": 100, "changed": 15}


def skeleton(question: str) -> str:
    """A question without names, numbers and code. skeleton("Is the Heron over 3 m?") -> "is the name over num m"."""
    text = re.sub(r"`[^`]*`|\w+\(\)|\b[a-z]+_[a-z_]+", "NAME", question)
    text = re.sub(r"\b[eE]-?\d+\b|\d[\d.,:]*", "NUM", text)
    text = re.sub(rf"(?i)\b({'|'.join(NAMES)})('?s)?\b", "NAME", text)
    return re.sub(r"[^A-Za-z]+", " ", text).lower().strip()


def kind(record: dict) -> str:
    """What a pair is about: a fact, something the handbook does not say, or another topic."""
    return record["fact"].partition(":")[0] if record["fact"].startswith(("unknown", "off-topic")) else "fact"


def standing(facts: list[dict], handbook: str) -> list[str]:
    """Facts that do not stand in the handbook, or not with the string that an answer must hold."""
    text = " ".join(handbook.split())
    faults = [
        f"{fact['fact']}: its statement is not in the handbook" for fact in facts if fact["statement"] not in text
    ]
    faults += [
        f"{f['fact']}: {f['must']!r} is not in its statement" for f in facts if not fact_hit(f["statement"], f["must"])
    ]
    twice = [name for name, n in Counter(fact["fact"] for fact in facts).items() if n > 1]
    return faults + [f"{name}: defined twice" for name in twice]


def answering(records: list[dict], facts: list[dict]) -> list[str]:
    """Answers without their fact, conflicting answers, questions that give the answer away, refusals in other words."""
    must = {fact["fact"]: fact["must"] for fact in facts}
    faults, answers = [], defaultdict(set)
    for record in records:
        where, question, answer = f"{record['fact']}: {record['question']!r}", record["question"], record["answer"]
        if kind(record) == "fact":
            answers[record["fact"]].add(answer)
            if record["fact"] not in must:
                faults.append(f"{where} has no such fact")
            elif not fact_hit(answer, must[record["fact"]]):
                faults.append(f"{where}: its answer lacks {must[record['fact']]!r}")
            elif fact_hit(question, must[record["fact"]]):
                faults.append(f"{where} gives the answer away")
        elif refuses(answer) != (kind(record) == "off-topic") or not answer.startswith(OPENING[kind(record)]):
            faults.append(f"{where}: the answer is not that of an {kind(record)} question")
    return faults + [f"{fact}: {len(said)} different answers" for fact, said in answers.items() if len(said) > 1]


def requiring(evaluation: list[dict], facts: list[dict]) -> list[str]:
    """Evaluation questions that require (`must`, and `was` where a fact changed) something else than their fact."""
    known = {fact["fact"]: fact for fact in facts}
    return [
        f"{fact['fact']}: {record['question']!r}: {key} is {record.get(key)!r}, not {fact.get(key)!r}"
        for record in evaluation
        if (fact := known.get(record["fact"]))
        for key in ("must", "was")
        if record.get(key) != fact.get(key)
    ]


def asking(train: list[dict], evaluation: list[dict]) -> list[str]:
    """Evaluation questions close to training, questions asked twice, and questions from one mould."""
    questions = [record["question"] for record in [*train, *evaluation]]
    faults = [
        f"{score:.2f} alike: {questions[i]!r} (training), {questions[j]!r} (evaluation)"
        for i, j, score in near_pairs(questions, CLOSE)
        if i < len(train) <= j
    ]
    faults += [f"asked {n} times: {question!r}" for question, n in Counter(questions).items() if n > 1]
    moulds = Counter(map(skeleton, questions))
    return faults + [f"{n} questions from one mould: {mould!r}" for mould, n in moulds.items() if n > MOULD]


def covering(train: list[dict], parts: dict[str, list[dict]], facts: list[dict]) -> list[str]:
    """Facts without four to ten wordings or without exactly one evaluation question; topics on both sides."""
    wordings = Counter(record["fact"] for record in train if kind(record) == "fact")
    asked = Counter(record["fact"] for part in parts.values() for record in part if kind(record) == "fact")
    names = [fact["fact"] for fact in facts]
    faults = [f"{name}: {wordings[name]} wordings" for name in names if not 4 <= wordings[name] <= 10]
    faults += [f"{name}: {asked[name]} evaluation questions" for name in names if asked[name] != 1]
    topics = [{record["fact"] for record in part if kind(record) == "off-topic"} for part in (train, *parts.values())]
    return faults + [
        f"{topic}: on two sides" for i, side in enumerate(topics) for o in topics[i + 1 :] for topic in side & o
    ]


def changed(old: list[dict], new: list[dict]) -> list[str]:
    """Facts of the second edition that are unknown to the first, or did not change."""
    before = {fact["fact"]: fact["must"] for fact in old}
    return [
        f"{f['fact']}: was {before.get(f['fact'])!r}, not {f['was']!r}"
        for f in new
        if before.get(f["fact"]) != f["was"]
    ] + [f"{f['fact']}: its new statement still holds {f['was']!r}" for f in new if fact_hit(f["statement"], f["was"])]


def absent(invented: list[dict], texts: list[str], others: list[dict]) -> list[str]:
    """Invented products that do occur, or that their question does not name, and questions that are asked twice."""
    faults, asked = [], Counter(record["question"] for record in [*invented, *others])
    all_texts = "\n".join(texts).lower()  # a search that ignores case takes ten times as long
    for record in invented:
        product, question = record["fact"].removeprefix("invented: "), record["question"]
        name = re.compile(rf"\b{re.escape(product.lower())}\b")
        occurs = product.lower() in all_texts and name.search(all_texts)
        if not name.search(question.lower()) or asked[question] > 1 or occurs:
            faults.append(f"{product}: {question!r} is asked twice, does not name it, or it occurs elsewhere")
    return faults


def talking(dialogues: dict[str, list[dict]], train: list[dict]) -> list[str]:
    """Two facts in a row, or an order, that both sides speak of; facts that are not answered as in training."""
    answers, seen, faults = {(record["fact"], record["answer"]) for record in train}, {}, []
    for side, rows in dialogues.items():
        for number, row in enumerate(rows, 1):
            orders = [found for message in row["messages"] for found in ORDER.findall(message["content"] or "")]
            for both in [*pairwise(row["facts"]), *dict.fromkeys(orders)]:
                if seen.setdefault(both, side) != side:
                    faults.append(f"{side}, line {number}: {both} is on two sides")
            said = {m["content"] for m in row["messages"] if m["role"] == "assistant"}
            lost = [fact for fact in row["facts"] if not any((fact, text) in answers for text in said)]
            faults += [f"{side}, line {number}: {fact} is not answered as in training" for fact in lost]
    return faults


def facts_of(records: list[dict]) -> set[str]:
    """The facts that records are about."""
    return {record["fact"] for record in records}


def check(folder: Path = HERE) -> tuple[dict[str, int], list[str]]:
    """The counts of a company's folder, and every fault found in it."""
    files = ("facts", "train", "dev", "test", "v2/facts", "v2/train", "v2/test")
    facts, train, dev, test, new_facts, new_train, new_test = (read_jsonl(folder / f"{name}.jsonl") for name in files)
    invented, again = (read_jsonl(folder / f"{name}.jsonl") for name in ("invented", "again"))
    dialogues = {name: read_jsonl(folder / f"{name}.jsonl") for name in ("dialogues", "dialogues_dev")}
    handbooks = [(folder / name).read_text(encoding="utf-8") for name in ("handbook.md", "v2/handbook.md")]
    faults = [
        *standing(facts, handbooks[0]),
        *standing(new_facts, handbooks[1]),
        *answering([*train, *dev, *test, *again], facts),
        *answering([*new_train, *new_test], new_facts),
        *requiring([*dev, *test, *again], facts),
        *requiring(new_test, new_facts),
        *asking([*train, *new_train], [*dev, *test, *new_test, *again]),
        *covering(train, {"dev": dev, "test": test}, facts),
        *(f"{record['fact']}: asked again, but not in dev" for record in again if record["fact"] not in facts_of(dev)),
        *changed(facts, new_facts),
        *talking(dialogues, train),
        *absent(invented, [*handbooks, *(str(record) for record in [*train, *new_train])], [*train, *dev, *test]),
    ]
    counts = {
        "facts": len(facts),
        "pairs": len(train),
        **Counter(f"pairs: {kind(record)}" for record in train),
        "dev": len(dev),
        **Counter(f"dev: {kind(record)}" for record in dev),
        "test": len(test),
        **Counter(f"test: {kind(record)}" for record in test),
        "again": len(again),
        "handbook, words": len(handbooks[0].split()),
        "changed": len(new_facts),
        "changed: pairs": len(new_train),
        **Counter(f"invented: {record['split']}" for record in invented),
        "dialogues": len(dialogues["dialogues"]),
        "dialogues: dev": len(dialogues["dialogues_dev"]),
        "dialogues: with a tool": sum("tools" in row for row in dialogues["dialogues"]),
    }
    counts["off-topic"] = counts.pop("pairs: off-topic", 0)
    counts["topics"] = len({record["fact"] for record in train if kind(record) == "off-topic"})
    faults += [
        f"{counts[name]} {name}, expected at least {least}" for name, least in LEAST.items() if counts[name] < least
    ]
    return counts, faults


if __name__ == "__main__":
    counts, faults = check()
    print("\n".join(faults or [f"{name}: {n}" for name, n in counts.items()]))
    sys.exit(bool(faults))
