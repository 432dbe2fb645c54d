"""Large files: speed, and memory that stays flat. Each file is checked in a process of its own, whose peak is read."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from labutils import places

PEAK = """
import json, re, sys, time
from pathlib import Path
from labutils.pairs.validation import repair, validate
def peak():  # not getrusage: there a child begins with its parent's mark
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = peak()
started, wall = time.process_time(), time.perf_counter()
if len(sys.argv) > 2:
    report = repair(sys.argv[1], sys.argv[2])
    found = [("written", report.written)]
else:
    told = []
    found = [(p.line, p.code) for p in validate(sys.argv[1], on_progress=told.append)]
    assert told[-1].done == told[-1].size
after = peak()
print(f"wall {time.perf_counter() - wall:.0f} s", file=sys.stderr)
print(json.dumps([time.process_time() - started, before / 1e3, after / 1e3, found]))
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="the peak is given in other units elsewhere")


def measured(path: Path, *more: Path) -> tuple[float, float, float, list]:
    """Seconds of the processor (those on the wall depend on what else runs), megabytes before and at the peak, and what
    was found.
    """
    argv = [sys.executable, "-c", PEAK, str(path), *map(str, more)]
    ran = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=places.ROOT)
    print(ran.stderr.strip())
    seconds, before, peak, found = json.loads(ran.stdout)
    return seconds, before, peak, [tuple(each) for each in found]


def generate(path: Path, megabytes: int) -> None:
    """Different pairs in the handbook's words, up to a size."""
    choose = random.Random(0)
    words = (places.ROOT / "data" / "company" / "handbook.md").read_text(encoding="utf-8").replace("#", "").split()
    done = number = 0
    with path.open("wb") as file:
        while done < megabytes * 10**6:
            number += 1
            question = " ".join(choose.choices(words, k=choose.randint(5, 14))) + f" {number}?"
            answer = " ".join(choose.choices(words, k=choose.randint(8, 22))) + "."
            done += file.write(json.dumps({"question": question, "answer": answer}).encode() + b"\n")


@linux
def test_a_line_of_100_mb_does_not_bring_it_down(tmp_path):
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.write(b'{"question": "Why?", "answer": "')
        for _ in range(100):
            file.write(b"x" * 10**6)
        file.write(b'"}\n{"question": "Why?", "answer": null}\n')
    _, before, peak, found = measured(path)
    assert [each for each in found if each[0]] == [(1, "line_too_long"), (2, "null")]
    assert peak - before < 40
    _, before, peak, found = measured(path, tmp_path / "b.jsonl")
    assert found == [("written", 2)] and (tmp_path / "b.jsonl").read_bytes() == path.read_bytes()
    assert peak - before < 40


@linux
@pytest.mark.slow
def test_megabytes_a_second_and_flat_memory(tmp_path, capsys):
    """Time is a straight line and memory a flat one; so it is at 1 GB."""
    seconds, peaks = {}, {}
    for megabytes in (10, 40, 160, 1000):
        path = tmp_path / f"{megabytes}.jsonl"
        generate(path, megabytes)
        with capsys.disabled():
            seconds[megabytes], _, peaks[megabytes], found = measured(path)
        assert {code for _, code in found} == {"tokens", "search_bounded"}
        path.unlink()
        with capsys.disabled():
            rate = megabytes / seconds[megabytes]
            print(f"\n{megabytes} MB: {seconds[megabytes]:.0f} s, {rate:.1f} MB/s, peak {peaks[megabytes]:.0f} MB")
    line = seconds[40] + (seconds[160] - seconds[40]) * (1000 - 40) / (160 - 40)
    assert 0.5 < seconds[1000] / line < 2
    assert peaks[1000] < 1.3 * peaks[40]


@linux
@pytest.mark.slow
def test_memory_is_flat_on_a_file_of_faults(tmp_path, capsys):
    """The worst for memory: every line a problem, every question the same, every text alike."""
    rows = [
        b'{"question": "Why?", "answer": "So."}\n',
        b"no\n",
        b'{"question": "How far does bird %d fly?", "answer": "1"}\n',
    ]
    for name, row in zip(("same", "broken", "alike"), rows, strict=True):
        peaks = []
        for lines in (100_000, 400_000):
            path = tmp_path / f"{name}.jsonl"
            with path.open("wb") as file:
                file.writelines(row % i if b"%d" in row else row for i in range(lines))
            seconds, _, peak, _ = measured(path)
            peaks.append(peak)
            with capsys.disabled():
                print(f"\n{name}, {lines:,} lines: {seconds:.0f} s, peak {peak:.0f} MB")
        assert peaks[1] < peaks[0] + 60
