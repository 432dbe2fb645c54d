"""Exercises on fewer weights: what an adapter holds, what it saves, how it is merged, which weights moved."""

from labutils.lesson.exercises.adapters.memory import two_memories
from labutils.lesson.exercises.adapters.merging import merge_adapter
from labutils.lesson.exercises.adapters.moved import moved_weights
from labutils.lesson.exercises.adapters.savings import lora_weights, what_shrinks

__all__ = ["lora_weights", "merge_adapter", "moved_weights", "two_memories", "what_shrinks"]
