"""The benchmarks: how fast this course tunes, surveys, validates and asks, beside what people use today.

`python -m tests.bench` measures and writes `docs/speed.md`.
"""
