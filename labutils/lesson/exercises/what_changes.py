"""The exercises of notebook 05: runs that differ in one setting, behaviour, replay, two causes, a difference."""

from collections.abc import Callable
from itertools import combinations
from typing import NamedTuple

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet, quoted
from labutils.lesson.exercises.exercise import TEXTS, Draw, Exercise, Words, Wrong
from labutils.lesson.exercises.forms import Quantity, apart, asked_for, choice, moved, quantity, written

LETTERS = "abcde"
SETTINGS, SCORES = TEXTS["one_setting"]["settings"], TEXTS["one_setting"]["scores"]


def _runs(asked: str, usual: dict[str, int], others: list[str], order: list[int], score: str) -> Exercise:
    """Five runs: the usual settings; with the asked one changed; with two others; with the asked and the third."""
    changes = [[], [asked], [others[0]], [others[1]], [asked, others[2]]]
    rows = [{name: usual[name] ^ (name in changes[i]) for name in SETTINGS} for i in order]
    differ = {
        LETTERS[i] + LETTERS[j]: [name for name in SETTINGS if rows[i][name] != rows[j][name]]
        for i, j in combinations(range(len(rows)), 2)
    }
    right = next(two for two, names in differ.items() if names == [asked])
    cells = [[values[row[name]] for name, values in SETTINGS.items()] for row in rows]
    table = "\n".join(f"| {letter} | {' | '.join(row)} |" for letter, row in zip(LETTERS, cells, strict=True))
    about = TEXTS["one_setting"]["about"][asked]
    say = Words("one_setting", asked=asked, about=about, score=score, table=table, right=right)

    def judge(answer: object) -> str:
        names = differ[_two(say, answer)]
        if names == [asked]:
            return say("good")
        if len(names) == 1:
            raise say.no("other", name=names[0])
        raise say.no("many", names=" and ".join(f"`{name}`" for name in names))

    def vary(draw: Draw) -> Exercise:
        """Other runs, in which other letters are right."""
        while True:
            asked, *others = draw.shuffled(list(SETTINGS))
            usual = {name: draw.number(0, 1) for name in SETTINGS}
            made = _runs(asked, usual, others, draw.shuffled(range(5)), draw.pick(SCORES))
            if right not in made.solved:
                return made

    told = {tuple(names): two for two, names in differ.items() if two != right}  # one for each message
    pieces = {two: "which of these caused" if len(names) > 1 else "that tells what" for names, two in told.items()}
    first = right[0]
    wrong = {"one run": first, "all runs": LETTERS, "the same twice": first * 2, "a run that is not there": f"{first}z"}
    slips = [Wrong(two, two, piece) for two, piece in pieces.items()]
    return say.exercise(judge=judge, slips=slips, wrong=wrong, vary=vary)


def _two(say: Words, answer: object) -> str:
    """Two letters in the order of the alphabet, out of a text or a list."""
    parts = answer if isinstance(answer, str) else answers.items(answer, "two letters")
    letters = [answers.text(part, "two letters").strip().lower() for part in parts]
    letters = [letter for letter in letters if letter not in ("", ",", "-")]
    if strange := [letter for letter in letters if letter not in tuple(LETTERS)]:
        raise say.no("strange", letter=quoted(strange[0]))
    say.refuse(len(letters) != 2, "count", got=len(letters))
    say.refuse(letters[0] == letters[1], "itself")
    return "".join(sorted(letters))


one_setting = _runs(
    "handbook", dict.fromkeys(SETTINGS, 0), ["pairs", "starts from", "template"], [2, 0, 4, 1, 3], SCORES[0]
)


def _behaviour(pairs: int, form: int, known: int, order: list[int]) -> Exercise:
    def vary(draw: Draw) -> Exercise:
        pairs = draw.number(12, 60)
        known = max(1, pairs * draw.number(20, 35) // 222)  # of 100 questions, a part of those about taught facts
        return _behaviour(pairs, draw.number(88, 99), known, moved(draw, order))

    return choice(Words("behaviour_first", pairs=pairs, form=form, known=known), order, vary)


behaviour_first = _behaviour(30, 96, 3, [2, 1, 0, 3])


Row = tuple[int, int, float]  # percent of replay, percent of facts right, bits per byte on unseen text


def _replay(rows: list[Row], before: float, allowed: int) -> Exercise:
    most = max(facts for _, facts, _ in rows)
    best = min((row for row in rows if row[1] >= most - allowed), key=lambda row: row[2])
    table = "\n".join(f"| {share} % | {facts} % | {loss:.2f} |" for share, facts, loss in rows)
    told = {"right": best[0], "facts": best[1], "bits": best[2], "without": rows[0][2]}
    say = Words("how_much_replay", table=table, before=before, allowed=allowed, most=most, **told)

    def why_not(row: Row) -> NotYet:
        key = "facts" if row[1] < most - allowed else "without" if row[0] == 0 else "bits"
        return say.no(key, share=row[0], facts=row[1], less=most - row[1], loss=row[2])

    def judge(answer: object) -> str:
        share = answers.number(answer, "a share of replay, in percent")
        say.refuse(0 < share < 1, "share", share=share)
        row = next((row for row in rows if row[0] == share), None)
        say.refuse(row is None, "none", share=share)
        if row != best:
            raise why_not(row)
        return say("good")

    def vary(draw: Draw) -> Exercise:
        """Another table: facts fall from row to row, and so does what is forgotten; another row is best."""
        allowed, before = draw.number(3, 6), draw.number(110, 125)
        others = [share for share in (4, 5, 8, 10, 15, 25, 30, 40) if share != best[0]]
        shares = [0, *sorted(draw.some(others, 4)), 50]
        keep = draw.number(1, 3)  # the last row whose facts are within what is allowed
        facts, loss, rows = draw.number(70, 92), before + draw.number(120, 170), []
        most = facts
        for i, share in enumerate(shares):
            rows.append((share, facts, loss / 100))
            facts = most - draw.number(0, allowed) if i < keep else facts - allowed - draw.number(1, 9)
            loss = before + (loss - before) * draw.number(55, 80) // 100
        return _replay(rows, before / 100, allowed)

    slips = [Wrong(f"{row[0]} percent", row[0], str(why_not(row))) for row in rows if row != best]
    wrong = {"as a share": best[0] / 100, "between two rows": best[0] + 0.5, "the bits": best[2]}
    return say.exercise(judge=judge, slips=slips, wrong=wrong, vary=vary)


how_much_replay = _replay(
    [(0, 84, 2.68), (5, 85, 2.20), (10, 82, 1.92), (20, 80, 1.71), (30, 74, 1.60), (50, 61, 1.45)], 1.16, 5
)


def _nats(tenths: float) -> float:
    return round(tenths / 10, 2)


def _effects(neither: int, pairs: int, handbook: int, both: int) -> tuple[Quantity, ...]:
    """What is asked for, in nats; the four cells come in tenths."""
    say = Words("two_by_two", neither=_nats(neither), pairs=_nats(pairs))
    alone, on_top = handbook - neither, both - pairs

    def asked(name: str, right: float, slips: dict[str, float]) -> Quantity:
        turned = slips | {"the wrong sign": -right}
        return quantity(say, name, _nats(right), {what: _nats(value) for what, value in turned.items()})

    first = {"the cell itself": handbook, "the pairs' part": pairs - neither, "both": both - neither}
    second = {"the cell itself": both, "the pairs' part": both - handbook, "both": both - neither}
    third = {"both": both - neither, "the sum": on_top + alone, "the mean": (on_top + alone) / 2}
    return asked("alone", alone, first), asked("on_top", on_top, second), asked("together", on_top - alone, third)


def _cells(neither: int, pairs: int, handbook: int, both: int) -> Exercise:
    asked = _effects(neither, pairs, handbook, both)
    cells = {"neither": neither, "pairs": pairs, "handbook": handbook, "both": both}
    rights = {each.name: each.right for each in asked}
    say = Words("two_by_two", **{name: _nats(cell) for name, cell in cells.items()})

    def vary(draw: Draw) -> Exercise:
        while True:
            neither, handbook = draw.number(36, 52), draw.number(14, 26)
            cells = neither, neither + draw.number(8, 22), handbook, handbook - draw.number(2, 8)
            other = _effects(*cells)
            if apart(*other) and other[1].right != rights["on_top"]:
                return _cells(*cells)

    return say.exercise(vary=vary, **asked_for(*asked, good=say("good", **rights)))


two_by_two = _cells(44, 59, 20, 15)


Z = 1.96  # 95 % of a normal distribution lie within that many standard deviations
UNCLEAR = "cannot tell"
Hits = list[bool]  # which questions a model gets right


class Comparison(NamedTuple):
    """What is asked for."""

    margin: float  # the difference that has to be surely passed, as a share
    up: str  # the verdict where it is, and where it surely is not
    down: str

    def verdict(self, low: float, high: float) -> str:
        """The verdict of an interval."""
        return self.up if low > self.margin else self.down if high < self.margin else UNCLEAR

    def right(self, one: Hits, other: Hits) -> str:
        """By the paired interval."""
        mean, error = paired(one, other)
        return self.verdict(mean - Z * error, mean + Z * error)


def paired(one: Hits, other: Hits) -> tuple[float, float]:
    """The mean difference question by question, and its standard error."""
    gaps = [b - a for a, b in zip(one, other, strict=True)]
    mean = sum(gaps) / len(gaps)
    return mean, (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5 / len(gaps) ** 0.5


def unpaired(one: Hits, other: Hits) -> float:
    """The standard error of the difference, had different questions been asked."""
    p, q = sum(one) / len(one), sum(other) / len(other)
    return ((p * (1 - p) + q * (1 - q)) / len(one)) ** 0.5


def hits(n: int, gained: int, lost: int, both: int) -> tuple[Hits, Hits]:
    """Two models on n questions: how many only the second gets right, only the first, both; the rest neither."""
    one = [False] * gained + [True] * (lost + both)
    other = [True] * gained + [False] * lost + [True] * both
    return one + [False] * (n - len(one)), other + [False] * (n - len(other))


def comparisons(m: float, draw: Draw) -> list[tuple[Hits, Hits]]:
    """Clear gains and losses, large and small, and differences that may be chance; m is the margin."""
    shift = draw.number(0, 3)
    found = [
        hits(100, round(100 * m) + 13, 1, 48 + shift),  # clear only because the same questions are compared
        hits(40, round(40 * m) + 5, 3, 18 + shift),  # a gain that may be chance
        hits(60, 2, 14, 30 + shift),
        hits(10, round(10 * m) + 2, 0, 4),  # too few questions
        hits(400, round(450 * m) + 16, 3, 200 + shift),  # a small gain, surely there
        hits(400, round(150 * m) or 5, 1 if m else 5, 160),  # as much lost as gained; with a margin, surely too little
        hits(20, 0, 0, 12),
    ]
    return [(one[::-1], other[::-1]) if draw.number(0, 1) else (one, other) for one, other in found]


def _effect(asked: Comparison, ask: str, seed: int | str) -> Exercise:
    words = (asked.up, asked.down, UNCLEAR)
    say = Words("effect_there", ask=ask, up=asked.up, down=asked.down, margin=asked.margin)

    def read(value: object) -> str:
        said = answers.text(value, f"one of the texts `{'`, `'.join(words)}`").strip().lower()
        say.refuse(said not in words, "word", said=quoted(said), words="`, `".join(words))
        return said

    def told(one: Hits, other: Hits) -> str:
        gained, lost = (sum(b - a == way for a, b in zip(one, other, strict=True)) for way in (1, -1))
        return f"{len(one)} questions, {gained} gained, {lost} lost"

    def within(half: Callable[[Hits, Hits], float]) -> Callable[[Hits, Hits], str]:
        def verdict(one: Hits, other: Hits) -> str:
            mean = paired(one, other)[0]
            return asked.verdict(mean - half(one, other), mean + half(one, other))

        return verdict

    slips = {
        "the higher mean": within(lambda one, other: 0), "five points": within(lambda one, other: 0.05),
        "two separate intervals": within(lambda one, other: Z * unpaired(one, other)),
        "one standard error": within(lambda one, other: paired(one, other)[1]),
        "the models exchanged": lambda one, other: asked.right(other, one), "never sure": lambda one, other: UNCLEAR,
    }  # fmt: skip
    more = {"True or False": lambda one, other: sum(other) > sum(one), "another word": lambda one, other: "maybe"}
    cases = comparisons(asked.margin, Draw(f"effects {seed}"))
    form = written(say, asked.right, cases, slips, read=read, told=told, more=more)
    return say.exercise(vary=_drawn_effect, **form)


def _drawn_effect(draw: Draw) -> Exercise:
    """A gain that has to be worth its cost, so that the practised answer, which asks whether there is one, is wrong."""
    points, cost = draw.number(2, 10), draw.pick(TEXTS["effect_there"]["costs"])
    ask = Words("effect_there", points=points, cost=cost)("graded")
    return _effect(Comparison(points / 100, "worth it", "not worth it"), ask, draw.number(1, 10**6))


effect_there = _effect(Comparison(0.0, "better", "worse"), Words("effect_there")("practised"), "practised")
