"""Where the time of a step of ours goes: its sections by the clock, the operations of its layers by the profiler."""

import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median

import torch
from torch.profiler import ProfilerActivity, profile

from labutils.model import loop, models, recipes, training

from .tuning import read

WARM, STEPS = 3, 8  # steps before the first that counts, and those that count; one more is profiled
KINDS = {  # of an operation, by the first pattern that its name holds; "other" holds the rest
    "products of matrices": r"mm$|mkldnn|linear",
    "copies and casts": r"copy_|cat$|fill_|zero_|clone|index",
    "softmax and loss": r"softmax|nll_loss",
    "one number at a time": r"mul|add|sub|div|neg|silu|sigmoid|pow|rsqrt|mean|sum|exp|cos|sin",
}


def of_a_step(job: dict, work: Path) -> dict:
    """Milliseconds of a step of ours by section, the medians of STEPS; the shares of the operations in its layers.

    The shares are of the time that all threads together spend in operations; the profiler, which slows small ones
    more than large ones, runs in one further step.
    """
    opened, examples, _ = read({"every": 1, **job}, work)
    recipe = recipes.suited(models.weights(opened.model))
    spent, ends, seen = defaultdict(list), [], []

    def layers(step: Callable, *given: object) -> object:
        if len(spent["layers and loss"]) < WARM + STEPS:
            return clocked(spent["layers and loss"], step, *given)
        with profile(activities=[ProfilerActivity.CPU], experimental_config=every_thread()) as recorder:
            found = step(*given)
        seen.append(shares(recorder.events()))
        return found

    def update(step: Callable, *given: object) -> object:
        return clocked(spent["optimizer"], step, *given)

    with around(loop.Loop, "_step", layers), around(loop.MasterOptimizer, "step", update):
        some = examples[: recipe.batch * (WARM + STEPS + 1)]
        shorter = replace(recipe, steps=WARM + STEPS + 1)
        training.finetune(opened, some, shorter, on_progress=lambda now: ends.append(time.perf_counter()))
    whole = [after - before for before, after in pairwise(ends)][WARM - 1 : WARM + STEPS - 1]
    sections = {name: median(seconds[WARM : WARM + STEPS]) for name, seconds in spent.items()}
    sections["the rest"] = median(whole) - sum(sections.values())
    return {"milliseconds": {name: 1000 * seconds for name, seconds in sections.items()}, "operations": seen[0]}


def shares(events: Iterator) -> dict[str, float]:
    """The share of each kind in the time of operations, what they call left out of it; the largest first."""
    times = Counter()
    for event in events:
        if event.name.startswith("aten::"):
            times[kind(event.name)] += event.self_cpu_time_total
    return {name: microseconds / times.total() for name, microseconds in times.most_common()}


def kind(name: str) -> str:
    """The kind of an operation. kind("aten::addmm") -> "products of matrices"."""
    return next((kind for kind, pattern in KINDS.items() if re.search(pattern, name)), "other")


def clocked(seconds: list[float], act: Callable, *given: object) -> object:
    """Do something and note how long it took."""
    began = time.perf_counter()
    found = act(*given)
    seconds.append(time.perf_counter() - began)
    return found


def every_thread() -> object:
    """The profiler's setting for threads that it did not see begin."""
    return torch._C._profiler._ExperimentalConfig(profile_all_threads=True)


@contextmanager
def around(owner: type, name: str, act: Callable) -> Iterator[None]:
    """Inside, calls of a method go through `act`, which is given the method and its arguments."""
    method = getattr(owner, name)
    setattr(owner, name, lambda *given: act(method, *given))
    try:
        yield
    finally:
        setattr(owner, name, method)
