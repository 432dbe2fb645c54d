"""The exercises of notebook 08: what an adapter saves, an adapter merged, and which weights of a model changed."""

from collections.abc import Callable

import numpy as np

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.exercise import TEXTS, Draw, Exercise, Words
from labutils.lesson.exercises.forms import Quantity, apart, asked_for, choice, moved, quantity, refuse, written
from labutils.model.costs import BYTES, training_memory


def _adapter(rows: int, columns: int, rank: int) -> Quantity:
    right, whole = rank * (rows + columns), rows * columns
    slips = {
        "the whole matrix": whole, "one of the two": rank * columns, "the other one": rank * rows,
        "times the matrix": rank * whole, "rank forgotten": rows + columns, "with the matrix": right + whole,
        "as a share": right / whole,
    }  # fmt: skip
    return quantity(Words("lora_weights", rank=rank), "my_count", right, slips, close=0)


def _lora(rows: int, columns: int, rank: int) -> Exercise:
    asked, whole = _adapter(rows, columns, rank), rows * columns
    say = Words("lora_weights", rows=rows, columns=columns, rank=rank)

    def vary(draw: Draw) -> Exercise:
        while True:
            shape = 32 * draw.number(6, 40), 32 * draw.number(6, 40), draw.pick((2, 4, 6, 12, 16, 32))
            if apart(_adapter(*shape), others=[asked.right]):
                return _lora(*shape)

    good = say("good", right=asked.right, whole=whole, share=asked.right / whole)
    return say.exercise(vary=vary, **asked_for(asked, good=good))


lora_weights = _lora(576, 1536, 8)


def _saved(share: float, weights: str, order: list[int]) -> Exercise:
    def vary(draw: Draw) -> Exercise:
        weights = draw.pick(("7 million", "135 million", "360 million", "1.7 billion", "7 billion"))
        return _saved(draw.number(3, 19) / 10, weights, moved(draw, order))

    return choice(Words("what_shrinks", share=share, weights=weights), order, vary)


what_shrinks = _saved(1.0, "7 million", [1, 2, 0, 3])


def _memories(billions: int, millions: int, precision: str) -> tuple[Quantity, Quantity]:
    weights, adapter, each = billions * 1e9, millions * 1e6, BYTES[precision]
    own = 16 * millions / 1000
    say = Words("two_memories", precision=precision, each=each)
    full = {"the weights alone": 4, "no moments": 8, "one moment": 12, "in bits": 128}  # bytes a weight
    full = {what: size * billions for what, size in full.items()}
    less = {
        "no still weights": own, "no training": each * billions, "still weights in fp32": 4 * billions + own,
        "the adapter's weights alone": each * billions + own / 4, "gradients for all": (each + 4) * billions + own,
    }  # fmt: skip
    needed = training_memory(weights, adapter=adapter, precision=precision).total
    return (
        quantity(say, "my_full", training_memory(weights).total, full, close=0.002),
        quantity(say, "my_adapter", needed, less, close=0.002),
    )


def _memory(billions: int, millions: int, precision: str) -> Exercise:
    asked = _memories(billions, millions, precision)
    full, adapter = (each.right for each in asked)
    say = Words("two_memories", billions=billions, millions=millions, precision=precision, each=BYTES[precision])
    good = say("good", full=full, adapter=adapter)

    def vary(draw: Draw) -> Exercise:
        while True:
            numbers = draw.number(2, 34), 10 * draw.number(3, 24), draw.pick(("bf16", "8 bit", "4 bit"))
            other = _memories(*numbers)
            if apart(*other) and other[0].right != full:
                return _memory(*numbers)

    return say.exercise(vary=vary, **asked_for(*asked, good=good))


two_memories = _memory(7, 40, "bf16")


CLOSE = 1e-3  # of an output; merged and beside differ by rounding alone


def _merge(rows: int, columns: int, rank: int, alpha: int, seed: int | str) -> Exercise:
    draw, shapes = Draw(f"merging {seed}"), {"W": (rows, columns), "A": (rank, columns), "B": (rows, rank)}
    given = {
        name: np.array([[draw.number(-99, 99) / 100 for _ in range(n)] for _ in range(m)])
        for name, (m, n) in shapes.items()
    } | {"rank": rank, "alpha": alpha}
    matrix, change, scale = given["W"], given["B"] @ given["A"], alpha / rank
    say, what = Words("merge_adapter", rows=rows, columns=columns), f"a matrix of {rows} x {columns} numbers"
    found = {
        "not applied": matrix, "no scale": matrix + change, "alpha alone": matrix + alpha * change,
        "the change alone": scale * change, "taken off": matrix - scale * change,
        "applied twice": matrix + 2 * scale * change, "transposed": (matrix + scale * change).T,
    }  # fmt: skip
    slips = say.slips(found)

    def judge(answer: object) -> str:
        lines = [answers.items(line, what) for line in answers.items(answer, what)]
        say.refuse(not lines or len({len(line) for line in lines}) != 1 or not lines[0], "lines")
        mine = np.array([[answers.number(each, "a number in each place") for each in line] for line in lines])
        refuse(slips, lambda slip: slip.shape == mine.shape and np.abs(mine - slip).max() < CLOSE)
        if mine.shape != (rows, columns):
            raise say.no("shape", mine=mine.shape[0], across=mine.shape[1])
        inputs = np.eye(columns)
        beside, merged = matrix @ inputs + scale * (change @ inputs), mine @ inputs
        if (off := np.abs(beside - merged).max()) > CLOSE:
            raise say.no("off", off=off)
        return say("good")

    wrong = {"another shape": matrix[:, 1:], "one number off": (matrix + change) * 0.9, "a vector": matrix[0]}

    def vary(draw: Draw) -> Exercise:
        rows, rank = draw.number(5, 9), draw.number(3, 4)
        return _merge(rows, rows + draw.number(1, 4), rank, rank * draw.pick((4, 5, 6, 8)), draw.number(1, 10**6))

    return say.exercise(judge=judge, slips=slips, wrong=wrong, vary=vary, data=given)


merge_adapter = _merge(6, 4, 3, 12, "practised")


Model = dict[str, list[float]]


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
    made, last = [_model(draw, blocks, width) for _ in range(5)], f"block {blocks - 1} mlp"
    steps = [
        {name: [0.5] * len(values) for name, values in made[0].items() if name != "output"},
        {last: [0.5] * 2 * width},
        {"embedding": [0.25]},
        {last: [0.5, -0.5]},
        {},
    ]
    cases = [(model, _tuned(model, step)) for model, step in zip(made, steps, strict=True)]
    cases[4][1].update({f"{last} lora_A": [0.1] * 3, f"{last} lora_B": [0.2] * 3})
    return cases


Differ = Callable[[list[float], list[float]], list[bool]]  # of a list before and after: what counts as changed


def once(model: Model) -> list[str]:
    """One name of each list."""
    return list({id(values): name for name, values in model.items()}.values())


def each(old: list[float], new: list[float]) -> list[bool]:
    """Weight by weight."""
    return [a != b for a, b in zip(old, new, strict=True)]


def compare(asked: str, differ: Differ = each, names: Callable = once) -> Callable[[Model, Model], float]:
    """The function that tells what is asked for, with its own way of choosing lists and of comparing two."""

    def function(before: Model, after: Model) -> float:
        found = [changed for name in names(before) for changed in differ(before[name], after[name])]
        return {"count": sum(found), "share": sum(found) / len(found), "still": len(found) - sum(found)}[asked]

    return function


def _moved(asked: str, blocks: int, width: int, seed: int | str) -> Exercise:
    other = {"count": "still", "share": "count", "still": "count"}[asked]
    told = TEXTS["moved_weights"][other]["named"].replace("*", "")
    say = Words("moved_weights", asked, blocks=blocks, width=width, most=3 * width, other=told)
    slips = {
        "shared lists twice": compare(asked, names=list),
        "lists counted": compare(asked, lambda old, new: [old != new]),
        "whole lists": compare(asked, lambda old, new: [old != new] * len(old)),
        "sums compared": compare(asked, lambda old, new: [abs(sum(old) - sum(new)) > 1e-9] * len(old)),
        "all alike": compare(asked, lambda old, new: [True] * len(old)), "another question": compare(other),
    }  # fmt: skip
    more = {
        "new lists looked up": lambda before, after: sum(before[name][0] for name in after),
        "a list": lambda before, after: list(before),
    }

    def vary(draw: Draw) -> Exercise:
        asked = draw.pick(("share", "still"))
        return _moved(asked, draw.number(2, 6), draw.number(4, 9), draw.number(1, 10**6))

    cases = _cases(Draw(f"moved {seed}"), blocks, width)
    form = {"told": lambda before, after: f"a model of {len(before)} lists, {len(after)} afterwards", "more": more}
    return say.exercise(vary=vary, **written(say, compare(asked), cases, slips, **form))


moved_weights = _moved("count", 3, 4, "practised")
