"""What the set-up asks pip, and which build of torch it takes.

Owns the pip calls: silent while they work, pip's last lines when they fail. Leaves out the virtual environment and the
question whether anything is due (`bootstrap`). Standard library only.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from labutils import places

WHEELS = "wheels"  # a folder of the checkout that `class wheelhouse` fills
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PATIENCE = 30  # seconds of silence before a sign of life


class SetupError(RuntimeError):
    """The set-up cannot go on; the message says why and what to do."""


def say(line: str) -> None:
    """Print one line at once, also into a pipe."""
    print(line, flush=True)


def quietly(argv: list[str]) -> tuple[int, str]:
    """Run a command in the checkout with its output kept back; a line of life every half minute.

    Returns the exit code and what it printed. Interrupted, it takes the command down with it.
    """
    started = time.monotonic()
    kept = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8", "errors": "replace"}
    with subprocess.Popen(argv, cwd=places.ROOT, stdin=subprocess.DEVNULL, **kept) as process:
        while True:
            try:
                output, _ = process.communicate(timeout=PATIENCE)
                return process.returncode, output
            except subprocess.TimeoutExpired:
                say(f"  ... {time.monotonic() - started:.0f} s, still working")
            except BaseException:
                process.kill()
                raise


def last_lines(output: str, count: int = 6) -> str:
    """The end of a tool's output without its warnings and notices, indented.

    >>> last_lines("WARNING: Location '/x' is ignored\\nERROR: no torch\\n[notice] new pip")
    '  ERROR: no torch'
    """
    noise = ("WARNING", "DEPRECATION", "[notice]", "Looking in ")
    lines = [line.rstrip() for line in output.splitlines() if line.strip() and not line.lstrip().startswith(noise)]
    return "\n".join(f"  {line}" for line in lines[-count:])


def pip(python: Path, *arguments: str) -> None:
    """`pip ARGUMENTS` in the environment of `python`; nothing is shown while it works.

    Raises:
        SetupError: pip failed; the message holds its last lines and what to do.
    """
    argv = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments, *wheels_only()]
    code, output = quietly(argv)
    if code:
        raise SetupError(
            f"pip could not install the packages (exit {code}):\n{last_lines(output)}\n"
            "What to do: check the network and the free disk, then run the same command again; it goes on from there."
        )


def wheels_only() -> list[str]:
    """pip's options to take the checkout's folder of wheels alone, where there is one: a room without network."""
    wheels = places.ROOT / WHEELS
    return ["--no-index", "--find-links", wheels.as_uri()] if wheels.is_dir() else []


def locked(name: str, constraints: str) -> str:
    """The version of a package in the lock's text.

    >>> locked("torch", "tqdm==4.70.1\\ntorch==2.13.0 ; sys_platform == 'linux'\\n")
    '2.13.0'

    Raises:
        SetupError: the lock does not name the package.
    """
    found = re.search(rf"^{re.escape(name)}==([^\s;]+)", constraints, re.MULTILINE)
    if not found:
        raise SetupError(f"constraints.txt does not name {name}; take the file from the repository again")
    return found[1]


def install_torch(python: Path, version: str) -> str:
    """Install the CPU build of torch where one can be had quickly; the rest of the set-up brings it otherwise.

    On Linux the package index's own build needs gigabytes of CUDA libraries; elsewhere it is the CPU build already.
    Returns where torch comes from: "present", "local wheel", "CPU index" or "package index" (not installed yet).
    """
    if installed(python, "torch").partition("+")[0] == version:
        return "present"
    wanted = ["install", "-q", "--no-deps", f"torch=={version}"]
    if _works(python, *wanted, "--no-index"):
        return "local wheel"
    if sys.platform == "linux":
        index = _cpu_index()
        if index and _works(python, *wanted, *index):
            return "CPU index"
        say("torch comes from the package index with its CUDA libraries: a download of some gigabytes")
    return "package index"


def download_torch(python: Path, version: str, folder: Path) -> None:
    """Put the CPU wheel of torch into a folder; where only the package index gives one, that of the package index.

    Raises:
        SetupError: pip failed.
    """
    wanted = ["download", "-q", "--no-deps", "-d", str(folder), f"torch=={version}"]
    index = _cpu_index() if sys.platform == "linux" else []
    if not _works(python, *wanted, "--no-index") and not (index and _works(python, *wanted, *index)):
        pip(python, *wanted)


def installed(python: Path, name: str) -> str:
    """The version of a package in the environment of `python`, or ""."""
    question = f"import importlib.metadata as m; print(m.version({name!r}))"
    asked = subprocess.run([str(python), "-c", question], capture_output=True, text=True)
    return asked.stdout.strip() if asked.returncode == 0 else ""


def _cpu_index() -> list[str]:
    """pip's options for PyTorch's CPU index; empty where it does not answer within two seconds.

    Behind a proxy a direct connection proves nothing, so pip itself asks, with a short time-out.
    """
    from labutils import machine  # not above: a Python that is too old must get as far as being told so

    if urllib.request.getproxies().keys() & {"https", "all"}:
        return ["--index-url", CPU_INDEX, "--timeout", "5", "--retries", "0"]
    if machine.within(2, _reach_cpu_index):
        return ["--index-url", CPU_INDEX, "--timeout", "15", "--retries", "1"]
    return []


def _reach_cpu_index() -> bool:
    with socket.create_connection(("download.pytorch.org", 443), timeout=2):
        return True


def _works(python: Path, *arguments: str) -> bool:
    try:
        pip(python, *arguments)
    except SetupError:
        return False
    return True
