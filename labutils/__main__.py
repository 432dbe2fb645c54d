"""The command line: `python3 -m labutils COMMAND`.

Owns the table of commands, which Python runs them, and how an error looks (one line, exit code 2 for bad input). Leaves
out what a command does: its function imports that when it is called. Starts from the standard library alone.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from labutils import bootstrap, places, ranks


@dataclass(frozen=True)
class Command:
    """One line of the table."""

    help: str
    options: Callable[[argparse.ArgumentParser], None]  # adds the command's options to its parser
    act: Callable[[argparse.Namespace], int]  # does it; the exit code
    bare: bool = False  # works before anything is installed, on any Python
    passes_on: bool = False  # options it does not know go on to the program that it starts, as `asked.rest`


class Parser(argparse.ArgumentParser):
    """A parser whose error is one line."""

    def error(self, message: str) -> None:
        """Say what is wrong and where the help is; exit code 2."""
        self.exit(2, None if ranks.leave_to_first() else f"error: {message} (help: {self.prog} --help)\n")


def open_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", help="where JupyterLab listens")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.epilog = "Any other option goes on to `jupyter lab`."


def open_command(asked: argparse.Namespace) -> int:
    port = [f"--port={asked.port}"] if asked.port else []
    return bootstrap.open_course([*port, *["--no-browser"] * asked.no_browser, *asked.rest])


def test_options(parser: argparse.ArgumentParser) -> None:
    from labutils import suite

    suite.add_options(parser)


def test_command(asked: argparse.Namespace) -> int:
    only = [f"--only={asked.only}"] if asked.only else []
    return bootstrap.run_tests([*["--slow"] * asked.slow, *only])


def site_options(parser: argparse.ArgumentParser) -> None:
    from labutils.lesson import site

    site.add_options(parser)


def site_command(asked: argparse.Namespace) -> int:
    return bootstrap.build_site([f"--out={asked.out}", f"--repository={asked.repository}"])


def doctor_options(parser: argparse.ArgumentParser) -> None:
    from labutils import doctor

    doctor.add_options(parser)


def doctor_command(asked: argparse.Namespace) -> int:
    from labutils import doctor

    return doctor.main(asked)


def run_options(parser: argparse.ArgumentParser) -> None:
    from labutils import run

    run.add_options(parser)


def run_command(asked: argparse.Namespace) -> int:
    from labutils import run

    return run.main(asked)


def fetch_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a model by name, such as smollm2")


def fetch_command(asked: argparse.Namespace) -> int:
    from labutils.model import models

    try:
        print(f"{asked.name} lies in {models.fetch(asked.name)}")
    except LookupError as missing:
        return complain(missing, 1)
    return 0


def learners(name: str) -> Command:
    """A command whose options and action are in `lesson`, imported only when it is asked for."""

    def part(which: str) -> Callable:
        def call(argument):
            owner = next(module for module, names in OWNERS.items() if name in names)
            module = importlib.import_module(f"labutils.lesson.{owner}")
            return getattr(module, f"{name}_{which}")(argument)

        return call

    return Command(LEARNERS[name], part("options"), part("command"))


OWNERS = {  # which module of `lesson` holds the commands
    "cli_data": ("survey", "validate", "convert", "format"),
    "cli_model": ("pretrain", "finetune", "ask"),
    "cli_measure": ("experiment", "report"),
    "classroom.release": ("class",),
    "claims": ("claims",),
}
LEARNERS = {
    "survey": "what is in a corpus",
    "validate": "every problem in a file of pairs; a repaired copy",
    "convert": "a file of pairs -> the same in another form",
    "format": "pairs -> training text, prompt and answer, or messages",
    "pretrain": "a model that reads a corpus, from random weights",
    "finetune": "tune a model on pairs",
    "ask": "ask a model",
    "experiment": "make a recorded result again",
    "report": "the report card: every score of every stage",
    "class": "assignments for nbgrader; the course for a room without network",
    "claims": "the table of the lecture's claims, from the stored notebooks",
}
COMMANDS = {
    "open": Command("set up, then open the course", open_options, open_command, bare=True, passes_on=True),
    "test": Command("set up, then run the tests", test_options, test_command, bare=True),
    "site": Command("set up, then make the course as a site", site_options, site_command, bare=True),
    "doctor": Command("what works on this machine, and what to do about the rest", doctor_options, doctor_command),
    "run": Command("execute notebooks, time them, write HTML", run_options, run_command),
    "fetch": Command("fetch a model once", fetch_options, fetch_command),
    **{name: learners(name) for name in LEARNERS},
}


def main(argv: list[str] | None = None) -> int:
    """Run one command; its exit code. 2: bad input or nothing installed, 1: it failed, 130: interrupted."""
    argv = sys.argv[1:] if argv is None else argv
    sys.stdout.reconfigure(errors="replace")
    try:
        bootstrap.check_python(sys.version_info[:3])
        asked = parse(argv)
        command = COMMANDS[asked.command]
        if not command.bare and (python := other_python()):
            return restart([str(python), "-m", "labutils", *argv])
        if not command.bare and not has_packages():
            return complain("the course is not set up: run `python3 -m labutils open` first", 2)
        return command.act(asked)
    except (ValueError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as problem:
        return complain(problem, 2)
    except (bootstrap.SetupError, MemoryError, OSError) as problem:
        return leave(complain(problem, 1))
    except KeyboardInterrupt:
        ranks.say("stopped")
        return 130


def parse(argv: list[str]) -> argparse.Namespace:
    """The command and its options; exits with 2 and one line where they make no sense."""
    parser = Parser(prog="python3 -m labutils", description="The course's command line.", allow_abbrev=False)
    lines = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        line = lines.add_parser(name, help=command.help, description=command.help, allow_abbrev=False)
        if name in argv[:1]:
            command.options(line)
    asked, asked.rest = parser.parse_known_args(argv)
    if asked.rest and not COMMANDS[asked.command].passes_on:
        parser.error(f"unknown: {' '.join(asked.rest)}")
    return asked


def other_python() -> Path | None:
    """The Python of `.venv` where there is one and this is not it."""
    python = bootstrap.python_of(places.VENV)
    here = Path(sys.prefix).resolve() == places.VENV.resolve()
    return python if python.exists() and not here else None


def restart(argv: list[str]) -> int:
    """Go on in another Python; under `torchrun` in place of this process, since that is the one it watches."""
    if ranks.size() > 1 and os.name == "posix":
        os.execv(argv[0], argv)
    return bootstrap.hand_over(argv)


def leave(code: int) -> int:
    """The exit code; one of several processes leaves at once, since connections to one that is gone close slowly."""
    if ranks.size() > 1:
        sys.stderr.flush()
        os._exit(code)
    return code


def has_packages() -> bool:
    """Whether this Python has the course's packages; two heavy ones stand for all."""
    return all(importlib.util.find_spec(name) for name in ("torch", "transformers"))


def complain(problem: object, code: int) -> int:
    """Print an error in one line on stderr; the exit code. What is wrong with the input, the first of several
    processes says for all.
    """
    if code == 2 and ranks.leave_to_first():
        return code
    if isinstance(problem, FileNotFoundError) and problem.filename:
        problem = f"no such file: {problem.filename}"
    elif isinstance(problem, OSError) and problem.filename:
        problem = f"{problem.strerror}: {problem.filename}"
    elif isinstance(problem, KeyError):
        problem = problem.args[0]
    print(f"error: {problem}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
