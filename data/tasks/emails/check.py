"""Check the e-mails against their briefs, the house style and one another: `python data/tasks/emails/check.py`.

Prints the counts, or every fault. What it holds: every mail keeps the house style, carries every fact of its brief and
no number, day or name that the brief lacks; what is said about the company agrees with its handbook; no two records
are alike, neither in one file nor across files; and no sentence is a mould.
"""

import re
import sys
from collections import Counter
from datetime import date
from pathlib import Path

from labutils.corpus.duplicates import near_pairs
from labutils.measure import tasks
from labutils.measure.scoring import fact_hit
from labutils.pairs.records import read_jsonl

HERE = Path(__file__).parent
HANDBOOK = HERE.parents[1] / "company" / "handbook.md"
SIZES = {"train": 320, "dev": 40, "test": 40}
MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
]  # fmt: skip
YEAR = 2026  # whose calendar the days of the week follow
CLOSE, TWINS, MOULD = 0.5, 0.5, 2  # likeness of two briefs, of two mails; times that a sentence may occur


def carrying(record: dict) -> list[str]:
    """Facts that the mail or the brief lacks, a point that is not in the first sentence, and what was invented."""
    brief, mail, facts = record["instruction"], record["response"], record["facts"]
    faults = [f"no {fact!r} in the mail" for fact in facts if not fact_hit(mail, fact)]
    faults += [f"no {fact!r} in the brief" for fact in facts if not fact_hit(brief, fact)]
    if not tasks.point_first(mail, facts):
        faults.append(f"the first sentence lacks the point, {facts[0]!r}")
    if not 3 <= len(facts) <= 8 or len(set(facts)) < len(facts):
        faults.append(f"{len(facts)} facts, expected 3 to 8, each once")
    faults += [f"{word!r} is not in the brief" for word in tasks.lacking(brief, mail)]
    return faults + [f"{word!r} of the brief is not in the mail" for word in tasks.dropped(brief, mail)]


def dated(text: str) -> list[str]:
    """Days of the week that are not those of the year. dated("Monday 3 March") -> ["Monday 3 March"] (a Tuesday)."""
    found = re.findall(rf"({'|'.join(tasks.DAYS)}),? (\d+) ({'|'.join(MONTHS)})", text)
    return [" ".join(f) for f in found if tasks.DAYS[date(YEAR, MONTHS.index(f[2]) + 1, int(f[1])).weekday()] != f[0]]


POLICIES = (  # what is said in these words, and what of it the handbook allows
    (r"warranty (?:of|runs for) (\d+ months)", {"30 months"}),
    (r"valid(?: for)? (\d+ days)", {"75 days"}),
    (r"(?:restocking fee of|fee) (\d+ percent)|(\d+ percent) (?:for )?restocking", {"12 percent"}),
    (r"deposit(?: of)? (\d+ percent)", {"30 percent"}),
    (r"discount(?: of)? (\d+ percent)", {"18 percent"}),
    (r"(\d+ days) of delivery", {"35 days"}),
    (r"reported within (\d+ working days)", {"5 working days"}),
    (r"repair takes(?: about)? (\d+ working days)", {"9 working days"}),
    (r"due (\d+ days) later|due (\d+ days) after", {"40 days"}),
    (r"free\b[^.;]{0,20} above (\d+)|orders above (\d+) euros", {"900"}),
    (r"keeps? (?:it|repaired instruments)(?: for)? (\d+ days)", {"120 days"}),
    (r"(\d+ percent) of (?:the )?rent|rent is credited (\d+ percent)", {"60 percent"}),
    (r"\b(\w+) band\b", {"purple"}),
    (r"\b(red|blue|green|orange|yellow) label\b", {"blue"}),
    (r"\b(\w+) barrel\b", {"green"}),
    (r"reminders? (\d+ weeks)", {"5 weeks"}),
    (r"copy[^.;]{0,20} for (\d+ years)", {"11 years"}),
    (r"parts[^.;]{0,20} for (\d+ years)|parts (\d+ years)", {"13 years"}),
    (r"\bhold(?:s)? (\d[\d,]*) readings", {"410,000"}),
    (r"leaves?(?: us)? on (\w+day)\b(?! \d+ \w+ instead)", {"tuesday", "friday"}),
    (r"(?-i:\b([A-Z]\w+) Freight\b)", {"gannet"}),
    (r"(\w+) (?:is|was) the safety officer|safety officer, (\w+ \w+)", {"bastian okoro"}),
)


def agreeing(text: str, handbook: str) -> list[str]:
    """What a text says about the company otherwise than the handbook."""
    faults = [f"{day!r} is no day of {YEAR}" for day in dated(text)]
    faults += [f"{code!r} is not in the handbook" for code in re.findall(r"\bE\d{3}\b", text) if code not in handbook]
    for pattern, allowed in POLICIES:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            if next(filter(None, match.groups())).lower() not in allowed:
                faults.append(f"{match[0]!r}, where the handbook has {', '.join(sorted(allowed))}")
    return faults


def repeated(records: list[dict], parts: list[str]) -> list[str]:
    """Briefs and mails that are alike, addressees and orders that occur twice, and sentences used as moulds."""
    faults = []
    for key, most in (("instruction", CLOSE), ("response", TWINS)):
        texts = [r["instruction"] if key == "instruction" else " ".join(tasks.body(r["response"])) for r in records]
        faults += [
            f"{key}s {score:.2f} alike ({parts[i]}, {parts[j]}): {texts[i]!r}, {texts[j]!r}"
            for i, j, score in near_pairs(texts, most)
        ]
    names = Counter(tasks.addressee(record["instruction"]) for record in records)
    orders = Counter(order for record in records for order in set(re.findall(r"\bTQ\d+", record["instruction"])))
    said = Counter(masked(part) for r in records for part in {*tasks.sentences(" ".join(tasks.body(r["response"])))})
    faults += [f"{count} records with {name}" for name, count in (names + orders).items() if count > 1]
    return faults + [f"{n} times: {said!r}" for said, n in said.items() if n > MOULD]


def masked(sentence: str) -> str:
    """A sentence without names and numbers. masked("The Heron left on 3 May.") -> "the left on"."""
    head, _, rest = sentence.partition(" ")
    return " ".join(re.findall(r"[a-z]+", f"{head.lower()} " + re.sub(r"\S*[A-Z0-9]\S*", " ", rest)))


def check(folder: Path = HERE) -> tuple[dict[str, int], list[str]]:
    """The counts of the folder, and every fault found in it."""
    files = {name: read_jsonl(folder / f"{name}.jsonl") for name in SIZES}
    records = [record for part in files.values() for record in part]
    handbook = HANDBOOK.read_text(encoding="utf-8")
    parts = [f"{name}:{i}" for name, part in files.items() for i in range(1, len(part) + 1)]
    faults = [
        f"{where}: {fault}"
        for where, record in zip(parts, records, strict=True)
        for fault in (
            *(rule for rule, kept in tasks.style(record["instruction"], record["response"]).items() if not kept),
            *carrying(record),
            *agreeing(record["instruction"], handbook),
            *agreeing(record["response"], handbook),
        )
    ]
    faults += repeated(records, parts)
    faults += [
        f"{len(part)} records in {name}, expected {SIZES[name]}"
        for name, part in files.items()
        if len(part) != SIZES[name]
    ]
    words = [len(record["response"].split()) for record in records]
    counts = {
        **{name: len(part) for name, part in files.items()},
        "facts": sum(len(record["facts"]) for record in records),
        "situations": len({record["situation"] for record in records}),
        "addressees": len({tasks.addressee(record["instruction"]) for record in records}),
        "words of a mail, fewest": min(words),
        "words of a mail, mean": round(sum(words) / len(words)),
        "words of a mail, most": max(words),
        "mails with an apology": sum(tasks.apologies(record["instruction"]) for record in records),
    }
    return counts, faults


if __name__ == "__main__":
    counts, faults = check()
    print("\n".join(faults or [f"{name}: {n}" for name, n in counts.items()]))
    sys.exit(bool(faults))
