"""The exercises of the course by name: `exercises.shingles.check(my_answer)`, `.hint()`, `.solution()`."""

from labutils.lesson.exercises import attempts
from labutils.lesson.exercises.adapters import lora_weights, merge_adapter, moved_weights, two_memories, what_shrinks
from labutils.lesson.exercises.attempts import Entry
from labutils.lesson.exercises.corpus import mail_spans, own_rule, share_of_set, shingles, which_sample
from labutils.lesson.exercises.effects import behaviour_first, effect_there, how_much_replay, one_setting, two_by_two
from labutils.lesson.exercises.exercise import Exercise
from labutils.lesson.exercises.finetuning import (
    not_in_handbook,
    own_questions,
    same_loss,
    total_steps,
    which_checkpoint,
)
from labutils.lesson.exercises.pairs import fair_split, question_only, repair_file, which_stop, whole_set
from labutils.lesson.exercises.pretraining import goes_on, inputs_and_targets, mean_loss, next_word, six_replies
from labutils.lesson.exercises.result import NOT_ATTEMPTED, NOT_YET, RIGHT, Result
from labutils.lesson.exercises.shown import STATES
from labutils.lesson.exercises.subjects import NOTEBOOKS
from labutils.lesson.exercises.tasks import (
    baseline_first,
    fair_score,
    held_out_lift,
    own_metric,
    tune_and_report,
    which_task,
)

EXERCISES: tuple[Exercise, ...] = (  # in the order in which they are met
    *(which_sample, shingles, share_of_set, mail_spans, own_rule),
    *(inputs_and_targets, goes_on, six_replies, mean_loss, next_word),
    *(question_only, which_stop, whole_set, fair_split, repair_file),
    *(total_steps, which_checkpoint, same_loss, not_in_handbook, own_questions),
    *(one_setting, behaviour_first, how_much_replay, two_by_two, effect_there),
    *(baseline_first, which_task, fair_score, own_metric),
    *(held_out_lift, tune_and_report),
    *(lora_weights, what_shrinks, two_memories, merge_adapter, moved_weights),
)

__all__ = ["EXERCISES", "Exercise", "Result", "progress", *(exercise.name for exercise in EXERCISES)]


def progress(about: str | None = None) -> list[dict[str, str]]:
    """How far this learner is, a row a notebook; with the name of one, or its number, a row an exercise.

    For `show.table`: notebook, about, exercises (a mark for each), right, next; or exercise, size, state, tries, help.
    progress("03") -> the five of notebook 03. Raises ValueError for a notebook that has no exercises.
    """
    kept = attempts.read()
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
        "notebook": NOTEBOOKS[subject],
        "about": subject,
        "exercises": " ".join(STATES[_state(entry)][0] for _, entry in entries),
        "right": f"{right} of {len(entries)}",
        "next": f"{first.title} ({first.size})" if first else "all done",
    }


def _row(exercise: Exercise, entry: Entry) -> dict[str, str]:
    helped = [f"{entry.hints} hint{'s' * (entry.hints > 1)}"] * (entry.hints > 0) + ["solution"] * entry.seen
    return {
        "exercise": exercise.title,
        "size": exercise.size,
        "state": f"{STATES[_state(entry)][0]} {_state(entry)}",
        "tries": str(entry.tries),
        "help": ", ".join(helped),
    }


def _state(entry: Entry) -> str:
    return RIGHT if entry.right else NOT_YET if entry.tries else NOT_ATTEMPTED
