"""What is shown: exact HTML of small values, and no text of whatever kind that gets out of its place or grows long."""

import re
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labutils.lesson import show

law = settings(derandomize=True, deadline=None, max_examples=100)
HOSTILE = [
    "<script>alert(1)</script>",
    "</td></table><ScRiPt src=x>",
    '"><img src=x onerror="alert(1)">\'" onmouseover=\'x\'',
    "\x1b[31mred\x1b[0m\x07\x9b31m\u202eevil\u2066\u200f\u2069\u061c",
    "\ud800 \ue000 \u2028 \u2029 \u00ad \u200b \ufeff \U000e0041",
    "a\r\nb\tc\x00\x7f\x85 &lt;b&gt; &amp; <!-- --> <![CDATA[ ]]>",
]
texts = st.sampled_from(HOSTILE) | st.text() | st.text("<>&\"'/script \n\t\x1b\u202e", max_size=30)


class Words:
    """A tokenizer whose ids are the places of given pieces."""

    def __init__(self, pieces):
        self.pieces = pieces

    def decode(self, ids):
        return "".join(self.pieces[id] for id in ids)


class Reader(HTMLParser):
    """Collects the tags, attributes and texts of HTML."""

    def __init__(self, source: str):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.open, self.shown = [], set(), [], ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attributes}
        if tag not in ("br", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.shown += data


def tokens_of(text: str, limit: int = 512):
    return show.tokens({"input_ids": [0] * 3, "labels": [0, -100, 0]}, Words([text]), limit)


SHOWN = {
    "table": lambda text: show.table([{"a": text}]),
    "header": lambda text: show.table([{text[:50]: 1}]),
    "side_by_side": lambda text: show.side_by_side({text[:50]: [text, text]}),
    "tokens": tokens_of,
    "before_after": lambda text: show.before_after([text], {"before": [text], text[:50] + "x": [text]}),
}


@pytest.mark.parametrize("form", SHOWN)
@law
@given(text=texts)
@example(text="\n".join(HOSTILE))
def test_no_text_gets_out_of_its_place(form, text):
    html = SHOWN[form](text).data
    assert "<script" not in html.lower()
    html = html.removeprefix("<!-- fold this out to see the answer -->\n")
    assert {c for c in html if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")} == set()
    html.encode()
    read = Reader(html)
    assert set(read.tags) <= {"table", "tr", "th", "td", "div", "b", "span", "br", "wbr"}
    assert read.attributes <= {"style", "title"}
    assert read.open == []


@pytest.mark.parametrize("form", SHOWN)
@pytest.mark.parametrize("character", ["x", "<", "\U000e0041", "\n"])
def test_a_line_of_a_million_characters_is_cut(form, character):
    if form == "tokens":
        ids = {"input_ids": [0] * 10**6, "labels": [0] * 10**6}
        html = show.tokens(ids, Words([character])).data
        limit = 512 * 250
    else:
        html, limit = SHOWN[form](character * 10**6).data, 20_000
    assert len(html) < limit


PLAIN = {
    ("<b>\n", None): "&lt;b&gt;⏎",
    ("a & \"b\" 'c'", None): "a &amp; &quot;b&quot; &#x27;c&#x27;",
    ("\t\r\x1b\x00", None): "⇥␍␛[U+0000]",
    ("\u202e\u200d\U000e0041", None): "[U+202E][U+200D][U+E0041]",
    ("Größe µ 日本 🦉 é", None): "Größe µ 日本 🦉 é",
    ("abc", 3): "abc",
    ("abcd", 3): "abc …",
    ("<<", 1): "&lt; …",
    ("a", 0): " …",
}


def test_plain():
    assert {given: show.plain(*given) for given in PLAIN} == PLAIN


def cells(html: str, tag: str = "td") -> list[str]:
    return re.findall(rf"<{tag}(?: [^>]*)?>(.*?)</{tag}>", html)


def test_a_table():
    html = show.table([{"what": "<a>", "n": 1}, {"n": None, "what": "b\n", "more": "unseen"}]).data
    assert cells(html, "th") == ["what", "n"] and cells(html) == ["&lt;a&gt;", "1", "b⏎", "None"]
    assert html.count("<tr>") == 3 and html.startswith("<table ") and html.endswith("</table>")
    assert cells(show.table([]).data) == [] == Reader(show.table([]).data).open


def test_a_number_stays_on_one_line_beside_long_texts_and_long_ones_are_cut():
    """Else a narrow page shows 148 as three lines of one digit each."""
    row = {"n": 148, "twelve": "x" * 12, "thirteen": "x" * 13}
    styles = re.findall(r'<td style="([^"]*)"', show.table([row]).data)
    assert ["nowrap" in style for style in styles] == [True, True, False]
    assert "nowrap" not in show.table([row], even=True).data
    for length, how, shown in [(300, {}, 300), (301, {}, 300), (301, {"limit": 301}, 301), (999, {"limit": None}, 999)]:
        (cell,) = cells(show.table([{"a": "x" * length}], **how).data)
        assert cell == "x" * shown + (" …" if shown < length else "")


def test_texts_side_by_side():
    html = show.side_by_side({"one": ["a\nb", "c"], "<two>": ["d" * 201]}).data
    assert cells(html, "b") == ["one", "&lt;two&gt;"]
    assert Reader(html).shown == "one" + "ab" + "c" + "<two>" + "d" * 200 + " …"
    assert "a<br>b" in html and html.count("flex:1 1 45%") == 2
    assert Reader(show.side_by_side({}).data).shown == ""


def test_the_token_view():
    pieces = ["Q", ":\n", " <4>", "<|end|>", "", "\u202e"]
    html = show.tokens({"input_ids": [0, 1, 2, 3, 4, 5], "labels": [-100, -100, 2, 3, -100, 5]}, Words(pieces)).data
    spans = re.findall(r'<span title="([^"]*)" style="([^"]*)">(.*?)</span>(<\w+>)', html)
    assert spans == [
        ("id 0, label -100 (ignored)", show.UNTRAINED, "Q", "<wbr>"),
        ("id 1, label -100 (ignored)", show.UNTRAINED, ":⏎", "<br>"),
        ("id 2, label 2 (trained)", show.TRAINED, "·&lt;4&gt;", "<wbr>"),
        ("id 3, label 3 (trained)", show.TRAINED, "&lt;|end|&gt;", "<wbr>"),
        ("id 4, label -100 (ignored)", show.UNTRAINED, "∅", "<wbr>"),
        ("id 5, label 5 (trained)", show.TRAINED, "[U+202E]", "<wbr>"),
    ]
    assert Reader(html).shown.endswith("trained: 3 of 6 tokens \u00a0 ignored: 3")


@pytest.mark.parametrize(("tokens", "more"), [(512, ""), (513, " … and 1 more"), (2_000, " … and 1,488 more")])
def test_how_many_tokens_are_shown(tokens, more):
    html = show.tokens({"input_ids": [0] * tokens, "labels": [0] * tokens}, Words(["x"])).data
    assert html.count("<span title") == 512
    assert Reader(html).shown == "x" * 512 + more + f"trained: {tokens} of {tokens} tokens \u00a0 ignored: 0"
    for label, title in ((0, "id 0, label 0 (trained)"), (-1, "id 0, label -1 (ignored)")):
        assert f'<span title="{title}"' in show.tokens({"input_ids": [0], "labels": [label]}, Words(["x"])).data


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (lambda: show.tokens({"input_ids": [0, 0], "labels": [0]}, Words(["x"])), "equally long, got 2 and 1$"),
        (lambda: show.before_after(["2", "3"], {"a": ["5"]}), "^a: expected 2 answers, one a question, got 1$"),
        (lambda: show.before_after(["2", "3"], {"a": list("567")}), "^a: expected 2 answers, one a question, got 3$"),
    ],
)
def test_what_does_not_fit_together(shown, words):
    with pytest.raises(ValueError, match=words):
        shown()


def test_answers_before_and_after():
    html = show.before_after(["2+2?", "3+3?"], {"before": ["5", "<6>"], "after": ["4", "y" * 301]}).data
    assert cells(html, "th") == ["question", "before", "after"]
    assert cells(html) == ["2+2?", "5", "4", "3+3?", "&lt;6&gt;", "y" * 300 + " …"]
    assert cells(show.before_after(["The"], {"on": ["sea"]}, asked="opening").data, "th") == ["opening", "on"]
    assert "a<br>&lt;b&gt;<" in show.before_after(["q"], {"x": ["a\n<b>"]}, lines=True).data
    assert "a⏎&lt;b&gt;<" in show.before_after(["q"], {"x": ["a\n<b>"]}).data
