"""The exercises of the course by name: `exercises.shingles.check(my_answer)`, `.hint()`, `.solution()`."""

from labutils.lesson.exercises import attempts
from labutils.lesson.exercises.adapters_sizes import lora_weights, two_memories, what_shrinks
from labutils.lesson.exercises.adapters_weights import merge_adapter, moved_weights
from labutils.lesson.exercises.attempts import Entry
from labutils.lesson.exercises.corpus_measures import share_of_set, shingles, which_sample
from labutils.lesson.exercises.corpus_rules import own_rule
from labutils.lesson.exercises.corpus_spans import mail_spans
from labutils.lesson.exercises.effects_differences import effect_there, two_by_two
from labutils.lesson.exercises.effects_runs import behaviour_first, how_much_replay, one_setting
from labutils.lesson.exercises.exercise import NOT_ATTEMPTED, NOT_YET, NOTEBOOKS, RIGHT, STATES, Exercise, Result
from labutils.lesson.exercises.finetuning_handbook import not_in_handbook, own_questions
from labutils.lesson.exercises.finetuning_runs import same_loss, total_steps, which_checkpoint
from labutils.lesson.exercises.pairs_facts import fair_split
from labutils.lesson.exercises.pairs_rows import repair_file, which_stop
from labutils.lesson.exercises.pairs_templates import question_only, whole_set
from labutils.lesson.exercises.pretraining_replies import goes_on, six_replies
from labutils.lesson.exercises.pretraining_tokens import inputs_and_targets, mean_loss, next_word
from labutils.lesson.exercises.tasks_metrics import own_metric
from labutils.lesson.exercises.tasks_queues import baseline_first, fair_score, which_task
from labutils.lesson.exercises.tasks_reports import held_out_lift, tune_and_report

EXERCISES: tuple[Exercise, ...] = (  # in the order in which they are met
    *(which_sample, shingles, share_of_set, mail_spans, own_rule),
    *(inputs_and_targets, goes_on, six_replies, mean_loss, next_word),
    *(question_only, which_stop, whole_set, fair_split, repair_file),
    *(total_steps, which_checkpoint, same_loss, not_in_handbook, own_questions),
    *(one_setting, behaviour_first, how_much_replay, two_by_two, effect_there),
    *(which_task, fair_score, own_metric),
    *(baseline_first, held_out_lift, tune_and_report),
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
