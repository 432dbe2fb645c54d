"""Abbreviations: those that a model is asked for, which the base was trained on, and others, as pairs and as solved
examples. The others show the form of an answer and hold nothing of what is asked.
"""

import random

from labutils import places
from labutils.pairs.records import read_jsonl

FILE = places.DATA / "base" / "facts.jsonl"

KNOWN = {
    "ACL": "access control list", "AUC": "area under the curve", "CDN": "content delivery network",
    "CNN": "convolutional neural network", "CRUD": "create, read, update and delete", "CSS": "cascading style sheets",
    "EBS": "elastic block store", "FIFO": "first in, first out", "FTP": "file transfer protocol",
    "GLM": "generalized linear model", "HMM": "hidden Markov model", "HTML": "hypertext markup language",
    "HTTP": "hypertext transfer protocol", "IDE": "integrated development environment",
    "JSON": "JavaScript object notation", "JWT": "JSON web token", "KNN": "k nearest neighbours",
    "LAN": "local area network", "LSTM": "long short-term memory", "MCMC": "Markov chain Monte Carlo",
    "NAN": "not a number", "ODE": "ordinary differential equation", "PDE": "partial differential equation",
    "PDF": "portable document format", "PNG": "portable network graphics", "RAM": "random access memory",
    "RGB": "red, green and blue", "RNN": "recurrent neural network", "SDK": "software development kit",
    "SGD": "stochastic gradient descent", "SQL": "structured query language", "SSH": "secure shell",
    "TCP": "transmission control protocol", "UDP": "user datagram protocol", "URL": "uniform resource locator",
    "XML": "extensible markup language",
}  # fmt: skip
WORDINGS = ("What does {} stand for?", "What is {} short for?")


def asked() -> list[dict]:
    """What is asked: {"question", "opening", "must"}; the opening is the beginning of a sentence that "must" ends."""
    return read_jsonl(FILE)


def pairs() -> list[dict]:
    """Every abbreviation asked in both ways: {"question", "answer", "fact"}."""
    return [
        {"question": wording.format(short), "answer": f"{short} stands for {long}.", "fact": f"abbreviation {short}"}
        for short, long in KNOWN.items()
        for wording in WORDINGS
    ]


def some(number: int, seed: int) -> list[dict]:
    """`number` pairs about different abbreviations, sampled by the seed."""
    return random.Random(seed).sample(pairs()[:: len(WORDINGS)], number)
