"""What was built, for its card: `corpus.json` (sets, packages, what was dropped) and the list of packages in NOTICE.

Both are written by `python data/base/build.py --notice`; NOTICE is made from `corpus.json` and `attributions.jsonl`
alone, so that it can be checked without the corpus.
"""

import json
import re
from collections import Counter, defaultdict
from importlib import metadata
from pathlib import Path, PurePosixPath

from labutils import places
from labutils.corpus import sources

HERE = Path(__file__).parent
TITLE = "What the base model read"
FILES = {"prose": "prose.jsonl", "code": "code.jsonl", "held_out": "../held_out.jsonl"}
LICENCE_FILE = re.compile(r"(?i)(?:licen[cs]e|copying)[^/]*$")
COPYRIGHT = re.compile(r"(?im)^[\s*#\-.]*(copyright\s+(?:\(c\)|©|\d{4}|by ).*\w.*)$")
HOLDERS = {  # packages whose licence file opens with somebody else's line, or names nobody
    "backports.zstd": "Python Software Foundation, Rogdham", "hf-xet": "Hugging Face, Inc", "json5": "Dirk Pranke",
    "pyarrow": "The Apache Software Foundation", "regex": "Matthew Barnett; Copyright 1998-2001 by Secret Labs AB",
    "typing_extensions": "Python Software Foundation",
}  # fmt: skip
PREFACE = """
The model in data/base/model was trained on English texts and Python code of the packages below, cleaned as
data/base/README.md says: markup and examples are taken out, sentences and paragraphs are left out. The texts are not
part of this repository; stored outputs may quote a sentence. Each line: package and version, licence, copyright.
"""
ATTRIBUTIONS = """
Parts of these packages are under Creative Commons Attribution licences (https://creativecommons.org/licenses/by/), and
were changed as said above:
"""


def keep(out: Path, rows: list[dict]) -> None:
    """Write `corpus.json` from a built corpus and its pinned packages, and the last section of NOTICE from that."""
    corpus = summary(out, rows)
    lines = [json.dumps(package, ensure_ascii=False) for package in corpus.pop("packages")]
    head = json.dumps(corpus, indent=1)[:-2]
    text = head + ',\n "packages": [\n  ' + ",\n  ".join(lines) + "\n ]\n}\n"
    (HERE / "corpus.json").write_text(text, encoding="utf-8")
    path = places.ROOT / "NOTICE"
    before = path.read_text(encoding="utf-8").partition(f"\n{TITLE}\n")[0].rstrip("\n")
    path.write_text(f"{before}\n\n{notice(json.loads(text), attributions())}", encoding="utf-8")


def summary(out: Path, rows: list[dict]) -> dict:
    """{"totals", "sets", "dropped", "packages"} of a built corpus: documents and bytes of each set and package."""
    pinned = {row["name"]: row for row in rows}
    totals, sets, packages, about = (defaultdict(Counter) for _ in range(4))
    for part, file in FILES.items():
        for document in sources.jsonl(out / file):
            meta, size = document["meta"], len(document["text"].encode())
            origin = "packages.jsonl" if meta["package"] in pinned else "environment"
            name = f"{origin}: {meta['pile_set_name']}" if part != "held_out" else "held out"
            for counter in (totals[part], sets[name], packages[meta["package"], part]):
                counter.update(documents=1, bytes=size)
            about[meta["package"]] = {"version": meta["version"], "licence": meta["license"], "from": origin}
    installed = {package.name: package for package in metadata.distributions()}
    return {
        "totals": totals,
        "sets": dict(sorted(sets.items())),
        "dropped": json.loads((out / "counts.json").read_text(encoding="utf-8"))["dropped"],
        "packages": [
            {"package": name, **about[name],
             "copyright": pinned[name]["copyright"] if name in pinned else holder(installed[name]),
             **{part: list(packages[name, part].values()) for part in FILES if (name, part) in packages}}
            for name in sorted(about, key=str.lower)
        ],
    }  # fmt: skip


def holder(package: metadata.Distribution) -> str:
    """Who holds the copyright of an installed package: the first such line of its licence file, or else its authors."""
    if package.name in HOLDERS:
        return HOLDERS[package.name]
    found = [path for path in map(str, package.files or ()) if ".dist-info/" in path and LICENCE_FILE.search(path)]
    for path in sorted(found, key=lambda path: (len(PurePosixPath(path).parts), path)):
        text = Path(package.locate_file(path)).read_text(encoding="utf-8", errors="replace")
        if match := COPYRIGHT.search(text):
            return tidy(match[1])
    return tidy(package.metadata.get("Author") or package.metadata.get("Author-email") or f"The {package.name} authors")


def tidy(line: str) -> str:
    """A line without addresses. tidy("Copyright 2020 Ann <a@b.org>. All rights reserved.") -> "Copyright 2020 Ann"."""
    line = re.sub(r"\s*[<(][^<>()]*(?:@|https?:)[^<>()]*[>)]|(?i:\s*all rights reserved)\.?", "", line)
    return re.sub(r"\s+", " ", line).strip(' .,*"')


def attributions() -> list[dict]:
    lines = (HERE / "attributions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def notice(corpus: dict, parts: list[dict]) -> str:
    """The section of NOTICE: a line for each package that was read, then one for each part under another licence."""
    read = [package for package in corpus["packages"] if "held_out" not in package]
    lines = ["{package} {version}; {licence}; {copyright}".format(**package) for package in read]
    names = {package["package"] for package in read}
    named = ["{package}, {part}: {licence}, by {by}".format(**part) for part in parts if part["package"] in names]
    return "\n".join([TITLE, PREFACE, *lines, ATTRIBUTIONS, *named, ""])


def tables(corpus: dict) -> str:
    """The tables of the card, in Markdown: sets with their documents and megabytes, then what was dropped."""
    sets = [f"| {name} | {sums['documents']:,} | {sums['bytes'] / 1e6:.1f} |" for name, sums in corpus["sets"].items()]
    dropped = [f"| {reason} | {count:,} |" for reason, count in sorted(corpus["dropped"].items(), key=_most) if count]
    head = ["| from: set | documents | MB |", "|---|--:|--:|"]
    return "\n".join([*head, *sets, "", "| reason | documents (or as named) |", "|---|--:|", *dropped])


def _most(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]
