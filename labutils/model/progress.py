"""How far a run is: loss, speed, time left after each step. How that looks on a screen is not known here."""

import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from transformers import TrainerCallback

from labutils import ranks
from labutils.model.loss import mean_loss
from labutils.model.models import Opened
from labutils.model.recipes import Recipe


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
        look = self.held_out and ranks.first() and (step % self.recipe.eval_steps == 0 or step in (1, self.steps))
        with torch.compiler.set_stance("force_eager"):  # what was compiled fits the shape of a training batch
            held_out = mean_loss(self.opened, self.held_out) if look else None
        seconds, done = time.perf_counter() - self.began, step - self.first_step
        left = seconds / done * (self.steps - step)
        tokens = state.num_input_tokens_seen - self.first_token
        now = Progress(step, self.steps, logs["loss"], held_out, tokens / seconds, left, tokens)
        self.history.append(now)
        if not ranks.first():
            return
        with torch.compiler.set_stance("force_eager"):
            self.tell(now)
