"""Exercises on a task of one's own: which one to take, what to beat, how to score it, whether it was worth it."""

from labutils.lesson.exercises.tasks.baseline import baseline_first
from labutils.lesson.exercises.tasks.choosing import which_task
from labutils.lesson.exercises.tasks.lift import held_out_lift
from labutils.lesson.exercises.tasks.metric import own_metric
from labutils.lesson.exercises.tasks.routing import fair_score
from labutils.lesson.exercises.tasks.tuning import tune_and_report

__all__ = ["baseline_first", "fair_score", "held_out_lift", "own_metric", "tune_and_report", "which_task"]
