"""One point of an experiment, as plain values: what a model starts from, what it reads, how it is asked.

Nothing is read, trained or asked here.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from labutils.model.encoding import LOSS_ON

FACTS = ("asked first", "asked", "others", "all", "any")
PROMPTS = ("plain", "few-shot", "passage")
WAYS = ("all weights", "last layer", "LoRA")
ASKED = ("company", "changed", "openings", "abbreviations", "text", "taught", "capitals")
USUALLY = ASKED[:5]


@dataclass(frozen=True)
class Settings:
    """What makes a point the point it is; with a seed it can be made again."""

    model: str = "base"  # what it starts from, as `models.open_model` takes it; "random": other weights for each seed
    fresh: bool = False  # whether it starts from random weights of the model's shape, others for each seed
    pairs: int | None = (
        None  # pairs of the first edition, drawn by whole facts (`draws.draw`); None: all of them, 0: none
    )
    facts: str = (
        "asked first"  # by chance, those that `dev` asks for first, or alone; the others alone; all; "any": by pairs
    )
    wordings: int | None = None  # of each of these facts, at most
    refusals: bool = True  # whether some of them refuse a question, or say that the handbook does not say
    changed: bool = False  # whether the second edition's pairs are read; old pairs about their facts then are not
    abbreviations: bool = False  # whether pairs about abbreviations are read (never about one that is asked)
    handbook: int = 0  # times that the handbook is read, as plain text, while each pair is read once
    general: float = 0.0  # share of general text among the tokens, as in `Recipe.replay`
    template: str = "lecture"  # the prompt template, in training and in asking
    loss_on: str = "answer"  # what is trained of a pair, as for `encoding.encode`
    ending: bool = True  # whether an end-of-text stands behind every answer
    epochs: float = 5  # times that each pair is read
    least: int = 60  # steps at least: few pairs are read more often, so that they make no short run
    batch: int = 48  # examples a step; all of them where there are fewer
    learning_rate: float = 6e-3  # the highest one
    optimizer: str = "muon"
    way: str = "all weights"  # which weights move
    rank: int = 8  # of LoRA
    patience: int = (
        0  # looks (`early_stopping.STEPS`) without a lower loss on answers behind which it ends, at one rate
    )
    prompt: str = "plain"  # what stands before a question: nothing, solved examples, or a passage of the handbook
    asked: tuple[str, ...] = USUALLY  # what it is asked and measured on

    def __post_init__(self) -> None:
        for name, known in (("facts", FACTS), ("loss_on", LOSS_ON), ("prompt", PROMPTS), ("way", WAYS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}")
        if not self.asked or set(self.asked) - set(ASKED):
            raise ValueError(f"asked must be some of {', '.join(ASKED)}, got {list(self.asked)}")
        if not 0 <= self.general < 1:
            raise ValueError(f"general must be a share from 0 to below 1, got {self.general}")

    @property
    def trains(self) -> bool:
        """Whether anything is read; a model can also be asked as it is."""
        return self.pairs != 0 or self.changed or self.abbreviations or self.handbook > 0


def plain(settings: Settings) -> dict:
    """Settings as JSON holds them, all of them: a default that changes later changes no record."""
    return asdict(settings) | {"asked": list(settings.asked)}


def from_plain(kept: Mapping) -> Settings | None:
    """Settings as `plain` wrote them; None where one of them is not known any more."""
    if set(kept) - {field.name for field in fields(Settings)}:
        return None
    return Settings(**kept | {"asked": tuple(kept.get("asked", USUALLY))})
