"""Which texts are the same, exactly or nearly. Texts in, groups of their positions out.

Nearly the same means: of all runs of five characters in two texts, more than a threshold are shared (the Jaccard
similarity; Broder 1997, "On the resemblance and containment of documents"). MinHash finds the candidates, the exact
similarity confirms them.
"""

import re
from collections.abc import Sequence

from rensa import RMinHash, RMinHashLSH

PERMUTATIONS = 192
BANDS = 64  # 3 values a band: a pair of similarity 0.6 is missed with probability (1 - 0.6**3)**64, 2 in 10 million


def shingles(text: str, size: int = 5) -> set[str]:
    """The runs of `size` characters of a text, case and punctuation aside. shingles("No, no!") -> {"no no"}."""
    plain = re.sub(r"\W+", " ", text.lower()).strip()
    return {plain[i : i + size] for i in range(max(1, len(plain) - size + 1))}


def similarity(one: set[str], other: set[str]) -> float:
    """The Jaccard similarity of two sets, between 0 and 1."""
    return len(one & other) / len(one | other) if one or other else 1.0


def near_pairs(texts: Sequence[str], threshold: float = 0.6) -> list[tuple[int, int, float]]:
    """Pairs (i, j, similarity), i < j, of texts whose similarity is at least `threshold`.

    Raises ValueError for a threshold under 0.4, where MinHash with this many bands misses more than 1 pair in 60.
    """
    if not 0.4 <= threshold <= 1:
        raise ValueError(f"threshold must lie between 0.4 and 1, got {threshold}")
    sets = [shingles(text) for text in texts]
    index = RMinHashLSH(threshold=threshold, num_perm=PERMUTATIONS, num_bands=BANDS)
    pairs = []
    for i, grams in enumerate(sets):
        sketch = RMinHash(num_perm=PERMUTATIONS, seed=0)
        sketch.update(sorted(grams))
        for j in sorted(set(index.query(sketch))):
            if (score := similarity(grams, sets[j])) >= threshold:
                pairs.append((j, i, score))
        index.insert(i, sketch)
    return sorted(pairs)


def near_groups(texts: Sequence[str], threshold: float = 0.6) -> list[list[int]]:
    """Positions of texts linked by near-duplicate pairs, as groups of two or more, in order.

    near_groups(["How tall is it?", "Why?", "how tall is it"]) -> [[0, 2]]
    """
    return linked([(i, j) for i, j, _ in near_pairs(texts, threshold)])


def linked(pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The groups that pairs tie together. linked([(0, 4), (4, 7), (2, 3)]) -> [[0, 4, 7], [2, 3]]."""
    from scipy.cluster.hierarchy import DisjointSet  # half a second, only where it is asked

    groups = DisjointSet({place for pair in pairs for place in pair})
    for one, other in pairs:
        groups.merge(one, other)
    return sorted(map(sorted, groups.subsets()))
