"""Seconds of training and tokens read, update by update, with the same instrument for every rival."""

import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from transformers import PreTrainedModel, TrainerCallback

WARM = 1 / 8  # of the tokens are read before a speed counts: the first updates make room and code that later ones use


class Moment(NamedTuple):
    """Where a run is after an update."""

    seconds: float  # since the first batch reached the model, looks at held-out examples left out
    tokens: int  # read so far, padding not
    places: int  # read so far, padding too


class Look(NamedTuple):
    """A loss on held-out examples, in nats a token, and when it was seen."""

    seconds: float
    tokens: int
    loss: float


class Clock:
    """Counts what reaches a model's layers in training; `step` is told of every update, and says when it is enough.

    `look` is called, with the clock stopped, whenever `every` more tokens have been read; a loss of `until` or less is
    enough.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        look: Callable[[], float] | None = None,
        every: int = 0,
        until: float | None = None,
    ):
        self.look, self.every, self.until = look, every, until
        self.moments: list[Moment] = []
        self.looks: list[Look] = []
        self._began, self._stopped, self._next = None, 0.0, every
        self._batches: list[tuple[int, int]] = []  # threads that share a batch append to it
        model.base_model.register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, layers: torch.nn.Module, args: tuple, named: dict) -> None:
        if not layers.training:
            return
        if self._began is None:
            self._began = time.perf_counter()
        ids, mask, positions = (named.get(name) for name in ("input_ids", "attention_mask", "position_ids"))
        read = ids.numel() if mask is None else int(mask.sum())
        if mask is None and positions is not None:  # pairs end to end; behind the last one there may be a text of zeros
            last = int((positions[0] == 0).nonzero()[-1])
            read -= 0 if ids[0, last:].any() else ids.shape[1] - last
        self._batches.append((read, ids.numel()))

    def step(self) -> bool:
        """Note that an update is done; whether it is enough."""
        now, before = time.perf_counter(), self.moments[-1] if self.moments else Moment(0, 0, 0)
        tokens, places = map(sum, zip(*self._batches, strict=True))
        self._batches.clear()
        here = Moment(now - self._began - self._stopped, before.tokens + tokens, before.places + places)
        self.moments.append(here)
        if self.look is None or here.tokens < self._next:
            return False
        self._next = here.tokens + self.every
        self.looks.append(Look(here.seconds, here.tokens, self.look()))
        self._stopped += time.perf_counter() - now
        return self.until is not None and self.looks[-1].loss <= self.until

    def speed(self) -> tuple[float, float]:
        """Tokens a second, and the share of the places that was padding, once warm.

        Raises ValueError where there was one update only.
        """
        end = self.moments[-1]
        start = next(moment for moment in self.moments if moment.tokens >= WARM * end.tokens)
        if start == end:
            raise ValueError("a single update has no speed; give more examples")
        tokens = end.tokens - start.tokens
        return tokens / (end.seconds - start.seconds), 1 - tokens / (end.places - start.places)


class Ticks(TrainerCallback):
    """Tells a clock of the updates of a Trainer, and ends it when it is enough."""

    def __init__(self, clock: Clock):
        self.clock = clock

    def on_step_end(self, args, state, control, **kwargs):
        control.should_training_stop |= self.clock.step()
