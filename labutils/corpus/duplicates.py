"""Which texts are the same, exactly or nearly. Texts in, groups of their positions out.

Nearly the same means: of all runs of five characters in two texts, more than a threshold are shared (the Jaccard
similarity; Broder 1997, "On the resemblance and containment of documents"). MinHash finds the candidates, the exact
similarity confirms them, so a group holds no accidental member. Of short texts, such as questions, two things more
count: a shared instruction says nothing, and a number, a sign, a vowel sign, a unit or a quoted word that differs tells
two apart, however alike they are.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from rensa import RMinHash, RMinHashLSH

PERMUTATIONS = 192
BANDS = 64  # 3 values a band: a pair of similarity 0.6 is missed with probability (1 - 0.6**3)**64, 2 in 10 million
SHARED, LEAST = 0.5, 5  # runs on more than this share of the texts, and on this many, are shared by the set
HEAD = re.compile(r"[^:：\n?？]{1,200}[:：\n]\s*(?=\S)")  # what may be an instruction, before the text that it is about


def _marks() -> str:
    """The combining marks as ranges of a character class: vowel signs and the like, which `\\w` does not hold."""
    marks = [code for code in range(0x300, 0x1E950) if unicodedata.category(chr(code))[0] == "M"]
    runs = (list(run) for _, run in groupby(enumerate(marks), lambda each: each[1] - each[0]))
    return "".join(f"{chr(run[0][1])}-{chr(run[-1][1])}" for run in runs)


MARKS = _marks()
BETWEEN, PLAIN = re.compile(rf"[^\w{MARKS}]+"), re.compile(r"\W+", re.ASCII)


def shingles(text: str, size: int = 5) -> set[str]:
    """The runs of `size` characters of a text, case and punctuation aside. shingles("No, no!") -> {"no no"}."""
    plain = (PLAIN if text.isascii() else BETWEEN).sub(" ", text.lower()).strip()
    return {plain[i : i + size] for i in range(max(1, len(plain) - size + 1))}


def shared(sets: Sequence[set[str]]) -> set[str]:
    """The runs that more than half of a set of texts hold, where they make up half of the texts: a shared instruction.

    Empty for texts that share less, and for few texts.
    """
    counts = Counter(run for grams in sets for run in grams)
    often = {run for run, count in counts.items() if count >= LEAST and count > SHARED * len(sets)}
    return often if sum(len(grams & often) for grams in sets) > SHARED * sum(map(len, sets)) else set()


def headed(texts: Sequence[str]) -> list[tuple[str, str]]:
    """Each text as an instruction and the rest. An instruction ends in a colon or with its line, and LEAST of the texts
    begin with it; elsewhere it is "". headed(["Add: 2, 3"]) -> [("", "Add: 2, 3")]
    """
    heads = [found[0] if (found := HEAD.match(text)) else "" for text in texts]
    counts = Counter(heads)
    heads = [head if counts[head] >= LEAST else "" for head in heads]
    return [(head, text[len(head) :]) for head, text in zip(heads, texts, strict=True)]


def crossed(one: tuple[str, str], other: tuple[str, str]) -> float:
    """How alike two texts of `headed` are as a whole, where each has its own instruction; 1 elsewhere."""
    return similarity(shingles("".join(one)), shingles("".join(other))) if "" != one[0] != other[0] != "" else 1.0


def sketch(runs: Iterable[str]) -> RMinHash:
    """The MinHash of a set of runs."""
    found = RMinHash(num_perm=PERMUTATIONS, seed=0)
    found.update(sorted(runs))
    return found


def similarity(one: set[str], other: set[str]) -> float:
    """The Jaccard similarity of two sets, between 0 and 1."""
    return len(one & other) / len(one | other) if one or other else 1.0


def near_pairs(texts: Sequence[str], threshold: float = 0.6, *, whole: bool = False) -> list[tuple[int, int, float]]:
    """Pairs (i, j, similarity), i < j, of texts whose similarity is at least `threshold`.

    What most of the texts share is left out, and an instruction that several begin with; pairs that `told_apart` parts
    are none. Not so where the texts are `whole` documents. Raises ValueError for a threshold under 0.4, where MinHash
    with this many bands misses more than 1 pair in 60.
    """
    if not 0.4 <= threshold <= 1:
        raise ValueError(f"threshold must lie between 0.4 and 1, got {threshold}")
    parts = [("", text) for text in texts] if whole else headed(texts)
    sets = [shingles(text) for _, text in parts]
    often = set() if whole else shared(sets)
    sets = [grams - often or grams for grams in sets]
    index = RMinHashLSH(threshold=threshold, num_perm=PERMUTATIONS, num_bands=BANDS)
    pairs = []
    for i, grams in enumerate(sets):
        mine = sketch(grams)
        for j in sorted(set(index.query(mine))):
            score = min(similarity(grams, sets[j]), crossed(parts[i], parts[j]))
            if score >= threshold and (whole or not told_apart(texts[i], texts[j])):
                pairs.append((j, i, score))
        index.insert(i, mine)
    return sorted(pairs)


def near_groups(texts: Sequence[str], threshold: float = 0.6) -> list[list[int]]:
    """Positions of documents linked by near-duplicate pairs, as groups of two or more, in order.

    near_groups(["How tall is it?", "Why?", "how tall is it"]) -> [[0, 2]]
    """
    return linked([(i, j) for i, j, _ in near_pairs(texts, threshold, whole=True)])


# What tells two questions apart that are alike otherwise: C and C++, 5 mW and 5 MW, unit 12 and unit 13, -n and -N.

NUMERALS, PICTURES = "〇零一二三四五六七八九十百千万萬两兩", "\u2300-\u2bff\U0001d100-\U0001d1ff\U0001f000-\U0001faff"
SIGN = "+#*/=<>^~|&%$@[\\]{}\\\\°¬±×÷\u2190-\u22ff\u20a0-\u20cf£¥€¢"
LETTER = rf"[^\W\d_{NUMERALS}]"
UPPER = re.compile(rf"(?<!{LETTER})[a-z]*+[^\W\d_a-z]{LETTER}*+")  # words with more than the letters a to z
GROUP = rf"\((?=[^()]*(?:[{SIGN}]|\d ?-))"  # as in (2+3)*4
OPERATOR = rf"[!:?-]*[{SIGN}]+|(?<!\S)[.-](?=\w)|(?<=\b[A-Za-z])['\u2032]+(?!\w)|{GROUP}"  # such as !=, -n, .NET, f'
OPERATOR += r"|(?<=\n)[ \t]+(?=\S)"  # code that is indented
PICTURE = rf"[{NUMERALS}{PICTURES}]+|(?<![\w.-])[.-]{{2,}}+(?!\w)"  # and Morse code
STOP = r"(?<=\s)[.,;:!?]\s|(?<=[\"`])[.,;:!?][\"`]"  # a stop that is asked about
WORD = rf"{LETTER}(?:[^\W\d{NUMERALS}]|[{MARKS}])*(?:(?!{GROUP})\()?"
PIECE = re.compile(rf"\d+(?:[.,]\d+)*|{WORD}|{OPERATOR}|{PICTURE}|{STOP}")
LONE = rf"{PICTURE}|[.,;:!?][\"`\s]"
CRITICAL = re.compile(rf"(?!(?:{LONE})$)(?:\d|[^\w{MARKS}]|[b-df-hj-np-tv-xzα-ζθ-ξπ-ω]$)", re.I)  # letters as names
NAME = re.compile(  # of a letter, a function; a unit, an abbreviation, a Roman numeral: each text has its own
    rf"{LETTER}[\u0300-\u036f]*|[b-df-hj-np-tv-xzμ]{{2,3}}|[ivx]{{2,}}|{LETTER}(?-i:[A-Z]).*|.*\(|{LONE}", re.I
)
QUOTED = re.compile(rf"(?<!\w)(?:«\s?|[\"'`„“‘「])((?:[^\W\d]|[{MARKS}])+)[.,]?(?:[\"'`“”’」]|\s?»)")  # one word
POINTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]")  # may be left out: é, Hebrew vowels
SIGNS = re.compile(f"[{MARKS}\u0e30-\u0e45\u0eb0-\u0ec4\u1161-\u1175]")  # Thai, Lao, Korean: vowels as letters


def fold(text: str) -> str:
    """A text, letter case aside where it says nothing: not in units behind a number, in options, in abbreviations of
    two letters and in words with a capital inside. fold("How many Watts are 5 MW?") -> "how many watts are 5 MW?"
    """
    usual = text[1:].islower() and text[1].isalpha()  # most questions have one capital, the first letter
    return text.lower() if usual or text.isupper() else UPPER.sub(_folded, text)


def _folded(word: re.Match) -> str:
    letters, before = word[0], word.string[max(0, word.start() - 2) : word.start()]
    if len(letters) == 1:
        return letters.lower() if letters in "AI" else letters
    if len(letters) == 2 and (letters.isupper() or before.strip()[-1:].isdigit()):
        number = word.string[word.end() : word.end() + 2].lstrip("-")[:1].isdigit()  # "PL-30" is a name
        return letters.lower() if number else letters
    return letters.lower() if letters[1:].islower() or letters.isupper() else letters


def told_apart(one: str, other: str) -> bool:
    """Whether two texts that are nearly the same differ in what carries meaning: a number, a sign, a name of one
    letter, a vowel sign, the case of a unit; or each has a NAME, or a word in quotation marks, that the other has not.
    told_apart("What is C++?", "What is C#?") -> True
    """
    quoted, meant = (set(QUOTED.findall(text.lower())) for text in (one, other))
    if quoted and meant and quoted != meant:
        return True
    ours, theirs = _pieces(one), _pieces(other)
    left, right = Counter(ours) - Counter(theirs), Counter(theirs) - Counter(ours)
    if any(map(CRITICAL.match, (*left, *right))) or all(any(map(NAME.fullmatch, each)) for each in (left, right)):
        return True
    if not left and not right:  # the order of signs and numbers: i++ and ++i, a / b and b / a, from 2 to 8
        words = [[piece for piece in pieces if not piece[0].isdigit()] for pieces in (ours, theirs)]
        return ours != theirs and (words[0] == words[1] or any(map(re.compile(OPERATOR).match, ours)))
    alike = {SIGNS.sub("", piece).casefold(): piece for piece in right}
    for mine in left:
        yours = alike.get(SIGNS.sub("", mine).casefold())
        if yours and POINTS.sub("", mine) != yours and POINTS.sub("", yours) != mine:
            return True
    return False


def _pieces(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "'")
    pieces = PIECE.findall(fold(re.sub(r"(?<=\w)'(?=\w)", "", plain)))
    return [unicodedata.normalize("NFD", piece) for piece in pieces]


def linked(pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The groups that pairs tie together. linked([(0, 4), (4, 7), (2, 3)]) -> [[0, 4, 7], [2, 3]]."""
    from scipy.cluster.hierarchy import DisjointSet  # half a second, only where it is asked

    groups = DisjointSet({place for pair in pairs for place in pair})
    for one, other in pairs:
        groups.merge(one, other)
    return sorted(map(sorted, groups.subsets()))
