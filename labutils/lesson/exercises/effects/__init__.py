"""Exercises on effects: runs to compare, behaviour and facts, the price, the four cells, what an interval says."""

from labutils.lesson.exercises.effects.amount import how_much_replay
from labutils.lesson.exercises.effects.behaviour import behaviour_first
from labutils.lesson.exercises.effects.cells import two_by_two
from labutils.lesson.exercises.effects.intervals import effect_there
from labutils.lesson.exercises.effects.runs import one_setting

__all__ = ["behaviour_first", "effect_there", "how_much_replay", "one_setting", "two_by_two"]
