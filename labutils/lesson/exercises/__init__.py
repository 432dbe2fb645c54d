"""The exercises of the course by name: `exercises.shingles.check(my_answer)`, `.hint()`, `.solution()`."""

from labutils.lesson.exercises import (
    fewer_weights,
    finetuning,
    finetuning_data,
    own_file,
    own_task,
    pretraining,
    pretraining_data,
    what_changes,
)
from labutils.lesson.exercises.exercise import NOTEBOOKS, STATES, TEXTS, Entry, Exercise, Result, read_progress

MODULES = (
    *(pretraining_data, pretraining, finetuning_data, finetuning, what_changes, own_task, own_file, fewer_weights),
)
MADE = {name: value for module in MODULES for name, value in vars(module).items() if isinstance(value, Exercise)}
EXERCISES: tuple[Exercise, ...] = tuple(MADE[name] for name in TEXTS)  # in the order in which they are met
globals().update(MADE)  # so that a new exercise is written in two files, its words and its module

__all__ = ["EXERCISES", "Exercise", "Result", "progress", *TEXTS]


def progress(about: str | None = None) -> list[dict[str, str]]:
    """How far this learner is, a row a notebook; with the name of one, or its number, a row an exercise.

    For `show.table`: notebook, about, exercises (a mark for each), right, next; or exercise, size, state, tries, help.
    progress("03") -> the five of notebook 03. Raises ValueError for a notebook that has no exercises.
    """
    kept = read_progress()
    entries = [(exercise, kept.get(exercise.name, Entry())) for exercise in EXERCISES]
    if about is None:
        return [_overview(subject, [each for each in entries if each[0].subject == subject]) for subject in NOTEBOOKS]
    subjects = [subject for subject, notebook in NOTEBOOKS.items() if about in (notebook, notebook[:2])]
    if not subjects:
        raise ValueError(f"expected one of {', '.join(NOTEBOOKS.values())}, or its number in quotes, got {about!r}")
    return [_row(exercise, entry) for exercise, entry in entries if exercise.subject in subjects]


def _overview(subject: str, entries: list[tuple[Exercise, Entry]]) -> dict[str, str]:
    right = sum(entry.right for _, entry in entries)
    first = next((exercise for exercise, entry in entries if not entry.right), None)
    return {
        "notebook": NOTEBOOKS[subject], "about": subject,
        "exercises": " ".join(STATES[entry.state][0] for _, entry in entries),
        "right": f"{right} of {len(entries)}", "next": f"{first.title} ({first.size})" if first else "all done",
    }  # fmt: skip


def _row(exercise: Exercise, entry: Entry) -> dict[str, str]:
    helped = [f"{entry.hints} hint{'s' * (entry.hints > 1)}"] * (entry.hints > 0) + ["solution"] * entry.seen
    return {
        "exercise": exercise.title, "size": exercise.size, "state": f"{STATES[entry.state][0]} {entry.state}",
        "tries": str(entry.tries), "help": ", ".join(helped),
    }  # fmt: skip
