"""How far a sample can be trusted: a composition and its intervals.

Numbers in, intervals out; no files. There are two errors, and they answer two questions.

* Which documents were drawn: how far is the sample from the whole corpus that it was drawn from? (`over_documents`,
  `over_bytes`, `over_listed`)
* Which packages there are: how far is this corpus from another one, made of other packages of the same sort? Documents
  of one package are alike, so it counts packages, not documents: the bootstrap draws packages (`over_packages`).

A few huge files hold most bytes of some sets, so what a sample weighs says little of them, and its own spread does not
tell so. Where lists give the bytes of every file, drawn or not, the sample is asked only for what no list knows: which
part of the listed bytes is text (`estimated`).
"""

import math

import numpy as np

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

    Args:
        table: counts or bytes, one row a package, one column a set.
        drawn, listed: bytes that are listed of the files drawn and of all, in the same rows and columns; with them,
            shares are those of the `estimated` bytes.
        seed, rounds: of the bootstrap, which draws as many packages as there are, with replacement, and takes the
            share anew each round (percentile interval of a ratio; Davison and Hinkley 1997, chapter 3.8).

    Returns:
        Lower and upper ends, one a column. A single package says nothing of others: 0 and 1.
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

    Linearised variance of a ratio under simple random sampling without replacement (Cochran 1977, chapter 2). It trusts
    the spread that it sees: where one huge document holds most of a set and was not drawn, the interval is too narrow.
    A set of which none was drawn gets the end it has by documents.

    Args:
        counts, sums, squares: documents, their bytes, and the squares of their bytes, one a set.
        read: the part of the corpus that was drawn.
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
    as would be as sure were all equally long (Kish 1965: square of the sum over sum of the squares), so that it does
    not shrink to nothing where all files drawn were as listed. A share is at its end where its set is at one end and
    all the others are at the other, which is wider than needed. A huge file that was not drawn and is not as listed
    escapes it all the same.

    Args:
        sizes, drawn, listed: as for `estimated`, one a set.
        squares: of the listed bytes of each file drawn, summed.
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
