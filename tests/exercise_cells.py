"""Cells of exercises, run as a notebook runs them: starters, solutions, what they hand in.

Owns the names that notebooks import for the solutions. Leaves out which exercises there are (`test_exercises`).
"""

import ast
import json
import math
import random
import re
from collections import Counter

import pandas as pd
from scipy.stats import binomtest
from sklearn.model_selection import GroupShuffleSplit

from labutils.corpus import quality
from labutils.lesson import exercises
from labutils.lesson.exercises import Result

NAMES = {
    "exercises": exercises, "random": random, "re": re, "json": json, "drop": quality.drop, "math": math,
    "Counter": Counter, "pd": pd, "binomtest": binomtest, "GroupShuffleSplit": GroupShuffleSplit,
}  # fmt: skip
CHECKED = re.compile(r"\bexercises\.(\w+)\.check\(")


def split_cell(cell: str) -> tuple[ast.Module, ast.Call]:
    """What a cell does before its last line, and that line, which checks."""
    tree = ast.parse(cell)
    return tree, tree.body.pop().value


def answer_of(cell: str) -> tuple:
    """What a cell hands in to its check."""
    names = dict(NAMES)
    tree, call = split_cell(cell)
    exec(compile(tree, "cell", "exec"), names)
    return tuple(eval(compile(ast.Expression(part), "cell", "eval"), names) for part in call.args)


def run(cell: str) -> Result:
    """The value of a cell, as a notebook shows it."""
    names = dict(NAMES)
    tree, call = split_cell(cell)
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(call), "cell", "eval"), names)
