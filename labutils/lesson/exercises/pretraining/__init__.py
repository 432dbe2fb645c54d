"""Exercises on pretraining: the next token, its loss, a model that counts, and why none of it teaches answers."""

from labutils.lesson.exercises.pretraining.counts import next_word
from labutils.lesson.exercises.pretraining.loss import mean_loss
from labutils.lesson.exercises.pretraining.pages import goes_on
from labutils.lesson.exercises.pretraining.replies import six_replies
from labutils.lesson.exercises.pretraining.shift import inputs_and_targets

__all__ = ["goes_on", "inputs_and_targets", "mean_loss", "next_word", "six_replies"]
