"""Check the support messages: `python data/tasks/support/check.py`. Prints the counts, or every fault.

What it holds: each record has the two keys and the two lines of output; queue and keywords are as the card says; no
message is like another, within a file or across, or holds personal data; the splits have their sizes and the queues
their shares.
"""

import re
import sys
from collections import Counter
from pathlib import Path

from labutils.corpus import personal
from labutils.corpus.duplicates import near_pairs
from labutils.measure.tasks import routed
from labutils.pairs.records import family, pair, read_jsonl

HERE = Path(__file__).parent
QUEUES = {  # queue, the one that wins first: the words that its messages would be sorted by if nobody read them
    "repairs": "repair|broken?|fault|defect|error",
    "calibration": "calibrat|certificate",
    "software": "software|shoreline|estuary|sdk|firmware|log ?in|download|script",
    "returns": "return|refund|send back|sending back",
    "orders": "order|deliver|parcel|ship",
    "billing": "invoice|bill|paid|pay",
    "sales": "quote|price|buy|discount|rent",
}
PRODUCTS = ["plover", "heron", "godwit", "sandpiper", "turnstone", "curlew", "dunlin", "avocet"]
PRODUCTS += ["shoreline", "estuary", "wren"]
OUTPUT = re.compile(r"queue: ([a-z]+)\nkeywords: (.+)")
WORD = re.compile(r"\w+(?:[-.]\w+)*")
CODE = re.compile(r"e\d{3}")  # an error code, as the handbook writes them
NUMBERED = re.compile(r"[a-z]{1,2}-?\d{1,3}")  # an error code, a part number or a key: e317, dn-41, f8
SINGULAR = re.compile(r".*(?:[siu]s|gas|gps|sms|lens|customs|windows|series|goods)")  # though it ends in s
EMPTY = {"a", "an", "and", "are", "at", "be", "by", "can", "do", "for", "from", "is", "it", "its", "me", "my", "no"}
EMPTY |= {"of", "or", "our", "that", "the", "this", "to", "we", "with", "you", "your"}
SIZES = {"train": 1000, "dev": 100, "test": 100}
SHARES = {"most": 0.27, "least": 0.06}
CLOSE = 0.6  # shared runs of five characters between two messages, as a share of all of theirs


def words(text: str) -> list[str]:
    """The words of a text, lower case, without the 's of an owner. words("The Heron's mast.") -> [the, heron, mast]."""
    return WORD.findall(re.sub(r"['’]s\b", "", text.lower()).replace("'", ""))


def forms(word: str) -> set[str]:
    """A word and its plurals. forms("battery") -> {"battery", "batterys", "batteryes", "batteries"}."""
    return {word, word + "s", word + "es", re.sub("y$", "ies", word)}


def slip(one: str, other: str) -> bool:
    """Whether a letter too many, too few, another one, or two swapped part two words of five letters or more."""
    if one == other:
        return True
    if min(len(one), len(other)) < 5 or abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[1::-1] == b[:2] and a[2:] == b[2:])


def place(message: str, keyword: str) -> int | None:
    """At which word of a message a keyword stands, as a run of words; None where it does not.

    A word may stand in the plural; only where the run is not found so, each may have one slip of the keyboard, too.
    """
    said, wanted = words(message), [forms(word) for word in words(keyword)]
    starts = range(len(said) - len(wanted) + 1)
    exact = (i for i in starts if all(word in plurals for word, plurals in zip(said[i:], wanted, strict=False)))
    slipped = (
        i
        for i in starts
        if all(any(slip(form, word) for form in plurals) for word, plurals in zip(said[i:], wanted, strict=False))
    )
    return next(exact, next(slipped, None))


def named(message: str) -> list[str]:
    """The products that a message names, in its order."""
    found = {name: place(message, name) for name in PRODUCTS}
    return sorted((name for name in PRODUCTS if found[name] is not None), key=found.get)


def arrange(message: str, keywords: list[str]) -> list[str]:
    """Keywords in their order: products, error codes, the others; each kind as it occurs in the message."""

    def rank(keyword: str) -> tuple[int, int]:
        kind = 0 if keyword in PRODUCTS else 1 if CODE.fullmatch(keyword) else 2
        return kind, place(message, keyword) or 0

    return sorted(keywords, key=rank)


def keyword_faults(message: str, keywords: list[str]) -> list[str]:
    """What is wrong with the keywords of a message."""
    faults = [f"{len(keywords)} keywords"] if not 2 <= len(keywords) <= 4 else []
    faults += [f"{k!r} twice" for k, n in Counter(keywords).items() if n > 1]
    for keyword in keywords:
        parts = words(keyword)
        if " ".join(parts) != keyword or not 1 <= len(parts) <= 3:
            faults.append(f"{keyword!r} is not one to three words in lower case")
        if place(message, keyword) is None:
            faults.append(f"{keyword!r} is not in the message")
        if any(re.search(r"\d", part) and not NUMBERED.fullmatch(part) for part in parts):
            faults.append(f"{keyword!r} holds a number that is neither code nor part")
        if parts[-1:] and parts[-1].endswith("s") and not SINGULAR.fullmatch(parts[-1]):
            faults.append(f"{keyword!r} is a plural")
        if EMPTY & {*parts[:1], *parts[-1:]}:
            faults.append(f"{keyword!r} begins or ends in an empty word")
    products, codes = named(message), {w for w in words(message) if CODE.fullmatch(w)}
    if products and keywords[0] not in products:
        faults.append(f"the first keyword is none of the products {products}")
    faults += [f"the code {code} is no keyword" for code in sorted(codes - set(keywords))]
    if keywords != arrange(message, keywords):
        faults.append(f"order: {keywords}, expected {arrange(message, keywords)}")
    return faults


def message_faults(record: dict) -> list[str]:
    """What is wrong with one record by itself."""
    if list(record) != ["input", "output"] or family(record) != "input/output":
        return [f"keys {list(record)}"]
    message, output = pair(record)
    match = OUTPUT.fullmatch(output)
    if not match or match[1] not in QUEUES:
        return [f"{message[:60]!r}: output {output!r}"]
    faults = keyword_faults(message, match[2].split(", "))
    lines = [part for part in re.split(r"(?<=[.!?])\s+|\n+", message) if part.strip()]
    if not 1 <= len(lines) <= 6 or message != message.strip() or len(message) > 700:
        faults.append(f"{len(lines)} sentences or lines, {len(message)} characters")
    faults += [f"{found.kind}: {message[found.start : found.end]!r}" for found in personal.find(message)]
    faults += [f"{mail!r}: not example.com" for mail in re.findall(r"\S+@\S+", message) if "@example.com" not in mail]
    return [f"{message[:60]!r}: {fault}" for fault in faults]


def shares(splits: dict[str, list[dict]]) -> list[str]:
    """Splits of another size, queues too large or too small, and splits whose queues are not those of the whole."""
    sizes = {name: len(part) for name, part in splits.items()}
    faults = [] if sizes == SIZES else [f"sizes {sizes}, expected {SIZES}"]
    records = [record for part in splits.values() for record in part]
    for queue, of_all in Counter(map(queue_of, records)).items():
        share = of_all / len(records)
        if not SHARES["least"] <= share <= SHARES["most"]:
            faults.append(f"{queue}: {share:.1%} of all messages")
        for name, part in splits.items():
            here = sum(queue_of(record) == queue for record in part)
            if abs(here - share * len(part)) > 1:
                faults.append(f"{queue}: {here} of {len(part)} in {name}, {share:.1%} of all messages")
    return faults + [f"{queue}: no message" for queue in QUEUES.keys() - set(map(queue_of, records))]


def alike(splits: dict[str, list[dict]]) -> list[str]:
    """Messages that are nearly the same, in one split or across."""
    rows = [(name, record["input"]) for name, part in splits.items() for record in part]
    return [
        f"{score:.2f} alike: {rows[i][1]!r} ({rows[i][0]}), {rows[j][1]!r} ({rows[j][0]})"
        for i, j, score in near_pairs([message for _, message in rows], CLOSE)
    ]


def queue_of(record: dict) -> str:
    """The queue of a record."""
    return routed(record["output"]).queue


def obvious(record: dict) -> str:
    """Whether a message holds the obvious word of its own queue, of another, of both, or of none."""
    hits = {queue for queue, pattern in QUEUES.items() if re.search(rf"(?i)\b(?:{pattern})", record["input"])}
    own, others = queue_of(record) in hits, bool(hits - {queue_of(record)})
    kinds = {(1, 0): "its queue's", (1, 1): "its queue's and another's", (0, 1): "another's", (0, 0): "none"}
    return kinds[own, others]


def check(folder: Path = HERE) -> tuple[dict[str, int], list[str]]:
    """The counts of a folder of support messages, and every fault found in it."""
    splits = {name: read_jsonl(folder / f"{name}.jsonl") for name in SIZES}
    records = [record for part in splits.values() for record in part]
    if faults := [fault for record in records for fault in message_faults(record)]:
        return {}, faults
    said = [routed(record["output"]).keywords for record in records]
    queues, words_in = Counter(map(queue_of, records)), Counter(map(obvious, records))
    counts = {
        "messages": len(records),
        **{name: len(part) for name, part in splits.items()},
        **{f"queue {queue}": n for queue, n in queues.most_common()},
        **{f"obvious word: {kind}": n for kind, n in words_in.most_common()},
        **{f"messages with {n} keywords": k for n, k in sorted(Counter(map(len, said)).items())},
        "different keywords": len({keyword for keywords in said for keyword in keywords}),
        "words a message, mean": round(sum(len(words(r["input"])) for r in records) / len(records)),
        "words, longest message": max(len(words(r["input"])) for r in records),
    }
    return counts, [*shares(splits), *alike(splits)]


if __name__ == "__main__":
    counts, faults = check()
    print("\n".join(faults or [f"{name}: {n}" for name, n in counts.items()]))
    sys.exit(bool(faults))
