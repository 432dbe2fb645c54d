"""The order of the house, read from the source: who may import whom, and where the heavy libraries may appear."""

import ast
import sys
from pathlib import Path

import pytest

from labutils import places

PACKAGE = places.ROOT / "labutils"
WINGS = ("corpus", "pairs", "model", "measure", "lesson")
BARE = ("__init__", "__main__", "bootstrap", "installing", "machine", "places")  # started before anything is installed
HEAVY = {"torch", "transformers"}


def module_of(path: Path, package: Path) -> str:
    """The dotted name of a file: labutils/model/models.py -> labutils.model.models, a folder's own for __init__.py."""
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST, name: str, modules: set[str]) -> set[str]:
    """Every module a tree imports: absolute names; of the house the module itself, not the name taken from it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = [*name.split(".")[: -node.level], node.module or ""] if node.level else [node.module]
            base = ".".join(part for part in base if part)
            inner = {f"{base}.{alias.name}" for alias in node.names}
            found |= (inner & modules) or {base}
    return found


def read_house(package: Path) -> dict[str, ast.Module]:
    """Every module of the package, parsed."""
    return {
        module_of(path, package): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(package.rglob("*.py"))
    }


def wing(module: str) -> str:
    """The wing a module of the house stands in; "" for the ground floor."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in WINGS else ""


def order_problems(house: dict[str, ast.Module]) -> list[str]:
    """Imports that walk through the house the wrong way."""
    problems = []
    for name, tree in house.items():
        for other in imports(tree, name, set(house)):
            if not other.startswith("labutils."):
                continue
            here, there = wing(name), wing(other)
            if not here and there and name != "labutils.__main__":
                problems.append(f"{name} (ground) imports the wing {there}")
            elif here and not there and other == "labutils.__main__":
                problems.append(f"{name} imports the command line")
            elif here and there and WINGS.index(there) > WINGS.index(here):
                problems.append(f"{name} imports {other}, a later wing")
    return problems


def circles(house: dict[str, ast.Module]) -> list[str]:
    """Modules that import themselves by way of others."""
    direct = {name: imports(tree, name, set(house)) & set(house) - {name} for name, tree in house.items()}
    found = []
    for start in direct:
        seen, ahead = set(), list(direct[start])
        while ahead:
            module = ahead.pop()
            if module not in seen:
                seen.add(module)
                ahead += direct[module]
        if start in seen:
            found.append(start)
    return found


def heavy_problems(house: dict[str, ast.Module]) -> list[str]:
    """torch and transformers outside model, measure and the body of machine.bf16."""
    problems = []
    for name, tree in house.items():
        if wing(name) in ("model", "measure"):
            continue
        if name == "labutils.machine":
            body = [node for node in tree.body if getattr(node, "name", "") != "bf16"]
            tree = ast.Module(body, [])
        heavy = {each.split(".")[0] for each in imports(tree, name, set(house))} & HEAVY
        problems += [f"{name} imports {each}" for each in sorted(heavy)]
    return problems


def bare_problems(house: dict[str, ast.Module]) -> list[str]:
    """Top-level imports beyond the standard library in what starts before anything is installed."""
    problems = []
    for name in ("labutils", *(f"labutils.{each}" for each in BARE[1:])):
        tops = ast.Module([node for node in house[name].body if isinstance(node, ast.Import | ast.ImportFrom)], [])
        for other in imports(tops, name, set(house)):
            allowed = {f"labutils.{each}" for each in BARE}
            if other.split(".")[0] not in sys.stdlib_module_names and other not in allowed:
                problems.append(f"{name} imports {other}")
    return problems


RULES = (order_problems, circles, heavy_problems, bare_problems)


@pytest.mark.parametrize("rule", RULES)
def test_the_house_keeps_its_order(rule):
    assert rule(read_house(PACKAGE)) == []


BROKEN = [
    (order_problems, "pairs.own", "from labutils.model import models"),
    (order_problems, "pairs.own", "def f():\n    import labutils.lesson.show"),
    (order_problems, "places", "from labutils.corpus import sources"),
    (order_problems, "corpus.quality", "from ..model import models"),
    (order_problems, "corpus.quality", "from labutils import __main__"),
    (circles, "pairs.records", "from labutils.pairs import templates, own"),
    (circles, "places", "from labutils import bootstrap"),
    (heavy_problems, "lesson.show", "import torch.nn"),
    (heavy_problems, "pairs.own", "def f():\n    from transformers import AutoTokenizer"),
    (heavy_problems, "machine", "import torch\ndef bf16(): pass"),
    (bare_problems, "bootstrap", "import psutil"),
    (bare_problems, "__main__", "from labutils import doctor"),
]


@pytest.mark.parametrize(("rule", "module", "text"), BROKEN)
def test_what_breaks_the_order_is_seen(rule, module, text):
    house = read_house(PACKAGE)
    assert f"labutils.{module}" in house
    assert rule(house | {f"labutils.{module}": ast.parse(text)}) != []


def test_no_two_modules_have_one_name_and_none_is_long():
    paths = [path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"]
    names = [path.stem for path in paths]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []
    assert [path.name for path in paths if path.read_text(encoding="utf-8").count("\n") > 350] == []
