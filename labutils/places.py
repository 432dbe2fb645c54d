"""Where things lie: the checkout, the data that ships, the cache for what the set-up fetches.

Standard library only, because the set-up itself asks. Nothing here creates a folder.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
NOTEBOOKS = ROOT / "notebooks"
VENV = ROOT / ".venv"


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
