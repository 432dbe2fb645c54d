"""What a learner reads where something is not as the text says: one sentence, never a traceback.

`expect` is a check behind a result: silent where it holds. `explain_errors` lets a kernel answer the errors that every
learner meets in a sentence: a missing name, an interrupt and what it leaves undone, a check that cannot be made, and
what labutils refuses. All other errors stay as they are.
"""

import json
import os
import symtable
from linecache import getline
from pathlib import Path
from traceback import walk_tb

from IPython import get_ipython

from labutils import places

LIMIT = 200  # characters shown of what came
MISSING = (NameError, LookupError, AttributeError, TypeError)  # what a half-done cell leads to
ERRORS = (*MISSING, ValueError, OSError, MemoryError)
NOT_SO, NOT_YET = "Not as the text says", "is not there yet"  # tests look for these words
ABOVE = "menu Run, Run All Above Selected Cell; then run this cell again"
STOPPED = (
    "Stopped. What this cell makes may be missing or half done; run it again when you like. The cells above are done."
)

_stopped: dict[str, str] = {}  # cells that were interrupted and not run to their end since, by their ids


def expect(held: object, expected: str, got: object = None, maybe: str = "") -> None:
    """Print nothing where `held` is true; else one sentence: what was expected, what came, what that may mean.

    Never raises. A comparison with the stored outputs shows the sentence as a difference.
    expect(3 > 4, "more than 4 pairs", 3, "The file may be cut off.") prints
    "Not as the text says: expected more than 4 pairs, got 3. The file may be cut off."
    """
    try:
        if held:
            return
    except Exception as error:  # such as the truth of a whole array
        got = f"a {type(held).__name__} that is neither true nor false ({type(error).__name__})"
    came = "" if got is None else f", got {_cut(str(got))}"
    print(f"{NOT_SO}: expected {expected}{came}." + (f" {maybe.rstrip('.')}." if maybe else ""))


def explain_errors() -> None:
    """In IPython, from now on, a NameError, an interrupt, a ValueError, OSError or MemoryError that labutils raised,
    any of ERRORS in a check, and any of MISSING after a cell that was stopped, are each a sentence. The cell counts as
    failed.
    """
    if (shell := get_ipython()) is not None:
        shell.set_custom_exc((KeyboardInterrupt, *ERRORS), _explain)
        if _ended not in shell.events.callbacks["post_run_cell"]:
            shell.events.register("post_run_cell", _ended)


def _explain(shell, kind, error, tb, tb_offset=None) -> list[str]:
    """What IPython calls for such an error: shows it, and gives the lines of the failed reply."""
    if isinstance(error, KeyboardInterrupt):
        said = STOPPED
    else:
        *_, (frame, line) = walk_tb(tb)  # where it was raised
        said = _unknown(shell, error, frame) if isinstance(error, NameError) else _refused(error, frame, line)
        said = said or _undone(shell, error)
    if not said:
        lines = shell.InteractiveTB.structured_traceback(kind, error, tb, tb_offset=tb_offset)
        shell._showtraceback(kind, error, lines)
        return lines
    print(said)
    return [said]


def _ended(result) -> None:
    """After each cell: one that was stopped is known, by its id where the front end sends one, until it ran through."""
    cell = getattr(result.info, "cell_id", None) or result.info.raw_cell
    if isinstance(result.error_in_exec, KeyboardInterrupt):
        _stopped[cell] = result.info.raw_cell
    elif result.success:
        _stopped.pop(cell, None)


def _undone(shell, error: Exception) -> str:
    """What an error comes from in a check, or after a cell that was stopped; else empty."""
    told = f"{type(error).__name__}: {_cut(str(error))}"
    if _stopped and isinstance(error, MISSING):
        again = f"run the cell that begins with {_begins(list(_stopped.values())[-1])} to its end, then this one"
        return f"{told}. What is missing may be what a stopped cell makes: {again}."
    if "expect(" in shell.user_ns["In"][-1]:
        return f"{told}. This check needs what the cells above make: run them in their order ({ABOVE})."
    return ""


def _begins(cell: str) -> str:
    return f"`{_cut(cell.lstrip().splitlines()[0], 60)}`"


def _refused(error: Exception, frame, line: int) -> str:
    """The message of an error that labutils raised on purpose; empty for a fault inside it, a library, or the cell."""
    path = frame.f_code.co_filename
    meant = getline(path, line).lstrip().startswith("raise")
    return f"{type(error).__name__}: {error}" if meant and Path(path).is_relative_to(places.ROOT / "labutils") else ""


def _unknown(shell, error: NameError, frame) -> str:
    """What to run first; empty where the name is missing inside a library, or in another way."""
    if type(error) is not NameError or frame.f_globals is not shell.user_global_ns or not error.name:
        return ""
    try:  # the code cells of the notebook that this kernel runs, as last saved; none where that is not known
        saved = json.loads(Path(os.environ.get("JPY_SESSION_NAME", "")).read_bytes())["cells"]
        sources = ["".join(cell["source"]) for cell in saved if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):
        sources = []
    cells = [cell for cell in sources if cell != shell.user_ns["In"][-1]]
    maker = next((cell for cell in cells if error.name in _made(shell.transform_cell(cell))), None)
    if maker:
        return f"`{error.name}` {NOT_YET}: run the cell that begins with {_begins(maker)}, and all above it ({ABOVE})."
    if cells:
        return f"`{error.name}` is not there, and no cell of this notebook makes it: is it spelt as you meant it?"
    return f"`{error.name}` {NOT_YET}: run the cells above first ({ABOVE})."


def _made(cell: str) -> set[str]:
    """The names that a cell leaves behind: assigned, defined, imported. _made("x, y = 1, 2") -> {"x", "y"}."""
    try:
        names = symtable.symtable(cell, "cell", "exec").get_symbols()
    except (SyntaxError, ValueError):
        return set()
    return {name.get_name() for name in names if name.is_assigned() or name.is_imported()}


def _cut(text: str, limit: int = LIMIT) -> str:
    return text if len(text) <= limit else f"{text[:limit]} ..."
