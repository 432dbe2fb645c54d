"""The field's own calls stand in the notebooks' cells, their results are used further down, and most calls are such.

Learner's cells alone count: neither the checks behind an output (tag `check`) nor the cells of exercises.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from notebook_rules import tags, tree

from labutils import places

CALLS = {
    "01": "load_dataset take shuffle map filter groupby value_counts proportion_ci",
    "02": "from_pretrained from_config generate AdamW FloatSlider",
    "03": "read_json from_pandas map filter to_json push_to_hub load_dataset from_pretrained apply_chat_template "
    "GroupShuffleSplit",
    "04": "read_json map groupby from_pretrained generate Trainer TrainingArguments SFTTrainer",
    "05": "pivot_table groupby agg read_json json_normalize",
    "06": "read_json replace map TfidfVectorizer LogisticRegression fit f1_score pivot_table groupby",
    "07": "read_csv read_json to_csv to_json groupby map filter GroupShuffleSplit from_pretrained generate",
    "08": "LoraConfig get_peft_model merge_and_unload from_pretrained Trainer SFTTrainer",
}
WRITES = {
    "to_json",
    "to_csv",
    "push_to_hub",
}  # what they wrote is used further down, under the name that they were given
OWN = 0.5  # the largest share of calls that go to labutils, where the subject is the field's own tools
LAB = {"02", "05", "06"}  # their subject is what was recorded and measured here


def statements(path: Path) -> list[ast.AST]:
    """The simple statements of a notebook's learner's cells in order, heads of loops and branches included."""
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    cells = [cell for cell in cells if "check" not in tags(cell) and "exercises." not in cell.source]
    return [each for cell in cells for node in tree(cell).body for each in flat(node)]


def flat(node: ast.AST) -> Iterator[ast.AST]:
    """A statement without its blocks, then those in its blocks."""
    blocks = ("body", "orelse", "finalbody", "handlers")
    inside = [
        each for block in blocks for each in getattr(node, block, []) if isinstance(node, ast.stmt | ast.excepthandler)
    ]
    if inside:
        fields = {name: value for name, value in ast.iter_fields(node) if name not in blocks}
        node = type(node)(**fields, **{name: [] for name in blocks})
    yield node
    for each in inside:
        yield from flat(each)


def called(call: ast.Call) -> str:
    """called(`a.b[0].map(f)`) -> "map"."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def calls(node: ast.AST) -> list[ast.Call]:
    return [each for each in ast.walk(node) if isinstance(each, ast.Call)]


def names(node: ast.AST, context: type) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, context)}


def words(call: ast.Call) -> set[str]:
    """Names and texts among a call's arguments."""
    given = [*call.args, *(each.value for each in call.keywords)]
    texts = {each.value for arg in given for each in ast.walk(arg) if isinstance(each, ast.Constant)}
    return {text for text in texts if isinstance(text, str)} | {name for arg in given for name in names(arg, ast.Load)}


def used(rows: list[ast.AST]) -> set[str]:
    """The calls whose result has a name, or is part of a value with a name, that a later statement takes up; and those
    that write, where a later statement takes up what they wrote.
    """
    found = set()
    for i, row in enumerate(rows):
        later = set().union(*(names(each, ast.Load) for each in rows[i + 1 :]))
        for call in calls(row):
            if called(call) in WRITES:
                known = later.union(*(words(each) for other in rows[i + 1 :] for each in calls(other)))
                found |= {called(call)} if words(call) & known else set()
            elif names(row, ast.Store) & later:
                found.add(called(call))
    return found


def own_share(rows: list[ast.AST]) -> float:
    """The share of calls that go to what was imported from labutils."""
    own = {
        alias.asname or alias.name.split(".")[0]
        for row in rows
        if isinstance(row, ast.Import | ast.ImportFrom)
        for alias in row.names
        if (getattr(row, "module", None) or alias.name).split(".")[0] == "labutils"
    }
    roots = [root(call) for row in rows for call in calls(row)]
    return sum(name in own for name in roots) / max(1, len(roots))


def root(node: ast.AST) -> str:
    """The first name of a chain: root(`a.b(1)[0].c()`) -> "a"."""
    while not isinstance(node, ast.Name):
        node = next(
            (getattr(node, part) for part in ("func", "value") if isinstance(getattr(node, part, None), ast.AST)), None
        )
        if node is None:
            return ""
    return node.id


def notebook(number: str) -> Path:
    return next(places.NOTEBOOKS.glob(f"{number}_*.ipynb"))


@pytest.mark.parametrize("number", CALLS)
def test_the_fields_calls_are_there_and_their_results_are_used(number):
    assert sorted(set(CALLS[number].split()) - used(statements(notebook(number)))) == []


@pytest.mark.parametrize("number", sorted(CALLS.keys() - LAB))
def test_at_most_half_of_the_calls_are_the_courses_own(number):
    assert own_share(statements(notebook(number))) <= OWN


def rows(*lines: str) -> list[ast.AST]:
    return [each for node in ast.parse("\n".join(lines)).body for each in flat(node)]


def test_a_result_that_nobody_uses_is_seen():
    assert used(rows("a = f(1).map(g)", "b = a")) == {"f", "map"}
    assert used(rows("a = f()", "h(2)", "a = 3")) == set()
    assert used(rows("for x in f():", "    print(x)")) == {"f"}
    assert used(rows("t.to_json(path)", "u.to_json(other)", "read(path)")) == {"to_json"}
    assert used(rows("t.push_to_hub('me/x')", "load('me/y')")) == set()


def test_own_calls_are_those_of_labutils_imports():
    lines = ("from labutils.lesson import show", "import pandas as pd", "show.table(pd.x()).y()", "pd.z()")
    assert own_share(rows(*lines)) == 0.5
