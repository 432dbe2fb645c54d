"""Train a model's weights: one loss for every stage, `transformers.Trainer` for the loop, resume after a kill.

Where the examples came from, and how progress looks on a screen, is not known here: examples are ids and labels, and
progress goes to a callback.
"""

import copy
import hashlib
import json
import math
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch
from transformers import PreTrainedModel, PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_pt_utils import get_length_grouped_indices

from labutils import machine
from labutils.model import checkpoints, fetching
from labutils.model.encoding import Blocks, pad, pad_id
from labutils.model.loss import loss_of, mean_loss, next_token_loss, plain_head, precision
from labutils.model.models import Opened, save
from labutils.model.optimizers import MuonAndAdamW, halves

OPTIMIZERS = ("adamw", "muon")


@dataclass(frozen=True)
class Recipe:
    """How to train. Defaults suit `smollm2` on pairs; they were chosen on the company's dev questions."""

    steps: int | None = None  # updates of the weights; None: as many as `epochs` take
    epochs: float = 3  # times that every example is read
    batch: int = 16  # examples an update
    learning_rate: float = 3e-4  # the highest one
    warmup: float = 0.1  # share of the steps in which it rises from 0
    decay: float | None = None  # share of the steps in which it falls to 0; None: along a cosine, from the warm-up on
    weight_decay: float = 0.01
    optimizer: str = "adamw"  # or "muon": Muon for the matrices of the layers, AdamW for the rest
    compiled: bool = False  # whether PyTorch writes C++ for the layers first: a minute's wait, a fifth faster after
    seed: int = 0  # the order of the examples
    look_every: int = 10  # steps between two looks at the held-out examples
    keep_every: int = 50  # steps between two checkpoints

    def __post_init__(self) -> None:
        for name in ("steps", "epochs", "batch", "look_every", "keep_every"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be above 0, got {value}")
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer must be one of {', '.join(OPTIMIZERS)}, got {self.optimizer!r}")

    def total_steps(self, examples: int) -> int:
        """Updates for a number of examples. Recipe(epochs=3, batch=32).total_steps(1000) -> 96."""
        return self.steps or math.ceil(self.epochs * math.ceil(examples / self.batch))


PRETRAINING = Recipe(
    epochs=1, batch=16, learning_rate=4e-3, warmup=0.02, decay=0.2, weight_decay=0.1, optimizer="muon", keep_every=100
)


class Progress(NamedTuple):
    """Where a run stands after a step. Losses are in nats per trained token; `held_out` is None between two looks."""

    step: int
    steps: int
    loss: float
    held_out: float | None
    tokens_per_second: float
    seconds_left: float


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
    recipe: Recipe = Recipe(),
    *,
    held_out: Sequence[dict] = (),
    out: str | Path | None = None,
    resume: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Run:
    """Train all weights of a model on examples, in place.

    With `out`, checkpoints are kept there while it runs, and the model is saved there at the end; `resume=True` goes
    on from the newest whole checkpoint and ends with the weights of an uninterrupted run. Raises ValueError when
    there are no examples, `out` holds another run or a finished one, or the loss is no number any more.
    """
    if not examples:
        raise ValueError("no examples to train on")
    steps, checkpoint = recipe.total_steps(len(examples)), None
    if out is not None:
        checkpoint = checkpoints.begin(Path(out), _settings(opened.model, examples, recipe), resume)
    watch = _Watch(opened, held_out, recipe, steps, on_progress)
    blocks = isinstance(examples, Blocks)
    plain_head(opened.model)  # asked before the threads ask
    began = time.perf_counter()
    # the Trainer wants a folder, even where nothing is saved
    with fetching.quiet(), tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        stack.enter_context(_compiled(opened, recipe.compiled))
        trainer = _Trainer(
            model=opened.model,
            args=_arguments(recipe, steps, out or scratch, keep=out is not None, padded=not blocks),
            train_dataset=examples,
            data_collator=lambda rows: pad(rows, pad_id(opened.tokenizer)),
            compute_loss_func=next_token_loss,  # what counts; `compute_loss` says how
            callbacks=[watch, checkpoints.Mark()],
            optimizers=(_optimizer(opened.model, recipe), None),
        )
        trainer.remove_callback(PrinterCallback)
        trainer.halves = stack.enter_context(_halves())
        trainer.train(resume_from_checkpoint=checkpoint and str(checkpoint))
    opened.model.eval()
    run = Run(watch.history, time.perf_counter() - began, watch.tokens)
    if out is not None and trainer.is_world_process_zero():
        save(opened, Path(out) / "model")
        checkpoints.finish(Path(out), {"seconds": round(run.seconds), "tokens": run.tokens})
    return run


def steps_in(minutes: float, opened: Opened, examples: Sequence[dict], recipe: Recipe = PRETRAINING) -> int:
    """How many steps a run makes in so many minutes on this machine: a few are made, on a copy of the model.

    The first step is left out: it makes room that later ones use. Raises ValueError for no time at all.
    """
    if minutes <= 0:
        raise ValueError(f"minutes must be above 0, got {minutes}")
    copied, times = Opened(copy.deepcopy(opened.model), opened.tokenizer), []
    few = [examples[i] for i in range(min(len(examples), 4 * recipe.batch))]
    finetune(copied, few, replace(recipe, steps=4), on_progress=lambda progress: times.append(time.perf_counter()))
    return max(1, int(minutes * 60 * (len(times) - 1) / (times[-1] - times[0])))


def _optimizer(model: PreTrainedModel, recipe: Recipe) -> torch.optim.Optimizer | None:
    """None: the Trainer makes AdamW itself."""
    if recipe.optimizer == "adamw":
        return None
    return MuonAndAdamW(model, learning_rate=recipe.learning_rate, weight_decay=recipe.weight_decay)


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


def _arguments(recipe: Recipe, steps: int, folder: str | Path, keep: bool, padded: bool) -> TrainingArguments:
    on_cpu = not torch.cuda.is_available()
    schedule = {"lr_scheduler_type": "cosine"}
    if recipe.decay is not None:
        kind = {"num_decay_steps": int(recipe.decay * steps), "decay_type": "linear"}
        schedule = {"lr_scheduler_type": "warmup_stable_decay", "lr_scheduler_kwargs": kind}
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=recipe.batch,
        learning_rate=recipe.learning_rate,
        warmup_steps=int(recipe.warmup * steps),
        **schedule,
        weight_decay=recipe.weight_decay,
        max_grad_norm=1.0,
        seed=recipe.seed,
        use_cpu=on_cpu,
        bf16=not on_cpu or machine.bf16(),
        dataloader_pin_memory=False,
        save_strategy="steps" if keep else "no",
        save_steps=recipe.keep_every,
        save_total_limit=2,
        include_num_input_tokens_seen="non_padding" if padded else "all",
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
    )


def _settings(model: PreTrainedModel, examples: Sequence[dict], recipe: Recipe) -> dict:
    """What makes a run the run it is: resuming with other settings would be another run."""
    read = examples.ids.tobytes() if isinstance(examples, Blocks) else json.dumps(list(examples)).encode()
    data = hashlib.sha256(read).hexdigest()[:16]
    return {"recipe": asdict(recipe), "examples": len(examples), "data": data, "weights": model.num_parameters()}


class _ByLength(torch.utils.data.Sampler):
    """Examples of like lengths side by side, in an order that follows from the seed and the epoch alone.

    The Trainer's own "group_by_length" draws from the global random state, which is not yet what it was when a run
    goes on in the middle of a later epoch: such a run would read other examples than an uninterrupted one.
    """

    def __init__(self, lengths: list[int], batch: int, seed: int):
        self.lengths, self.batch, self.seed, self.epoch = lengths, batch, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the Trainer before it asks for the order."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 100_000 + self.epoch)
        return iter(get_length_grouped_indices(self.lengths, self.batch, generator=generator))


class _Trainer(Trainer):
    def _get_train_sampler(self, train_dataset: Sequence[dict] | None = None) -> _ByLength:
        lengths = [len(example["input_ids"]) for example in self.train_dataset]
        return _ByLength(lengths, self.args.per_device_train_batch_size, self.args.seed)

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        """The course's loss, made only where it counts."""
        rows = {name: value for name, value in inputs.items() if name != "labels"}
        with precision(self.args.device.type):
            loss = loss_of(model, rows, inputs["labels"], num_items_in_batch)
        return (loss, {}) if return_outputs else loss

    def training_step(self, model, inputs, num_items_in_batch=None):
        """On a CPU, the two halves of a batch side by side, each on half of the cores.

        Cores that share every product wait for each other thousands of times a step; these meet once, when the slopes
        are added up. Two numbers have one sum, whichever comes first, so the run stays the same to the bit.
        """
        if self.args.device.type != "cpu" or self.args.world_size > 1 or len(inputs["labels"]) < 2:
            return super().training_step(model, inputs, num_items_in_batch)
        model.train()

        def half(part: dict) -> torch.Tensor:
            loss = self.compute_loss(model, part, num_items_in_batch=num_items_in_batch)
            loss.backward()
            return loss.detach()

        cut = (len(inputs["labels"]) + 1) // 2
        parts = [{name: rows[where] for name, rows in inputs.items()} for where in (slice(cut), slice(cut, None))]
        return sum(self.halves.map(half, parts))


class _Watch(TrainerCallback):
    """Turns the Trainer's logs into Progress, looks at the held-out examples, stops when the loss is no number."""

    def __init__(self, opened: Opened, held_out: Sequence[dict], recipe: Recipe, steps: int, tell: Callable):
        self.opened, self.held_out, self.recipe, self.steps, self.tell = opened, held_out, recipe, steps, tell
        self.history: list[Progress] = []

    def on_train_begin(self, args, state, control, **kwargs):
        self.began, self.first_step = time.perf_counter(), state.global_step
        self.first_token = state.num_input_tokens_seen

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" not in (logs or {}):
            return
        if not math.isfinite(logs["loss"]):
            raise ValueError(
                f"the loss became {logs['loss']} at step {state.global_step}: most often the learning rate is too high "
                f"(now {self.recipe.learning_rate:g}; try a tenth), or an example has no label that counts"
            )
        step = state.global_step
        look = self.held_out and (step % self.recipe.look_every == 0 or step in (1, self.steps))
        with torch.compiler.set_stance("force_eager"):  # what was compiled fits the shape of a training batch
            held_out = mean_loss(self.opened, self.held_out) if look else None
        seconds, done = time.perf_counter() - self.began, step - self.first_step
        left = seconds / done * (self.steps - step)
        self.tokens = state.num_input_tokens_seen - self.first_token
        self.history.append(Progress(step, self.steps, logs["loss"], held_out, self.tokens / seconds, left))
        with torch.compiler.set_stance("force_eager"):
            self.tell(self.history[-1])
