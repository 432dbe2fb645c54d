"""The set-up behind the commands `open`, `test` and `site`: a virtual environment, the packages, the small hub model.

Owns `.venv`, the stamp that says when it is current, and what runs in it afterwards. Leaves out pip itself
(`installing`), the steps of the suite (`suite`) and the command line (`__main__`). Standard library only: this runs
before anything is installed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from labutils import places
from labutils.installing import SetupError, install_torch, last_lines, locked, pip, quietly, say, wheels_only

OLDEST = (3, 11)
DISK = 4e9  # bytes: the environment takes 2 GB, its downloads as much again for a while
FIRST = "notebooks/00_start_here.ipynb"
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},  # no question about news over a notebook
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},  # a widget whose kernel went leaves its picture
}
STAMP = "labutils-stamp.json"


def set_up(extras: tuple[str, ...] = ()) -> Path:
    """Make `.venv` ready for the course, or find it ready.

    Args:
        extras: groups of pyproject.toml on top of its dependencies, such as ("test",).

    Returns:
        The environment's Python.

    Raises:
        SetupError: Python too old, too little disk, or an installation that failed; the message says what to do.
    """
    check_python(sys.version_info[:3])
    python = python_of(places.VENV)
    if is_current(python, extras):
        say("The set-up is current.")
        return python
    check_disk(shutil.disk_usage(places.ROOT).free)
    started = time.monotonic()
    if wheels_only():
        say("Installing from the folder wheels, without the network.")
    make_environment(python)
    install(python, extras)
    say(f"Set up in {(time.monotonic() - started) / 60:.1f} minutes.")
    fetch_small_model(python)
    return python


def check_python(version: tuple[int, ...]) -> None:
    """Raise SetupError for a Python older than the course needs."""
    if version[:2] < OLDEST:
        have, need = (".".join(map(str, part)) for part in (version, OLDEST))
        raise SetupError(f"this is Python {have}, the course needs {need} or newer: install one and start with it")


def check_disk(free: float) -> None:
    """Raise SetupError where fewer bytes are free than the set-up needs."""
    if free < DISK:
        raise SetupError(f"{free / 1e9:.1f} GB of disk are free, the set-up needs {DISK / 1e9:.0f} GB: make room first")


def python_of(folder: Path) -> Path:
    """The interpreter inside a virtual environment, whether or not it is there."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def version_of(python: Path) -> str:
    """What an interpreter says its version is; "" for one that is absent or does not start."""
    try:
        question = "import platform; print(platform.python_version())"
        asked = subprocess.run([str(python), "-c", question], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""


def key(version: str) -> str:
    """A digest of all that decides what is installed: package, lock, Python version, folder."""
    digest = hashlib.sha256(f"{version} {places.ROOT}".encode())
    for name in ("constraints.txt", "pyproject.toml"):
        digest.update((places.ROOT / name).read_bytes())
    return digest.hexdigest()


def is_current(python: Path, extras: tuple[str, ...]) -> bool:
    """Whether the last set-up still holds and had at least these extras (one for the tests is good for the course)."""
    stamp = stamped()
    version = version_of(python)
    return bool(version) and bool(stamp) and set(extras) <= set(stamp["extras"]) and stamp["key"] == key(version)


def stamped() -> dict:
    """What the last set-up wrote, `key` and `extras`; empty where there is none or it cannot be read."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        stamp = json.loads((places.VENV / STAMP).read_text(encoding="utf-8"))
        return {"key": stamp["key"], "extras": list(stamp["extras"])}
    return {}


def make_environment(python: Path) -> None:
    """Create `.venv` where it is absent, broken or too old; give it a pip where it has none.

    Raises:
        SetupError: the environment cannot be made.
    """
    version = version_of(python)
    if not version or tuple(map(int, version.split(".")[:2])) < OLDEST:
        say(f"Making {places.VENV.name} with Python {sys.version.split()[0]} ...")
        argv = [sys.executable, "-m", "venv", "--clear", str(places.VENV)]
    elif subprocess.run([str(python), "-c", "import pip"], capture_output=True).returncode:
        argv = [str(python), "-m", "ensurepip"]
    else:
        return
    code, output = quietly(argv)
    if code:
        advice = "On Debian and Ubuntu the package python3-venv may be missing."
        raise SetupError(f"{places.VENV} could not be made:\n{last_lines(output)}\n{advice}")


def install(python: Path, extras: tuple[str, ...]) -> None:
    """Install the package with what pyproject.toml lists, in the lock's versions, then write the stamp.

    Raises:
        SetupError: pip failed.
    """
    stamp = places.VENV / STAMP
    extras = tuple(sorted({*extras, *stamped().get("extras", ())}))  # what was asked for before stays current
    stamp.unlink(missing_ok=True)
    say("Installing the packages; the first time this takes some minutes ...")
    lock = (places.ROOT / "constraints.txt").read_text(encoding="utf-8")
    install_torch(python, locked("torch", lock))
    package = f".[{','.join(extras)}]" if extras else "."
    pip(python, "install", "-q", "-c", "constraints.txt", "-e", package)
    stamp.write_text(json.dumps({"key": key(version_of(python)), "extras": extras}), encoding="utf-8")


def fetch_small_model(python: Path) -> None:
    """Fetch `smollm2` in the environment; a failure is one line, because the course runs without it."""
    if os.environ.get("LABUTILS_NO_FETCH"):
        return
    say("Fetching the small hub model smollm2 (about 100 MB) ...")
    code, output = quietly([str(python), "-m", "labutils", "fetch", "smollm2"])
    if code:
        reason = last_lines(output, 1).strip() or f"exit {code}"
        say(f"Not fetched ({reason}). The course runs without it; later: python3 -m labutils fetch smollm2")


def open_course(arguments: Sequence[str] = ()) -> int:
    """Set up, then run JupyterLab on the first notebook with these options of `jupyter lab`; its exit code.

    The server's root is the checkout, so that the docs and data that notebooks speak of open, too.
    """
    python = set_up(())
    write_settings(places.VENV)
    root = ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    where = [f"--ServerApp.root_dir={places.ROOT}", f"--LabApp.default_url=/lab/tree/{FIRST}"]
    lab = [str(python), "-m", "jupyterlab", *where, *root, *arguments]
    say("Opening the course in JupyterLab; Ctrl+C here ends it.")
    return hand_over(lab)


def write_settings(venv: Path) -> None:
    """JupyterLab's settings for this environment; a learner's own go before them. Where it is read only, none."""
    path = venv / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        places.write(path, json.dumps(SETTINGS, indent=1))


def run_tests(arguments: Sequence[str] = ()) -> int:
    """Set up with the test extras, then run the suite with its options (`labutils.suite`); its exit code."""
    python = set_up(("test",))
    return hand_over([str(python), "-P", "-m", "labutils.suite", *arguments])


def build_site(arguments: Sequence[str] = ()) -> int:
    """Set up with what the site needs, then make it with its options (`labutils.lesson.site`); its exit code."""
    python = set_up(("site",))
    return hand_over([str(python), "-P", "-m", "labutils.lesson.site", *arguments])


def hand_over(argv: list[str]) -> int:
    """Run a command in the foreground and wait for it; Ctrl+C reaches it directly, and it decides what that means."""
    process = subprocess.Popen(argv)
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
    finally:
        signal.signal(signal.SIGTERM, before)
