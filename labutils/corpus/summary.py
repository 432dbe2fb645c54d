"""What the counts of a survey mean: shares with their errors, quantiles, copies. A part in, plain values out.

Every share of the composition stands with two 95 % intervals (see `sampling`): `low` to `high` for other packages of
the same sort, `draw_low` to `draw_high` for the whole corpus that was drawn from. The first is never the narrower.
"""

import numpy as np

from labutils.corpus import sampling, sources
from labutils.corpus.duplicates import near_groups
from labutils.corpus.parts import Part
from labutils.corpus.sketches import Alike, Lengths, Repeats

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SIMILAR = 0.7  # of the runs of five characters that two texts hold, so many are in both
MOST = 10  # packages that are named


def summary(part: Part) -> dict:
    """A part's survey as one JSON object: composition, packages, lengths, languages, copies, findings."""
    survey = part.survey
    rows = list(survey.tallies.values())
    return {
        "source": part.drawn.source,
        "listed": part.drawn.listed,
        "limit": part.drawn.limit,
        "seed": part.drawn.seed,
        "shards": [f"{i}/{n}" for i, n in part.shards],
        "documents": sum(row.documents for row in rows),
        "bytes": sum(row.bytes for row in rows),
        "composition": composition(part),
        "packages": packages(part),
        "lengths": {"characters": _lengths(survey.characters), "tokens": _lengths(survey.tokens)},
        "languages": dict(sorted(survey.languages.items(), key=lambda item: (-item[1], item[0]))),
        "exact_duplicates": exact(survey.repeats),
        "near_duplicates": near(survey.alike),
        "personal": {kind: {"found": n, "documents": survey.holders[kind]} for kind, n in sorted(survey.found.items())},
    }


def composition(part: Part) -> list[dict]:
    """A row a set, the most documents first; of the installed corpus every set, also those of which none was drawn."""
    tallies = part.survey.tallies
    names = sorted({name for _, name in tallies} | set(sources.SETS if part.drawn.source == "installed" else ()))
    owners = sorted({package for package, _ in tallies})
    grid = np.zeros((3, len(owners), len(names)))
    for (package, name), tally in tallies.items():
        grid[:, owners.index(package), names.index(name)] = tally
    documents, sizes, _ = grid
    read = part.drawn.read if part.whole else 0.0  # of a lone shard, nothing says how much of what it is
    seed = part.drawn.seed
    by_documents = shares(documents, sampling.over_documents(documents.sum(axis=0), read), seed)
    by_bytes = shares(sizes, sampling.over_bytes(*grid.sum(axis=1), read), seed)
    rows = [
        {"set": name, "documents": int(documents[:, k].sum()), **by_documents[k], "bytes": int(sizes[:, k].sum())}
        | {f"bytes_{key}": value for key, value in by_bytes[k].items()}
        for k, name in enumerate(names)
    ]
    return sorted(rows, key=lambda row: (-row["documents"], row["set"]))


def shares(table: np.ndarray, draw: tuple[np.ndarray, np.ndarray], seed: int) -> list[dict[str, float]]:
    """{"share", "low", "high", "draw_low", "draw_high"} of each column of a table, packages by sets.

    `draw` is the error of which documents were drawn; the bootstrap of packages is never narrower, so that a set of
    which few or none were drawn keeps an upper end.
    """
    sums = table.sum(axis=0)
    low, high = sampling.over_packages(table, seed=seed)
    columns = sums / (sums.sum() or 1), np.minimum(low, draw[0]), np.maximum(high, draw[1]), *draw
    keys = ("share", "low", "high", "draw_low", "draw_high")
    return [dict(zip(keys, (round(float(end), 6) for end in row), strict=True)) for row in zip(*columns, strict=True)]


def packages(part: Part) -> dict:
    """How many packages there are, and the ten with the most documents."""
    found: dict[str, list[int]] = {}
    for (package, _), tally in part.survey.tallies.items():
        row = found.setdefault(package, [0, 0])
        row[0], row[1] = row[0] + tally.documents, row[1] + tally.bytes
    most = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))[:MOST]
    return {"number": len(found), "most": [{"package": name, "documents": n, "bytes": b} for name, (n, b) in most]}


def exact(repeats: Repeats) -> dict:
    """Copies among the documents compared; `sampled` is the part of all contents that was (1: every one)."""
    compared, different = repeats.counts.total(), len(repeats.counts)
    return {
        "compared": compared,
        "copies": compared - different,
        "share": round((compared - different) / compared, 6) if compared else 0.0,
        "sampled": 2.0**-repeats.level,
    }


def near(alike: Alike) -> dict:
    """How many of a few hundred different documents have a near-duplicate among them, by their first 1,000 characters.

    The sample keeps near-duplicates together about as often as they share lines, so the share is too small rather than
    too large for the corpus; the interval is that of the sample alone.
    """
    texts = alike.texts()
    groups = near_groups(texts, SIMILAR)
    members = sum(map(len, groups))
    low, high = sampling.wilson(members, len(texts))
    return {
        "compared": len(texts),
        "in_groups": members,
        "groups": len(groups),
        "share": round(members / len(texts), 6) if texts else 0.0,
        "low": round(low, 6),
        "high": round(high, 6),
    }


def _lengths(lengths: Lengths) -> dict | None:
    if not lengths.bins:
        return None
    quantiles = {f"{100 * share:g} %": lengths.quantile(share) for share in QUANTILES}
    return {**quantiles, "largest": lengths.largest, "mean": round(lengths.total / lengths.bins.total(), 1)}
