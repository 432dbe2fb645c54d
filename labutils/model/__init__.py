"""What is trained: models by name, encoding, training, asking."""
