"""Which documents stay: the rules of the course's quality funnel, repeated lines, near-duplicates, shares of a kind.

The funnel is C4's, Gopher's and FineWeb's, with thresholds that fit documentation; the card says which differ and why.
Documents come in order, and the first of those that say the same stays, so held-out packages come first: what is close
to them falls. Every document that falls is counted under its reason.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from multiprocessing.pool import Pool

from rensa import RMinHash

from documents import hashed, place, sums, until
from labutils.corpus import personal, quality
from labutils.corpus.survey import language

API = "API descriptions"
API_SHARE = 0.45  # of the prose, at most: descriptions of web services, generated or nearly so
LEAST_REPEATED = {API: 4}  # words of a line that is dropped where it comes again; 8 in all other sets
PHRASES = {5: 0.30, 6: 0.28, 7: 0.26, 8: 0.24, 9: 0.22, 10: 0.20}  # twice Gopher's: descriptions of fields are alike
RULES = [
    partial(quality.too_few_words, least=30),
    quality.word_length, quality.symbols, partial(quality.bullets, most=0.95), quality.cut_lines, quality.letters,
    quality.stop_words, quality.repeated_lines, quality.one_phrase, partial(quality.repeated_phrases, most=PHRASES),
    quality.lorem_ipsum, quality.curly_bracket, partial(quality.few_sentences, least=2),
    partial(quality.unfinished_lines, most=0.25), quality.short_lines, quality.repeated_characters,
]  # fmt: skip
PERMUTATIONS, ROWS = 64, 4  # MinHash over runs of five words; a pair of similarity 0.6 is found with probability 0.89
NEAR = 0.6


def unseen(documents: Iterable[dict], dropped: Counter) -> Iterator[dict]:
    """Documents without the lines of at least eight words (four in descriptions of services) that came before."""
    seen: set[int] = set()
    for document in documents:
        least = LEAST_REPEATED.get(document["meta"]["pile_set_name"], 8)
        blocks = (unseen_lines(block, least, seen, dropped) for block in document["text"].split("\n\n"))
        yield {"text": "\n\n".join(block for block in blocks if block is not None), "meta": document["meta"]}


def unseen_lines(block: str, least: int, seen: set[int], dropped: Counter) -> str | None:
    """A paragraph's new lines, which are seen from now on; None where there is none."""
    lines = []
    for line in block.split("\n"):
        words = re.findall(r"\w+", line.lower())
        key = hashed(" ".join(words))
        if len(words) >= least and key in seen:
            dropped["lines seen before"] += 1
            dropped["bytes of lines seen before"] += len(line)
        else:
            lines.append(line)
            seen.add(key)
    return "\n".join(lines) if lines else None


def judged(pool: Pool, documents: Iterable[dict], rules: list[Callable], dropped: Counter) -> list[dict]:
    """The documents that pass the rules, personal data masked, each with its MinHash under "sketch"."""
    kept = []
    for document, reason in pool.imap(partial(judge, rules=rules), documents, chunksize=200):
        if reason:
            dropped[reason] += 1
        else:
            kept.append(document)
    return kept


def judge(document: dict, rules: list[Callable]) -> tuple[dict | None, str]:
    """A document with personal data masked and its MinHash, or None and the reason. Without rules, all pass."""
    text = document["text"]
    if reason := quality.judge(text, rules).reason:
        return None, reason
    if rules and language(text) != "en":
        return None, "not English"
    text = personal.mask(text)
    words = re.findall(r"\w+", text.lower())
    sketch = RMinHash(num_perm=PERMUTATIONS, seed=0)
    sketch.update([" ".join(words[i : i + 5]) for i in range(max(1, len(words) - 4))])
    return {"text": text, "meta": document["meta"], "sketch": tuple(sketch.digest())}, ""


def not_near(documents: Iterable[dict], held_out: set[str], dropped: Counter) -> Iterator[dict]:
    """The first document of each group of near-duplicates, in order, without its sketch."""
    places = defaultdict(list)
    for document in documents:
        sketch = document["sketch"]
        bands = [(i, sketch[i : i + ROWS]) for i in range(0, PERMUTATIONS, ROWS)]
        near = {id(other): other for band in bands for other in places[band]}.values()
        twin = next((other for other in near if alike(sketch, other["sketch"]) >= NEAR), None)
        if twin is None:
            for band in bands:
                places[band].append(document)
            yield {"text": document["text"], "meta": document["meta"]}
        elif twin["meta"]["package"] in held_out and document["meta"]["package"] not in held_out:
            dropped["near a held-out document"] += 1
        else:
            dropped["near-duplicate"] += 1


def alike(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """The share of equal MinHash values, an estimate of the Jaccard similarity."""
    return sum(map(int.__eq__, one, other)) / PERMUTATIONS


def capped(documents: list[dict], dropped: Counter) -> list[dict]:
    """All documents, but of the descriptions of services only so many that they are at most API_SHARE of the bytes."""
    api = [document for document in documents if document["meta"]["pile_set_name"] == API]
    other = [document for document in documents if document["meta"]["pile_set_name"] != API]
    kept = until(sorted(api, key=place), int(API_SHARE / (1 - API_SHARE) * sums(other)["bytes"]))
    dropped["over the share of API descriptions"] += len(api) - len(kept)
    return other + kept
