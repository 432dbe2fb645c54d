"""Write a folder whole or not at all. What lies in it is not known here."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OURS = {".json", ".safetensors", ".jinja", ".txt"}


@contextmanager
def replacing(path: Path, mark: str, what: str) -> Iterator[Path]:
    """A folder to fill that then takes the place of `path`; an older one is replaced only when the new one is whole.

    Raises ValueError rather than replace a file, or a folder that holds anything but `what`, known by its file `mark`.
    """
    if path.exists() and not _replaceable(path, mark):
        raise ValueError(f"{path} is not empty and holds other things than {what}; choose another folder")
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


def _replaceable(path: Path, mark: str) -> bool:
    """Whether a path is an empty folder, or one that holds what it is known for and nothing else."""
    inside = list(path.iterdir()) if path.is_dir() else [path]
    return not inside or (all(map(_ours, inside)) and (path / mark).is_file())


def _ours(part: Path) -> bool:
    """Whether a model, or a data set, was saved with this file; its card is known by its front matter."""
    if part.name == "README.md":
        return part.is_file() and part.read_bytes().startswith(b"---\n")
    return part.is_file() and part.suffix in OURS
