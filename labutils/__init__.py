"""The helper package of the course: one small language model's life, from raw text to a finetuned assistant."""
