"""An exercise on adapters: merged into its matrix, one answers as it did beside it."""

import numpy as np

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import ADAPTERS

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
        for slip in _slips(*parts(), alpha):
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
            "rank` times `B @ (A @ x)`, which is added. Which one matrix gives the same for every x?"
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
            *_slips(*parts(), alpha),
            Wrong("another shape", parts()[0][:, 1:], "merged, it has that of `W`"),
            Wrong("one number off", sum(parts()[:2]) * 0.9, "off by up to"),
            Wrong("a vector", parts()[0][0], "expected a matrix"),
        ],
        vary=_drawn,
        data=lambda: _given(rows, columns, rank, alpha, seed),
    )


def _matrix(answer: object, rows: int, columns: int) -> np.ndarray:
    what = f"a matrix of {rows} x {columns} numbers"
    lines = [answers.items(line, what) for line in answers.items(answer, what)]
    if not lines or len({len(line) for line in lines}) != 1 or not lines[0]:
        raise NotYet(f"expected {what}, got lines of different lengths, or none")
    return np.array([[answers.number(each, f"{what}; each") for each in line] for line in lines])


def _slips(matrix: np.ndarray, change: np.ndarray, scale: float, alpha: int) -> list[Wrong]:
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


def _drawn(draw: Draw) -> Exercise:
    rows, rank = draw.number(5, 9), draw.number(3, 4)
    return _merge(rows, rows + draw.number(1, 4), rank, rank * draw.pick((4, 5, 6, 8)), draw.number(1, 10**6))


merge_adapter = _merge(6, 4, 3, 12, "practised")
