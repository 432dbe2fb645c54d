"""The checks of the bundled tasks name each kind of fault: one record is changed, and the check says how.

That the files as they ship have none is for `test_cards`, which runs the checks.
"""

import importlib.util

import pytest

from labutils.measure import tasks
from labutils.pairs.records import read_jsonl


def load(task: str):
    spec = importlib.util.spec_from_file_location(f"{task}_check", tasks.FOLDER / task / "check.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


support, emails = load("support"), load("emails")
MESSAGE = "The Heron on our roof shows E317 and its masts are bent. Order TQ-51003."
KEYWORDS = ["heron", "e317", "mast"]


@pytest.mark.parametrize(
    ("keywords", "fault"),
    [
        (["heron"], "1 keywords"),
        (["heron", "e317", "mast", "roof", "bent"], "5 keywords"),
        (["heron", "e317", "mast", "mast"], "'mast' twice"),
        (["heron", "e317", "Mast"], "not one to three words in lower case"),
        (["heron", "e317", "pole"], "'pole' is not in the message"),
        (["heron", "e317", "tq-51003"], "holds a number"),
        (["heron", "e317", "masts"], "'masts' is a plural"),
        (["heron", "e317", "its mast"], "begins or ends in an empty word"),
        (["e317", "mast"], "the first keyword is none of the products"),
        (["heron", "mast"], "the code e317 is no keyword"),
        (["heron", "mast", "e317"], "order: "),
    ],
)
def test_a_fault_of_keywords_is_named(keywords, fault):
    assert support.keyword_faults(MESSAGE, KEYWORDS) == []
    assert support.place(MESSAGE, "hreon") is not None, "a slip of the keyboard"
    assert any(fault in each for each in support.keyword_faults(MESSAGE, keywords))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"output": "queue: garden\nkeywords: heron, e317"}, "output 'queue: garden"),
        ({"output": "repairs: heron, e317"}, "output 'repairs"),
        ({"input": MESSAGE + " "}, "sentences or lines"),
        ({"input": "So. " * 6 + MESSAGE}, "8 sentences or lines"),
        ({"input": MESSAGE + " Write to ann@firm.de"}, "not example.com"),
        ({"note": "x"}, "keys "),
    ],
)
def test_a_fault_of_a_message_is_named(change, fault):
    record = {"input": MESSAGE, "output": f"queue: repairs\nkeywords: {', '.join(KEYWORDS)}"}
    assert support.message_faults(record) == []
    assert any(fault in each for each in support.message_faults(record | change))


def test_splits_of_other_sizes_or_shares_are_seen():
    splits = {name: read_jsonl(tasks.FOLDER / "support" / f"{name}.jsonl") for name in support.SIZES}
    assert support.shares(splits) == []
    assert any("sizes" in fault for fault in support.shares({**splits, "dev": splits["dev"][:-1]}))
    queue = support.queue_of(splits["dev"][0])
    only = {**splits, "dev": [r for r in splits["dev"] if support.queue_of(r) == queue] * 20}
    assert any(fault.startswith(f"{queue}: ") for fault in support.shares(only))
    twin = {"train": [splits["train"][0]], "dev": [splits["train"][0]], "test": []}
    assert len(support.alike(twin)) == 1 and support.alike(twin | {"dev": [splits["train"][1]]}) == []


MAIL = read_jsonl(tasks.FOLDER / "emails" / "dev.jsonl")[0]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"facts": [*MAIL["facts"], "green"]}, "no 'green' in the mail"),
        ({"facts": ["apologise", *MAIL["facts"]]}, "the first sentence lacks the point"),
        ({"facts": MAIL["facts"][:2]}, "2 facts, expected 3 to 8"),
        ({"response": MAIL["response"].replace("36", "37")}, "'37' is not in the brief"),
        ({"instruction": MAIL["instruction"] + "; lot 88"}, "'88' of the brief is not in the mail"),
    ],
)
def test_a_fault_of_a_mail_is_named(change, fault):
    assert emails.carrying(MAIL) == []
    assert any(fault in each for each in emails.carrying(MAIL | change))


def test_what_a_mail_says_otherwise_than_the_handbook():
    for text, faults in [
        ("It came on Monday 2 March.", 0), ("It came on Monday 3 March.", 1), ("A warranty of 30 months.", 0),
        ("A warranty of 31 months.", 1), ("It shows E318.", 1),
    ]:  # fmt: skip
        assert len(emails.agreeing(text, "the codes are E317")) == faults


def test_records_that_repeat_one_another_are_seen():
    other = read_jsonl(tasks.FOLDER / "emails" / "dev.jsonl")[1]
    assert emails.repeated([MAIL, other], ["dev:1", "dev:2"]) == []
    faults = emails.repeated([MAIL, MAIL, MAIL], ["dev:1", "dev:2", "dev:3"])
    assert any("alike" in fault for fault in faults) and any("3 records with" in fault for fault in faults)
    assert any(fault.startswith("3 times: ") for fault in faults)
