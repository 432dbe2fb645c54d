"""A learner's notebook in a kernel of its own, which can be asked for values but decides nothing.

Cells have a time limit and an end of their output, the kernel limits of memory, of processor time and of what it
writes, and a home and a working folder that are thrown away. It runs as the user who grades, though: those who expect
worse than mischief runs the whole autograder in a container (docs/class.md).
"""

import ast
import asyncio
import base64
import json
import os
import pickle
import queue
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from labutils.lesson.exercises.answers import TooLong

CELL_SECONDS = 90  # of one cell, which may tune a model while another submission is graded
ALL_SECONDS = 300  # of one notebook
ANSWER_SECONDS = 4.0  # of one call of a learner's function, before `answers` gives up
MOST_OUTPUT = 200_000  # characters of one cell
PASSED_ON = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "VIRTUAL_ENV", "PYTHONUTF8", "OMP_NUM_THREADS")
SHOWN = {"stream", "display_data", "execute_result", "error"}
OWN = "_labutils"  # the name of `in_kernel` there
LIMITS = """
try:
    import resource as r
    for what, most in ((r.RLIMIT_FSIZE, 10**8), (r.RLIMIT_AS, 16 * 10**9), (r.RLIMIT_CPU, 600), (r.RLIMIT_CORE, 0)):
        r.setrlimit(what, (most, most))
except (ImportError, ValueError, OSError):
    pass
"""


class Lost(Exception):
    """The kernel has ended, or does not answer any more."""


class Other:
    """What a learner's value is where it cannot cross: only the name of its type."""

    def __init__(self, name: str):
        self.name = name


class Learner(NotebookClient):
    """The kernel of one submission."""

    said = 0  # characters of the cell that runs
    lost = False
    ends = float("inf")

    def run(self, cell: NotebookNode, index: int) -> None:
        """Run one cell: its outputs are kept up to a limit; a lost kernel runs nothing any more."""
        if self.lost or time.monotonic() > self.ends:
            self.lost = True
            return
        self.said = 0
        try:
            self.execute_cell(cell, index)
        except (CellTimeoutError, DeadKernelError, TimeoutError, RuntimeError):
            self.lost = not self._answers()

    def process_message(self, msg: dict, cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """As nbclient does, but what a cell prints past the limit is dropped, and the cell interrupted."""
        if msg["msg_type"] not in SHOWN:
            return super().process_message(msg, cell, cell_index)
        before, self.said = self.said, self.said + len(str(msg["content"]))
        if self.said <= MOST_OUTPUT:
            return super().process_message(msg, cell, cell_index)
        if before <= MOST_OUTPUT:
            self.stopping = asyncio.ensure_future(self.km.interrupt_kernel())
        return None

    def value(self, names: str) -> object:
        """What the names of an answer stand for there, such as "share, error"; functions can be called from here.

        Raises Lost where the kernel does not answer, NameError where a name is not known there.
        """
        got = self._ask(f"{OWN}.hand_over(lambda: ({names}))")
        if "raised" in got:
            raise NameError(str(got["raised"]))
        return self._value(got.get("value"), names)

    def _value(self, got: object, names: str) -> object:
        """JSON of `in_kernel.plain` -> a value; of a function, one that is called over there."""
        if not isinstance(got, dict):
            return got
        ((kind, held),) = got.items()
        if kind in ("list", "tuple"):
            inside = [self._value(each, "") for each in held]
            return tuple(inside) if kind == "tuple" else inside
        if kind == "dict":
            pairs = [[self._value(each, "") for each in pair] for pair in held]
            return {key if key.__hash__ else str(key): each for key, each in pairs}
        if kind == "dots":
            return ...
        return self._function(names, held) if kind == "function" and names else Other(str(held))

    def _function(self, name: str, called: str) -> Callable:
        def far(*given: object) -> object:
            packed = base64.b64encode(pickle.dumps(given)).decode()
            got = self._ask(f"{OWN}.call({name}, {packed!r})")
            if "raised" in got:
                raise RuntimeError(str(got["raised"]))
            if got.get("changed"):
                raise RuntimeError("it changes what it is given")
            return self._value(got.get("value"), "")

        far.__name__ = called
        return far

    def _ask(self, expression: str) -> dict:
        try:
            found = run_sync(self._evaluated)("", expression, ANSWER_SECONDS)
        except TimeoutError:
            run_sync(self.km.interrupt_kernel)()
            self.lost = not self._answers()
            raise TooLong from None
        try:
            got = json.loads(ast.literal_eval(found["data"]["text/plain"]))
        except (KeyError, ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            raise Lost("what came back is no answer") from None
        return got if isinstance(got, dict) else {}

    def _answers(self) -> bool:
        try:
            return run_sync(self._evaluated)("", "1", ANSWER_SECONDS)["data"]["text/plain"] == "1"
        except (TimeoutError, Lost, KeyError):
            return False

    async def _evaluated(self, code: str, expression: str, seconds: float) -> dict:
        """What an expression is worth behind some code; the answer of the kernel as it comes."""
        if self.lost or not await self.km.is_alive():
            self.lost = True
            raise Lost("the kernel has ended")
        wanted = self.kc.execute(code, silent=True, store_history=False, user_expressions={"it": expression})
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            try:
                reply = await self.kc.get_shell_msg(timeout=left)
            except queue.Empty:
                break
            if reply["parent_header"].get("msg_id") == wanted:
                return reply["content"].get("user_expressions", {}).get("it", {})
        raise TimeoutError


@contextmanager
def learner(notebook: NotebookNode, files: Path) -> Iterator[Learner]:
    """A kernel for a notebook, in a copy of the files that came with the assignment. It is killed in the end."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        home, work = Path(scratch, "home"), Path(scratch, "work")
        home.mkdir()
        shutil.copytree(files, work, ignore=shutil.ignore_patterns("*.ipynb"))
        own = Learner(
            notebook,
            timeout=CELL_SECONDS,
            interrupt_on_timeout=True,
            allow_errors=True,
            error_on_timeout={"ename": "TooLong", "evalue": f"stopped after {CELL_SECONDS} seconds", "traceback": []},
            kernel_manager_class=AsyncKernelManager,
            shutdown_kernel="immediate",
            resources={"metadata": {"path": str(work)}},
        )
        env = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        with own.setup_kernel(env=env | {"HOME": str(home), "LABUTILS_HOME": str(home), "HF_HUB_OFFLINE": "1"}):
            own.ends = time.monotonic() + ALL_SECONDS
            source = Path(__file__).with_name("in_kernel.py").read_text(encoding="utf-8")
            begin = f"{LIMITS}\nimport types\n{OWN} = types.ModuleType({OWN!r})\nexec({source!r}, {OWN}.__dict__)"
            run_sync(own._evaluated)(begin, "1", 60.0)
            yield own
