"""Where things lie: the checkout, the data that ships, the cache for what the set-up fetches; and how a file is put
there, whole or not at all.

Standard library only, because the set-up itself asks. Nothing here creates a folder.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
NOTEBOOKS = ROOT / "notebooks"
VENV = ROOT / ".venv"
STREAMS = ("/dev/std", "/dev/fd/", "/proc/")  # a process's own pipes and files, by name


def cache() -> Path:
    """The folder for models that the set-up fetched: `LABUTILS_HOME`, or the platform's usual cache folder."""
    if home := os.environ.get("LABUTILS_HOME"):
        return Path(home).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "labutils"


@contextmanager
def writing(path: str | Path, inputs: Iterable[str | Path] = ()) -> Iterator[BinaryIO]:
    """A file of bytes to fill, which then takes the place of `path`; on any error the old one stays as it was.

    Where `path` is a link, the link stays, and the file that it names is replaced. Raises ValueError, before anything
    is written, where `path` is one of the `inputs` by any name, or no plain file (a folder, a pipe, a device);
    FileNotFoundError where there is no folder to write into.
    """
    path, final = Path(path), Path(os.path.realpath(path))
    if not final.parent.is_dir():
        raise FileNotFoundError(f"no folder {path.parent} to write {path.name} into")
    if (path.exists() and not path.is_file()) or str(path).startswith(STREAMS):
        raise ValueError(f"{path} is a folder, a pipe or a device; give the name of a file to write")
    if path.exists() and any(path.samefile(each) for each in inputs):
        raise ValueError(f"{path} is the input itself, which is never written over; give another name")
    beside = final.with_name(f".{final.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        beside.replace(final)
    finally:
        beside.unlink(missing_ok=True)


def write(path: str | Path, text: str) -> None:
    """Write a text as UTF-8, whole or not at all. Raises what `writing` raises."""
    with writing(path) as out:
        out.write(text.encode())


def check_rereadable(path: str | Path) -> None:
    """Raises ValueError for what gives its bytes only once, a pipe or a terminal; what is not there passes."""
    if (path := Path(path)).exists() and not (path.is_file() or path.is_dir()):
        raise ValueError(f"{path} can be read only once, and is read several times; write it to a file first")
