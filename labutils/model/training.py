"""Train a model's weights: one loss for every stage, `transformers.Trainer` for the loop, resume after a kill.

Where the examples came from, and how progress looks on a screen, is not known here: examples are ids and labels, and
progress goes to a callback.
"""

import hashlib
import json
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from transformers import PreTrainedModel, PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_pt_utils import get_length_grouped_indices

from labutils import machine
from labutils.model import checkpoints, fetching
from labutils.model.encoding import IGNORED, pad, pad_id
from labutils.model.models import Opened, save


@dataclass(frozen=True)
class Recipe:
    """How to train. Defaults suit `smollm2` on pairs; they were chosen on the company's dev questions."""

    steps: int | None = None  # updates of the weights; None: as many as `epochs` take
    epochs: float = 3  # times that every example is read
    batch: int = 16  # examples an update
    learning_rate: float = 3e-4  # the highest one
    warmup: float = 0.1  # share of the steps in which it rises from 0; after that it falls to 0 along a cosine
    weight_decay: float = 0.01
    seed: int = 0  # the order of the examples
    look_every: int = 10  # steps between two looks at the held-out examples
    keep_every: int = 50  # steps between two checkpoints

    def __post_init__(self) -> None:
        for name in ("steps", "epochs", "batch", "look_every", "keep_every"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be above 0, got {value}")

    def total_steps(self, examples: int) -> int:
        """Updates for a number of examples. Recipe(epochs=3, batch=32).total_steps(1000) -> 96."""
        return self.steps or math.ceil(self.epochs * math.ceil(examples / self.batch))


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


def next_token_loss(
    logits: torch.Tensor, labels: torch.Tensor, count: int | torch.Tensor | None = None
) -> torch.Tensor:
    """The mean cross-entropy, in nats, of each token given the ones before it, where its label is not IGNORED.

    `logits` (batch, length, vocabulary) at place i are compared with `labels` (batch, length) at place i + 1. This is
    the loss of pretraining and of fine-tuning alike. `count` replaces the number of labels that the sum is divided
    by, for a batch that is worked through in parts.
    """
    targets = labels[:, 1:].reshape(-1)
    guesses = logits[:, :-1].reshape(-1, logits.shape[-1]).float()
    total = torch.nn.functional.cross_entropy(guesses, targets, ignore_index=IGNORED, reduction="sum")
    return total / (count if count is not None else (targets != IGNORED).sum())


def precision(device: str) -> torch.autocast:
    """bfloat16 products where the processor has them, float32 elsewhere; the weights stay float32."""
    return torch.autocast(device, torch.bfloat16, enabled=device != "cpu" or machine.bf16())


@torch.no_grad()
def mean_loss(opened: Opened, examples: Sequence[dict], batch: int = 32) -> float:
    """The loss over many examples, in nats per trained token: every token weighs the same."""
    model, device = opened.model, opened.model.device
    training, total, count = model.training, 0.0, 0
    model.eval()
    by_length = sorted(examples, key=lambda example: len(example["input_ids"]))
    for start in range(0, len(by_length), batch):
        rows = {k: v.to(device) for k, v in pad(by_length[start : start + batch], pad_id(opened.tokenizer)).items()}
        labels = rows.pop("labels")
        with precision(device.type):
            logits = model(**rows, use_cache=False).logits
        total += next_token_loss(logits, labels, count=1).item()
        count += int((labels[:, 1:] != IGNORED).sum())
    model.train(training)
    if not count:
        raise ValueError("no label counts in these examples: there is nothing to measure a loss on")
    return total / count


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
    began = time.perf_counter()
    # the Trainer wants a folder, even where nothing is saved
    with fetching.quiet(), tempfile.TemporaryDirectory() as scratch:
        trainer = _Trainer(
            model=opened.model,
            args=_arguments(recipe, steps, folder=out or scratch, keep=out is not None),
            train_dataset=list(examples),
            data_collator=lambda rows: pad(rows, pad_id(opened.tokenizer)),
            compute_loss_func=_loss,
            callbacks=[watch, checkpoints.Mark()],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train(resume_from_checkpoint=checkpoint and str(checkpoint))
    opened.model.eval()
    run = Run(watch.history, time.perf_counter() - began, watch.tokens)
    if out is not None and trainer.is_world_process_zero():
        save(opened, Path(out) / "model")
        checkpoints.finish(Path(out), {"seconds": round(run.seconds), "tokens": run.tokens})
    return run


def _loss(outputs, labels: torch.Tensor, num_items_in_batch: torch.Tensor | None = None) -> torch.Tensor:
    return next_token_loss(outputs.logits, labels, num_items_in_batch)


def _arguments(recipe: Recipe, steps: int, folder: str | Path, keep: bool) -> TrainingArguments:
    on_cpu = not torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=recipe.batch,
        learning_rate=recipe.learning_rate,
        warmup_steps=int(recipe.warmup * steps),
        lr_scheduler_type="cosine",
        weight_decay=recipe.weight_decay,
        max_grad_norm=1.0,
        seed=recipe.seed,
        use_cpu=on_cpu,
        bf16=not on_cpu or machine.bf16(),
        dataloader_pin_memory=False,
        save_strategy="steps" if keep else "no",
        save_steps=recipe.keep_every,
        save_total_limit=2,
        include_num_input_tokens_seen="non_padding",
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
    )


def _settings(model: PreTrainedModel, examples: Sequence[dict], recipe: Recipe) -> dict:
    """What makes a run the run it is: resuming with other settings would be another run."""
    data = hashlib.sha256(json.dumps(list(examples)).encode()).hexdigest()[:16]
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
        held_out = mean_loss(self.opened, self.held_out) if look else None
        seconds, done = time.perf_counter() - self.began, step - self.first_step
        left = seconds / done * (self.steps - step)
        self.tokens = state.num_input_tokens_seen - self.first_token
        self.history.append(Progress(step, self.steps, logs["loss"], held_out, self.tokens / seconds, left))
        self.tell(self.history[-1])
