"""What changed: scores with their intervals."""
