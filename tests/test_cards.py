"""The cards under data/ are true: each file is named with its checksum, the counts are those of the checking script."""

import hashlib
import re
import subprocess
import sys

import pytest

from labutils import places

CARDS = sorted(places.DATA.rglob("README.md"))
SCRIPTS = sorted(places.DATA.rglob("check.py"))
SHIPPED = (".md", ".jsonl", ".json", ".safetensors", ".svg", ".txt")


def listed(card: str) -> dict[str, str]:
    """File name -> checksum, from the lines of a card that look like those of `sha256sum`."""
    return {name: digest for digest, name in re.findall(r"^([0-9a-f]{64})  (\S+)$", card, re.MULTILINE)}


def checksums(folder) -> dict[str, str]:
    """File name -> checksum of what lies in a folder of data, its card left out."""
    files = [p for p in sorted(folder.rglob("*")) if p.suffix in SHIPPED and p != folder / "README.md"]
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_every_file_has_a_card():
    files = [path for path in places.DATA.rglob("*") if path.suffix in SHIPPED]
    assert files and all(any(card.parent in path.parents for card in CARDS) for path in files)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.parent.name)
def test_a_card_is_true(card):
    text = card.read_text(encoding="utf-8")
    assert listed(text) == checksums(card.parent)
    assert all(part in text for part in ("**What.**", "**How made.**", "**Licence.**", "**Checksums"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.parent.name)
def test_a_card_has_the_counts(script):
    printed = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True).stdout
    assert printed.strip() in (script.parent / "README.md").read_text(encoding="utf-8")
