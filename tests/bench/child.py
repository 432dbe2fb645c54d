"""One measurement in a process of its own: `python -m tests.bench.child WORK JOB`; its result is the last line."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

OTHERS = ("survey", "validation", "generation")


def measure(kind: str) -> Callable[[dict, Path], dict]:
    """The function that measures; what a job does not need is not imported, since memory counts."""
    if kind in OTHERS:
        from . import others

        return getattr(others, kind)
    from transformers import logging

    from . import tuning

    logging.set_verbosity_error()
    if kind == "profile":
        from . import profile

        return profile.of_a_step
    return {"speed": tuning.speed, "race": tuning.race, "growth": tuning.growth}[kind]


if __name__ == "__main__":
    work, job = Path(sys.argv[1]), json.loads(sys.argv[2])
    print("\n" + json.dumps(measure(job["measure"])(job, work)))
