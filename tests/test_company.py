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
    spec = importlib.util.spec_from_file_location(f"company_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check = load(COMPANY / "check.py")


class Copy:
    """A copy of the company's folder, and its fixed points: a fact asked in `dev`, and its pairs."""

    def __init__(self, folder: Path):
        def about(file: str, fact: str) -> dict:
            return next(record for record in self.read(file) if record["fact"] == fact)

        self.folder = shutil.copytree(COMPANY, folder)
        train, asked = self.read("train"), {record["fact"] for record in self.read("dev")}
        counts = Counter(record["fact"] for record in train)
        self.fact = next(f for f in self.read("facts") if f["fact"] in asked and counts[f["fact"]] == 9)
        self.name, self.must = self.fact["fact"], self.fact["must"]
        self.pairs = [record for record in train if record["fact"] == self.name]
        self.pair, self.answer = self.pairs[0], self.pairs[0]["answer"]
        self.asked, self.again = about("dev", self.name), about("again", self.name)
        self.new = self.read("v2/facts")[0]
        self.new_asked, self.new_pair = (about(f"v2/{file}", self.new["fact"]) for file in ("test", "train"))

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

    def keep(self, file: str, *out: dict) -> None:
        write_jsonl([record for record in self.read(file) if record not in out], self.folder / f"{file}.jsonl")

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


NOT_OFF, NOT_UNKNOWN = (f": the answer is not that of an {kind} question" for kind in ("off-topic", "unknown"))


def changed(file: str, record: str, **new: object):
    """What changes one record of a copy; texts are filled in from it."""

    def harm(c: Copy) -> None:
        filled = {key: value.format(c=c) if isinstance(value, str) else value for key, value in new.items()}
        c.change(file, getattr(c, record), **filled)

    return harm


def added(file: str, fact: str, question: str = NEW, **more: str):
    return lambda c: c.add(file, {"question": question, "fact": fact, **more})


OFF, UNKNOWN, OFF_TOPIC = check.OPENING["off-topic"], check.OPENING["unknown"], "off-topic: music"
TWICE = "is asked twice, does not name it, or it occurs elsewhere"
NOT_OFF = f"{OFF_TOPIC}: {NEW!r}: the answer is not that of an off-topic question"
NOT_UNKNOWN = f"unknown: {NEW!r}: the answer is not that of an unknown question"
CONFLICT, NEW_CONFLICT = "{c.name}: 2 different answers", "{c.new[fact]}: 2 different answers"
HERE, ASKED, AGAIN = (
    "{c.name}: {c.pair[question]!r}",
    "{c.name}: {c.asked[question]!r}",
    "{c.name}: {c.again[question]!r}",
)
NEW_ASKED = "{c.new[fact]}: {c.new_asked[question]!r}"
BREAKS = [  # harm, and the faults that are found; see what they say
    (lambda c: c.rewrite("handbook.md", c.fact["statement"], ""), "{c.name}: its statement is not in the handbook"),
    (
        lambda c: c.rewrite("v2/handbook.md", c.new["statement"], ""),
        "{c.new[fact]}: its statement is not in the handbook",
    ),
    (changed("facts", "fact", statement="Zz."), "{c.name}: its statement is not", "{c.name}: {c.must!r} is not in its"),
    (lambda c: c.add("facts", c.fact), "{c.name}: defined twice"),
    (changed("train", "pair", answer="Nobody."), f"{HERE}: its answer lacks {{c.must!r}}", CONFLICT),
    (changed("train", "pair", answer="{c.answer} Or so it was."), CONFLICT),
    (changed("dev", "asked", answer="Of course: {c.answer}"), CONFLICT),
    (
        lambda c: c.change("train", c.pair, question=f"{NEW}: {c.must.upper()}?"),
        "{c.name}: 'Zebra",
        "gives the answer away",
    ),
    (
        changed("dev", "asked", question=f"{NEW}: {{c.must}}?"),
        f"{{c.name}}: '{NEW}: {{c.must}}?' gives the answer away",
    ),
    (added("train", "no-fact", answer="Yes."), f"no-fact: {NEW!r} has no such fact"),
    (added("train", OFF_TOPIC, answer="Yes."), NOT_OFF),
    (added("train", OFF_TOPIC, answer=f"Sorry, {OFF}."), NOT_OFF),
    (added("train", "unknown", answer="Yes."), NOT_UNKNOWN),
    (added("train", "unknown", answer=f"{UNKNOWN}, and I can only answer questions about Tidewren."), NOT_UNKNOWN),
    (added("train", "unknown", answer=f"Sadly {UNKNOWN}."), NOT_UNKNOWN),
    (added("invented", "invented: Plover", f"{NEW} a Plover?", split="dev"), f"Plover: '{NEW} a Plover?' {TWICE}"),
    (added("invented", "invented: Zebu", split="dev"), f"Zebu: {NEW!r} {TWICE}"),
    (changed("dev", "asked", must="It"), f"{ASKED}: must is 'It', not {{c.must!r}}"),
    (changed("dev", "asked", must=None), f"{ASKED}: must is None, not {{c.must!r}}"),
    (lambda c: c.add("train", c.pair), "asked 2 times: {c.pair[question]!r}"),
    (added("dev", "off-topic: cooking", answer=f"{OFF}."), "off-topic: cooking: on two sides"),
    (
        lambda c: c.add("dialogues_dev", {**c.read("dialogues")[0], "messages": []}),
        "dialogues_dev, line 61: ('plover-sockets', 'plover-probe-cable') is on two sides",
        "dialogues_dev, line 61: plover-sockets is not answered as in training",
        "dialogues_dev, line 61: plover-probe-cable is not answered as in training",
    ),
    (lambda c: c.keep("dev", c.asked), "{c.name}: 0 evaluation questions", "{c.name}: asked again, but not in dev"),
    (changed("again", "again", must="Avocet"), f"{AGAIN}: must is 'Avocet', not {{c.must!r}}"),
    (lambda c: c.add("test", {**c.asked, "question": NEW}), "{c.name}: 2 evaluation questions"),
    (lambda c: c.keep("train", *c.pairs[:6]), "{c.name}: 3 wordings"),
    (lambda c: c.keep("train", *c.pairs[:5]),),
    (lambda c: c.add("train", {**c.pair, "question": NEW}),),
    (lambda c: c.add("train", *({**c.pair, "question": q} for q in (NEW, NEW[::-1]))), "{c.name}: 11 wordings"),
    (changed("v2/facts", "new", was="99 zebras"), "was {c.new[was]!r}, not '99", f"{NEW_ASKED}: was is"),
    (changed("v2/facts", "new", fact="no-fact"), "no-fact: was None, not {c.new[was]!r}", "has no such fact"),
    (changed("v2/train", "new_pair", answer="{c.new_pair[answer]} Or so it is now."), NEW_CONFLICT),
    (changed("v2/test", "new_asked", must="99 zebras"), f"{NEW_ASKED}: must is '99 zebras', not {{c.new[must]!r}}"),
    (changed("v2/test", "new_asked", was="99 zebras"), f"{NEW_ASKED}: was is '99 zebras', not {{c.new[was]!r}}"),
    (
        changed("v2/facts", "new", statement="{c.new[statement]} No longer {c.new[was]}."),
        "is not in the",
        "still holds",
    ),
]


@pytest.mark.parametrize("case", range(len(BREAKS)))
def test_a_fault_is_named(copy, case):
    """Each part of the faults is found, and there are no others."""
    harm, *expected = BREAKS[case]
    wanted = [each.format(c=copy) for each in expected]
    harm(copy)
    faults = copy.faults()
    assert all(any(part in fault for fault in faults) for part in wanted), faults
    assert all(any(part in fault for part in wanted) for fault in faults), faults


@pytest.mark.parametrize(("number", "told"), [(3, []), (4, ["4 questions from one mould: 'may name wear num hats'"])])
def test_questions_from_one_mould(copy, number, told):
    asked = ["May Plover wear 3 hats?", "May Heron's wear 14 hats?", "may `set_hat` wear 2.5 hats"]
    asked = [*asked, "May Wren wear E-07 hats"][:number]
    copy.add("train", *({"question": q, "answer": "The handbook does not say.", "fact": "unknown"} for q in asked))
    assert copy.faults() == told


def test_the_least_of_everything(copy):
    """At the least of each kind nothing is said, below it that it is too few."""
    for file, kind, name, least in [
        ("facts", "", "facts", 200), ("train", "", "pairs", 2500), ("train", "off-topic", "off-topic", 550),
        ("v2/facts", "", "changed", 15),
    ]:  # fmt: skip
        records = copy.read(file)
        others, some = ([r for r in records if r["fact"].startswith(kind) is its] for its in (False, True))
        for number in (least, least - 1):
            write_jsonl([*others, *some[:number]], copy.folder / f"{file}.jsonl")
            assert (f"{number} {name}, expected at least {least}" in copy.faults()) is (number < least)
        write_jsonl(records, copy.folder / f"{file}.jsonl")
    records = [record for record in copy.read("train") if record["fact"].startswith("off-topic")]
    others = [record for record in copy.read("train") if record not in records]
    for number in (100, 99):
        renamed = [{**record, "fact": f"off-topic: {i % number}"} for i, record in enumerate(records)]
        write_jsonl([*others, *renamed], copy.folder / "train.jsonl")
        assert copy.faults() == ([] if number == 100 else ["99 topics, expected at least 100"])


def test_the_threshold_of_closeness():
    # 11 of 20 runs of five characters are shared, then 11 of 21
    train, near, far = ({"question": "abcdefghijklmnopqrstuvwxyz"[:n]} for n in (15, 24, 25))
    told = "0.55 alike: 'abcdefghijklmno' (training), 'abcdefghijklmnopqrstuvwx' (evaluation)"
    assert check.asking([train], [near]) == [told] and check.asking([train], [far]) == []
    assert check.asking([train, near], []) == check.asking([], [train, near]) == []


SKELETONS = {
    "Is the Heron over 3.4 m?": "is the name over num m",
    "Is the plover's over 12 m": "is the name over num m",
    "What does E-07 mean?": "what does num mean",
    "Call `set_rate(5)`, read_all or reset() now!": "call name name or name now",
    "Heronry is no name": "heronry is no name",
}


def test_the_skeleton_of_a_question():
    assert {question: check.skeleton(question) for question in SKELETONS} == SKELETONS


def test_the_script_prints_every_fault_and_fails(copy):
    question = copy.asked["question"].rstrip("?.") + ", please?"
    copy.change("train", copy.pairs[0], question=question)
    ran = subprocess.run([sys.executable, str(copy.folder / "check.py")], capture_output=True, text=True)
    told = f" alike: {question!r} (training), {copy.asked['question']!r} (evaluation)\n"
    assert ran.returncode == 1 and ran.stdout.endswith(told) and ran.stdout.count("\n") == 1


def test_dialogues_are_made_anew_to_the_byte(tmp_path):
    made = load(COMPANY / "dialogues.py").make()
    for name, rows in made.items():
        assert write_jsonl(rows, tmp_path / name).read_bytes() == (COMPANY / f"{name}.jsonl").read_bytes()
    assert {name: len(rows) for name, rows in made.items()} == {"dialogues": 200, "dialogues_dev": 60}
    asked = [sum(m["role"] == "user" for m in row["messages"]) for row in made["dialogues"]]
    assert min(asked) == 2 and max(asked) >= 6
