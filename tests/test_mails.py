"""The house style, rule by rule: a mail that keeps all, and for each rule one that breaks it alone."""

import pytest

from labutils.measure import tasks as mails

BRIEF = "to: Mrs Lund; Heron leaves Tuesday, 2 masts; invoice 30077, 1,150 euros; no hurry"
MAIL = (
    "Dear Mrs Lund,\n\nYour Heron leaves us on Tuesday, together with the 2 masts that you asked for last week.\n\n"
    "The sum on invoice 30077 is 1,150 euros. There is no hurry about it, and we are glad to answer what you wonder "
    "about.\n\nKind regards from the quay,\nTidewren Instruments"
)
FACTS = ["Heron", "Tuesday", "2", "30077", "1,150 euros"]
BREAK = {
    "greeting": ("Dear Mrs Lund,", "Dear customer,"),
    "closing": ("Kind regards from the quay,", "Best wishes,"),
    "2 to 4 paragraphs": ("\n\nThe sum", " The sum"),
    "no exclamation mark": ("no hurry about it,", "no hurry about it!"),
    "apologies as asked for": ("we are glad", "we are sorry and glad"),
    "we, not I": ("we are glad", "I am glad"),
    "no short form": ("There is", "There's one; it isn't"),
    "no stock phrase": ("we are glad to answer", "do not hesitate to ask"),
}


def broken(brief: str, mail: str) -> list[str]:
    return [rule for rule, kept in mails.style(brief, mail).items() if not kept]


def test_a_mail_in_order():
    assert broken(BRIEF, MAIL) == []
    assert mails.carried(MAIL, FACTS) == 1 and mails.point_first(MAIL, FACTS)
    assert not mails.point_first(MAIL, ["30077"]) and not mails.point_first("", ["30077"])
    assert mails.lacking(BRIEF, MAIL) == mails.dropped(BRIEF, MAIL) == []
    assert broken(BRIEF, "") == ["greeting", "closing", "2 to 4 paragraphs", "40 to 90 words"]
    assert mails.addressee("to: Ann\nBob; Carl") == "Ann" and mails.addressee("nobody") == ""
    assert mails.body("Dear A,\n\none\n\ntwo\n\n" + mails.CLOSING) == ["one", "two"]
    assert mails.sentences("It came. Is it 6.3?") == ["It came.", "Is it 6.3?"]


@pytest.mark.parametrize("rule", BREAK)
def test_a_mail_that_breaks_one_rule(rule):
    old, new = BREAK[rule]
    assert old in MAIL and broken(BRIEF, MAIL.replace(old, new)) == [rule]


def sized(words: int, paragraph: int) -> str:
    """A mail of so many words in all, of which so many stand in the first paragraph."""
    rest = words - paragraph - 3 - 7
    return f"Dear Mrs Lund,\n\n{'so ' * paragraph}\n\n{'so ' * rest}\n\n{mails.CLOSING}".replace(" \n", "\n")


WORDS, PARAGRAPH = "40 to 90 words", "no paragraph over 45 words"


@pytest.mark.parametrize(
    ("words", "paragraph", "rules"),
    [(39, 10, [WORDS]), (40, 10, []), (90, 40, []), (91, 41, [WORDS]), (80, 45, []), (80, 46, [PARAGRAPH])],
)
def test_both_sides_of_each_length(words, paragraph, rules):
    mail = sized(words, paragraph)
    assert len(mail.split()) == words and broken(BRIEF, mail) == rules


def test_an_apology_where_the_brief_asks_for_one():
    asked = BRIEF + "; apologise"
    assert broken(asked, MAIL) == ["apologies as asked for"]
    assert broken(asked, MAIL.replace("we are glad", "we apologise and are glad")) == []
    assert mails.apologies("no apology") == mails.apologies("nothing") == 0 and mails.apologies("sorry") == 1


def test_what_a_mail_carries_and_invents():
    without = MAIL.replace("30077", "30078")
    assert mails.carried(without, FACTS) == pytest.approx(4 / 5)
    assert mails.lacking(BRIEF, without) == ["30078"] and mails.dropped(BRIEF, without) == ["30077"]
    with pytest.raises(ValueError, match="no facts"):
        mails.carried(MAIL, [])
    for old, new, found in [
        ("Tuesday", "Friday", ["friday", "Friday"]),
        ("2 masts", "three masts", ["three"]),
        ("answer what", "tell Anna what", ["Anna"]),
    ]:
        assert mails.lacking(BRIEF, MAIL.replace(old, new)) == found
