"""Markup inside a paragraph: links, roles, emphasis, code in quotes, footnotes. One paragraph in, its words out."""

import html
import re

INLINE = [  # patterns and what they mean, in this order: reST, Markdown and MyST side by side
    (re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])"), ""),  # images
    (re.compile(r"\[\s*\]\([^)]*\)"), ""),
    (re.compile(r"\[([^\[\]]+)\]\([^()]*(?:\([^()]*\)[^()]*)*\)"), r"\1"),  # [text](address)
    (re.compile(r"\[([^\[\]]+)\]\[[^\]]*\]"), r"\1"),
    (re.compile(r"\[`~?(?:[\w.]+\.)?(\w+(?:\(\))?)`\](?!\()"), r"\1"),  # [`~a.b.Name`]
    (re.compile(r":pep:`(\d+)`"), r"PEP \1"),
    (re.compile(r":rfc:`(\d+)`"), r"RFC \1"),
    (re.compile(r"</?[A-Za-z][^<>]*/?>(?!`)"), ""),  # tags
    (re.compile(r"(?:\{|:)[\w.:+-]+(?:\}|:)`([^`<]+?)\s*<[^`<>]*>`(?:__?)?"), r"\1"),  # :role:`text <target>`
    (re.compile(r"(?:\{|:)[\w.:+-]+(?:\}|:)`~(?:[^`]*\.)?([^`.]+)`"), r"\1"),  # :role:`~a.b.name`
    (re.compile(r"(?:\{|:)[\w.:+-]+(?:\}|:)`!?([^`]+)`"), r"\1"),  # :role:`name`
    (re.compile(r"`([^`<]+?)\s*<[^`<>]*>`__?"), r"\1"),
    (re.compile(r"``+([^`]+?) *``+"), r"\1"),
    (re.compile(r"`~(?:[^`]*\.)?([^`.]+)`"), r"\1"),  # `~a.b.name`, as with a role
    (re.compile(r"`\.?([^`]+)`(?:__?\b)?"), r"\1"),
    (re.compile(r" ?\[(?:#?\w{0,12}|\*)\]_"), ""),  # footnotes
    (re.compile(r"\|([A-Za-z][\w .-]*)\|"), r"\1"),
    (re.compile(r"(?<![\w*])(\*{1,3})(?=[^\s*])([^*]+?)(?<=\S)\1(?![\w*])"), r"\2"),
    (re.compile(r"(?<![\w_])(_{1,2})(?=[A-Z])([^_]+?)(?<=\S)\1(?![\w_])"), r"\2"),
    (re.compile(r"(?<=[a-z])__?(?=[\s.,;:)]|$)"), ""),  # word_ of a reST target
    (re.compile(r"\\(?=[*_`|<>#\[\]()\"'+-])"), ""),
    (re.compile(r"\\ "), ""),
    (re.compile(r"[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f\u200b-\u200f\u2060\ufeff\ufffd]"), ""),  # emoji, no width
    (re.compile(r"\(\s*\)"), ""),
    (re.compile(r"\s+(?=[,.;:!?)](?:\s|$))"), ""),
    (re.compile(r"\s+"), " "),
]


def inline(paragraph: str) -> str:
    """A paragraph's words. inline("Use :func:`~io.open`, [or](a.md) *not* ``eval``.") -> "Use open, or not eval."."""
    for pattern, meant in INLINE:
        paragraph = pattern.sub(meant, paragraph)
    return html.unescape(paragraph).strip()
