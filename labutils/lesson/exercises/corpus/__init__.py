"""Exercises on what a model is pretrained on: samples, near-duplicates, personal data, rules that clean."""

from labutils.lesson.exercises.corpus.likeness import shingles
from labutils.lesson.exercises.corpus.rules import own_rule
from labutils.lesson.exercises.corpus.sampling import share_of_set
from labutils.lesson.exercises.corpus.spans import mail_spans
from labutils.lesson.exercises.corpus.streams import which_sample

__all__ = ["mail_spans", "own_rule", "share_of_set", "shingles", "which_sample"]
