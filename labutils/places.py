"""Where things lie: the checkout, the data that ships, the cache for what the set-up fetches; and how a file, or a
folder, is put there, whole or not at all.

Standard library only, because the set-up itself asks.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
NOTEBOOKS = ROOT / "notebooks"
VENV = ROOT / ".venv"
OURS = {".json", ".safetensors", ".jinja", ".txt"}  # the files of a saved model
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
def writing(path: str | Path, inputs: Iterable[str | Path] = (), mode: int = 0o666) -> Iterator[BinaryIO]:
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
        beside.touch(mode)
        with beside.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        beside.replace(final)
    finally:
        beside.unlink(missing_ok=True)


def write(path: str | Path, content: str | bytes, mode: int = 0o666) -> None:
    """Write bytes, or a text as UTF-8, whole or not at all. Raises what `writing` raises."""
    with writing(path, mode=mode) as out:
        out.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path, mark: str, what: str) -> Iterator[Path]:
    """A folder to make and fill, which then takes the place of `path`; an older one goes when the new one is whole.

    Raises ValueError rather than replace a file, or a folder that holds anything but `what`, known by its file `mark`.
    """
    if path.exists() and not _replaceable(path, mark):
        raise ValueError(f"{path} is not empty and holds other things than {what}; choose another folder")
    with swapping(path) as beside:
        yield beside


@contextmanager
def swapping(path: Path) -> Iterator[Path]:
    """`replacing` for a caller who has checked what is at `path`: anything there goes when the new one is whole."""
    path = Path(os.path.realpath(path))  # a link stays, and what it names is replaced
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    old = path.with_name(f".{path.name}.{os.getpid()}.old")
    try:
        yield beside
        if path.exists():
            path.rename(old)
        beside.rename(path)
    finally:
        if old.exists() and not path.exists():
            old.rename(path)
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def filling(folder: Path, instead: str) -> Iterator[None]:
    """A new folder to fill, or an empty one such as a stick; on any error it is again as it was.

    Raises ValueError with the advice `instead` where it holds something.
    """
    is_new = not folder.exists()
    if not is_new and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} holds something already: {instead}")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for part in [folder] if is_new else folder.iterdir():
            with suppress(OSError):  # which would hide the error
                shutil.rmtree(part, ignore_errors=True) if part.is_dir() else part.unlink()
        raise


def _replaceable(path: Path, mark: str) -> bool:
    """Whether a path is an empty folder, or one that holds what it is known for and nothing else."""
    inside = list(path.iterdir()) if path.is_dir() else [path]
    return not inside or (all(map(_ours, inside)) and (path / mark).is_file())


def _ours(part: Path) -> bool:
    """Whether a model, or a data set, was saved with this file; its card is known by its front matter."""
    if part.name == "README.md":
        return part.is_file() and part.read_bytes().startswith(b"---\n")
    return part.is_file() and part.suffix in OURS


def check_rereadable(path: str | Path) -> None:
    """Raises ValueError for what gives its bytes only once, a pipe or a terminal; what is not there passes."""
    if (path := Path(path)).exists() and not (path.is_file() or path.is_dir()):
        raise ValueError(f"{path} can be read only once, and is read several times; write it to a file first")


def gather(source: str | Path, suffix: str, most: int, read: Callable[[bytes], T]) -> tuple[dict[str, T], list[str]]:
    """What `read` makes of each file that others have put into a folder, by its name; and a line for each refused one.

    A file is refused that is no plain one, has more than `most` bytes, or for which `read` raises ValueError. In place
    of a folder, one file. Raises FileNotFoundError where there is neither.
    """
    source, found, refused = Path(source), {}, []
    if not source.exists():
        raise FileNotFoundError(f"no file or folder {source}")
    for path in sorted(source.rglob(f"*{suffix}")) if source.is_dir() else [source]:
        name = path.relative_to(source).as_posix() if source.is_dir() else path.name
        try:
            found[name] = read(_bytes(path, most))
        except RecursionError:
            refused.append(f"{name}: nested too deeply")
        except (ValueError, OSError) as problem:
            refused.append(f"{name}: {problem.strerror if isinstance(problem, OSError) else problem}")
    return found, refused


def _bytes(path: Path, most: int) -> bytes:
    """A file's bytes. Raises ValueError for a link, a pipe or a folder, and for more bytes than `most`."""
    if path.is_symlink() or not path.is_file():
        raise ValueError("no plain file")
    with path.open("rb") as file:
        if len(data := file.read(most + 1)) > most:
            raise ValueError(f"larger than the {most:,} bytes that it could have")
    return data
