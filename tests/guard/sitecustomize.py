"""What every Python with this folder on PYTHONPATH loads first: the network block, then the usual sitecustomize."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def load(name: str, path: Path) -> object:
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


load("labutils_offline", HERE.parent.parent / "labutils" / "offline.py").block_sockets()

elsewhere = [entry for entry in sys.path if Path(entry).resolve() != HERE]
if usual := importlib.machinery.PathFinder.find_spec("sitecustomize", elsewhere):
    load("sitecustomize", Path(usual.origin))
