"""The loop of `transformers.Trainer` with this course's loss, how far it is, and the optimizer that it steps.

What is trained, what a run keeps, and how progress looks on a screen is not known here.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from accelerate.data_loader import prepare_data_loader
from transformers import PreTrainedModel, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_pt_utils import get_length_grouped_indices

from labutils import machine
from labutils.model import adapters, checkpoints
from labutils.model.encoding import IGNORED
from labutils.model.loss import attending, loss_of, mean_loss, precision
from labutils.model.models import Opened
from labutils.model.recipes import Recipe

SILENT = {"input_ids": [0], "labels": [IGNORED]}  # for a process to which an epoch's last batch leaves no example
TIDY_EVERY = 10  # steps between two times that freed memory is given back
ROUND = 16  # tokens: rows have few lengths, since torch keeps code for each shape that it multiplied
PART = 8_000_000  # weights whose float32 gradients exist at the same time, in each of two threads
Masters = Mapping[torch.nn.Parameter, torch.Tensor]  # of a model's weights: the numbers that updates are added to


class Progress(NamedTuple):
    """Where a run stands after a step. Losses are in nats per trained token; `held_out` is None between two looks."""

    step: int
    steps: int
    loss: float
    held_out: float | None
    tokens_per_second: float
    seconds_left: float
    tokens: int = 0  # read so far, padding not


class Watch(TrainerCallback):
    """Turns the Trainer's logs into Progress, looks at the held-out examples, stops when the loss is no number.

    Of several processes the first one looks and tells.
    """

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
        look = self.held_out and machine.is_first() and (step % self.recipe.eval_steps == 0 or step in (1, self.steps))
        with torch.compiler.set_stance("force_eager"):  # what was compiled fits the shape of a training batch
            held_out = mean_loss(self.opened, self.held_out) if look else None
        seconds, done = time.perf_counter() - self.began, step - self.first_step
        left = seconds / done * (self.steps - step)
        tokens = state.num_input_tokens_seen - self.first_token
        now = Progress(step, self.steps, logs["loss"], held_out, tokens / seconds, left, tokens)
        self.history.append(now)
        if not machine.is_first():
            return
        with torch.compiler.set_stance("force_eager"):
            self.tell(now)


def arguments(recipe: Recipe, steps: int, folder: str | Path, keep: bool, autocast: bool) -> TrainingArguments:
    """A recipe in the Trainer's words."""
    on_cpu = not torch.cuda.is_available()
    schedule = {"lr_scheduler_type": "cosine"}
    if recipe.decay is not None:
        kind = {"num_decay_steps": int(recipe.decay * steps), "decay_type": "linear"}
        schedule = {"lr_scheduler_type": "warmup_stable_decay", "lr_scheduler_kwargs": kind}
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=recipe.batch,  # of all processes together: `get_train_dataloader` shares it
        learning_rate=recipe.learning_rate,
        warmup_steps=int(recipe.warmup * steps),
        **schedule,
        weight_decay=recipe.weight_decay,
        max_grad_norm=1.0,
        seed=recipe.seed,
        use_cpu=on_cpu,
        bf16=autocast,
        dataloader_pin_memory=False,
        save_strategy="steps" if keep else "no",
        save_steps=recipe.save_steps,
        include_num_input_tokens_seen="non_padding",
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        ddp_find_unused_parameters=False,
    )


class ByLength(torch.utils.data.Sampler):
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


class Loop(Trainer):
    """A Trainer that makes the course's loss only where it counts; `halves` are two threads, or none for large models.

    While one thread compiles, it keeps the other from Python; were it to wait for the cache of rounded weights, which
    the other clears, both would wait for ever. So what is `compiled` does without that cache.
    """

    halves: ThreadPoolExecutor | None = None
    compiled = False
    autocast = True  # False where the weights are rounded already
    by_length = True  # False where nothing is padded, so that lengths do not matter
    teacher: Callable[[torch.Tensor], torch.Tensor] | None = None  # as for `loss.loss_of`

    def _get_train_sampler(self, train_dataset: Sequence[dict] | None = None) -> ByLength:
        lengths = [len(example["input_ids"]) if self.by_length else 1 for example in self.train_dataset]
        return ByLength(lengths, self.args.per_device_train_batch_size, self.args.seed)

    def get_train_dataloader(self) -> torch.utils.data.DataLoader:
        """Several processes draw the same batches, those of a single one, and each makes tensors of its share.

        Left to itself, the Trainer would fill up an epoch's last batch with examples from its beginning.
        """
        if machine.processes() == 1:
            return super().get_train_dataloader()
        sampler = self._get_train_sampler()
        batches = torch.utils.data.DataLoader(
            self.train_dataset,
            sampler.batch,
            sampler=sampler,
            collate_fn=lambda rows: self.data_collator(checkpoints.share(rows) or [SILENT]),
        )
        return prepare_data_loader(batches, self.args.device, num_processes=1, process_index=0, put_on_device=True)

    def _track_num_input_tokens(self, inputs):
        """Padding is not counted; a batch that comes without a mask has none."""
        everything = torch.ones_like(inputs["input_ids"])
        super()._track_num_input_tokens({"attention_mask": everything, **inputs})

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        """The course's loss, made only where it counts."""
        rows = {name: value for name, value in inputs.items() if name != "labels"}
        with precision(self.args.device.type, fp32=not self.autocast, cached=not self.compiled):
            loss = loss_of(model, rows, inputs["labels"], num_items_in_batch, self.teacher)
        if machine.processes() > 1:
            loss = loss * machine.processes()  # processes average their gradients, and the count is already that of all
        return (loss, {}) if return_outputs else loss

    def training_step(self, model, inputs, num_items_in_batch=None):
        """On a CPU, the two halves of a batch side by side, each on half of the cores, if there are `halves`.

        Cores that share small products wait for each other thousands of times a step; these meet once, when gradients
        are added up. Two numbers have one sum, whichever comes first, so the run stays the same to the bit.
        """
        step = self.state.global_step + 1
        if step % TIDY_EVERY == 0:
            checkpoints.give_memory_back()
        places = inputs.get("position_ids")
        shape = inputs["input_ids"].shape if places is None else (int((places == 0).sum()), int(places.max()) + 1)
        with checkpoints.room_in_memory(step, *shape), attending(self.model, places is not None):
            return self._step(model, inputs, num_items_in_batch)

    def _step(self, model, inputs, num_items_in_batch) -> torch.Tensor:
        wrapped = not isinstance(model, PreTrainedModel)  # several processes add up their gradients on the way
        parts = split(inputs) if self.halves and not wrapped and self.args.device.type == "cpu" else []
        if len(parts) < 2:
            return super().training_step(model, inputs, num_items_in_batch)
        model.train()

        def half(part: dict) -> torch.Tensor:
            loss = self.compute_loss(model, part, num_items_in_batch=num_items_in_batch)
            loss.backward()
            return loss.detach()

        return sum(self.halves.map(half, parts))

    def _save_checkpoint(self, model, trial) -> None:
        """A checkpoint that finds no room ends the run with a line that says what to do."""
        with checkpoints.room_on_disk(f"the checkpoint of step {self.state.global_step}", Path(self.args.output_dir)):
            super()._save_checkpoint(model, trial)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: PreTrainedModel | None = None) -> None:
        """Of a model with adapters a checkpoint holds the adapters, which the Trainer looks for in its own wrapper."""
        if adapters.has_lora(self.model):
            adapters.read_adapter(self.model, Path(resume_from_checkpoint))
        else:
            super()._load_from_checkpoint(resume_from_checkpoint, model)


def split(inputs: dict[str, torch.Tensor]) -> list[dict[str, torch.Tensor]]:
    """A batch in two: half of its rows each, or, of pairs end to end, half of the tokens each; one where it has one."""
    if "position_ids" in inputs:
        starts = (inputs["position_ids"][0] == 0).nonzero()[:, 0]
        cut = int(min(starts, key=lambda start: abs(2 * start - inputs["labels"].numel())))
        parts = [slice(cut), slice(cut, None)] if cut else [slice(None)]
        return [rounded({name: row[:, part] for name, row in inputs.items()}) for part in parts]
    cut = (len(inputs["labels"]) + 1) // 2
    parts = (slice(cut), slice(cut, None))
    return [{name: rows[part] for name, rows in inputs.items()} for part in parts if len(inputs["labels"][part])]


def rounded(row: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Pairs end to end with a text of zeros behind them, of which nothing is trained, up to a multiple of ROUND."""
    more = torch.arange(-row["labels"].numel() % ROUND, device=row["labels"].device)[None]
    tail = {"input_ids": 0 * more, "labels": 0 * more + IGNORED, "position_ids": more}
    return {name: torch.cat([values, tail[name]], 1) for name, values in row.items()}


# Working weights in bfloat16 with float32 masters, moved by AdamW, or by Muon where matrices are.


def halves() -> ThreadPoolExecutor:
    """Two threads that share the cores of the calling one between them."""
    cores = max(1, torch.get_num_threads() // 2)
    return ThreadPoolExecutor(2, initializer=torch.set_num_threads, initargs=(cores,))


@contextmanager
def masters(model: PreTrainedModel, dtype: torch.dtype = torch.bfloat16) -> Iterator[Masters]:
    """A model whose weights are rounded to `dtype` inside, beside what they were rounded from; whole again after it.

    An update of bfloat16 weights is mostly smaller than their last digit and would be lost, so it is added to the
    float32 masters, which are rounded anew (Micikevicius et al. 2018, arXiv 1710.03740, section 3.1). Autocast would
    round every weight, and widen every gradient, in each part of each step.
    """
    whole = {weight: weight.data for weight in model.parameters()}
    for weight in whole:
        weight.data = weight.data.to(dtype)
    try:
        yield whole
    finally:
        for weight, value in whole.items():
            weight.grad, weight.data = None, value


class MasterOptimizer(torch.optim.Optimizer):
    """AdamW, or Muon for the matrices of the layers and AdamW for the rest, on the masters of a model's weights.

    Muon (Jordan et al. 2024) makes the update of a matrix orthogonal, so that all its directions are learned at the
    same pace. Its rate is scaled to the size of AdamW's updates (Liu et al. 2025, "Muon is scalable", arXiv
    2502.16982), so one learning rate serves both. As in `transformers.Trainer`, vectors have no weight decay. The
    state holds the masters: a run that goes on from it ends with the weights of an uninterrupted one, to the bit.

    Of `model` the weights that require gradients are moved; without `whole`, from `masters`, these are their own.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        whole: Masters | None = None,
        *,
        learning_rate: float,
        weight_decay: float,
        muon: bool = False,
    ):
        trained = [weight for weight in model.parameters() if weight.requires_grad]
        ends = (model.get_input_embeddings(), model.get_output_embeddings())  # a row a token: they mix no directions
        tables = {id(weight) for part in ends if part is not None for weight in part.parameters()}
        matrices = [weight for weight in trained if muon and weight.ndim == 2 and id(weight) not in tables]
        others = [weight for weight in trained if not any(weight is matrix for matrix in matrices)]
        wide, flat = ([weight for weight in others if (weight.ndim > 1) is kind] for kind in (True, False))
        betas = {"betas": (0.9, 0.95)} if muon else {}
        decay = 0.0 if muon else weight_decay
        kinds = [
            (torch.optim.Muon, matrices, {"weight_decay": weight_decay, "adjust_lr_fn": "match_rms_adamw"}),
            (torch.optim.AdamW, wide, {"weight_decay": decay, "fused": True, **betas}),
            (torch.optim.AdamW, flat, {"weight_decay": 0.0, "fused": True, **betas}),
        ]
        self.weights, self.whole, self.parts = [], [], []
        for make, weights, settings in kinds:
            for some in _in_parts(weights):
                own = [whole[weight] if whole else weight.data for weight in some]
                own = [torch.nn.Parameter(value, requires_grad=True) for value in own]  # the same memory
                self.parts.append(make(own, lr=learning_rate, **settings))
                self.weights.append(some)
                self.whole.append(own)
        self.pool = halves()
        super().__init__([group for part in self.parts for group in part.param_groups], {})

    def step(self, closure=None):
        """One update of all weights, part by part, each on half of the cores."""
        list(self.pool.map(self._update, range(len(self.parts))))

    def _update(self, number: int) -> None:
        for weight, own in zip(self.weights[number], self.whole[number], strict=True):
            own.grad = None if weight.grad is None else weight.grad.to(own.dtype)
        self.parts[number].step()
        for weight, own in zip(self.weights[number], self.whole[number], strict=True):
            own.grad = None
            if weight.data_ptr() != own.data_ptr():
                weight.data.copy_(own.data)

    def state_dict(self) -> dict:
        whole = [[own.data for own in part] for part in self.whole]
        return {"parts": [part.state_dict() for part in self.parts], "whole": whole}

    def load_state_dict(self, state_dict: dict) -> None:
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        for own, values in zip(self.whole, state_dict["whole"], strict=True):
            for mine, value in zip(own, values, strict=True):
                mine.data.copy_(value)
        self.param_groups = [group for part in self.parts for group in part.param_groups]


def _in_parts(weights: list[torch.nn.Parameter]) -> Iterator[list[torch.nn.Parameter]]:
    """Weights in lists of PART numbers or a little more, so that two threads take turns at them; at least two lists."""
    most = min(PART, sum(weight.numel() for weight in weights) // 2)
    some: list[torch.nn.Parameter] = []
    for weight in weights:
        some.append(weight)
        if sum(each.numel() for each in some) >= most:
            yield some
            some = []
    if some:
        yield some
