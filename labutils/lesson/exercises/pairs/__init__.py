"""Exercises on what a model is tuned on: labels, templates, splits, files."""

from labutils.lesson.exercises.pairs.broken import repair_file
from labutils.lesson.exercises.pairs.labels import endless, labels_by_hand
from labutils.lesson.exercises.pairs.prompts import question_only
from labutils.lesson.exercises.pairs.splits import fair_split

__all__ = ["endless", "fair_split", "labels_by_hand", "question_only", "repair_file"]
