"""What the counts of a survey mean: shares with their errors, quantiles, copies. A part in, plain values out.

Every share of the composition stands with two 95 % intervals (see `sampling`): `low` to `high` for other packages of
the same sort, `draw_low` to `draw_high` for the whole corpus that was drawn from. The first is never the narrower.

A row's documents and bytes are those read. Where installed files were drawn, the share of bytes is not that of these
bytes but the ratio estimate with the sizes that packages list, also of files not drawn (`sampling.estimated`).
"""

import numpy as np

from labutils.corpus import sampling, sources
from labutils.corpus.duplicates import near_groups
from labutils.corpus.parts import Part
from labutils.corpus.sketches import DuplicateCounter, Lengths, NearDuplicates

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SIMILAR = 0.7  # of the runs of five characters that two texts hold, so many are in both
MOST = 10  # packages that are named

Ends = tuple[np.ndarray, np.ndarray]  # lower and upper, one a set


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
        "shares_of_bytes": "listed sizes" if part.sizes else "bytes read",
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
    owners = sorted({package for package, _ in tallies} | {row.package for row in part.sizes})
    grid = np.zeros((6, len(owners), len(names)))
    for (package, name), tally in tallies.items():
        grid[:3, owners.index(package), names.index(name)] = tally
    for package, name, *sizes in part.sizes:
        grid[3:, owners.index(package), names.index(name)] = sizes
    documents, read, _, drawn, _, listed = grid
    sums, seed = grid.sum(axis=1), part.drawn.seed
    of_all = part.drawn.read if part.whole else 0.0  # of a lone shard, nothing says how much of what it is
    draw = sampling.over_documents(sums[0], of_all)
    by_documents = shares(sums[0], draw, sampling.over_packages(documents, seed=seed))
    if part.sizes:
        estimate, draw = sampling.estimated(sums[1], sums[3], sums[5]), sampling.over_listed(sums[1], *sums[3:])
        by_bytes = shares(estimate, draw, sampling.over_packages(read, drawn, listed, seed=seed))
    else:
        draw = sampling.over_bytes(*sums[:3], of_all)
        by_bytes = shares(sums[1], draw, sampling.over_packages(read, seed=seed))
    rows = [
        {"set": name, "documents": int(sums[0, k]), **by_documents[k], "bytes": int(sums[1, k])}
        | {f"bytes_{key}": value for key, value in by_bytes[k].items()}
        for k, name in enumerate(names)
    ]
    return sorted(rows, key=lambda row: (-row["documents"], row["set"]))


def shares(sums: np.ndarray, draw: Ends, packages: Ends) -> list[dict[str, float]]:
    """{"share", "low", "high", "draw_low", "draw_high"} of each set, of whose documents or bytes there are `sums`.

    `draw` are the ends for which documents were drawn, `packages` those of the bootstrap of packages. What is given of
    these is never narrower than the former, so that a set of which few or none were drawn keeps an upper end.
    """
    columns = sums / (sums.sum() or 1), np.minimum(packages[0], draw[0]), np.maximum(packages[1], draw[1]), *draw
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


def exact(repeats: DuplicateCounter) -> dict:
    """Copies among the documents compared; `sampled` is the part of all contents that was (1: every one)."""
    compared, different = repeats.counts.total(), len(repeats.counts)
    return {
        "compared": compared,
        "copies": compared - different,
        "share": round((compared - different) / compared, 6) if compared else 0.0,
        "sampled": 2.0**-repeats.level,
    }


def near(alike: NearDuplicates) -> dict:
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
