"""How far a sample can be trusted, and what the counts of a survey mean: shares with their errors, quantiles, copies.

There are two errors, and they answer two questions.

* Which documents were drawn: how far is the sample from the whole corpus that it was drawn from? (`over_documents`,
  `over_bytes`, `over_listed`)
* Which packages there are: how far is this corpus from another one, made of other packages of the same sort? Documents
  of one package are alike, so it counts packages, not documents: the bootstrap draws packages (`over_packages`).
"""

import math

import numpy as np

from labutils.corpus import sources
from labutils.corpus.duplicates import near_groups
from labutils.corpus.sharded import Part
from labutils.corpus.survey import DuplicateCounter, Lengths, NearDuplicates

# A composition and its intervals. A few huge files hold most bytes of some sets, so what a sample weighs says little of
# them, and its own spread does not tell so. Where lists give the bytes of every file, drawn or not, the sample is asked
# only for what no list knows: which part of the listed bytes is text (`estimated`).

ROUNDS = 2000
Z = 1.959964  # 95 % of a normal distribution lie within so many standard deviations


def estimated(sizes: np.ndarray, drawn: np.ndarray, listed: np.ndarray) -> np.ndarray:
    """The bytes of text in each set of a whole corpus: the separate ratio estimate (Cochran 1977, chapter 6).

    `sizes` are the bytes of text in the files drawn, `drawn` what is listed of these, `listed` what is listed of all.
    Of a set of which none was drawn the list is believed. estimated([80, 0], [100, 0], [1000, 7]) -> [800, 7].
    """
    sizes, drawn = np.asarray(sizes, dtype=float), np.asarray(drawn, dtype=float)
    return np.asarray(listed) * np.divide(sizes, drawn, out=np.ones_like(sizes), where=drawn > 0)


def over_packages(
    table: np.ndarray,
    drawn: np.ndarray | None = None,
    listed: np.ndarray | None = None,
    *,
    seed: int = 0,
    rounds: int = ROUNDS,
) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of each column's share, had other packages been installed: the cluster bootstrap.

    `table` has counts or bytes, one row a package, one column a set; `drawn` and `listed`, alike in form, the bytes
    that are listed of the files drawn and of all: with them, shares are those of the `estimated` bytes. Each round
    draws as many packages as there are, with replacement, and takes the shares anew (percentile interval of a ratio;
    Davison and Hinkley 1997, chapter 3.8). Returns lower and upper ends, one a column. A single package says nothing of
    others: 0 and 1.
    """
    table = np.asarray(table, dtype=float)
    rows, columns = table.shape
    if np.count_nonzero(table.sum(axis=1)) < 2:
        return np.zeros(columns), np.ones(columns)
    times = np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), size=rounds)
    found = times @ table if listed is None else estimated(times @ table, times @ drawn, times @ listed)
    totals = found.sum(axis=1)
    shares = found[totals > 0] / totals[totals > 0, None]
    low, high = np.percentile(shares, [2.5, 97.5], axis=0)
    return low, high


def over_documents(counts: np.ndarray, read: float) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of each set's share of documents, had other documents of the same corpus been drawn.

    Wilson's, with as many documents as a sample with replacement would need to be as sure. `counts` are those drawn,
    one a set; `read` is the part of the corpus that they are: 1 leaves no error, 0 is a sample of something endless.
    """
    counts = np.asarray(counts, dtype=float)
    if read >= 1 and counts.sum():
        return counts / counts.sum(), counts / counts.sum()
    ends = [wilson(count / (1 - read), counts.sum() / (1 - read)) if read < 1 else (0.0, 1.0) for count in counts]
    return np.array([low for low, _ in ends]), np.array([high for _, high in ends])


def over_bytes(counts: np.ndarray, sums: np.ndarray, squares: np.ndarray, read: float) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of each set's share of bytes, had other documents of the same corpus been drawn.

    Linearised variance of a ratio under simple random sampling without replacement (Cochran 1977, chapter 2), from the
    documents drawn, their bytes and the squares of these, one a set. It trusts the spread that it sees: where one huge
    document holds most of a set and was not drawn, the interval is too narrow. A set of which none was drawn gets the
    end it has by documents. `read` is the part of the corpus that was drawn.
    """
    counts, sums, squares = (np.asarray(each, dtype=float) for each in (counts, sums, squares))
    n, total = counts.sum(), sums.sum()
    if n < 2 or not total:
        return np.zeros(len(sums)), np.ones(len(sums))
    share = sums / total
    spread = (1 - 2 * share) * squares + share**2 * squares.sum()  # sum of (value in the set - share * value) ** 2
    half = Z * np.sqrt(np.maximum(0, (1 - read) * spread * n / (n - 1))) / total
    high = np.where(counts > 0, share + half, over_documents(counts, read)[1])
    return np.clip(share - half, 0, 1), np.clip(high, 0, 1)


def over_listed(
    sizes: np.ndarray, drawn: np.ndarray, squares: np.ndarray, listed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of each set's share of the `estimated` bytes, had other files of the same lists been drawn.

    Uncertain is which part of the bytes left undrawn is text. Of each set Wilson's interval says it, for as many files
    as would be as sure were all equally long (Kish 1965: square of the sum over sum of the squares, `squares` being
    those of the listed bytes of each file drawn). A share is at its end where its set is at one end and all the others
    are at the other, which is wider than needed. A huge file that was not drawn and is not as listed escapes it all the
    same. The other arguments are those of `estimated`, one a set.
    """
    sizes, drawn, squares, listed = (np.asarray(each, dtype=float) for each in (sizes, drawn, squares, listed))
    files = np.divide(drawn**2, squares, out=np.zeros_like(drawn), where=squares > 0)
    rate = estimated(sizes, drawn, np.ones_like(drawn))
    most = np.maximum(rate, 1)  # bad UTF-8 is longer as text than as a file
    ends = np.array([wilson(n * part, n) for n, part in zip(files, rate / most, strict=True)]).reshape(-1, 2)
    low, high = (sizes + (listed - drawn) * most * end for end in ends.T)
    return low / np.maximum(low + high.sum() - high, 1), high / np.maximum(high + low.sum() - low, 1)


def wilson(hits: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a share of n (Wilson 1927), which holds for no hits, too. wilson(0, 100) -> (0.0, 0.037)."""
    if not n:
        return 0.0, 1.0
    p, z2 = hits / n, Z * Z / n
    half = math.sqrt(p * (1 - p) * z2 + z2 * z2 / 4)
    return max(0.0, min(p, (p + z2 / 2 - half) / (1 + z2))), min(1.0, max(p, (p + z2 / 2 + half) / (1 + z2)))


# What the counts of a survey mean. Every share of the composition stands with two 95 % intervals: `low` to `high` for
# other packages of the same sort, `draw_low` to `draw_high` for the whole corpus that was drawn from; the first is
# never the narrower. A row's documents and bytes are those read; where installed files were drawn, the share of bytes
# is not that of these bytes but the ratio estimate with the sizes that packages list, also of files not drawn
# (`estimated`).

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
    draw = over_documents(sums[0], of_all)
    by_documents = shares(sums[0], draw, over_packages(documents, seed=seed))
    if part.sizes:
        estimate, draw = estimated(sums[1], sums[3], sums[5]), over_listed(sums[1], *sums[3:])
        by_bytes = shares(estimate, draw, over_packages(read, drawn, listed, seed=seed))
    else:
        draw = over_bytes(*sums[:3], of_all)
        by_bytes = shares(sums[1], draw, over_packages(read, seed=seed))
    rows = [
        {"set": name, "documents": int(sums[0, k]), **by_documents[k], "bytes": int(sums[1, k])}
        | {f"bytes_{key}": value for key, value in by_bytes[k].items()}
        for k, name in enumerate(names)
    ]
    return sorted(rows, key=lambda row: (-row["documents"], row["set"]))


def shares(sums: np.ndarray, draw: Ends, packages: Ends) -> list[dict[str, float]]:
    """{"share", "low", "high", "draw_low", "draw_high"} of each set, of whose documents or bytes there are `sums`.

    `draw` are the ends for which documents were drawn, `packages` those of the bootstrap of packages, which are widened
    to the former, so that a set of which few or none were drawn keeps an upper end.
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

    The sample keeps near-duplicates together about as often as they share lines, so the share is rather too small; the
    interval is that of the sample alone.
    """
    texts = alike.texts()
    groups = near_groups(texts, SIMILAR)
    members = sum(map(len, groups))
    low, high = wilson(members, len(texts))
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
