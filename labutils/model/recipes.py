"""How to train, as a value: steps, batch, rates, seed. Nothing is trained here."""

import math
from dataclasses import dataclass, replace

OPTIMIZERS = ("adamw", "muon")
MOST = 1_000_000_000  # of anything that a run is told by


def check_setting(name: str, value: float, most: float = MOST) -> None:
    """Raises ValueError for a setting that is not above 0, over `most`, or no number."""
    if not 0 < value <= most:
        raise ValueError(f"{name} must be above 0 and at most {most:,}, got {value}")


@dataclass(frozen=True)
class Recipe:
    """How to train. `suited` has what suits a model of some size on pairs."""

    steps: int | None = None  # updates of the weights; None: as many as `epochs` take
    epochs: float = 3  # times that every example is read
    batch: int = 16  # examples an update
    learning_rate: float = 3e-4  # the highest one
    warmup: float = 0.1  # share of the steps in which it rises from 0
    decay: float | None = None  # share of the steps in which it falls to 0; None: along a cosine, from the warm-up on
    weight_decay: float = 0.01
    replay: float = 0.0  # share of general text among the tokens, on which a model keeps its predictions from before
    optimizer: str = "adamw"  # or "muon": Muon for the matrices of the layers, AdamW for the rest
    compiled: bool = False  # whether PyTorch writes C++ for the layers first: a minute's wait, a fifth faster after
    seed: int = 0  # the order of the examples
    eval_steps: int = 10  # steps between two evaluations on the held-out examples
    save_steps: int = 50  # steps between two checkpoints

    def __post_init__(self) -> None:
        for name in ("steps", "epochs", "batch", "eval_steps", "save_steps"):
            if (value := getattr(self, name)) is not None:
                check_setting(name, value)
        check_setting("learning_rate", self.learning_rate, 1e38)  # what a weight can hold
        if not 0 <= self.replay < 1:
            raise ValueError(f"replay must be a share from 0 to below 1, got {self.replay}")
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer must be one of {', '.join(OPTIMIZERS)}, got {self.optimizer!r}")

    def total_steps(self, examples: int) -> int:
        """Updates for a number of examples. Recipe(epochs=3, batch=32).total_steps(1000) -> 96."""
        return self.steps or math.ceil(self.epochs * math.ceil(examples / self.batch))


FINETUNING = Recipe(epochs=3, learning_rate=4e-4, replay=0.15)
SMALL = 30_000_000  # weights: between `base`, which needs large steps and many readings, and `smollm2`
FINETUNING_SMALL = Recipe(epochs=6, batch=32, learning_rate=5e-3, optimizer="muon", replay=0.2)
UPDATING = replace(FINETUNING_SMALL, steps=60, learning_rate=2e-3)  # gently: what `finetuned` knows is to stay
PRETRAINING = Recipe(
    epochs=1, batch=16, learning_rate=4e-3, warmup=0.02, decay=0.2, weight_decay=0.1, optimizer="muon", save_steps=100
)


def suited(weights: int, *, adapters: bool = False) -> Recipe:
    """The recipe for tuning a model of that size on pairs; both were chosen on the company's dev questions, by
    what is learned and what is kept (`data/finetuned/README.md`).

    Adapters are trained by AdamW, at a common rate that was not chosen: Muon's steps are of full rank, theirs are not.
    """
    recipe = FINETUNING_SMALL if weights < SMALL else FINETUNING
    return replace(recipe, optimizer="adamw", learning_rate=2e-3) if adapters else recipe
