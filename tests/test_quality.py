"""Rules for documents: both sides of every threshold, and a funnel that counts and merges."""

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labutils.corpus import quality
from labutils.corpus.quality import RULES, Funnel, Verdict, funnel, judge

law = settings(derandomize=True, deadline=None, max_examples=60)
KEEP = Verdict(True, "")
LONG = "This line of the page is a whole sentence and it ends"
TWO = f"{LONG}.\n{LONG}!\n"


def words(*lengths: int) -> str:
    return " ".join("x" * length for length in lengths)


def different(count: int) -> str:
    """So many words of four letters, none twice."""
    return " ".join(f"w{i:03}" for i in range(count))


def lines(good: int, bad: int, good_line: str = LONG + ".", bad_line: str = "") -> str:
    """So many good lines, then so many bad ones; without a bad line, as many that are long and all different."""
    return "\n".join([good_line] * good + [bad_line or f"{LONG} {i}" for i in range(bad)])


def apart(text: str) -> str:
    """Each line as a paragraph."""
    return text.replace("\n", "\n \n")


def repeated(once: int, again: int, length: int = 10) -> str:
    """Lines of equal length: so many that are new, then the first of them so many times more."""
    fresh = [f"{i:0{length}}" for i in range(once)]
    return "\n".join(fresh + fresh[:1] * again)


SIDES = [  # rule, a text at the edge that stays, one just beyond it, the reason
    (quality.too_few_words, different(50), different(49), "too few words"),
    (quality.too_many_words, "a " * 100_000, "a " * 100_001, "too many words"),
    (quality.word_length, words(3, 3), words(3, 2), "words too short"),
    (quality.word_length, words(10, 10), words(10, 11), "words too long"),
    (quality.symbols, "a # " + "a " * 8, "a # " + "a " * 7, "too many symbols"),
    (quality.symbols, "a… " + "a " * 9, "a… " + "a " * 8, "too many symbols"),
    (quality.symbols, "a... " + "a " * 9, "a... " + "a " * 8, "too many symbols"),
    (quality.bullets, lines(1, 9, "a", "• b"), lines(1, 10, "a", "• b"), "a list of bullets"),
    (quality.bullets, lines(1, 9, "a", "- b"), lines(0, 1, "a", "- b"), "a list of bullets"),
    (quality.cut_lines, lines(7, 3, "a", "b..."), lines(6, 3, "a", "b..."), "lines cut short"),
    (quality.cut_lines, lines(7, 3, "a", "b…"), lines(6, 3, "a", "b…"), "lines cut short"),
    (quality.letters, "a1 b c d 5", "a1 b c 4 5", "few words with letters"),
    (quality.stop_words, "The cat, and", "The cat, the", "no English sentences"),
    (quality.repeated_lines, lines(4, 6, "a"), lines(4, 5, "a"), "repeated lines"),
    (quality.repeated_lines, repeated(4, 1), repeated(7, 2), "repeated lines"),
    (quality.repeated_paragraphs, apart(lines(4, 6, "a")), apart(lines(4, 5, "a")), "repeated paragraphs"),
    (quality.repeated_paragraphs, apart(repeated(4, 1)), apart(repeated(7, 2)), "repeated paragraphs"),
    (quality.one_phrase, "aa bb cc", "aa bb aa bb", "one phrase over and over"),  # what comes once repeats nothing
    (quality.one_phrase, "aa bb aa bb " + words(32), "aa bb aa bb " + words(31), "one phrase over and over"),
    (quality.one_phrase, "a b c a b c " + words(28), "a b c a b c " + words(27), "one phrase over and over"),
    (quality.one_phrase, "a b c d a b c d " + words(42), "a b c d a b c d " + words(41), "one phrase over and over"),
    (quality.lorem_ipsum, "Lorem, ipsum", "LOREM IPSUM", "lorem ipsum"),
    (quality.curly_bracket, "a }", "a {", "a curly bracket"),
    (quality.few_sentences, "One two three. Four five! Six?", "One two three. Four five! Six", "too few sentences"),
    (quality.few_sentences, TWO + "One two three four five.", TWO + "One two three four.", "too few sentences"),
    (quality.few_sentences, TWO + "Java two three four five.", TWO + "JavaScript two three four.", "too few sentences"),
    (quality.few_sentences, TWO + "Read our policy about it.", TWO + "Our Privacy Policy is new.", "too few sentences"),
    (quality.few_sentences, TWO + 'He said: "Go there now."', TWO + "He said: go there now,", "too few sentences"),
    (quality.unfinished_lines, lines(13, 87), lines(12, 88), "lines without an end"),
    (quality.short_lines, lines(34, 66, "x" * 30, "x" * 29), lines(33, 67, "x" * 30, "x" * 29), "short lines"),
    (quality.repeated_characters, repeated(10, 1), repeated(9, 1), "characters in repeated lines"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "stays", "goes", "reason"), SIDES)
def test_both_sides_of_a_threshold(rule, stays, goes, reason):
    assert rule(stays) == KEEP
    assert rule(goes) == Verdict(False, reason)


@pytest.mark.parametrize(("n", "share"), [(5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10)])
def test_both_sides_of_each_length_of_repeated_phrases(n, share):
    """A run of n words of one letter comes twice; the second time it holds n characters of all."""
    run = " ".join("abcdefghij"[:n])
    fill = int(n / share) - 2 * n
    for how in [[{n: share}], [] if n == 5 else [{n: share}]]:  # by default, too
        assert quality.repeated_phrases(f"{run} {words(fill + 1)} {run}", *how) == KEEP
        assert quality.repeated_phrases(f"{run} {words(fill - 1)} {run}", *how) == (False, "repeated phrases")
    assert quality._repeated_share(["a"] * 10, 5) == 0.9, "runs that overlap count once"


def test_a_threshold_is_an_argument_and_the_first_reason_counts():
    assert {rule for rule, *_ in SIDES} | {quality.repeated_phrases} == set(RULES)
    text = different(20)
    assert [judge(text, [partial(quality.too_few_words, least=n)]).keep for n in (20, 21)] == [True, False]
    assert judge(text, [lambda t: Verdict("w" not in t, "a w")]) == (False, "a w")
    assert judge(PROSE) == KEEP == judge("", []) and judge(PROSE + " {") == (False, "a curly bracket")
    assert judge("{", [quality.lorem_ipsum, quality.curly_bracket, quality.too_few_words]) == (False, "a curly bracket")


def test_lines_that_c4_retains():
    text = (
        f'  {LONG}. \n{LONG}\n\nFour words are few.\n{LONG} in Javascript.\nWe use cookies, {LONG}.\nHe said "{LONG}"'
    )
    assert quality.c4_lines(text) == [f"{LONG}.", f'He said "{LONG}"']


PROSE = (
    "The plover is a small wading bird that lives along the coast of every continent but one. It runs a few steps, "
    "stops, and picks an insect from the sand with a short bill.\nIn spring both parents build a shallow nest on open "
    "ground and line it with shells. When a fox comes near, one of them drags a wing as if it were broken, and leads "
    "the fox away.\nRinged birds have been found again after twenty years, and some of them fly from here to Africa."
)


@law
@given(st.text() | st.text("ab .{\n#…•"))
def test_any_text_has_a_verdict(text):
    for rule in (*RULES, judge):
        verdict = rule(text)
        assert type(verdict) is Verdict and type(verdict.keep) is bool
        assert verdict.keep == (verdict.reason == "")


def document(text: str) -> dict:
    return {"text": text, "meta": {"text": text}}


def test_a_funnel():
    few, code, other = document("few"), document(PROSE + "{"), document("two")
    found = funnel(iter([few, document(PROSE), code, other]))
    assert (found.kept, found.documents) == (1, 4)
    assert found.dropped == {"too few words": 2, "a curly bracket": 1}
    assert found.examples == {"too few words": few, "a curly bracket": code}
    assert funnel([]) == Funnel()
