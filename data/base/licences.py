"""Which licences the corpus takes: of a package as it states it, of a file where it has another one.

A package is taken only when every name in its licence is on the list of permissive ones, so a licence that nobody has
looked at is refused. Files under other licences inside a permissive package are named, with the place that says so, in
`leave.jsonl`; copies of them elsewhere are for the reader to report.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

PERMISSIVE = frozenset(
    name.lower() for name in (
        "0BSD", "Apache", "Apache-2.0", "Apache 2", "Apache 2.0", "Apache 2.0 License", "Apache License 2.0",
        "Apache License, Version 2.0", "Apache License", "Apache Software License", "Apache Software License 2.0",
        "Biopython License Agreement", "LicenseRef-Biopython-License-Agreement",
        "Boost Software License 1.0", "BSL-1.0",
        "BSD", "BSD License", "BSD-2-Clause", "BSD 2-Clause", "BSD-3-Clause", "BSD 3-Clause", "BSD 3-Clause License",
        "New BSD", "New BSD License", "Modified BSD", "Modified BSD License", "Simplified BSD",
        "Zope-derived BSD", "Repoze",
        "CC0", "CC0-1.0", "CC0 1.0 Universal", "public domain", "Unlicense", "The Unlicense",
        "CNRI-Python", "PSF", "PSFL", "PSF-2.0", "Python-2.0", "Python Software Foundation License",
        "Historical Permission Notice and Disclaimer", "HPND", "MIT-CMU", "ISC", "ISCL", "ISC License",
        "MIT", "MIT-0", "MIT License", "The MIT License", "MIT No Attribution License",
        "Zlib", "zlib/libpng License", "ZPL", "ZPL-2.0", "ZPL-2.1", "ZPL 2.1", "Zope Public License",
        "DFSG approved", "LLVM-exception",  # say nothing by themselves, and take nothing away
    )
)  # fmt: skip
BETWEEN = re.compile(r"(?i)\s+(?:AND|OR|WITH)\s+|,(?!\s*version)|[()]")
SAY_NOTHING = {"dfsg approved", "llvm-exception"}


def permissive(licence: str) -> bool:
    """Whether every name in a licence, as a package states it, is of a permissive one.

    permissive("Apache-2.0 WITH LLVM-exception OR MIT") -> True;  permissive("MIT OR GPL-2.0") -> False
    """
    names = {name for name in (part.strip().lower() for part in BETWEEN.split(licence)) if name}
    return bool(names - SAY_NOTHING) and names <= PERMISSIVE


def read_leave(path: Path) -> list[dict]:
    """The files to leave out: {"package", "leave": globs, "licence", "stated": where that is said}, one rule a line.

    Raises ValueError for a rule that names no files, or no other licence.
    """
    rules = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    for rule in rules:
        if not rule["leave"] or not rule["stated"] or permissive(rule["licence"]):
            raise ValueError(f"{path}: a rule needs files, another licence, and the place that states it: {rule}")
    return rules


def left_out(meta: dict, rules: list[dict]) -> bool:
    """Whether a document comes from a file under another licence than its package."""
    file = meta["path"].partition("#")[0]
    return any(rule["package"] == meta["package"] and any(fnmatchcase(file, glob) for glob in rule["leave"])
               for rule in rules)  # fmt: skip


def under_the_package_licence(documents: Iterable[dict], rules: list[dict], dropped: Counter) -> list[dict]:
    """The documents without those of files under another licence; how many went is counted in `dropped`."""
    kept = []
    for document in documents:
        if left_out(document["meta"], rules):
            dropped["under another licence"] += 1
        else:
            kept.append(document)
    return kept
