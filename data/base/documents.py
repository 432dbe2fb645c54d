"""A list of documents, `{"text", "meta"}`: its order, its size. What is in them is for other modules."""

import hashlib
from collections.abc import Iterable


def hashed(text: str) -> int:
    """A number of 64 bits that is the same on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def place(document: dict) -> int:
    """Where a document stands in the shuffled corpus: by its package and path alone."""
    return hashed(f"{document['meta']['package']}/{document['meta']['path']}")


def until(documents: Iterable[dict], most: int) -> list[dict]:
    """The first documents that together hold at most so many bytes."""
    kept, size = [], 0
    for document in documents:
        size += len(document["text"].encode())
        if size > most:
            break
        kept.append(document)
    return kept


def sums(documents: list[dict]) -> dict:
    """{"documents": ..., "bytes": ...} of a list, the bytes of the texts alone."""
    return {"documents": len(documents), "bytes": sum(len(document["text"].encode()) for document in documents)}
