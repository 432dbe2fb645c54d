"""What a model is pretrained on: streams of documents, and what is in them."""
