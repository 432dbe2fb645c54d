"""An exercise on counting: which weights of a model changed in training, under any name of the training."""

from collections.abc import Callable

from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.functions import source, written
from labutils.lesson.exercises.subjects import ADAPTERS

Model = dict[str, list[float]]


def count(before, after):
    matrices = {id(values): name for name, values in before.items()}
    pairs = [zip(before[name], after[name]) for name in matrices.values()]  # noqa: B905
    same = [old == new for pair in pairs for old, new in pair]
    return same.count(False)


def share(before, after):
    matrices = {id(values): name for name, values in before.items()}
    pairs = [zip(before[name], after[name]) for name in matrices.values()]  # noqa: B905
    same = [old == new for pair in pairs for old, new in pair]
    return same.count(False) / len(same)


def still(before, after):
    matrices = {id(values): name for name, values in before.items()}
    pairs = [zip(before[name], after[name]) for name in matrices.values()]  # noqa: B905
    same = [old == new for pair in pairs for old, new in pair]
    return same.count(True)


ASKED = {  # what is asked for: the right function, in words
    "count": (count, "how many of the model's weights changed"),
    "share": (share, "which share of the model's weights changed, between 0 and 1"),
    "still": (still, "how many of the model's weights did *not* change"),
}


def _model(draw: Draw, blocks: int, width: int) -> Model:
    """Lists of weights by name, of different lengths; the output shares its list with the embedding."""
    sizes = {"embedding": 3 * width}
    for i in range(blocks):
        sizes |= {f"block {i} attention": width, f"block {i} mlp": 2 * width}
    model = {name: [draw.number(-99, 99) / 100 for _ in range(size)] for name, size in sizes.items()}
    return model | {"output": model["embedding"]}


def _tuned(model: Model, steps: dict[str, list[float]]) -> Model:
    """The model after training: to the first weights of the lists named, so much is added."""
    after = {name: list(values) for name, values in model.items() if name != "output"}
    for name, added in steps.items():
        after[name][: len(added)] = [a + b for a, b in zip(after[name], added, strict=False)]
    return after | {"output": after["embedding"]}


def _cases(draw: Draw, blocks: int, width: int) -> list[tuple[Model, Model]]:
    """All changed; the last matrix; one weight; two that sum up to nothing; none, beside an adapter."""
    made = [_model(draw, blocks, width) for _ in range(5)]
    last = f"block {blocks - 1} mlp"
    all_changed = {name: [0.5] * len(values) for name, values in made[0].items() if name != "output"}
    beside = {f"{last} lora_A": [0.1] * 3, f"{last} lora_B": [0.2] * 3}
    return [
        (made[0], _tuned(made[0], all_changed)),
        (made[1], _tuned(made[1], {last: [0.5] * 2 * width})),
        (made[2], _tuned(made[2], {"embedding": [0.25]})),
        (made[3], _tuned(made[3], {last: [0.5, -0.5]})),
        (made[4], _tuned(made[4], {}) | beside),
    ]


def _moved(asked: str, blocks: int, width: int, seed: int | str) -> Exercise:
    right, named = ASKED[asked]
    return Exercise(
        name="moved_weights",
        title="Which weights changed?",
        subject=ADAPTERS,
        size="open",
        question=(
            "Full tuning, the last block only, LoRA: count what changed, instead of going by the name. A model is a "
            'dictionary of lists of weights by name, such as `{"embedding": [0.1, -0.2], "block 0 mlp": [...], '
            f'"output": [...]}}`, here with {blocks} blocks and lists of {width} to {3 * width} weights. Write '
            f"`compare(before, after)`, which tells {named}. Two names may share one and the same list (`a is b`), as "
            "embedding and output do here: the weights of that list count once. A model may have more names afterwards "
            "than before: ignore those that are only in `after`."
        ),
        starter="def compare(before, after):\n    return ...  # a number",
        hints=(
            "`zip(before[name], after[name])` gives each weight as it was and as it is.",
            "`id(values)` is the same number for two names of one list, so a dictionary `{id(values): name}` keeps one "
            "name of each.",
        ),
        solved=source(right, "compare"),
        vary=lambda draw: _moved(
            draw.pick(("share", "still")), draw.number(2, 6), draw.number(4, 9), draw.number(1, 10**6)
        ),
        **written(
            "compare",
            right,
            _cases(Draw(f"moved {seed}"), blocks, width),
            _slips(asked),
            good="full tuning changes nearly all, the last block its own, LoRA none of those that were there before",
            told=lambda before, after: f"a model of {len(before)} lists, {len(after)} afterwards",
            more=[
                Wrong("new lists looked up", lambda before, after: sum(before[name][0] for name in after), "KeyError"),
                Wrong("a list", lambda before, after: list(before), "got a list"),
            ],
        ),
    )


def _slips(asked: str) -> list[Wrong]:
    def told(names: Callable, differ: Callable) -> Callable:
        """The function asked for, with its own way of choosing names and of comparing two lists, weight by weight."""

        def function(before: Model, after: Model) -> float:
            found = [each for name in names(before) for each in differ(before[name], after[name])]
            return {"count": sum(found), "share": sum(found) / len(found), "still": len(found) - sum(found)}[asked]

        return function

    def once(model: Model) -> list[str]:
        return list({id(values): name for name, values in model.items()}.values())

    def each(old: list[float], new: list[float]) -> list[bool]:
        return [a != b for a, b in zip(old, new, strict=True)]

    def any_of_it(old: list[float], new: list[float]) -> list[bool]:
        return [any(each(old, new))] * len(old)

    def total(old: list[float], new: list[float]) -> list[bool]:
        return [abs(sum(old) - sum(new)) > 1e-9] * len(old)

    other = {"count": "still", "share": "count", "still": "count"}[asked]
    return [
        Wrong("shared lists twice", told(list, each), "lists that two names share are counted twice"),
        Wrong(
            "lists counted",
            told(once, lambda old, new: [any(each(old, new))]),
            "lists are counted, not the weights in them; they may be of any size",
        ),
        Wrong(
            "whole lists",
            told(once, any_of_it),
            "where one weight of a list changed, all of its weights are counted; compare weight by weight",
        ),
        Wrong(
            "sums compared",
            told(once, total),
            "the sums of the lists are compared; two changes in opposite directions leave the sum as it was",
        ),
        Wrong("all alike", told(once, lambda old, new: [True] * len(old)), "every weight is counted as changed"),
        Wrong("another question", ASKED[other][0], f"that tells {ASKED[other][1]}".replace("*", "")),
    ]


moved_weights = _moved("count", 3, 4, "practised")
