"""What runs inside of a learner's kernel: its values become JSON, its functions are called.

The text of this file is sent there, so it imports nothing of the course. Everything in that kernel may have been
changed by the learner; nothing is decided there.
"""

import base64
import copy
import json
import pickle

DEEP = 8  # how far a value may be nested
MOST = 200_000  # items of a value


def hand_over(get: object) -> str:
    """The value that `get()` gives, as JSON, or what it raised."""
    try:
        return json.dumps({"value": plain(get(), [0])})
    except BaseException as error:
        return json.dumps({"raised": told(error)})


def call(function: object, packed: str) -> str:
    """What a function gives for arguments that were pickled, as JSON, and whether it has changed them."""
    given = pickle.loads(base64.b64decode(packed))
    handed = copy.deepcopy(given)
    try:
        value = function(*handed)
        return json.dumps({"value": plain(value, [0]), "changed": bool(handed != given)})
    except BaseException as error:
        return json.dumps({"raised": told(error)})


def told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def plain(value: object, count: list, deep: int = 0) -> object:
    """A value as JSON holds it: numbers and texts as they are, everything else as {"its kind": what is in it}."""
    count[0] += 1
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if value is ...:
        return {"dots": 0}
    if deep > DEEP or count[0] > MOST:
        return {"other": "a value that is too large"}
    if isinstance(value, list | tuple | set | frozenset):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [plain(each, count, deep + 1) for each in value]}
    if isinstance(value, dict):
        return {"dict": [[plain(each, count, deep + 1) for each in pair] for pair in value.items()]}
    if callable(value):
        return {"function": str(getattr(value, "__name__", "your function"))[:80]}
    if hasattr(value, "columns") and hasattr(value, "to_dict"):  # a DataFrame: its rows
        return plain(value.to_dict("records"), count, deep + 1)
    for name in ("tolist", "to_list", "item"):  # arrays, tensors, columns of a table, numbers of numpy
        if hasattr(value, name):
            return plain(getattr(value, name)(), count, deep + 1)
    return {"other": type(value).__name__[:80]}
