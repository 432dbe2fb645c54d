"""What holds for every stored notebook, without running it: one function a rule, each returns its complaints.

Owns the rules and their limits. Leaves out which notebooks there are (`test_notebooks_static`) and whether outputs are
right (nbval).
"""

import ast
import json
import re
from collections.abc import Iterator

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from labutils.lesson import checks

CODE_CELLS, CELL_LINES, LINE, OUTPUT_LINES, OUTPUT_SIZE = 30, 20, 100, 15, 300_000
MORE_CELLS = 40  # in a notebook whose checks are not folded yet
IGNORED, RAISES, CHECK = "nbval-ignore-output", "raises-exception", "check"
NAME = re.compile(r"\d\d_[a-z0-9]+(_[a-z0-9]+)*\.ipynb")
PLACE = re.compile(r"(?<![\w.])/(root|home|tmp|work|Users)/|\b[A-Z]:\\")
TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{10,}")
CHECKED = re.compile(r"\bassert\b|check|\bexpect\(")
SAID = re.compile("|".join(map(re.escape, (checks.NOT_SO, checks.NOT_YET, checks.STOPPED))))
EXERCISE = re.compile(r"^exercises\.\w+\.check\(", re.MULTILINE)


def code(notebook: NotebookNode) -> list[tuple[int, NotebookNode]]:
    """The code cells with their numbers, from 1."""
    return list(enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1))


def tags(cell: NotebookNode) -> set[str]:
    """A cell's tags."""
    return set(cell.metadata.get("tags", []))


def outputs(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode, NotebookNode]]:
    """Every output, with its cell and the cell's number."""
    for number, cell in code(notebook):
        for output in cell.outputs:
            yield number, cell, output


def texts(output: NotebookNode) -> list[str]:
    """All that a reader can read in an output; pictures are left out."""
    if output.output_type == "stream":
        return [output.text]
    if output.output_type == "error":
        return [output.ename, output.evalue, *output.traceback]
    return [str(value) for kind, value in output.data.items() if kind.startswith("text/")]


def tree(cell: NotebookNode) -> ast.Module:
    """A cell's source, parsed, magics included."""
    return ast.parse(TransformerManager().transform_cell(cell.source))


def valid(notebook: NotebookNode, name: str) -> list[str]:
    """The file is a notebook by the format's own schema."""
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        return [f"not valid: {str(error).splitlines()[0]}"]
    return []


def named_in_order(notebook: NotebookNode, name: str) -> list[str]:
    """Two digits, an underscore, words in lower case."""
    return [] if NAME.fullmatch(name) else [f"name {name} is not like 03_pairs.ipynb"]


def counted(notebook: NotebookNode, name: str) -> list[str]:
    """Execution counts are 1..n: it was run from top to bottom (nbval compares no cell without a count)."""
    return [f"cell {n}: count {cell.execution_count}" for n, cell in code(notebook) if cell.execution_count != n]


def no_errors(notebook: NotebookNode, name: str) -> list[str]:
    """Only a cell that says so raises; no sentence of `checks` was stored."""
    found = ((n, cell) for n, cell, output in outputs(notebook) if output.output_type == "error")
    said = (n for n, _, output in outputs(notebook) if SAID.search(output.get("text", "")))
    return [f"cell {n}: an error" for n, cell in found if RAISES not in tags(cell)] + [f"cell {n}: fails" for n in said]


def no_stderr(notebook: NotebookNode, name: str) -> list[str]:
    """Progress bars and warnings stay out of what is stored."""
    return [f"cell {n}: stderr" for n, _, output in outputs(notebook) if output.get("name") == "stderr"]


def no_warnings(notebook: NotebookNode, name: str) -> list[str]:
    """No output speaks of a warning."""
    return [f"cell {n}: a warning" for n, _, output in outputs(notebook) if "Warning" in "\n".join(texts(output))]


def no_places(notebook: NotebookNode, name: str) -> list[str]:
    """No absolute path of one machine, in sources or outputs."""
    written = [
        (f"a text cell {cell.source[:20]!r}", cell.source) for cell in notebook.cells if cell.cell_type != "code"
    ]
    written += [(f"cell {n}", cell.source) for n, cell in code(notebook)]
    written += [(f"cell {n} output", text) for n, _, output in outputs(notebook) for text in texts(output)]
    return [f"{where}: a path of one machine, {found[0]}" for where, text in written if (found := PLACE.search(text))]


def short(notebook: NotebookNode, name: str) -> list[str]:
    """At most 30 code cells of a learner: beside folded checks and exercises."""
    cells = [cell for _, cell in code(notebook)]
    most = CODE_CELLS if any(CHECK in tags(cell) for cell in cells) else MORE_CELLS
    count = sum(CHECK not in tags(cell) and not EXERCISE.search(cell.source) for cell in cells)
    return [f"{count} code cells"] if count > most else []


def folded_checks(notebook: NotebookNode, name: str) -> list[str]:
    """A check is folded, expects, and has nothing to say."""
    found = [(n, cell) for n, cell in code(notebook) if CHECK in tags(cell)]
    problems = [
        f"cell {n}: a check that shows"
        for n, cell in found
        if not cell.metadata.get("jupyter", {}).get("source_hidden")
    ]
    problems += [f"cell {n}: a check that speaks" for n, cell in found if cell.outputs]
    return problems + [
        f"cell {n}: a check that raises" for n, cell in found if "assert" in cell.source or "expect(" not in cell.source
    ]


def short_cells(notebook: NotebookNode, name: str) -> list[str]:
    """At most 20 lines a cell that are not blank."""
    sizes = [(n, sum(bool(line.strip()) for line in cell.source.splitlines())) for n, cell in code(notebook)]
    return [f"cell {n}: {size} lines" for n, size in sizes if size > CELL_LINES]


def short_lines(notebook: NotebookNode, name: str) -> list[str]:
    """At most 100 characters a line of code, so that none is cut off at 1,024 pixels."""
    found = [(n, max(map(len, cell.source.splitlines()), default=0)) for n, cell in code(notebook)]
    return [f"cell {n}: a line of {length} characters" for n, length in found if length > LINE]


def short_outputs(notebook: NotebookNode, name: str) -> list[str]:
    """At most 15 lines of text below a cell; plain text counts where no HTML is shown instead."""
    problems = []
    for n, cell in code(notebook):
        shown = [output.text for output in cell.outputs if output.output_type == "stream"]
        data = [output.data for output in cell.outputs if "data" in output]
        shown += [kinds["text/plain"] for kinds in data if "text/plain" in kinds and "text/html" not in kinds]
        lines = sum(len(text.splitlines()) for text in shown)
        problems += [f"cell {n}: {lines} lines of output"] if lines > OUTPUT_LINES else []
    return problems


def light_outputs(notebook: NotebookNode, name: str) -> list[str]:
    """No output over 300 kB."""
    sizes = [(n, len(json.dumps(output))) for n, _, output in outputs(notebook)]
    return [f"cell {n}: an output of {size / 1000:.0f} kB" for n, size in sizes if size > OUTPUT_SIZE]


def few_ignored(notebook: NotebookNode, name: str) -> list[str]:
    """At most one code cell in three goes uncompared (one in six in 03), and by its tag alone."""
    cells = code(notebook)
    count, share = sum(IGNORED in tags(cell) for _, cell in cells), 6 if name.startswith("03") else 3
    problems = [f"{count} of {len(cells)} code cells are not compared"] if count * share > len(cells) else []
    hidden = (n for n, cell in cells if "NBVAL_" in cell.source.upper() or tags(cell) & {"nbval-skip", "skip"})
    return problems + [f"cell {n}: skips the comparison another way" for n in hidden]


def ignored_are_checked(notebook: NotebookNode, name: str) -> list[str]:
    """After a cell that is not compared comes a compared one that says what must hold."""
    cells = [cell for _, cell in code(notebook)]
    problems = []
    for n, (cell, after) in enumerate(zip(cells, [*cells[1:], None], strict=True), start=1):
        if IGNORED in tags(cell) and (after is None or IGNORED in tags(after) or not CHECKED.search(after.source)):
            problems.append(f"cell {n}: not compared, and the next code cell does not check it")
    return problems


def one_import_cell(notebook: NotebookNode, name: str) -> list[str]:
    """All imports stand in one cell."""
    kinds = (ast.Import, ast.ImportFrom)
    found = [n for n, cell in code(notebook) if any(isinstance(node, kinds) for node in ast.walk(tree(cell)))]
    return [f"imports in {len(found)} cells: {found}"] if len(found) != 1 else []


def no_stars(notebook: NotebookNode, name: str) -> list[str]:
    """Every imported name is written."""
    found = (
        (n, node) for n, cell in code(notebook) for node in ast.walk(tree(cell)) if isinstance(node, ast.ImportFrom)
    )
    return [f"cell {n}: a star import" for n, node in found if any(alias.name == "*" for alias in node.names)]


def no_attachments(notebook: NotebookNode, name: str) -> list[str]:
    """No file is hidden in a text cell."""
    return [f"attachments: {sorted(cell.attachments)}" for cell in notebook.cells if cell.get("attachments")]


def no_tokens(notebook: NotebookNode, name: str) -> list[str]:
    """Nothing looks like a hub token, anywhere."""
    return ["something like a hub token"] if TOKEN.search(json.dumps(notebook)) else []


RULES = (
    valid,
    named_in_order,
    counted,
    no_errors,
    no_stderr,
    no_warnings,
    no_places,
    short,
    folded_checks,
    short_cells,
    short_lines,
    short_outputs,
    light_outputs,
    few_ignored,
    ignored_are_checked,
    one_import_cell,
    no_stars,
    no_attachments,
    no_tokens,
)


def complaints(notebook: NotebookNode, name: str) -> list[str]:
    """What every rule has to say about one notebook."""
    return [problem for rule in RULES for problem in rule(notebook, name)]
