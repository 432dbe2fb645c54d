"""Experiments of many points: each point is a model trained, asked and scored, and a line of a record."""
