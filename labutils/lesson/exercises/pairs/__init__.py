"""Exercises on what a model is tuned on: labels, templates, splits, files."""

from labutils.lesson.exercises.pairs.broken import repair_file
from labutils.lesson.exercises.pairs.labels import which_stop
from labutils.lesson.exercises.pairs.prompts import question_only
from labutils.lesson.exercises.pairs.splits import fair_split
from labutils.lesson.exercises.pairs.whole import whole_set

__all__ = ["fair_split", "question_only", "repair_file", "which_stop", "whole_set"]
