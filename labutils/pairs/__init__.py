"""What a model is tuned on: records, templates, and the files that hold them."""
