"""What has been measured: rows in a file that only grows, so that a run can be stopped and given again."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from labutils import places


class Book:
    """The rows of a run, {"job": what was asked, "found": what came out}, behind a line that says what they hold for.

    Raises ValueError where the file holds for something else: other versions, other weights.
    """

    def __init__(self, path: Path, about: dict):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        whole = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
        if whole and whole[0] != about:
            raise ValueError(f"{path} holds rows of {whole[0]}, got {about}; choose another folder (--work)")
        self.about, self.rows = about, whole[1:]
        lines = [about, *self.rows]  # without the line that a kill cut
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    def found(self, **wanted: object) -> list[dict]:
        """The rows whose jobs have these values."""
        return [row for row in self.rows if all(row["job"].get(name) == value for name, value in wanted.items())]

    def measure(self, job: dict, ask: Callable[[dict], dict]) -> dict:
        """What a job gave before, or gives now."""
        for row in self.rows:
            if row["job"] == job:
                return row["found"]
        self.rows.append({"job": job, "found": ask(job)})
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(self.rows[-1]) + "\n")
        return self.rows[-1]["found"]


def in_a_fresh_process(job: dict, work: Path) -> dict:
    """What a job gives; of one that fails the last line of its error, since a rival may not run everywhere."""
    argv = [sys.executable, "-m", "tests.bench.child", str(work), json.dumps(job)]
    here = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    if not str(job.get("rival", "ours")).startswith("ours"):  # theirs are torch's own caches, not this course's
        here |= dict.fromkeys(("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"), "1024")
    ran = subprocess.run(argv, capture_output=True, text=True, cwd=places.ROOT, env=here)
    if ran.returncode:
        return {"error": ran.stderr.strip().splitlines()[-1][:300]}
    return json.loads(ran.stdout.splitlines()[-1])
