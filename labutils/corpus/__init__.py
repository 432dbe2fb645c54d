"""What a model reads: streams of documents, and what is in them."""
