"""The exercises of the course by name: `exercises.shingles.check(my_answer)`, `.hint()`, `.solution()`."""

from labutils.lesson.exercises import attempts
from labutils.lesson.exercises.attempts import Entry
from labutils.lesson.exercises.broken import repair_file
from labutils.lesson.exercises.exercise import Exercise
from labutils.lesson.exercises.labels import endless, labels_by_hand
from labutils.lesson.exercises.likeness import shingles
from labutils.lesson.exercises.prompts import question_only
from labutils.lesson.exercises.result import NOT_ATTEMPTED, NOT_YET, RIGHT, Result
from labutils.lesson.exercises.rules import own_rule
from labutils.lesson.exercises.sampling import share_of_set
from labutils.lesson.exercises.shown import STATES
from labutils.lesson.exercises.spans import mail_spans
from labutils.lesson.exercises.splits import fair_split
from labutils.lesson.exercises.streams import which_sample

EXERCISES: tuple[Exercise, ...] = (  # in the order in which they are met
    *(which_sample, shingles, share_of_set, mail_spans, own_rule),
    *(labels_by_hand, endless, question_only, fair_split, repair_file),
)

__all__ = ["EXERCISES", "Exercise", "Result", "progress", *(exercise.name for exercise in EXERCISES)]


def progress() -> list[dict[str, str]]:
    """How far this learner is, a row an exercise: subject, exercise, state, tries, help. For `show.table`."""
    kept = attempts.read()
    return [_row(exercise, kept.get(exercise.name, Entry())) for exercise in EXERCISES]


def _row(exercise: Exercise, entry: Entry) -> dict[str, str]:
    state = RIGHT if entry.right else NOT_YET if entry.tries else NOT_ATTEMPTED
    helped = [f"{entry.hints} hint{'s' * (entry.hints > 1)}"] * (entry.hints > 0) + ["solution"] * entry.seen
    return {
        "about": exercise.subject,
        "exercise": exercise.title,
        "state": f"{STATES[state][0]} {state}",
        "tries": str(entry.tries),
        "help": ", ".join(helped),
    }
