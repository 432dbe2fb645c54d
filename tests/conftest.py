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


@pytest.fixture(autouse=True)
def somebody(monkeypatch: pytest.MonkeyPatch):
    """What a test does is kept and read as if a person did it; notebooks that nbval compares know this file not."""
    for name in ("PYTEST_VERSION", "LABUTILS_UNATTENDED"):
        monkeypatch.delenv(name, raising=False)


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


@pytest.fixture(scope="session")
def one_core():
    """Tiny models run on one core, whatever the machine has: it is faster, and gives the same bits everywhere."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def birds() -> list[dict]:
    """The tiny task: eight pairs, a number for each bird, questions of different lengths."""
    numbers = ["one", "two", "three", "four", "five", "six", "seven", "eight"]
    names = ["plover", "heron", "finch", "crane", "oystercatcher", "eagle", "robin", "raven"]
    pairs = zip(names, numbers, strict=True)
    return [{"question": f"What is the number of {name}?", "answer": f"It is {number}."} for name, number in pairs]


@pytest.fixture(scope="session")
def tokenizer(birds):
    """A throw-away tokenizer of about 320 pieces. Who changes it copies it first."""
    from labutils.model.encoding import train_bpe

    frame = "### Question:\n\n\n### Answer:\n"
    return train_bpe([frame + pair["question"] + pair["answer"] for pair in birds] * 2, size=320)


@pytest.fixture(scope="session")
def fresh(tokenizer, one_core):
    """A function that makes a tiny Llama (64 wide, two layers) with random weights, the same for the same seed."""
    from labutils.model import models

    return lambda seed=0: models.create(tokenizer, width=64, layers=2, seed=seed)


@pytest.fixture(scope="session")
def start(fresh, tmp_path_factory) -> Path:
    """A folder with one such model; runs begin there, and nobody writes into it."""
    from labutils.model import models

    return models.save(fresh(), tmp_path_factory.mktemp("start") / "model")


@pytest.fixture(scope="session")
def bird_examples(birds, tokenizer) -> list[dict]:
    """The tiny task as ids and labels, asked through the template "lecture"."""
    from labutils.model.encoding import encode_all

    return encode_all(birds, "lecture", tokenizer).examples


@pytest.fixture(scope="session")
def bird_run(fresh, bird_examples):
    """A tiny model that has learned the tiny task, and its training run. Nobody changes it."""
    from labutils.model import training

    opened = fresh()
    recipe = training.Recipe(steps=100, batch=8, learning_rate=5e-3, eval_steps=50)
    return opened, training.finetune(opened, bird_examples, recipe, held_out=bird_examples)


@pytest.fixture(scope="session")
def bird_folder(bird_run, tmp_path_factory) -> Path:
    """The folder of the model that has learned the tiny task. Nobody changes it."""
    from labutils.model import models

    return models.save(bird_run[0], tmp_path_factory.mktemp("birds") / "model")


@pytest.fixture
def fp32(monkeypatch: pytest.MonkeyPatch):
    """Products in float32, also where the processor has bfloat16, so that numbers agree to the last digits."""
    from labutils import machine

    monkeypatch.setattr(machine, "bf16", lambda: False)


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No hub answers, and the cache of fetched models is an empty folder: this one."""
    from labutils import machine

    monkeypatch.setattr(machine, "hub_answers", lambda: False)
    monkeypatch.setenv("LABUTILS_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def labutils(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, no_hub: Path):
    """A function that runs a command in this process, without a hub: its exit code, stdout and stderr."""
    from labutils import __main__ as cli

    monkeypatch.setattr(cli, "other_python", lambda: None)

    def run(*argv: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = cli.main([str(part) for part in argv])
        except SystemExit as ended:
            code = ended.code
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def refused(labutils):
    """A function that runs a line which must be refused: exit code 2, one line on stderr, which holds the words."""

    def run(line: str, words: str) -> None:
        code, out, err = labutils(*line.split())
        assert (code, out) == (2, "")
        assert err.startswith("error: ") and words in err and err.count("\n") == 1, err

    return run
