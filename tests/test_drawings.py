"""The drawings: what they say, their numbers, safe words, and in a browser no word over another or over the edge."""

import inspect
from xml.etree import ElementTree

import browser
import pytest

from labutils.lesson import drawings
from labutils.lesson.drawings import conversation, leak, lora, mask, padding, shift, stages, tasks, update

ALL = (stages, shift, mask, conversation, padding, leak, update, lora, tasks)
OVERLAPS = """svg => {  // pairs of words that lie over each other, and words beyond the edge
    const edge = svg.getBoundingClientRect();
    const words = [...svg.querySelectorAll("text")].map(text => [text.textContent, text.getBoundingClientRect()]);
    const over = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3;
    return words.flatMap(([word, a], i) => [
        ...words.slice(i + 1).filter(([, b]) => over(a, b)).map(([other]) => word + " | " + other),
        ...(a.left < edge.left || a.right > edge.right || a.bottom > edge.bottom + 1 ? [word] : []),
    ]);
}"""


@pytest.mark.parametrize("draw", ALL)
def test_a_drawing_is_well_formed_says_what_it_shows_and_takes_the_text_colour(draw):
    picture = draw()
    svg = ElementTree.fromstring(picture.svg(2))
    assert svg.get("role") == "img" and svg.get("aria-label") == repr(picture) and svg.get("fill") == "currentColor"
    assert len(picture.says) > 30 and len(picture._repr_html_()) < 60_000
    assert inspect.getdoc(draw)


def test_numbers_follow_the_arguments():
    assert lora((100, 50), rank=2).says.endswith("300 weights are trained instead of 5,000: 6.0%.")
    assert update(2, 1, lambda w: w * w).says == "Loss 4.00, gradient +4.00, step from 2 to -2.00, loss then 4.00."
    assert stages([("a", "1"), ("b", "2"), ("c", "3")]).says.endswith(
        "on a, 1; finetune on b, 2; finetune again on c, 3."
    )
    assert tasks(("one two three", "one"), ("one", "two words")).says == (
        "Extraction: 3 words read, 1 written; Expansion: 1 words read, 2 written."
    )
    three = [{"fact": fact, "question": f"{fact}?"} for fact in "xyz" for _ in range(3)]
    assert "by fact, 0 of 3" in leak(three).says


def test_tokens_are_those_of_the_tokenizer():
    assert shift("The mat.").says == "Inputs: The ·mat. Targets: ·mat ."
    assert "by place train 2 tokens:" in padding("Hi", "H").says and "by value train 3:" in padding("Hi", "H").says
    assert mask("Hi", "H").says.endswith("answer and its end: 2 tokens, trained.")


def test_a_conversation_says_which_turns_are_trained():
    talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho", "weight": 0}]
    talk += [{"role": "user", "content": "Hm"}, {"role": "assistant", "content": "H"}]
    drawn = conversation({"messages": talk})
    assert drawn.says.startswith("2 of ") and drawn.says.endswith("Turns: user, assistant, user, assistant.")
    assert [shape.count("trained<") for shape in drawn.shapes].count(1) == 1


def test_words_of_others_stay_words():
    html = tasks(("<script>alert(1)</script>", "</svg>"), ("&", '"'))._repr_html_()
    assert "<script" not in html and html.count("</svg>") == 1


def test_no_word_lies_over_another_or_over_the_edge():
    browser.need()
    with browser.page(drawings.WIDTH + 40) as page:
        page.set_content("".join(draw()._repr_html_() for draw in ALL))
        assert [page.locator("svg").nth(i).evaluate(OVERLAPS) for i in range(len(ALL))] == [[]] * len(ALL)
