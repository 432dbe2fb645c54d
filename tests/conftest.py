"""What every test has: a process whose sockets reach loopback only, unless it is marked `index`."""

import os
from pathlib import Path

import nbformat
import pytest

from labutils import offline


@pytest.fixture(autouse=True)
def network_block(request: pytest.FixtureRequest):
    """Block the network in this process; the suite blocks it for the processes around it, too."""
    if request.node.get_closest_marker("index"):
        yield
        return
    offline.block_sockets()
    yield
    offline.free_sockets()


@pytest.fixture(scope="session", autouse=True)
def own_jupyter_folders(tmp_path_factory: pytest.TempPathFactory):
    """Kernels and servers of the tests read and write no settings of the person who runs them."""
    home = tmp_path_factory.mktemp("jupyter")
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: str(home / name.lower()) for name in names})
    yield
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture
def make_notebook(tmp_path: Path):
    """A function that writes a notebook of code cells and returns its path."""

    def make(*sources: str, name: str = "05_small.ipynb") -> Path:
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        path = tmp_path / name
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        return path

    return make
