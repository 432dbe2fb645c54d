"""Exercises on reading: the next token, the surprise at it, a model that counts, and why reading teaches no answers."""

from labutils.lesson.exercises.pretraining.counts import next_word
from labutils.lesson.exercises.pretraining.pages import goes_on
from labutils.lesson.exercises.pretraining.replies import six_replies
from labutils.lesson.exercises.pretraining.shift import inputs_and_targets
from labutils.lesson.exercises.pretraining.surprise import mean_surprise

__all__ = ["goes_on", "inputs_and_targets", "mean_surprise", "next_word", "six_replies"]
