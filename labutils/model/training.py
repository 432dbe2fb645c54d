"""Train a model's weights: one loss for every stage, `transformers.Trainer` for the loop, resume after a kill.

Where the examples came from, and how progress looks on a screen, is not known here: examples are ids and labels, and
progress goes to a callback.
"""

import copy
import hashlib
import json
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import torch
from transformers import DataCollatorWithFlattening, PreTrainedModel, PrinterCallback

from labutils import machine
from labutils.model import adapters, checkpoints, models, recipes
from labutils.model.encoding import LENGTHS, Blocks, pad, pad_id
from labutils.model.loop import Loop, MasterOptimizer, Masters, Progress, Watch, arguments, halves, masters
from labutils.model.loss import next_token_loss, plain_head, reads_end_to_end
from labutils.model.models import Opened, save
from labutils.model.recipes import FINETUNING, PRETRAINING, Recipe, check_setting

__all__ = ["PRETRAINING", "Progress", "Recipe", "Run", "finetune", "finetune_until", "pretrain", "steps_in"]


class Run(NamedTuple):
    """What a training run leaves behind, beside the trained weights; a resumed one counts from where it went on."""

    history: list[Progress]
    seconds: float
    tokens: int  # read, all epochs counted, padding not


def pretrain(
    opened: Opened,
    blocks: Blocks,
    recipe: Recipe = PRETRAINING,
    *,
    held_out: Sequence[dict] = (),
    out: str | Path | None = None,
    resume: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Run:
    """Train all weights of a model on blocks of running text (`encoding.blocks`), in place.

    The loop, the loss and what is kept are those of `finetune`; what differs is the data, where every token is
    trained, and the recipe.
    """
    return finetune(opened, blocks, recipe, held_out=held_out, out=out, resume=resume, on_progress=on_progress)


def finetune(
    opened: Opened,
    examples: Sequence[dict],
    recipe: Recipe = FINETUNING,
    *,
    held_out: Sequence[dict] = (),
    out: str | Path | None = None,
    resume: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Run:
    """Train a model on examples, in place: all of its weights, or those that `adapters` left to move.

    Where `recipe.replay` asks for it, general text is mixed in, on which the model is its own teacher from before
    (`recipes.mixed`); the losses that are told are of both then, and `held_out` alone is of pairs. With `out`,
    checkpoints are kept there while it runs, and the model is saved there at the end; `resume=True` goes on from the
    newest whole checkpoint and ends with the weights of an uninterrupted run. However a run ends, the model is left
    ready to be asked, with the weights of its last whole step. Adapters are saved alone, and merged into a model that
    opens without them. Under `torchrun` the processes share each batch; the first one writes, looks at `held_out` and
    tells. Raises ValueError when there are no examples, `out` holds another run or a finished one, the loss is no
    number any more, or the batch has no equal shares; MemoryError and OSError, with what to do, where a step or a save
    finds no room; checkpoints.Left when another process has ended.
    """
    if not examples:
        raise ValueError("no examples to train on")
    checkpoints.check(recipe.batch)
    with checkpoints.together(out):
        return _run(opened, examples, recipe, held_out, None if out is None else Path(out), resume, on_progress)


def _run(opened, examples, recipe, held_out, out: Path | None, resume: bool, on_progress) -> Run:
    checkpoint = None
    if out is not None:
        settings = _settings(opened.model, examples, recipe)
        checkpoint = checkpoints.agreed(lambda: checkpoints.begin(out, settings, resume))
    teacher = recipes.teacher(opened.model) if recipe.replay else None
    if recipe.replay:
        examples, recipe = recipes.mixed(examples, opened.tokenizer, recipe)
    steps = recipe.total_steps(len(examples))
    watch = Watch(opened, held_out, recipe, steps, on_progress)
    model, bf16 = opened.model, torch.cuda.is_available() or machine.bf16()
    apart = bf16 and with_masters()
    plain_head(model)  # asked before the threads ask
    began = time.perf_counter()
    # the Trainer wants a folder, even where nothing is saved
    with models.quiet(), tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        checkpoints.give_memory_back()  # here and at the end, or each run of a kernel needs more than the one before
        stack.callback(checkpoints.give_memory_back)
        args = arguments(recipe, steps, out or scratch, keep=out is not None, autocast=bf16 and not apart)
        model.to(args.device)
        padded = isinstance(examples, Blocks) or not reads_end_to_end(model)
        stack.enter_context(_compiled(opened, recipe.compiled))
        stack.enter_context(_own_forward(model))
        if not recipe.compiled:  # compiled code knows no sparse gradients
            stack.enter_context(_sparse_embedding(model))
        trainer = Loop(
            model=model,
            args=args,
            train_dataset=examples,
            data_collator=_padded(opened) if padded else DataCollatorWithFlattening(),
            compute_loss_func=next_token_loss,  # what counts; `compute_loss` says how
            callbacks=[watch, checkpoints.Mark()],
            optimizers=(_optimizer(model, recipe, stack.enter_context(masters(model)) if apart else None), None),
        )
        trainer.remove_callback(PrinterCallback)
        trainer.teacher = teacher
        if models.weights(model) < recipes.SMALL:
            trainer.halves = stack.enter_context(_halves())
        trainer.compiled = recipe.compiled
        trainer.autocast, trainer.by_length = bf16 and not apart, padded
        stack.callback(checkpoints.put_right, model)
        trainer.train(resume_from_checkpoint=checkpoint and str(checkpoint))
    run = Run(watch.history, time.perf_counter() - began, watch.history[-1].tokens)
    if out is not None and machine.is_first():
        with checkpoints.room_on_disk("the trained model", out):
            _keep(opened, out, run)
    checkpoints.wait()
    return run


def _keep(opened: Opened, out: Path, run: Run) -> None:
    """Save what a run has made: the model, and before it the adapters alone where there are some."""
    if adapters.has_lora(opened.model):
        adapters.save_adapter(opened, out / "adapter")
        opened = adapters.merge(opened)
    save(opened, out / "model")
    shares = {"processes": machine.processes()} if machine.processes() > 1 else {}
    checkpoints.finish(out, {"seconds": round(run.seconds), "tokens": run.tokens, **shares})


def steps_in(minutes: float, opened: Opened, examples: Sequence[dict], recipe: Recipe = PRETRAINING) -> int:
    """How many steps a run makes in `minutes` on this machine: a few are made, on a copy of the model.

    The first step is left out: it makes room that later ones use. Raises ValueError for no time at all or endless time,
    and in one of several processes, which would each find another number.
    """
    if machine.processes() > 1:
        raise ValueError("minutes become steps in a single process only; give the steps")
    check_setting("minutes", minutes)
    copied, times = Opened(copy.deepcopy(opened.model), opened.tokenizer), []
    few = [examples[i] for i in range(min(len(examples), 4 * recipe.batch))]
    finetune(copied, few, replace(recipe, steps=4), on_progress=lambda progress: times.append(time.perf_counter()))
    return max(1, int(minutes * 60 * (len(times) - 1) / (times[-1] - times[0])))


def with_masters() -> bool:
    """Whether weights are rounded once a step, beside their masters; not by several processes, which add up gradients
    in float32."""
    return machine.processes() == 1


def _padded(opened: Opened) -> Callable[[list[dict]], dict]:
    return lambda rows: pad(rows, pad_id(opened.tokenizer), LENGTHS)


def _optimizer(model: PreTrainedModel, recipe: Recipe, whole: Masters | None) -> MasterOptimizer:
    rates = {"learning_rate": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    return MasterOptimizer(model, whole, **rates, muon=recipe.optimizer == "muon")


@contextmanager
def _halves() -> Iterator[ThreadPoolExecutor]:
    """Two threads that share the cores; the calling thread has as many as before in the end."""
    cores = torch.get_num_threads()
    with halves() as pool:
        yield pool
    torch.set_num_threads(cores)


@contextmanager
def _compiled(opened: Opened, wanted: bool) -> Iterator[None]:
    """The layers of a model as compiled code while it trains, where there is a C++ compiler; as they were after it."""
    layers = opened.model.base_model
    if wanted and (torch.cuda.is_available() or shutil.which("c++") or shutil.which("g++")):
        layers.compile()
    try:
        yield
    finally:
        layers._compiled_call_impl = None


@contextmanager
def _sparse_embedding(model: PreTrainedModel) -> Iterator[None]:
    """Where the embedding shares its weights with the output layer, whose gradient has every row, its own gradient has
    only the rows of the tokens that were read: to write zeros into all others takes a tenth of a step of `smollm2`."""
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    shared = isinstance(embedding, torch.nn.Embedding) and head is not None and head.weight is embedding.weight
    before = shared and embedding.sparse
    if shared and machine.processes() == 1 and plain_head(model):
        embedding.sparse = True
    try:
        yield
    finally:
        if shared:
            embedding.sparse = before


@contextmanager
def _own_forward(model: PreTrainedModel) -> Iterator[None]:
    """The model as it was called before, in the end: the Trainer leaves its `forward` wrapped in autocast, and a loss
    of it that is asked for in float32 would be none."""
    names = ("forward", "_original_forward")  # where accelerate puts the wrapped and the own one
    before = {name: vars(model)[name] for name in names if name in vars(model)}
    try:
        yield
    finally:
        for name in names:
            vars(model).pop(name, None)
        vars(model).update(before)


def _settings(model: PreTrainedModel, examples: Sequence[dict], recipe: Recipe) -> dict:
    """What makes a run the run it is: resuming with other settings would be another run."""
    read = examples.ids.tobytes() if isinstance(examples, Blocks) else json.dumps(list(examples)).encode()
    data = hashlib.sha256(read).hexdigest()[:16]
    size = {"examples": len(examples), "data": data, "weights": model.num_parameters()}
    return {"recipe": asdict(recipe), **size, **adapters.settings(model)}


# A run that can be ended by hand: behind a whole step, never inside one, and the model is kept.


class _Stopped(Exception):
    """Ends the loop of the Trainer from its callback, which is called behind a step."""


def finetune_until(
    opened: Opened,
    examples: Sequence[dict],
    recipe: Recipe = FINETUNING,
    *,
    stop: threading.Event,
    by_hand: bool = True,
    held_out: Sequence[dict] = (),
    out: str | Path | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Run:
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
            return finetune(opened, examples, recipe, held_out=held_out, out=out, on_progress=tell)
    except _Stopped:
        if out is not None:
            _save(opened, Path(out))
        return Run(history, time.perf_counter() - began, history[-1].tokens)


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
        adapters.save_adapter(opened, out / "adapter")
        opened = adapters.merge(opened)
    save(opened, out / "model")
