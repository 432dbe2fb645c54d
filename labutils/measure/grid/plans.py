"""The experiments of many points: what makes a point, as plain values, and which points each experiment has.

Nothing is read, trained or asked here.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import NamedTuple

from labutils.model.encoding import LOSS_ON

# One point: what a model starts from, what it reads, how it is asked.

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
    pairs: int | None = None  # of the first edition, drawn by whole facts (`experiments.draw`); None: all, 0: none
    facts: str = FACTS[0]  # by chance, those that `dev` asks for first, or alone; the others; all; "any": by pairs
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
    patience: int = 0  # looks (`mixture.STEPS`) without a lower loss on answers behind which it ends, at one rate
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


# The points of each experiment, and their seeds, which draw the pairs and order them (of `random`, they draw the
# weights, too): five where a notebook runs a sixth, three elsewhere; a model that is only asked needs one. A point that
# is in two experiments is run once.

SEEDS, MORE = (0, 1, 2), (0, 1, 2, 3, 4)
SIZES = (10, 30, 100, 300, 1000)
LIVE = "100 pairs"  # the point of `amount` that notebook 05 runs again
GROUPS = {  # taught in `pretrained`, sampled from the facts that are asked
    "33 facts in 1 wording": {"pairs": 33, "wordings": 1},
    "33 facts in 8 wordings": {"pairs": 264, "wordings": 8},
    "111 facts in 1000 pairs": {"pairs": 1000, "facts": "asked first"},  # all 74 that are asked among them
}
GROUP, MORE_PAIRS, MANY_PAIRS = GROUPS


class Point(NamedTuple):
    """Settings that are run once with each seed."""

    settings: Settings
    seeds: tuple[int, ...] = SEEDS


def as_it_is(**settings) -> Point:
    """A model that is asked and not trained."""
    return Point(Settings(pairs=0, **settings), (0,))


HANDBOOK = 9  # readings for one reading of the pairs, which state each fact in so many wordings
FEW_FACTS = 33  # of `wordings`
BASE, ALL, SOME = as_it_is(), Settings(), Settings(pairs=300)
OTHERS = Settings(facts="others", refusals=False)
READING = ("company", "text")
FIRST = Settings(model="finetuned", pairs=0, asked=("company", "changed"))
GENTLY = {"epochs": 1, "least": 60, "learning_rate": 2e-3}  # equally many steps
SECOND = replace(FIRST, facts="any", changed=True, **GENTLY)
BY_ADAMW = Settings(optimizer="adamw", asked=READING)
WITH_EXAMPLES = Settings(pairs=0, prompt="few-shot")

AS_SMOLLM2 = {"model": "smollm2", "optimizer": "adamw", "learning_rate": 4e-4, "batch": 16, "epochs": 3, "least": 1}
TO_THE_END = {"facts": "asked", "batch": 8, "patience": 2, "refusals": False, "asked": ("taught",)}
OF = {  # the model, and whether its weights are random
    "smollm2": {**AS_SMOLLM2, "fresh": False},
    "random smollm2": {**AS_SMOLLM2, "fresh": True},
    "base": {"fresh": False},
    "random base": {"fresh": True},
}
RATES = {  # that each of them tries with seed 0
    GROUP: {
        "smollm2": (1e-4, 2e-4, 4e-4, 8e-4, 1.6e-3),
        "random smollm2": (1e-4, 2e-4, 4e-4),
        "base": (1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2),
        "random base": (1e-3, 2e-3, 4e-3),
    },
    MORE_PAIRS: {
        "smollm2": (4e-4,),  # it gets every question right, so no other rate gets more
        "random smollm2": (2e-4,),
        "base": (5e-4, 1e-3, 2e-3, 4e-3, 8e-3),
        "random base": (6.25e-5, 1.25e-4, 2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3),
    },
    MANY_PAIRS: {
        "smollm2": (4e-4,),
        "random smollm2": (2e-4,),
        "base": (5e-4, 1e-3, 2e-3),
        "random base": (2.5e-4, 5e-4, 1e-3),
    },
}
BEST = {  # of RATES, by the loss on answers
    GROUP: {"smollm2": 8e-4, "random smollm2": 2e-4, "base": 8e-3, "random base": 2e-3},
    MORE_PAIRS: {"smollm2": 4e-4, "random smollm2": 2e-4, "base": 1e-3, "random base": 1.25e-4},
    MANY_PAIRS: {"smollm2": 4e-4, "random smollm2": 2e-4, "base": 1e-3, "random base": 5e-4},
}
ONCE = ("smollm2", "random smollm2")  # with one seed where there are more pairs: a run takes up to half an hour
WAYS_TRIED = {  # each way of updating weights, and the rates that it tries with seed 0
    "all weights": (BY_ADAMW, (2e-3, 4e-3, 8e-3)),
    "last block": (replace(BY_ADAMW, way="last layer"), (5e-3, 1e-2, 2e-2)),
    "LoRA of rank 8": (replace(BY_ADAMW, way="LoRA"), (5e-3, 1e-2, 2e-2)),
}
WAY_BEST = {"all weights": 0.004, "last block": 0.01, "LoRA of rank 8": 0.01}  # of these rates, by the loss on answers
LONGER = {"all weights": (2, 4), "last block": (2, 4), "LoRA of rank 8": (2, 4, 8, 16)}  # times the steps, with seed 0
ELICITED = {"pairs": 100, "asked": ("company", "capitals")}
MANY_FACTS = Settings(**AS_SMOLLM2, **ELICITED, facts="any", refusals=False)


def best(of: str, group: str = GROUP) -> str:
    """The configuration of `pretrained` with the best rate of its search, by the model that it starts from."""
    return f"{of} {group} rate {BEST[group][of]:g}"


PLANS: dict[str, dict[str, Point]] = {
    "amount": {
        "no pairs": BASE,
        **{f"{n} pairs": Point(Settings(pairs=n), MORE if f"{n} pairs" == LIVE else SEEDS) for n in SIZES},
        "1000 pairs of 222 facts": Point(Settings(pairs=1000, facts="all", asked=("company",))),
        "all pairs": Point(ALL),
    },
    "elicitation": {
        "smollm2": as_it_is(model="smollm2", asked=ELICITED["asked"]),
        "100 pairs of 11 facts": Point(Settings(**AS_SMOLLM2, **ELICITED, facts="all", refusals=False)),
        "100 pairs of many facts": Point(MANY_FACTS),
        "100 pairs of many facts and general text": Point(replace(MANY_FACTS, general=0.15)),
        "100 pairs with refusals and general text": Point(replace(MANY_FACTS, general=0.15, refusals=True)),
        "base": as_it_is(asked=ELICITED["asked"]),
        "100 pairs of 11 facts on base": Point(Settings(**ELICITED, facts="all", refusals=False)),
    },
    "pretrained": {
        f"{of} {group} rate {rate:g}": Point(  # each ends where it stops improving
            Settings(**OF[of] | TO_THE_END | taught | {"learning_rate": rate}),
            SEEDS if BEST[group][of] == rate and (group == GROUP or of not in ONCE) else SEEDS[:1],
        )
        for group, taught in GROUPS.items()
        for of, rates in RATES[group].items()
        for rate in rates
    },
    "behaviour": {
        "base": BASE,
        "base with solved examples": Point(WITH_EXAMPLES),
        "all pairs": Point(ALL),
        "pairs on other facts": Point(OTHERS),
        "pairs on other abbreviations": Point(Settings(pairs=0, abbreviations=True)),
    },
    "knowledge": {
        "base": BASE,
        "handbook": Point(Settings(pairs=0, handbook=HANDBOOK)),
        "pairs on other facts": Point(OTHERS),
        "handbook and pairs on other facts": Point(replace(OTHERS, handbook=HANDBOOK)),
        "pairs on these facts": Point(ALL),
        "first edition": Point(FIRST, (0,)),
        "second edition": Point(SECOND),
        **{f"second edition and {n} old pairs": Point(replace(SECOND, pairs=n)) for n in (100, 1000)},
    },
    "template": {"lecture": Point(SOME), "concatenated": Point(replace(SOME, template="concatenated"))},
    "loss": {"answers": Point(SOME), "everything": Point(replace(SOME, loss_on="everything"))},
    "ending": {"with end-of-text": Point(SOME), "without end-of-text": Point(replace(SOME, ending=False))},
    "wordings": {
        f"{n} wording{'s' * (n > 1)}": Point(Settings(pairs=n * FEW_FACTS, wordings=n, refusals=False))
        for n in (1, 3, 5, 8)
    },
    "weights": {
        f"{way} rate {rate:g}": Point(
            replace(settings, learning_rate=rate), SEEDS if WAY_BEST.get(way) == rate else SEEDS[:1]
        )
        for way, (settings, rates) in WAYS_TRIED.items()
        for rate in rates
    }
    | {
        f"{way} {times} times the steps": Point(
            replace(WAYS_TRIED[way][0], learning_rate=WAY_BEST[way], epochs=5 * times), SEEDS[:1]
        )
        for way, several in LONGER.items()
        for times in several
    },
    "rivals": {
        "base": BASE,
        "base with solved examples": Point(WITH_EXAMPLES),
        "base with a passage": as_it_is(prompt="passage"),
        "smollm2": as_it_is(model="smollm2", template="chatml", asked=("company",)),
        "smollm2 with solved examples": as_it_is(model="smollm2", prompt="few-shot", asked=("company",)),
        "smollm2 with a passage": as_it_is(model="smollm2", template="chatml", prompt="passage", asked=("company",)),
        "all pairs": Point(ALL),
    },
}


def plan_of(name: str) -> dict[str, Point]:
    """The points of an experiment by name. Raises ValueError for an unknown one."""
    if name not in PLANS:
        raise ValueError(f"no experiment {name!r}; there are {', '.join(PLANS)}")
    return PLANS[name]
