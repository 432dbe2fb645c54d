"""The exercises of notebook 01: what a stream shows, how alike texts are, a share, personal data, a rule."""

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

from labutils.corpus.quality import Verdict, drop
from labutils.corpus.sampling import Z, wilson
from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import call, quoted
from labutils.lesson.exercises.exercise import TEXTS, Draw, Exercise, Words, filled
from labutils.lesson.exercises.forms import choice, moved, refuse, with_interval
from labutils.lesson.exercises.made_up import corpus, labelled


def _which_sample(pages: int, buffer: int, seen: int, order: list[int], thing: str) -> Exercise:
    def vary(draw: Draw) -> Exercise:
        sizes = draw.number(20, 90), 1000 * draw.number(2, 9), 100 * draw.number(3, 9)
        return _which_sample(*sizes, moved(draw, order), draw.pick(("post", "article")))

    say = Words("which_sample", pages=pages, buffer=buffer, seen=seen, thing=thing)
    return choice(say, order, vary)


which_sample = _which_sample(8, 10_000, 1000, [1, 0, 2, 3], "page")


CLOSE = 0.006  # two decimals are enough


def runs(text: str, n: int) -> set[str]:
    """The runs of n words of a text, each once. runs("a b a b", 2) -> {"a b", "b a"}."""
    words = text.split()
    return {" ".join(words[i : i + n]) for i in range(len(words) - n + 1)}


def measures(one: str, other: str, n: int) -> tuple[float, dict[str, float]]:
    """The similarity, and what comes out of the usual slips."""
    a, b, words, others = runs(one, n), runs(other, n), set(one.split()), set(other.split())
    shared, either, total = len(a & b), len(a | b), len(a) + len(b)
    slips = {
        **{"by the shorter one": shared / min(len(a), len(b)), "by the sum": shared / total},
        **{"twice by the sum": 2 * shared / total, "single words": len(words & others) / len(words | others)},
        **{"the rest": 1 - shared / either, "only counted": float(shared)},
    }
    return shared / either, slips


def _shingles(one: str, other: str, n: int) -> Exercise:
    right, found = measures(one, other, n)
    words, shared, either = len(one.split()), runs(one, n) & runs(other, n), runs(one, n) | runs(other, n)
    say = Words("shingles", one=one, other=other, n=n, less=n - 1, words=words, count=words - n + 1)
    slips = say.slips(found)

    def judge(answer: object) -> str:
        value = answers.number(answer)
        if abs(value - right) < CLOSE:
            return say("good", shared=len(shared), either=len(either))
        refuse(slips, lambda slip: abs(value - slip) < CLOSE)
        raise say.no("percent" if 1 < value <= 100 else "other", value=value)

    def vary(draw: Draw) -> Exercise:
        """Other sentences, on which no slip comes out right or like another one, and the practised answer is wrong."""
        while True:
            one, n = draw.pick(say.held["sentences"]), draw.number(2, 4)
            words = one.split()
            words[draw.number(0, len(words) - 1)] = draw.pick(say.held["instead"])
            other = " ".join(words[draw.number(0, 2) : len(words) - draw.number(0, 2)])
            drawn, found = measures(one, other, n)
            if all(b - a > 2 * CLOSE for a, b in pairwise(sorted([drawn, *found.values(), right]))):
                return _shingles(one, other, n)

    return say.exercise(judge=judge, slips=slips, wrong={"in percent": 100 * right, "a guess": 0.97}, vary=vary)


shingles = _shingles(*TEXTS["shingles"]["practised"], 3)


LUCK = 2.0  # how many times its interval a random sample may be off before its making is doubted (1 in 10,000 is)


def _share(seed: int | str, n: int, wanted: str) -> Exercise:
    say = Words("share_of_set", n=n, wanted=wanted)

    @lru_cache(1)
    def shares() -> tuple[float, float, float]:
        """The share in the whole corpus, in its first n rows, and in the next n."""
        rows = [name == wanted for _, name in corpus(seed, n)]
        return sum(rows) / len(rows), sum(rows[:n]) / n, sum(rows[n : 2 * n]) / n

    def judge(answer: object) -> str:
        parts = with_interval(answer, "a share", "share, lower, upper")
        share, lower, upper = (answers.number(part, "a number in each place") for part in parts)
        whole, first, _ = shares()
        low, high = wilson(whole * n, n)
        say.refuse(not 0 <= share <= 1, "percent", share=share)
        if abs(share - first) < 0.005:  # also where it was rounded
            raise say.no("first")
        say.refuse(share == whole, "all")
        say.refuse(abs(share - whole) > LUCK * (high - low) / 2, "far", share=share)
        say.refuse(not lower <= share <= upper, "outside")
        low, high = wilson(share * n, n)
        if max(abs(lower - low), abs(upper - high)) > max(0.075 * (high - low), 0.005):
            raise say.no("width", lower=lower, upper=upper, way="wide" if upper - lower > high - low else "narrow")
        inside = "inside" if lower <= whole <= upper else "just outside"
        return say("good", whole=whole, inside=inside, all=len(corpus(seed, n)))

    def wrong() -> dict[str, object]:
        whole, *others = shares()
        share = (round(whole * n) + 1) / n
        low, high = wilson(share * n, n)
        first, later, counted = ((found, *wilson(found * n, n)) for found in (*others, whole))
        narrow = share, *(share + (end - share) / Z for end in (low, high))
        return {
            "the first n": first, "the next n": later, "all rows counted": counted, "no interval": share,
            "in percent": (100 * share, 100 * low, 100 * high), "the wrong order": (share, high, low),
            "one standard error": narrow, "surely right": (share, 0.0, 1.0),
        }  # fmt: skip

    def vary(draw: Draw) -> Exercise:
        return _share(draw.number(1, 10**6), draw.pick((400, 600, 800)), draw.pick(("Translations", "JSON")))

    def data() -> list[dict]:
        return [{"package": package, "set": name} for package, name in corpus(seed, n)]

    return say.exercise(judge=judge, wrong=wrong, vary=vary, data=data)


share_of_set = _share("practised", 500, "Python")


def drawn_values(about: str, draw: Draw) -> dict[str, object]:
    """What the texts of a task are filled with: addresses (`mails`), `telephones`, addresses of `machines`."""
    if about == "mails":
        people = draw.some(("ada.b", "bo-w", "cy_lund", "dee.k", "eli-r", "fay.ott"), 3)
        house, other = draw.some(("plover", "heron", "dunlin", "curlew", "godwit"), 2)
        version = f"{draw.number(1, 9)}.{draw.number(0, 9)}.{draw.number(1, 9)}"
        more = {"house": house, "other": other, "version": version}
    elif about == "telephones":
        people = [draw.number(100, 999) for _ in range(3)]
        year, total = draw.number(2011, 2024), draw.number(2, 8)
        more = {"year": year, "total": total, "more": 1 + total}
    else:
        people = [draw.number(2, 250) for _ in range(3)]
        more = {"major": draw.number(1, 9), "minor": draw.number(1, 9)}
    return dict(zip(("one", "two", "three"), people, strict=True)) | more


def unmarked(marked: str) -> tuple[str, list[tuple[int, int]]]:
    """A text without the marks, and the positions between them. unmarked("a ‹b›.") -> ("a b.", [(2, 3)])."""
    spans = [(match.start() - 2 * i, match.end() - 2 * i - 2) for i, match in enumerate(re.finditer("‹[^›]*›", marked))]
    return re.sub("[‹›]", "", marked), spans


def _spans(about: str, draw: Draw) -> Exercise:
    task, drawn = TEXTS["mail_spans"][about], drawn_values(about, draw)
    cases = [unmarked(filled(marked, drawn)) for marked in task["texts"]]
    traps = {filled(trap, drawn): what for trap, what in task["traps"].items()}
    say = Words("mail_spans", about, first_text=quoted(cases[0][0]), first_spans=str(cases[0][1]))

    def judge(answer: object) -> str:
        function = answers.function(answer)
        found = [(text, right, _read_spans(say, call(function, text), text)) for text, right in cases]
        if not any(spans for _, _, spans in found):
            note = "`.example` belongs to nobody, so `personal.find` skips it; " if about == "mails" else ""
            raise say.no("nothing", note=note, text=quoted(cases[0][0]))
        for text, right, spans in found:
            _judge_spans(say, text, right, spans, traps)
        return say("good", count=sum(len(right) for _, right in cases))

    def by(pattern: str) -> Callable[[str], list]:
        return lambda text: [match.span() for match in re.finditer(pattern, text)]

    pattern, whole = task["pattern"], by(task["pattern"])
    own = {
        "any word behind the sign": by(r"[\w.+-]*@[\w.-]*\w"), "all but spaces": by(r"\S+@\S+"),
        "no dots before the sign": by(r"\w+@(?:[\w-]+\.)+[A-Za-z]{2,}"),
        "digits at the end": by(r"[\w.+-]+@(?:[\w-]+\.)+\w+"),
    }  # fmt: skip
    wrong = (own if about == "mails" else {}) | {
        "the pieces": lambda text: re.findall(pattern, text), "the first one alone": lambda text: whole(text)[:1],
        "the masked text": lambda text: re.sub(pattern, "[...]", text), "nothing found": lambda text: [],
        "the last character lost": lambda text: [(start, end - 1) for start, end in whole(text)],
        "nothing given back": lambda text: print(end=""), "the result": whole("x"),
    }  # fmt: skip

    def vary(draw: Draw) -> Exercise:
        return _spans(draw.pick(("telephones", "machines")), draw)

    return say.exercise(title=say("title"), judge=judge, wrong=wrong, vary=vary)


def _read_spans(say: Words, value: object, text: str) -> list[tuple[int, int]]:
    """What the function gave for a text, as spans in order."""
    say.refuse(isinstance(value, str), "text")
    found = answers.items(value, "a list of pairs `(start, end)`")
    for kind, key in ((str, "pieces"), (re.Match, "matches")):
        say.refuse(any(isinstance(each, kind) for each in found), key)
    spans = [tuple(answers.whole_numbers(each, "pairs `(start, end)`")) for each in found]
    say.refuse(any(len(each) != 2 for each in spans), "pair", text=quoted(text))
    return sorted(spans)


def _judge_spans(say: Words, text: str, right: list, spans: list, traps: dict[str, str]) -> None:
    for start, end in spans:
        if (start, end) in right:
            continue
        piece, near = text[start:end], [place for place in right if start < place[1] and place[0] < end]
        if not near:
            trap = next((f"{what}, " for trap, what in traps.items() if piece and (trap in piece or piece in trap)), "")
            raise say.no("no", piece=quoted(piece), what=f"{trap}no", text=quoted(text))
        say.refuse(len(near) > 1, "joined", piece=quoted(piece), count=len(near))
        (first, last) = near[0]
        say.refuse((start, end) in ((first, last - 1), (first + 1, last + 1)), "off", text=quoted(text))
        what = "more than" if start <= first and end >= last else "a part of"
        raise say.no("part", piece=quoted(piece), what=what, whole=quoted(text[first:last]))
    if missed := [place for place in right if place not in spans]:
        raise say.no("missed", whole=quoted(text[slice(*missed[0])]), text=quoted(text))
    say.refuse(len(spans) > len(right), "twice", text=quoted(text))


mail_spans = _spans("mails", Draw("practised"))


SHOWN, JUDGED, ENOUGH = 10, 20, 19  # documents shown, documents judged, right verdicts that are asked for
WORD = {"changelog": "version", "licence": "licence", "table": "."}  # occurs in every such document, and in others


SOLVED: dict[str, Callable[[str], bool]] = {  # the kind that goes: how to tell it
    "changelog": lambda text: len(re.findall(r"^\W*(?:v|Version )?\d+\.\d+\.\d+", text, re.M)) >= 2,
    "licence": lambda text: sum(word in text.lower() for word in ("permission", "terms", "warranty", "liable")) >= 3,
    "table": lambda text: sum(map(str.isdigit, text)) > 0.3 * len(text),
}


def _rule(kind: str, seed: int | str) -> Exercise:
    say = Words("own_rule", kind, kind=kind, judged=JUDGED, enough=ENOUGH)

    def documents() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Those that are shown, and those that are judged: 8 of the kind, 11 others, an empty one."""
        draw = Draw(f"documents {seed}")
        shown = labelled(draw, kind, SHOWN // 2, SHOWN - SHOWN // 2)
        return shown, [*labelled(draw, kind, 8, JUDGED - 9), ("", "")]

    def judge(answer: object) -> str:
        function, judged = answers.function(answer), documents()[1]
        keeps = [_keeps(say, call(function, text), text) for _, text in judged]
        mistakes = [(found, text) for (found, text), keep in zip(judged, keeps, strict=True) if keep == (found == kind)]
        found, text = (mistakes or [("", "")])[0]
        right, named = JUDGED - len(mistakes), f"a {found}" if found else "an empty text"
        say.refuse(right < 3, "round")
        if all(keeps) or not any(keeps):
            raise say.no("same", does="keeps" if all(keeps) else "drops")
        if right < ENOUGH:
            way = "stays and should go" if found == kind else "goes, too, and should stay"
            raise say.no("few", right=right, named=named, way=way, text=quoted(text, 80))
        return say("good", right=right, rest=f" (not {named})" if mistakes else "")

    word, tells = WORD[kind], SOLVED[kind]
    heading = {"one heading": lambda text: drop(text.startswith("# Changelog"), kind)} if kind == "changelog" else {}
    wrong = heading | {
        "a bare True or False": lambda text: word in text, "one word": lambda text: drop(word in text.lower(), kind),
        "the wrong way round": lambda text: drop(not tells(text), kind), "no reason": lambda text: Verdict(False),
        "everything kept": lambda text: Verdict(True), "everything dropped": lambda text: Verdict(False, "bad"),
        "the first line of nothing": lambda text: drop(text.splitlines()[0] == "", kind),
        "nothing given back": lambda text: None, "the reason alone": lambda text: kind,
        "a number for bad": lambda text: (1, kind), "the verdict itself": drop(True, kind),
    }  # fmt: skip

    def vary(draw: Draw) -> Exercise:
        return _rule(draw.pick([other for other in SOLVED if other != kind]), draw.number(1, 10**6))

    def data() -> list[dict]:
        return [{"drop": found == kind, "kind": found, "text": text} for found, text in documents()[0]]

    return say.exercise(judge=judge, wrong=wrong, vary=vary, data=data)


def _keeps(say: Words, verdict: object, text: str) -> bool:
    """Whether a verdict keeps a text."""
    if isinstance(verdict, bool | str):
        raise say.no("bare" if isinstance(verdict, bool) else "text")
    parts = answers.items(verdict, "a verdict, as `drop` gives one")
    if len(parts) != 2 or not isinstance(parts[0], bool) or not isinstance(parts[1], str):
        raise say.no("form", text=quoted(text))
    say.refuse(not parts[0] and not parts[1].strip(), "reason")
    return parts[0]


own_rule = _rule("changelog", "practised")
