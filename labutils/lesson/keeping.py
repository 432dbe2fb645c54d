"""A small JSON file in the learner's own folder, by name: what was tried, what was predicted.

Read and changed under a lock that the system frees when a process dies; written beside and swapped in, so that a kill
or a full disk leaves the old file whole. A file that cannot be read is set aside under another name, never written
over. Where nothing can be saved, this process remembers, and says so. Where a notebook is executed with nobody in
front of it, nothing is kept or read, so that its outputs are the same everywhere. What values mean is not known here.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from labutils import places

PATIENCE = 5.0  # seconds to wait for another kernel, which needs milliseconds


def nobody() -> bool:
    """Whether a notebook is executed by `labutils run` or compared by nbval, and not by a person."""
    return "LABUTILS_UNATTENDED" in os.environ or "PYTEST_VERSION" in os.environ


class Keeping:
    """A JSON object of named values. `check` raises ValueError, TypeError or AttributeError for a spoiled value."""

    def __init__(self, stem: str, check: Callable[[object], object]):
        self.stem, self.check = stem, check
        self.unsaved: dict[str, object] = {}  # of this process, where nothing can be written

    def path(self) -> Path:
        """The file: `STEM.json` in the cache folder, which `LABUTILS_HOME` moves."""
        return places.cache() / f"{self.stem}.json"

    def read(self) -> dict[str, object]:
        """All values by name; empty where there are none or they cannot be read."""
        if nobody():
            return {}
        if not self.path().exists():
            return dict(self.unsaved)
        try:
            with self._locked():
                found = self._load()
        except (OSError, Timeout):  # a folder that may be read only
            found = self._peek()
        return found | self.unsaved

    def change(self, name: str, step: Callable[[object], object]) -> tuple[object, str]:
        """Change one value by `step`, which is given None where there is none, and save it; others stay as they are.

        Returns the value as it now is, and why it could not be saved; empty where it was.
        """
        if nobody():
            return step(None), ""
        try:
            self.path().parent.mkdir(parents=True, exist_ok=True)
            with self._locked():
                kept = self._load()
                value = step(self.unsaved.get(name, kept.get(name)))
                self._write({**kept, name: value})
            self.unsaved.pop(name, None)
            return value, ""
        except (OSError, Timeout) as error:
            self.unsaved[name] = step(self.unsaved.get(name, self._peek().get(name)))
            return self.unsaved[name], type(error).__name__

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with FileLock(self.path().with_name(f"{self.path().name}.lock"), timeout=PATIENCE):
            yield

    def _load(self) -> dict[str, object]:
        """The file as it is; one that cannot be read is set aside first. Only under the lock."""
        try:
            return self.parse(self.path().read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError:
            number = 1
            while (aside := self.path().with_name(f"{self.stem}.broken-{number}.json")).exists():
                number += 1
            self.path().rename(aside)
            return {}

    def _peek(self) -> dict[str, object]:
        """The file without the lock, where that is not to be had; empty where it cannot be read."""
        try:
            return self.parse(self.path().read_bytes())
        except (OSError, ValueError):
            return {}

    def parse(self, data: bytes) -> dict[str, object]:
        """What a file holds. Raises ValueError for anything but an object of values that pass the check."""
        try:
            found = json.loads(data)
            for value in found.values():
                self.check(value)
        except (AttributeError, TypeError, RecursionError) as error:
            raise ValueError(f"not as it was written: {error}") from None
        return found

    def _write(self, kept: dict[str, object]) -> None:
        """Only under the lock, so parts that lie about are those of processes that died."""
        for part in self.path().parent.glob(f".{self.path().name}.*.part"):
            part.unlink(missing_ok=True)
        places.write(self.path(), json.dumps(kept, indent=1, sort_keys=True))
