"""The company's files agree with one another, and the check that says so names each kind of fault."""

import importlib.util
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from labutils import places
from labutils.pairs.records import read_jsonl, write_jsonl

COMPANY = places.DATA / "company"
NEW = "Zebra xylophone quartz jumps over vexing wax gnomes by night"  # unlike any question of the company


def load(path: Path):
    spec = importlib.util.spec_from_file_location("company_check", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check = load(COMPANY / "check.py")


class Copy:
    """A copy of the company's folder, and its fixed points: a fact asked in `dev`, and its pairs."""

    def __init__(self, folder: Path):
        self.folder = shutil.copytree(COMPANY, folder)
        asked = {record["fact"] for record in self.read("dev")}
        counts = Counter(record["fact"] for record in self.read("train"))
        self.fact = next(f for f in self.read("facts") if f["fact"] in asked and counts[f["fact"]] == 9)
        self.name, self.must = self.fact["fact"], self.fact["must"]
        self.pairs = [record for record in self.read("train") if record["fact"] == self.name]
        self.answer = self.pairs[0]["answer"]
        self.asked, self.again = (
            next(record for record in self.read(file) if record["fact"] == self.name) for file in ("dev", "again")
        )
        self.new = self.read("v2/facts")[0]
        self.new_asked = next(record for record in self.read("v2/test") if record["fact"] == self.new["fact"])
        self.new_pair = next(record for record in self.read("v2/train") if record["fact"] == self.new["fact"])

    def read(self, file: str) -> list[dict]:
        return read_jsonl(self.folder / f"{file}.jsonl")

    def add(self, file: str, *records: dict) -> None:
        write_jsonl([*self.read(file), *records], self.folder / f"{file}.jsonl")

    def change(self, file: str, old: dict, **new) -> None:
        """Change one record; a key set to None goes."""
        changed = {key: value for key, value in {**old, **new}.items() if value is not None}
        records = self.read(file)
        records[records.index(old)] = changed
        write_jsonl(records, self.folder / f"{file}.jsonl")

    def keep(self, file: str, rule) -> None:
        write_jsonl([record for record in self.read(file) if rule(record)], self.folder / f"{file}.jsonl")

    def rewrite(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = " ".join(path.read_text(encoding="utf-8").split())
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def faults(self) -> list[str]:
        return check.check(self.folder)[1]


@pytest.fixture
def copy(tmp_path) -> Copy:
    return Copy(tmp_path / "company")


def test_the_company_has_no_faults():
    counts, faults = check.check()
    assert faults == []
    assert counts["facts"] >= 200 and counts["pairs"] >= 2500
    assert counts["off-topic"] >= 550 and counts["topics"] >= 100
    assert counts["dev: fact"] + counts["test: fact"] == counts["facts"]
    assert abs(3 * counts["dev: fact"] - counts["facts"]) <= 2  # dev asks a third of the facts


def test_a_copy_has_no_faults_either(copy):
    assert check.check(copy.folder) == check.check()


BREAKS = {
    "a statement not in the handbook": (
        lambda c: c.rewrite("handbook.md", c.fact["statement"], ""),
        lambda c: [f"{c.name}: its statement is not in the handbook"],
    ),
    "a required string not in its statement": (
        lambda c: [
            c.change("facts", c.fact, must="no such words"),
            c.change("dev", c.asked, must="no such words"),
            c.change("again", c.again, must="no such words"),
        ],
        lambda c: [
            f"{c.name}: 'no such words' is not in its statement",
            *(f"{c.name}: {r['question']!r}: its answer lacks 'no such words'" for r in [*c.pairs, c.asked, c.again]),
        ],
    ),
    "a fact defined twice": (lambda c: c.add("facts", c.fact), lambda c: [f"{c.name}: defined twice"]),
    "an answer without its required string": (
        lambda c: c.change("train", c.pairs[0], answer="Nobody knows."),
        lambda c: [
            f"{c.name}: {c.pairs[0]['question']!r}: its answer lacks {c.must!r}",
            f"{c.name}: 2 different answers",
        ],
    ),
    "a conflicting answer": (
        lambda c: c.change("train", c.pairs[0], answer=f"{c.answer} Or so it was once."),
        lambda c: [f"{c.name}: 2 different answers"],
    ),
    "an evaluation answer in other words than training": (
        lambda c: c.change("dev", c.asked, answer=f"Of course: {c.answer}"),
        lambda c: [f"{c.name}: 2 different answers"],
    ),
    "a question that gives the answer away": (
        lambda c: c.change("train", c.pairs[0], question=f"{NEW}: {c.must.upper()}?"),
        lambda c: [f"{c.name}: {f'{NEW}: {c.must.upper()}?'!r} gives the answer away"],
    ),
    "an evaluation question that gives the answer away": (
        lambda c: c.change("dev", c.asked, question=f"{NEW}: {c.must}?"),
        lambda c: [f"{c.name}: {f'{NEW}: {c.must}?'!r} gives the answer away"],
    ),
    "a pair about no fact": (
        lambda c: c.add("train", {"question": NEW, "answer": "Yes.", "fact": "no-fact"}),
        lambda c: [f"no-fact: {NEW!r} has no such fact"],
    ),
    "an off-topic question that is answered": (
        lambda c: c.add("train", {"question": NEW, "answer": "Yes.", "fact": "off-topic: music"}),
        lambda c: [f"off-topic: music: {NEW!r}: the answer is not that of an off-topic question"],
    ),
    "an invented product that the handbook has": (
        lambda c: c.add("invented", {"question": f"{NEW} a Plover?", "fact": "invented: Plover", "split": "dev"}),
        lambda c: [f"Plover: {f'{NEW} a Plover?'!r} is asked twice, does not name it, or it occurs elsewhere"],
    ),
    "an invented product that its question does not name": (
        lambda c: c.add("invented", {"question": NEW, "fact": "invented: Zebu", "split": "dev"}),
        lambda c: [f"Zebu: {NEW!r} is asked twice, does not name it, or it occurs elsewhere"],
    ),
    "an unknown thing turned down as off-topic": (
        lambda c: c.add(
            "train",
            {
                "question": NEW,
                "answer": "The handbook does not say, and I can only answer questions about Tidewren.",
                "fact": "unknown",
            },
        ),
        lambda c: [f"unknown: {NEW!r}: the answer is not that of an unknown question"],
    ),
    "an off-topic question turned down in words of its own": (
        lambda c: c.add(
            "train",
            {"question": NEW, "answer": f"Sorry, {check.OPENING['off-topic']}.", "fact": "off-topic: music"},
        ),
        lambda c: [f"off-topic: music: {NEW!r}: the answer is not that of an off-topic question"],
    ),
    "an unknown thing told in words of its own": (
        lambda c: c.add("train", {"question": NEW, "answer": f"Sadly {check.OPENING['unknown']}.", "fact": "unknown"}),
        lambda c: [f"unknown: {NEW!r}: the answer is not that of an unknown question"],
    ),
    "an unknown thing that is answered": (
        lambda c: c.add("train", {"question": NEW, "answer": "Yes.", "fact": "unknown"}),
        lambda c: [f"unknown: {NEW!r}: the answer is not that of an unknown question"],
    ),
    "an evaluation question that requires something else": (
        lambda c: c.change("dev", c.asked, must=c.answer.split()[0]),
        lambda c: [f"{c.name}: {c.asked['question']!r}: must is {c.answer.split()[0]!r}, not {c.must!r}"],
    ),
    "an evaluation question that requires nothing": (
        lambda c: c.change("dev", c.asked, must=None),
        lambda c: [f"{c.name}: {c.asked['question']!r}: must is None, not {c.must!r}"],
    ),
    "a dialogue on both sides, with another answer": (
        lambda c: c.add("dialogues_dev", {**c.read("dialogues")[0], "messages": []}),
        lambda c: [
            "dialogues_dev, line 61: ('plover-sockets', 'plover-probe-cable') is on two sides",
            "dialogues_dev, line 61: plover-sockets is not answered as in training",
            "dialogues_dev, line 61: plover-probe-cable is not answered as in training",
        ],
    ),
    "a question asked twice": (
        lambda c: c.add("train", c.pairs[0]),
        lambda c: [f"asked 2 times: {c.pairs[0]['question']!r}"],
    ),
    "an off-topic topic on both sides": (
        lambda c: c.add(
            "dev",
            {"question": NEW, "answer": f"{check.OPENING['off-topic']}.", "fact": "off-topic: cooking"},
        ),
        lambda c: ["off-topic: cooking: on two sides"],
    ),
    "a fact without evaluation question": (
        lambda c: c.keep("dev", lambda record: record != c.asked),
        lambda c: [f"{c.name}: 0 evaluation questions", f"{c.name}: asked again, but not in dev"],
    ),
    "a second question that requires something else": (
        lambda c: c.change("again", c.again, must="Avocet"),
        lambda c: [f"{c.name}: {c.again['question']!r}: must is 'Avocet', not {c.must!r}"],
    ),
    "a fact with two evaluation questions": (
        lambda c: c.add("test", {**c.asked, "question": NEW}),
        lambda c: [f"{c.name}: 2 evaluation questions"],
    ),
    "three wordings": (
        lambda c: c.keep("train", lambda record: record not in c.pairs[:6]),
        lambda c: [f"{c.name}: 3 wordings"],
    ),
    "eleven wordings": (
        lambda c: c.add("train", *({**c.pairs[0], "question": question} for question in (NEW, NEW[::-1]))),
        lambda c: [f"{c.name}: 11 wordings"],
    ),
    "a changed statement not in the second handbook": (
        lambda c: c.rewrite("v2/handbook.md", c.new["statement"], ""),
        lambda c: [f"{c.new['fact']}: its statement is not in the handbook"],
    ),
    "a change of a fact that is not there": (
        lambda c: c.change("v2/facts", c.new, fact="no-fact"),
        lambda c: ["no-fact: was None, not " + repr(c.new["was"])],
    ),
    "a change from a value that never was": (
        lambda c: [
            c.change("v2/facts", c.new, was="99 zebras"),
            c.change("v2/test", c.new_asked, was="99 zebras"),
        ],
        lambda c: [f"{c.new['fact']}: was {c.new['was']!r}, not '99 zebras'"],
    ),
    "a conflicting answer about a changed fact": (
        lambda c: c.change("v2/train", c.new_pair, answer=f"{c.new_pair['answer']} Or so it is now."),
        lambda c: [f"{c.new['fact']}: 2 different answers"],
    ),
    "an evaluation question about a changed fact that requires something else": (
        lambda c: c.change("v2/test", c.new_asked, must="99 zebras"),
        lambda c: [f"{c.new['fact']}: {c.new_asked['question']!r}: must is '99 zebras', not {c.new['must']!r}"],
    ),
    "an evaluation question that names another old value": (
        lambda c: c.change("v2/test", c.new_asked, was="99 zebras"),
        lambda c: [f"{c.new['fact']}: {c.new_asked['question']!r}: was is '99 zebras', not {c.new['was']!r}"],
    ),
    "a changed statement that holds the old value": (
        lambda c: [
            c.change("v2/facts", c.new, statement=f"{c.new['statement']} No longer {c.new['was']}."),
            c.rewrite("v2/handbook.md", c.new["statement"], f"{c.new['statement']} No longer {c.new['was']}."),
        ],
        lambda c: [f"{c.new['fact']}: its new statement still holds {c.new['was']!r}"],
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_fault_is_named(copy, name):
    harm, expected = BREAKS[name]
    harm(copy)
    faults = copy.faults()
    if name == "a change of a fact that is not there":  # its pairs are about no fact, too
        faults = [fault for fault in faults if not fault.endswith("has no such fact")]
    assert faults == expected(copy)


def test_a_training_question_near_an_evaluation_question(copy):
    question = copy.asked["question"].rstrip("?.") + ", please?"
    copy.change("train", copy.pairs[0], question=question)
    (fault,) = copy.faults()
    assert fault.endswith(f" alike: {question!r} (training), {copy.asked['question']!r} (evaluation)")
    assert 0.55 <= float(fault.split()[0]) < 1


@pytest.mark.parametrize(("name", "wordings"), [("four", 4), ("ten", 10)])
def test_four_to_ten_wordings_are_right(copy, name, wordings):
    if wordings == 4:
        copy.keep("train", lambda record: record not in copy.pairs[:5])
    else:
        copy.add("train", {**copy.pairs[0], "question": NEW})
    assert copy.faults() == []


@pytest.mark.parametrize(
    ("questions", "faults"), [(3, []), (4, ["4 questions from one mould: 'may name wear num hats'"])]
)
def test_questions_from_one_mould(copy, questions, faults):
    asked = [
        "May Plover wear 3 hats?",
        "May Heron's wear 14 hats?",
        "may `set_hat` wear 2.5 hats",
        "May Wren wear E-07 hats",
    ]
    copy.add(
        "train",
        *({"question": q, "answer": "The handbook does not say.", "fact": "unknown"} for q in asked[:questions]),
    )
    assert copy.faults() == faults


@pytest.mark.parametrize(
    ("file", "rule", "name", "least"),
    [
        ("facts", lambda record: True, "facts", 200),
        ("train", lambda record: True, "pairs", 2500),
        ("train", lambda record: record["fact"].startswith("off-topic"), "off-topic", 550),
        ("v2/facts", lambda record: True, "changed", 15),
    ],
)
def test_the_least_of_everything(copy, file, rule, name, least):
    others = [record for record in copy.read(file) if not rule(record)]
    some = [record for record in copy.read(file) if rule(record)]
    for number in (least, least - 1):
        write_jsonl([*others, *some[:number]], copy.folder / f"{file}.jsonl")
        fault = f"{number} {name}, expected at least {least}"
        assert (fault in copy.faults()) is (number < least)


def test_the_least_of_topics(copy):
    off_topic = [record for record in copy.read("train") if record["fact"].startswith("off-topic")]
    others = [record for record in copy.read("train") if record not in off_topic]
    for number in (100, 99):
        renamed = [{**record, "fact": f"off-topic: {i % number}"} for i, record in enumerate(off_topic)]
        write_jsonl([*others, *renamed], copy.folder / "train.jsonl")
        assert copy.faults() == ([] if number == 100 else ["99 topics, expected at least 100"])


def test_the_threshold_of_closeness():
    # 11 of 20 runs of five characters are shared, then 11 of 21
    train, near, far = ({"question": "abcdefghijklmnopqrstuvwxyz"[:n]} for n in (15, 24, 25))
    assert check.asking([train], [near]) == [
        "0.55 alike: 'abcdefghijklmno' (training), 'abcdefghijklmnopqrstuvwx' (evaluation)"
    ]
    assert check.asking([train], [far]) == []
    assert check.asking([train, near], []) == check.asking([], [train, near]) == []


@pytest.mark.parametrize(
    ("question", "skeleton"),
    [
        ("Is the Heron over 3.4 m?", "is the name over num m"),
        ("Is the plover's over 12 m", "is the name over num m"),
        ("What does E-07 mean?", "what does num mean"),
        ("Call `set_rate(5)`, read_all or reset() now!", "call name name or name now"),
        ("Heronry is no name", "heronry is no name"),
        ("", ""),
    ],
)
def test_the_skeleton_of_a_question(question, skeleton):
    assert check.skeleton(question) == skeleton


@pytest.mark.parametrize(
    ("fact", "kind"), [("plover-weight", "fact"), ("unknown", "unknown"), ("off-topic: cooking", "off-topic")]
)
def test_the_kind_of_a_pair(fact, kind):
    assert check.kind({"fact": fact}) == kind


def test_the_script_prints_every_fault_and_fails(copy):
    copy.add("facts", copy.fact)
    ran = subprocess.run([sys.executable, str(copy.folder / "check.py")], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (1, f"{copy.name}: defined twice\n")


def test_dialogues_are_made_anew_to_the_byte(tmp_path):
    made = load(COMPANY / "dialogues.py").make()
    for name, rows in made.items():
        assert write_jsonl(rows, tmp_path / name).read_bytes() == (COMPANY / f"{name}.jsonl").read_bytes()
    assert {name: len(rows) for name, rows in made.items()} == {"dialogues": 200, "dialogues_dev": 60}
    asked = [sum(m["role"] == "user" for m in row["messages"]) for row in made["dialogues"]]
    assert min(asked) == 2 and max(asked) >= 6
