"""The command line: `python3 -m labutils COMMAND`.

Owns the table of commands, which Python runs them, and how an error looks (one line, exit code 2 for bad input). Leaves
out what a command does: its function imports that when it is called. Starts from the standard library alone.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from labutils import bootstrap, machine, places


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
        self.exit(2, None if machine.leave_to_first() else f"error: {shown(message)} (help: {self.prog} --help)\n")


def open_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", help="where JupyterLab listens")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.epilog = "Any other option goes on to `jupyter lab`."


def open_command(asked: argparse.Namespace) -> int:
    port = [f"--port={asked.port}"] if asked.port else []
    return bootstrap.open_course([*port, *["--no-browser"] * asked.no_browser, *asked.rest])


def test_command(asked: argparse.Namespace) -> int:
    only = [f"--only={asked.only}"] if asked.only else []
    return bootstrap.run_tests([*["--slow"] * asked.slow, *only])


def site_command(asked: argparse.Namespace) -> int:
    return bootstrap.build_site([f"--out={asked.out}", f"--repository={asked.repository}"])


def fetch_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a model by name, such as smollm2")


def fetch_command(asked: argparse.Namespace) -> int:
    from labutils.model import models

    try:
        print(f"{asked.name} lies in {models.fetch(asked.name)}")
    except LookupError as missing:
        return complain(missing, 1)
    return 0


# Modules that are imported only when one of their commands is asked for.


def suite():
    from labutils import suite

    return suite


def doctor():
    from labutils import doctor

    return doctor


def run():
    from labutils import run

    return run


def data():
    from labutils.lesson import cli_data

    return cli_data


def model():
    from labutils.lesson import cli_model

    return cli_model


def measure():
    from labutils.lesson import cli_measure

    return cli_measure


def classroom():
    from labutils.lesson.classroom import command

    return command


def site():
    from labutils.lesson import site

    return site


def claims():
    from labutils.lesson import claims

    return claims


COMMANDS = {
    "open": Command("set up, then open the course", open_options, open_command, bare=True, passes_on=True),
    "test": Command("set up, then run the tests", lambda line: suite().add_options(line), test_command, bare=True),
    "site": Command(
        "set up, then make the course as a site", lambda line: site().add_options(line), site_command, bare=True
    ),
    "doctor": Command(
        "what works on this machine, and what to do about the rest",
        lambda line: doctor().add_options(line),
        lambda asked: doctor().main(asked),
    ),
    "run": Command(
        "execute notebooks, time them, write HTML",
        lambda line: run().add_options(line),
        lambda asked: run().main(asked),
    ),
    "fetch": Command("fetch a model once", fetch_options, fetch_command),
    "survey": Command(
        "what is in a corpus",
        lambda line: data().survey_options(line),
        lambda asked: data().survey_command(asked),
    ),
    "validate": Command(
        "every problem in a file of pairs; a repaired copy",
        lambda line: data().validate_options(line),
        lambda asked: data().validate_command(asked),
    ),
    "convert": Command(
        "a file of pairs -> the same in another form",
        lambda line: data().convert_options(line),
        lambda asked: data().convert_command(asked),
    ),
    "format": Command(
        "pairs -> training text, prompt and answer, or messages",
        lambda line: data().format_options(line),
        lambda asked: data().format_command(asked),
    ),
    "pretrain": Command(
        "a model that reads a corpus, from random weights",
        lambda line: model().pretrain_options(line),
        lambda asked: model().pretrain_command(asked),
    ),
    "finetune": Command(
        "tune a model on pairs",
        lambda line: model().finetune_options(line),
        lambda asked: model().finetune_command(asked),
    ),
    "ask": Command(
        "ask a model",
        lambda line: model().ask_options(line),
        lambda asked: model().ask_command(asked),
    ),
    "experiment": Command(
        "make a recorded result again",
        lambda line: measure().experiment_options(line),
        lambda asked: measure().experiment_command(asked),
    ),
    "report": Command(
        "the report card: every score of every stage",
        lambda line: measure().report_options(line),
        lambda asked: measure().report_command(asked),
    ),
    "class": Command(
        "assignments that grade themselves, predictions of a class, the course for a room without network",
        lambda line: classroom().class_options(line),
        lambda asked: classroom().class_command(asked),
    ),
    "claims": Command(
        "the table of the lecture's claims, from the stored notebooks",
        lambda line: claims().claims_options(line),
        lambda asked: claims().claims_command(asked),
    ),
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
        machine.say("stopped")
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
    if machine.processes() > 1 and os.name == "posix":
        os.execv(argv[0], argv)
    return bootstrap.hand_over(argv)


def leave(code: int) -> int:
    """The exit code; one of several processes leaves at once, since connections to one that is gone close slowly."""
    if machine.processes() > 1:
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
    if code == 2 and machine.leave_to_first():
        return code
    if isinstance(problem, FileNotFoundError) and problem.filename:
        problem = f"no such file: {problem.filename}"
    elif isinstance(problem, OSError) and problem.filename:
        problem = f"{problem.strerror}: {problem.filename}"
    elif isinstance(problem, KeyError):
        problem = problem.args[0]
    print(f"error: {shown(problem) if code == 2 else problem}", file=sys.stderr)
    return code


def shown(problem: object) -> str:
    """A message on one line without control characters, which names of files and arguments may hold."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in str(problem))


if __name__ == "__main__":
    sys.exit(main())
