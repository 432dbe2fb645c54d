"""The rivals: ways to tune a model on the same ids, each with its own settings; and this course without each of the
pieces that make it fast. What is measured is not known here.
"""

import copy
import inspect
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import replace
from typing import NamedTuple
from unittest import mock

from datasets import Dataset
from transformers import DataCollatorForSeq2Seq, PrinterCallback, Trainer, TrainingArguments
from trl import SFTConfig, SFTTrainer

from labutils import machine
from labutils.model import loop, loss, recipes, training
from labutils.model.models import Opened, weights

from .clock import Clock, Ticks

ADAMW_RATE = 2e-3  # where a run is given none: Muon's would be too high
COMMON = {
    "use_cpu": True,
    "save_strategy": "no",
    "report_to": "none",
    "disable_tqdm": True,
    "dataloader_pin_memory": False,
}


class Run(NamedTuple):
    """What is asked of a rival; no rate: its own default."""

    opened: Opened
    examples: Sequence[dict]
    clock: Clock
    epochs: float = 1
    rate: float | None = None
    seed: int = 0


class Rival(NamedTuple):
    """A way to tune: its name in a table, how it differs, the precision of its products, and what it does."""

    name: str
    words: str
    precision: str
    tune: Callable[[Run, dict], None]
    settings: dict = {}  # noqa: RUF012


def trainer(run: Run, settings: dict) -> None:
    """`transformers.Trainer` with padding on the right, as its documentation shows for pairs."""
    with tempfile.TemporaryDirectory() as scratch:
        made = Trainer(
            model=run.opened.model,
            args=TrainingArguments(scratch, **_asked(run), **COMMON, **settings),
            train_dataset=Dataset.from_list(list(run.examples)),
            data_collator=DataCollatorForSeq2Seq(_with_padding(run.opened)),
            callbacks=[Ticks(run.clock)],
        )
        made.remove_callback(PrinterCallback)
        made.train()


def lecture(run: Run, settings: dict) -> None:
    """The lecture's lab trains every token of a pair, the question's, too."""
    whole = [{"input_ids": example["input_ids"], "labels": example["input_ids"]} for example in run.examples]
    trainer(run._replace(examples=whole), settings)


def sft(run: Run, settings: dict) -> None:
    """`trl.SFTTrainer`; the labels that it would find for prompts and completions stand in the examples already."""
    with tempfile.TemporaryDirectory() as scratch:
        made = SFTTrainer(
            model=run.opened.model,
            args=SFTConfig(scratch, **_asked(run), **COMMON, **settings),
            train_dataset=Dataset.from_list(list(run.examples)),
            processing_class=_with_padding(run.opened),
            callbacks=[Ticks(run.clock)],
        )
        made.remove_callback(PrinterCallback)
        made.train()


class Enough(Exception):
    """Ends a run of ours from its callback."""


def ours(run: Run, settings: dict) -> None:
    """`labutils.model.training.finetune` with the recipe that suits the model."""

    def tell(progress: training.Progress) -> None:
        if run.clock.step():
            raise Enough

    settings = dict(settings)
    patches = settings.pop("without", ())
    recipe = replace(recipes.suited(weights(run.opened.model)), epochs=run.epochs, seed=run.seed, replay=0, **settings)
    slower = {"learning_rate": ADAMW_RATE} if settings.get("optimizer") == "adamw" else {}
    recipe = replace(recipe, **({"learning_rate": run.rate} if run.rate else slower))
    with ExitStack() as stack, suppress(Enough):
        for owner, name, other in patches:
            stack.enter_context(mock.patch.object(owner, name, other))
        training.finetune(run.opened, run.examples, recipe, on_progress=tell)


def _asked(run: Run) -> dict:
    asked = {"num_train_epochs": run.epochs, "seed": run.seed}
    return asked if run.rate is None else asked | {"learning_rate": run.rate}


def _with_padding(opened: Opened):
    """The tokenizer with the padding that everybody gives to one without: the end of the text."""
    tokenizer = copy.deepcopy(opened.tokenizer)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    return tokenizer


def _best(batch: int, **settings) -> dict:
    return {"activation_checkpointing": False, "bf16": True, "per_device_train_batch_size": batch, **settings}


GROUPED = {"train_sampling_strategy": "group_by_length"}
FREE = {"padding_free": True, "max_length": None}
DEFAULTS = {
    "lecture": Rival(
        "the lecture's recipe",
        "one pair at a time, four an update; the question trained, too",
        "fp32",
        lecture,
        {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 4},
    ),
    "trainer": Rival("`Trainer` defaults", "batches of 8, padded", "fp32", trainer),
    "trl": Rival("TRL defaults", "batches of 8, padded, gradient checkpointing", "bf16", sft),
}
BEST = {  # settings of TRL among which the fastest counts; all without gradient checkpointing
    f"trl grouped {batch}": Rival("TRL", f"batches of {batch} of like lengths", "bf16", sft, _best(batch, **GROUPED))
    for batch in (8, 16, 32)
} | {
    "trl padding-free 16": Rival("TRL", "16 pairs in one row, no padding", "bf16", sft, _best(16, **FREE)),
    "trl packed 512": Rival(
        "TRL", "rows of 512 tokens, packed full", "bf16", sft, _best(1, packing=True, max_length=512)
    ),
}
PRECISION = "bf16" if machine.bf16() else "fp32"
OURS = {
    "ours": Rival("this course", "`training.finetune`", PRECISION, ours),
    "ours, adamw": Rival(
        "this course, AdamW", "the same with the rivals' optimizer", PRECISION, ours, {"optimizer": "adamw"}
    ),
}


def _without(words: str, code: Sequence[object], *patches: tuple) -> Rival:
    """This course without a piece, as its words say; `code` is what the piece consists of."""
    lines = sum(len(inspect.getsource(each).splitlines()) for each in code)
    return Rival("this course", f"without {words} ({lines} lines)", PRECISION, ours, {"without": patches})


PIECES = {
    "ours, autocast": _without(
        "bf16 weights beside float32 masters",
        (loop.masters, loop.MasterOptimizer),
        (training, "with_masters", lambda: False),
    ),
    "ours, padded": _without(
        "pairs end to end",
        (loss.end_to_end, loss._plain, loss._Rows, loss._Move, loss.attending, loss.reads_end_to_end),
        (training, "reads_end_to_end", lambda model: False),
    ),
    "ours, whole batches": _without(
        "a half of the batch on each half of the cores", (loop.split,), (loop, "split", lambda inputs: [])
    ),
    "ours, all logits": _without(
        "logits of trained positions only, chunk by chunk",
        (loss.loss_of, loss._HeadLoss, loss.plain_head),
        (loss, "plain_head", lambda model: False),
        (training, "plain_head", lambda model: False),
    ),
    "ours, dense embedding": _without(
        "an embedding whose gradient holds only the rows in use",
        (training._sparse_embedding,),
        (training, "_sparse_embedding", lambda model: nullcontext()),
    ),
}
RIVALS = DEFAULTS | BEST | OURS | PIECES
