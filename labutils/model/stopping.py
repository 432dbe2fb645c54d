"""A training run that can be ended by hand: behind a whole step, never inside one, and the model is kept."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from labutils.model import adapter_files, adapters, training
from labutils.model.models import Opened, save
from labutils.model.progress import Progress
from labutils.model.recipes import FINETUNING, Recipe


class _Stopped(Exception):
    """Ends the loop of the Trainer from its callback, which is called behind a step."""


def finetune(
    opened: Opened,
    examples: Sequence[dict],
    recipe: Recipe = FINETUNING,
    *,
    stop: threading.Event,
    by_hand: bool = True,
    held_out: Sequence[dict] = (),
    out: str | Path | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> training.Run:
    """`training.finetune`, ended behind the step during which `stop` is set, or, `by_hand`, the process is interrupted.

    The model then has the weights of the last whole step and is ready to be asked; the run's history ends with that
    step. With `out` the model is saved there, too, as that of a whole run; the run itself stays unfinished, so that
    `training.finetune(..., resume=True)` can go on with it. Raises what `training.finetune` raises.
    """
    history, began = [], time.perf_counter()

    def tell(now: Progress) -> None:
        history.append(now)
        on_progress(now)
        if stop.is_set() and now.step < now.steps:
            raise _Stopped

    try:
        with _on_interrupt(stop) if by_hand else nullcontext():
            return training.finetune(opened, examples, recipe, held_out=held_out, out=out, on_progress=tell)
    except _Stopped:
        if out is not None:
            _save(opened, Path(out))
        return training.Run(history, time.perf_counter() - began, history[-1].tokens)


@contextmanager
def _on_interrupt(stop: threading.Event) -> Iterator[None]:
    """Inside, an interrupt (Ctrl-C, or that of a notebook's kernel) sets `stop`; a second one interrupts as ever.

    Only the main thread hears interrupts; in another thread nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def heard(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = signal.signal(signal.SIGINT, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.default_int_handler)


def _save(opened: Opened, out: Path) -> None:
    """Save the model of an unfinished run where that of a finished one would be."""
    if adapters.has_lora(opened.model):
        adapter_files.save(opened, out / "adapter")
        opened = adapters.merge(opened)
    save(opened, out / "model")
