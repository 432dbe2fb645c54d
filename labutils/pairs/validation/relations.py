"""What only all pairs of a file show: duplicates, conflicts, near-duplicates, leaks, their length in tokens."""

import hashlib
import re
import tempfile
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from labutils.corpus import duplicates
from labutils.corpus.duplicates import BANDS, PERMUTATIONS, shingles, similarity
from labutils.pairs.templates import prompt
from labutils.pairs.validation.problems import LISTED, Tally, named
from labutils.pairs.validation.texts import Parts

# Equal texts: duplicates, one question with two answers, one answer for all, leaks. Only hashes are kept, 24 bytes a
# pair and relation, and beyond a few megabytes they lie on disk: memory stays flat.
PARTS = 64  # the hashes are sorted one part at a time
IN_MEMORY = 1 << 17  # bytes of a part before it moves to disk
ROW = np.dtype([("key", "<u8"), ("other", "<u8"), ("line", "<u8")])
OTHER_FILE = 1 << 63  # marks the line of a second file
DOMINATES, COLLAPSED, LEAST = 0.1, 0.8, 10
INDENT = re.compile(r"\n[ \t]+(?=\S)")


def digest(text: str) -> bytes:
    """Eight bytes that stand for a text, spacing aside, but not that a line is indented, which in code says something:
    two of ten million texts share them once in 400,000 files.
    """
    plain = " ".join(INDENT.sub("\n| ", text).split())
    return hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=8).digest()


class Hashes:
    """Rows (key, other, line), grouped by key at the end. Much like an external sort, without its order."""

    def __init__(self) -> None:
        self.parts = [bytearray() for _ in range(PARTS)]
        self.files, self.distinct = {}, 0

    def add(self, key: bytes, other: bytes, line: int) -> None:
        """Add a row."""
        place = key[0] % PARTS
        part = self.parts[place]
        part += key + other + line.to_bytes(8, "little")
        if len(part) > IN_MEMORY:
            if place not in self.files:
                self.files[place] = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as this object)
            self.files[place].write(part)
            part.clear()

    def groups(self) -> Iterator[np.ndarray]:
        """The rows of each key that occurs more than once, lines in order; `distinct` then counts all keys."""
        self.distinct = 0
        for place, part in enumerate(self.parts):
            early = b""
            if file := self.files.get(place):
                file.seek(0)
                early = file.read()
            rows = np.frombuffer(early + part, ROW)
            rows = rows[np.argsort(rows["key"], kind="stable")]
            found = runs(rows["key"])
            self.distinct += len(found)
            for start, end in found[found[:, 1] - found[:, 0] > 1]:
                yield rows[start:end]


def runs(keys: np.ndarray) -> np.ndarray:
    """Where equal neighbours begin and end, shape (runs, 2). runs([5, 5, 7]) -> [[0, 2], [2, 3]]."""
    starts = np.flatnonzero(np.concatenate([np.ones(min(1, len(keys)), bool), keys[1:] != keys[:-1]]))
    return np.stack([starts, np.append(starts[1:], len(keys))[: len(starts)]], axis=1)


class Relations:
    """The pairs of a file, and of the other side of a split where there is one."""

    def __init__(self, tally: Tally) -> None:
        self.tally, self.pairs = tally, 0
        self.questions, self.answers = Hashes(), Hashes()

    def add(self, number: int, question: str, answer: str, *, other_file: bool = False) -> bytes:
        """Remember a pair; the hash of its question, letter case aside (`fold`). A text without a question is one."""
        asked, said = digest(duplicates.fold(question or answer)), digest(answer if question else "")
        self.questions.add(asked, said, number | OTHER_FILE if other_file else number)
        if not other_file:
            self.pairs += 1
            if question:
                self.answers.add(said, asked, number)
        return asked

    def finish(self, other_name: str) -> set[int]:
        """Tell all relations; the lines whose very question is in the other file."""
        leaked: set[int] = set()
        for group in self.questions.groups():
            if len(group) > 1:
                elsewhere = group["line"] >= OTHER_FILE
                self._same_question(group[~elsewhere])
                if elsewhere.any() and not elsewhere.all():
                    where = named([int(line) - OTHER_FILE for line in group["line"][elsewhere][:LISTED]])
                    for line in map(int, group["line"][~elsewhere]):
                        self.tally.add(line, "split_leak", f"the same question is on {where} of {other_name}")
                        leaked.add(line)
        self._dominating()
        return leaked

    def _same_question(self, group: np.ndarray) -> None:
        group = group[np.argsort(group["other"], kind="stable")]
        answers = [group["line"][start:end] for start, end in runs(group["other"])]
        if len(answers) > 1:
            ties = sorted(int(lines[0]) for lines in answers)
            cause = f"the same question has {len(answers):,} answers, on {named(ties)}"
            self.tally.add(ties[1], "different_answers", cause, lines=ties)
        for lines in answers:
            if len(lines) > 1:
                ties = [int(line) for line in lines[:LISTED]]
                times = "twice" if len(lines) == 2 else f"{len(lines):,} times"
                self.tally.add(ties[1], "duplicate", f"the same pair occurs {times}: {named(ties)}", lines=ties)

    def _dominating(self) -> None:
        often = []
        for group in self.answers.groups():
            if len(group) >= max(LEAST, DOMINATES * self.pairs):
                often.append(([int(line) for line in group["line"][:LISTED]], len(group)))
        for lines, count in sorted(often):
            if count >= threshold(self.answers.distinct) * self.pairs:
                cause = f"one answer is on {count:,} of {self.pairs:,} lines ({count / self.pairs:.0%}), first on "
                self.tally.add(lines[0], "dominating_answer", cause + named(lines[:1]), lines=lines)


def threshold(answers: int) -> float:
    """The share from which one answer dominates, given how many different ones there are: a tenth; where labels are
    few, twice an equal share, but four fifths at most. threshold(1000) -> 0.1; threshold(5) -> 0.4.
    """
    return min(COLLAPSED, max(DOMINATES, 2 / max(1, answers)))


# Nearly equal questions in a file and across a split, in bounded memory and time. The rule is that of
# `corpus.duplicates.near_pairs`, which holds all runs of all texts; this holds a sketch and the text of each of the
# first MOST_TEXTS questions (MOST_CHARACTERS in all), cuts a text at LONGEST, and confirms at most MOST_CONFIRMED
# candidates, the likeliest first. Where a limit was reached, a note says so.
THRESHOLD = 0.6  # the same as in `records.split`
MOST_TEXTS = 50_000
MOST_CHARACTERS = 8_000_000
LONGEST = 4000
MOST_CONFIRMED = 200_000
MOST_KEPT = 500_000  # candidates; most are passed over, because their groups are tied already
SAMPLE = 500  # questions that tell what all of them share
NEIGHBOURS = 2  # within a band, a text is compared with the two before it that share the band, and with the first
LIKELY = THRESHOLD - 0.15  # of 192 hashes; a pair of similarity 0.6 agrees on fewer than this once in 100,000
HALF, LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
BLOCK = 4096  # pairs scored at a time


class Row(NamedTuple):
    """A question that takes part: its line, its text, and whether it comes from the other file of a split."""

    line: int
    text: str
    other: bool


class Near:
    """The questions of a file, and of the other side of a split where there is one."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.rows: list[Row] = []
        self.sketches = array("I")
        self.seen: set[tuple[bytes, bool]] = set()
        self.texts, self.characters, self.left_out = Counter(), Counter(), Counter()  # of each of the files
        self.cut = False

    def add(self, line: int, asked: bytes, text: str, *, other: bool = False) -> None:
        """Take a question in, unless the same (by the hash `asked`) is there already: that is for `relations`."""
        if (asked, other) in self.seen:
            return
        if self.texts[other] >= MOST_TEXTS or self.characters[other] >= MOST_CHARACTERS:
            self.left_out[other] += 1
            return
        self.seen.add((asked, other))
        text = text[:LONGEST].encode("utf-8", "replace").decode()  # a lone surrogate cannot be hashed
        self.texts[other] += 1
        self.characters[other] += len(text)
        self.rows.append(Row(line, text, other))
        self.sketches.extend(duplicates.sketch(shingles(text)).digest())

    def finish(self, other_name: str, leaked: set[int]) -> None:
        """Tell the groups of near-duplicates, and the lines with one in the other file (but not those in `leaked`)."""
        alike, across = self._confirmed(leaked)
        for group in sorted(map(sorted, alike)):
            lines = sorted(self.rows[i].line for i in group)
            cause = f"{len(lines):,} questions are nearly the same, on {named(lines)}"
            self.tally.add(lines[1], "near_duplicate", cause, lines=lines)
        for here, (there, score) in sorted(across.items()):
            cause = f"{score:.0%} of its runs of five characters are those of line {there} of {other_name}"
            self.tally.add(here, "near_split_leak", cause)
        for other, count in self.left_out.items():
            name = f" of {other_name}" if other else ""
            cause = f"near-duplicates were looked for among the first {self.texts[other]:,} questions{name}, "
            self.tally.add(0, "search_bounded", cause + f"not among {count:,} behind them")
        if self.cut:
            cause = "very many questions are alike: only the likeliest near-duplicates were looked at"
            self.tally.add(0, "search_bounded", cause)

    def _confirmed(self, leaked: set[int]) -> tuple[list[set[int]], dict[int, tuple[int, float]]]:
        """Groups of rows within the file; and of each line, the first match in the other file."""
        from scipy.cluster.hierarchy import DisjointSet  # half a second, only where it is asked

        grams, alike, asked = self._grams(), DisjointSet(), 0
        across: dict[int, tuple[int, float]] = {}
        for i, j in self._candidates():
            here, there = sorted((self.rows[i], self.rows[j]), key=lambda row: row.other)
            if here.other or (there.other and (here.line in across or here.line in leaked)):
                continue
            if not there.other and i in alike and j in alike and alike.connected(i, j):
                continue
            if asked == MOST_CONFIRMED:
                self.cut = True
                break
            asked += 1
            score = min(similarity(grams(i), grams(j)), duplicates.crossed(self.parts[i], self.parts[j]))
            if score < THRESHOLD or duplicates.told_apart(here.text, there.text):
                continue
            if there.other:
                across[here.line] = (there.line, score)
            else:
                alike.add(i), alike.add(j)
                alike.merge(i, j)
        return alike.subsets(), across

    def _grams(self) -> Callable[[int], set[str]]:
        """What gives the runs of a row; where rows share an instruction, their sketches are made anew without it."""
        self.parts = duplicates.headed([row.text for row in self.rows])
        sample = self.parts[:: max(1, len(self.parts) // SAMPLE)]
        often = duplicates.shared([shingles(rest) for _, rest in sample])
        grams = lru_cache(4096)(lambda i: (runs := shingles(self.parts[i][1])) - often or runs)
        for i, (head, _) in enumerate(self.parts):
            if often or head:
                begin = i * PERMUTATIONS
                self.sketches[begin : begin + PERMUTATIONS] = array("I", duplicates.sketch(grams(i)).digest())
        return grams

    def _candidates(self) -> Iterator[tuple[int, int]]:
        """Pairs of rows that share a band, the likeliest first."""
        sketches = np.frombuffer(self.sketches, np.uint32).reshape(-1, PERMUTATIONS)
        found: list[tuple[np.ndarray, np.ndarray]] = [(np.empty(0, np.uint64), np.empty(0, np.int64))]
        for each in likely(sketches) if self.rows else ():
            found.append(each)
            if sum(len(pairs) for pairs, _ in found) > 4 * MOST_KEPT:
                found = [best(found)]
        pairs, _ = best(found)
        self.cut = len(pairs) == MOST_KEPT
        for at in range(0, len(pairs), BLOCK):
            block = pairs[at : at + BLOCK]
            yield from zip((block >> HALF).tolist(), (block & LOW).tolist(), strict=True)


def best(found: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Pairs and their scores, once each, the likeliest first, MOST_KEPT at most."""
    pairs, scores = (np.concatenate(each) for each in zip(*found, strict=True))
    order = np.lexsort((pairs, -scores))
    pairs, scores = pairs[order], scores[order]
    once = np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]  # a pair that shares several bands has one score
    return pairs[once][:MOST_KEPT], scores[once][:MOST_KEPT]


def likely(sketches: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each band, the pairs of rows that share it and agree on at least LIKELY of all hashes, and that number.

    `sketches` has the shape (rows, PERMUTATIONS); a pair is i * 2**32 + j.
    """
    for band in np.split(sketches, BANDS, axis=1):
        pairs = sharing(band)
        scores = np.empty(len(pairs), np.int64)
        for at in range(0, len(pairs), BLOCK):
            one, other = (pairs[at : at + BLOCK] >> HALF).astype(int), (pairs[at : at + BLOCK] & LOW).astype(int)
            scores[at : at + BLOCK] = (sketches[one] == sketches[other]).sum(axis=1, dtype=np.uint8)
        enough = scores >= LIKELY * PERMUTATIONS
        yield pairs[enough], scores[enough]


def sharing(band: np.ndarray) -> np.ndarray:
    """Pairs of rows with the same values in a band, shape (rows, 3), each as i * 2**32 + j with i < j."""
    one, two, three = (column.astype(np.uint64) for column in band.T)
    keys = (one << HALF | two) ^ (three * np.uint64(0x9E3779B97F4A7C15))  # a clash is confirmed away
    order = np.argsort(keys, kind="stable").astype(np.uint64)
    keys = keys[order.astype(np.int64)]
    found = []
    for step in range(1, NEIGHBOURS + 1):
        same = keys[step:] == keys[:-step]
        found.append(order[:-step][same] << HALF | order[step:][same])
    starts = np.maximum.accumulate(np.where(np.append(True, keys[1:] != keys[:-1]), np.arange(len(keys)), 0))
    away = np.arange(len(keys)) - starts > NEIGHBOURS
    found.append(order[starts[away]] << HALF | order[away])
    return np.concatenate(found)


# How long pairs are in tokens: what does not fit, what all of them cost. The tokenizer is an argument.

CHARACTERS_A_TOKEN = 4  # English under a vocabulary of some ten thousand; a rough figure for want of a tokenizer
Tokenizer = Callable[[str], Sequence[int]]


class Lengths:
    """Counts the tokens of a file's pairs as training counts them: prompt, answer, end-of-text."""

    def __init__(self, tally: Tally, tokenizer: Tokenizer | None, max_length: int, template: str) -> None:
        self.tally, self.tokenizer, self.max_length, self.template = tally, tokenizer, max_length, template
        self.pairs = self.tokens = 0

    def add(self, number: int, parts: Parts) -> None:
        """Count a pair, and tell what of it does not fit."""
        asked = self._count(prompt(self.template, parts.question)) if parts.question else 0
        total = asked + self._count(parts.answer) + 1
        self.pairs, self.tokens = self.pairs + 1, self.tokens + total
        if total <= self.max_length:
            return
        about = "" if self.tokenizer else "about "
        if asked >= self.max_length:
            cause = f"the prompt alone has {about}{asked:,} tokens, the limit is {self.max_length:,}"
            self.tally.add(number, "nothing_left", cause)
        else:
            cause = f"prompt and answer have {about}{total:,} tokens, the limit is {self.max_length:,}"
            self.tally.add(number, "answer_truncated", cause)

    def finish(self, tokens_per_second: float | None) -> None:
        """Tell the tokens in total, and the minutes that they cost."""
        if not self.pairs:
            return
        about, how = ("", "") if self.tokenizer else ("about ", f" (at {CHARACTERS_A_TOKEN} characters a token)")
        cause = f"{about}{self.tokens:,} tokens in {self.pairs:,} pair{'' if self.pairs == 1 else 's'}{how}"
        if tokens_per_second:
            minutes = self.tokens / tokens_per_second / 60
            cause += f"; {minutes:,.1f} minutes a pass at {tokens_per_second:,.0f} tokens a second"
        self.tally.add(0, "tokens", cause)

    def _count(self, text: str) -> int:
        if self.tokenizer is None:
            return -(-len(text) // CHARACTERS_A_TOKEN)
        return len(self.tokenizer(text.encode("utf-8", "replace").decode()))  # a lone surrogate stops most tokenizers
