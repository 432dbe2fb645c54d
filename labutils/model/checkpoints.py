"""The folder of a training run: its settings, its checkpoints, which of them is whole.

    out/run.json          settings, whether the run is finished, what it took
    out/checkpoint-50/    what the Trainer saved after 50 steps; whole when it holds the file COMPLETE
    out/model/            the trained model, once the run is finished
    out/adapter/          its adapters alone, where it was tuned with some

The Trainer writes a checkpoint in place, so a kill inside a save leaves a broken one. The mark is set behind the save,
of several processes by the first, when all have written their part.
"""

import json
import shutil
from pathlib import Path

from transformers import TrainerCallback

from labutils import places, ranks
from labutils.model import processes

COMPLETE = "COMPLETE"
KEPT = 2  # checkpoints, the newest
RENAMED = {"look_every": "eval_steps", "keep_every": "save_steps"}  # settings of a recipe


class Mark(TrainerCallback):
    """Marks a checkpoint as whole once the Trainer has saved it, and removes those before the last two.

    Left to itself, the Trainer would tell their age by the clock of the file system, and warn when it cannot. After
    the last step the model is saved instead.
    """

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step >= state.max_steps:
            control.should_save = False

    def on_save(self, args, state, control, **kwargs):
        processes.wait()
        if ranks.first():
            (Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE).touch()
            for old in sorted(Path(args.output_dir).glob("checkpoint-*"), key=_step)[:-KEPT]:
                shutil.rmtree(old)


def _renamed(recipe: dict) -> dict:
    """A recipe's settings as they are called now; runs that were begun before can still be resumed."""
    return {RENAMED.get(name, name): value for name, value in recipe.items()}


def begin(out: Path, settings: dict, resume: bool) -> Path | None:
    """Open a run's folder; the checkpoint to go on from, None to start from the beginning.

    Broken checkpoints are removed. Raises ValueError when the folder holds a run and `resume` is False, a finished
    run, or a run with other settings.
    """
    settings = json.loads(json.dumps(settings))
    if (out / "run.json").is_file():
        before = json.loads((out / "run.json").read_text(encoding="utf-8"))
        if before["finished"]:
            raise ValueError(f"{out} holds a finished run; its model is {out / 'model'}. Choose another folder")
        if not resume:
            raise ValueError(f"{out} holds an unfinished run; go on with it (resume), or choose another folder")
        kept = before["settings"] | {"recipe": _renamed(before["settings"]["recipe"])}
        if kept != settings:
            raise ValueError(f"{out} was begun with {before['settings']}, got {settings}; resume needs the same")
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} is not empty and holds no run; choose another folder")
    out.mkdir(parents=True, exist_ok=True)
    _write(out, {"settings": settings, "finished": False})
    for checkpoint in out.glob("checkpoint-*"):
        if not (checkpoint / COMPLETE).is_file():
            shutil.rmtree(checkpoint)
    return max(out.glob("checkpoint-*"), key=_step, default=None)


def finish(out: Path, about: dict) -> None:
    """Note that a run is finished, and what it took; remove its checkpoints, since the model is saved."""
    _write(out, json.loads((out / "run.json").read_text(encoding="utf-8")) | {"finished": True} | about)
    for checkpoint in out.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)


def finished(out: Path) -> bool:
    """Whether a folder holds a finished run."""
    about = out / "run.json"
    return about.is_file() and json.loads(about.read_text(encoding="utf-8"))["finished"]


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("checkpoint-"))


def _write(out: Path, content: dict) -> None:
    places.write(out / "run.json", json.dumps(content, indent=1))
