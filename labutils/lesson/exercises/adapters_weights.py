"""Exercises on weights: an adapter merged into its matrix, and which weights of a model changed in training."""

from collections.abc import Callable

import numpy as np

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet
from labutils.lesson.exercises.exercise import ADAPTERS, Draw, Exercise, Wrong
from labutils.lesson.exercises.forms import source, written

CLOSE = 1e-3  # of an output; merged and beside differ by rounding alone


def _given(rows: int, columns: int, rank: int, alpha: int, seed: int | str) -> dict:
    """A matrix W, its adapter A and B, and the scale's two numbers."""
    draw = Draw(f"merging {seed}")

    def matrix(m: int, n: int) -> np.ndarray:
        return np.array([[draw.number(-99, 99) / 100 for _ in range(n)] for _ in range(m)])

    return {
        "W": matrix(rows, columns),
        "A": matrix(rank, columns),
        "B": matrix(rows, rank),
        "rank": rank,
        "alpha": alpha,
    }


def _merge(rows: int, columns: int, rank: int, alpha: int, seed: int | str) -> Exercise:
    def parts() -> tuple[np.ndarray, np.ndarray, float]:
        given = _given(rows, columns, rank, alpha, seed)
        return given["W"], given["B"] @ given["A"], alpha / rank

    def judge(answer: object) -> str:
        mine = _matrix(answer, rows, columns)
        for slip in _merge_slips(*parts(), alpha):
            if slip.answer.shape == mine.shape and np.abs(mine - slip.answer).max() < CLOSE:
                raise NotYet(slip.says)
        if mine.shape != (rows, columns):
            raise NotYet(f"it has the shape {mine.shape[0]} x {mine.shape[1]}; merged, it has that of `W`")
        matrix, change, scale = parts()
        inputs = np.eye(columns)
        beside, merged = matrix @ inputs + scale * (change @ inputs), mine @ inputs
        if (off := np.abs(beside - merged).max()) > CLOSE:
            raise NotYet(f"its outputs are off by up to {off:.2g} from those of the matrix with the adapter beside it")
        return "the same outputs from one matrix: no file more, no time more, and nothing left to take off again"

    return Exercise(
        name="merge_adapter",
        title="Merge an adapter",
        subject=ADAPTERS,
        size="medium",
        question=(
            f"`THIS.given()` is a dictionary: a matrix `W` of {rows} x {columns}, the two matrices `A` and `B` of its "
            "adapter, its `rank` and its `alpha`. An input x gives `W @ x`, and beside it the adapter gives `alpha / "
            "rank` times `B @ (A @ x)`, which is added. Which single matrix gives the same for every x?"
        ),
        starter='given = THIS.given()  # W, A, B, rank, alpha\nmy_matrix = ...  # a matrix like given["W"]',
        answer="my_matrix",
        judge=judge,
        hints=(
            "`B @ (A @ x)` is `(B @ A) @ x`. Which shape has `B @ A`?",
            "Put x outside the brackets: W x + s B A x = (W + s B A) x. And s?",
        ),
        solved="""
            given = THIS.given()
            scale = given["alpha"] / given["rank"]
            my_matrix = given["W"] + scale * given["B"] @ given["A"]
        """,
        wrong=lambda: [
            *_merge_slips(*parts(), alpha),
            Wrong("another shape", parts()[0][:, 1:], "merged, it has that of `W`"),
            Wrong("one number off", sum(parts()[:2]) * 0.9, "off by up to"),
            Wrong("a vector", parts()[0][0], "expected a matrix"),
        ],
        vary=_drawn_merge,
        data=lambda: _given(rows, columns, rank, alpha, seed),
    )


def _matrix(answer: object, rows: int, columns: int) -> np.ndarray:
    what = f"a matrix of {rows} x {columns} numbers"
    lines = [answers.items(line, what) for line in answers.items(answer, what)]
    if not lines or len({len(line) for line in lines}) != 1 or not lines[0]:
        raise NotYet(f"expected {what}, got lines of different lengths, or none")
    return np.array([[answers.number(each, f"{what}; each") for each in line] for line in lines])


def _merge_slips(matrix: np.ndarray, change: np.ndarray, scale: float, alpha: int) -> list[Wrong]:
    """The wrong matrices that are recognised, each with all of its message."""
    return [
        Wrong("not applied", matrix, "that is the base again: the adapter is not applied"),
        Wrong("no scale", matrix + change, "the scale is missing: the product is multiplied by `alpha / rank`"),
        Wrong("alpha alone", matrix + alpha * change, "the scale is `alpha` divided by `rank`, not `alpha` alone"),
        Wrong("the change alone", scale * change, "that is the change alone; it comes on top of `W`"),
        Wrong("taken off", matrix - scale * change, "the adapter is taken off instead of added"),
        Wrong("applied twice", matrix + 2 * scale * change, "the adapter is applied twice; was it merged already?"),
        Wrong("transposed", (matrix + scale * change).T, "it is turned: rows are outputs here, columns are inputs"),
    ]


def _drawn_merge(draw: Draw) -> Exercise:
    rows, rank = draw.number(5, 9), draw.number(3, 4)
    return _merge(rows, rows + draw.number(1, 4), rank, rank * draw.pick((4, 5, 6, 8)), draw.number(1, 10**6))


merge_adapter = _merge(6, 4, 3, 12, "practised")


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
            _moved_slips(asked),
            good="full tuning changes nearly all, the last block its own, LoRA none of those that were there before",
            told=lambda before, after: f"a model of {len(before)} lists, {len(after)} afterwards",
            more=[
                Wrong("new lists looked up", lambda before, after: sum(before[name][0] for name in after), "KeyError"),
                Wrong("a list", lambda before, after: list(before), "got a list"),
            ],
        ),
    )


def _moved_slips(asked: str) -> list[Wrong]:
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
