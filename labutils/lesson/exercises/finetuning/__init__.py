"""Exercises on fine-tuning: steps, checkpoints, the one objective, what a reply is worth, questions of one's own."""

from labutils.lesson.exercises.finetuning.curves import which_checkpoint
from labutils.lesson.exercises.finetuning.handbook import not_in_handbook
from labutils.lesson.exercises.finetuning.objective import same_loss
from labutils.lesson.exercises.finetuning.questions import own_questions
from labutils.lesson.exercises.finetuning.steps import total_steps

__all__ = ["not_in_handbook", "own_questions", "same_loss", "total_steps", "which_checkpoint"]
