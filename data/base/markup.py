"""Marked-up text -> plain paragraphs: reST and Markdown by lines (`plain`), HTML by tags (`untagged`).

Directives, code blocks, tables, doctests and comments go; headings, lists and the running text of notes stay. Markup
inside a paragraph is for `inline`, what is a paragraph for `paragraphs`, what is running text for `sentences`.
"""

import html
import re
from collections.abc import Iterator

from inline import inline
from paragraphs import BULLET, indent, paragraphs
from sentences import tidied

# reST directives whose body is running text; the body of every other directive is dropped with it
PROSE_DIRECTIVES = re.compile(
    r"note|warning|tip|hint|important|caution|danger|attention|seealso|admonition|topic|rubric|glossary|epigraph|"
    r"versionadded|versionchanged|versionremoved|deprecated|container|compound|sidebar|details?|dropdown|"
    r"(?:py:|c:|django-|cpp:)?(?:function|class|method|classmethod|staticmethod|attribute|data|exception|admin|setting|"
    r"module|option|confval|envvar|templatetag|templatefilter|fieldlookup|describe|object|program|property|command)"
)
SIGNATURES = re.compile(r"(?:py:|c:|django-|cpp:)?(?:function|class|method|classmethod|staticmethod|attribute|data|"
                        r"exception|module|option|program|envvar|property|describe|object|version\w+)$")  # fmt: skip
DIRECTIVE = re.compile(r"\s*(?:-\s+)?\.\. *(?:\|[^|]+\| )?([\w:.+-]+?) ?::(?: |$)(.*)")
OPTION = re.compile(r"\s+:[\w-]+:")
COMMENT = re.compile(r"\s*\.\.(?: |$|_)|\s*__ ")
FENCE = re.compile(r"\s*(?:[-*] +)?(`{3,}|~{3,}|:{3,})(.*)")
FENCED_PROSE = re.compile(r"\{(?:note|tip|warning|important|seealso|admonition|hint|caution|"
                          r"versionadded|versionchanged|deprecated)\}")  # fmt: skip
SESSION = re.compile(r"\s*(?:>>>|In \[\d*\]:|\$ |% |!\w|#!)")  # what is typed at a prompt
TABLE = re.compile(r"\s*(?:\+[-=+]{3,}\+?|\||={2,}(?: +={2,})+|-{2,}(?: +-{2,})+)")
LONGEST_TABLE = 400  # lines
UNDERLINE = re.compile(r"\s*([=\-~^\"'`#*+.:_])\1{2,}\s*$")
ADDRESS = re.compile(r"\s*\[[^\]]+\]: \S")
HEADING = re.compile(r"#{1,6}\s+(.*?)[\s#]*(?:\{#.*\})?$")
ADMONITION = re.compile(r"\s*(?:!!!|\?\?\?\+?) \w+(?: \"(.*)\")?")
QUOTE = re.compile(r"^(\s*)> ?(?:\[!\w+\])?")


def plain(text: str) -> str:
    """A reST, Markdown or docstring text without its markup, each paragraph on one line.

    plain("Open\\n====\\n\\nUse :func:`~io.open`\\nto open a ``file``.") -> "Open\\n\\nUse open to open a file."
    """
    text = re.sub(r"(?s)\A---\n.*?\n---\n|<!--.*?-->|\{#.*?#\}|\{%.*?%\}", "", text)
    text = re.sub(r"(?s)<(script|style|pre|table|svg|details)\b.*?</\1>", "\n", text)
    text = re.sub(r"(?i)<br ?/?>|</?(?:p|div|h\d|li|ul|ol|dl|dt|dd)\b[^<>]*>", "\n", text)
    return tidied(map(inline, paragraphs(kept_lines(text.expandtabs(4).split("\n")))))


def untagged(text: str) -> str:
    """Paragraphs and list items of HTML, one a line. untagged("<p>An <i>old</i> one.</p>") -> "An old one."."""
    if main := re.search(r"(?s)<(article|main)\b.*</\1>", text):
        text = main[0]
    text = re.sub(r"(?s)<!--.*?-->|<(script|style|pre|table|head|nav|footer)\b.*?</\1>", " ", text)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"(?i)</?(?:p|h\d|div|dt|dd|dl|ul|ol|br|note|important|tr|section|article)\b[^<>]*>", "\n\n", text)
    text = re.sub(r"(?i)<li\b[^<>]*>", "\n- ", text)
    text = html.unescape(re.sub(r"<[^<>]*>", "", text))
    text = re.sub(r"-\s*\n\s*\n", "- ", text)
    return tidied(" ".join(paragraph.split()) for paragraph in text.split("\n"))


def kept_lines(lines: list[str]) -> Iterator[str]:
    """The lines that are no directives, comments, code blocks, tables or doctests; a heading gets blank lines."""
    i = 0
    while i < len(lines):
        line = lines[i].rstrip()
        found = next(filter(None, (form(line, lines, i + 1) for form in FORMS)), None)
        kept, i = found or ([QUOTE.sub(r"\1", line)], i + 1)
        yield from kept


Found = tuple[list[str], int] | None  # the lines to keep, the number of the next line to look at; None: another form


def directive(line: str, lines: list[str], after: int) -> Found:
    """A reST directive: its body stays where it is running text, its signature never."""
    if not (match := DIRECTIVE.match(line)):
        return None
    if not PROSE_DIRECTIVES.fullmatch(match[1]):
        return [""], after_block(lines, after, indent(line))
    kept = [""]
    if not SIGNATURES.match(match[1]):
        kept.append(" " * indent(line) + match[2])
    elif match[1].startswith("version") and len(words := match[2].split(maxsplit=1)) > 1:
        kept.append(" " * indent(line) + words[1])  # what follows the number of a version
    while after < len(lines) and OPTION.match(lines[after]):
        after += 1
    return kept, after


def comment(line: str, lines: list[str], after: int) -> Found:
    return ([""], after_block(lines, after, indent(line))) if COMMENT.match(line) else None


def fence(line: str, lines: list[str], after: int) -> Found:
    """A fenced block goes up to its end; of a note in MyST only the fence does."""
    if not (match := FENCE.match(line)):
        return None
    if match[1][0] == ":" or FENCED_PROSE.match(match[2].strip()):
        return [], after
    while after < len(lines) and not lines[after].strip().startswith(match[1]):
        after += 1
    return [], after + 1


def session(line: str, lines: list[str], after: int) -> Found:
    """What is typed at a prompt goes with its output, up to a blank line."""
    return ([], blank_line(lines, after)) if SESSION.match(line) else None


def table(line: str, lines: list[str], after: int) -> Found:
    """A table goes: up to its last border, or to a blank line."""
    if not TABLE.match(line):
        return None
    for end in range(after, min(after + LONGEST_TABLE - 1, len(lines))):
        if lines[end].strip() == line.strip() and not "".join(lines[end + 1 : end + 2]).strip():
            return [], end + 1
    return [], blank_line(lines, after)


def underlined(line: str, lines: list[str], after: int) -> Found:
    """The heading above a line of signs, and that line."""
    if UNDERLINE.match(line):
        return [""], after
    below = lines[after] if after < len(lines) else ""
    if line.strip() and UNDERLINE.match(below) and not BULLET.match(line.lstrip()):
        return ["", line.strip(), ""], after
    return None


def literal(line: str, lines: list[str], after: int) -> Found:
    """A line that ends in two colons stays with one, or none; the block under it goes."""
    if not line.endswith("::"):
        return None
    kept = line[:-2] if line.endswith(" ::") or line.strip() == "::" else line[:-1]
    return [kept, ""], after_block(lines, after, indent(line))


def address(line: str, lines: list[str], after: int) -> Found:
    return ([], after) if ADDRESS.match(line) else None


def heading(line: str, lines: list[str], after: int) -> Found:
    """A heading of Markdown, or the title of an admonition."""
    match = HEADING.match(line) or ADMONITION.match(line)
    return (["", match[1] or "", ""], after) if match else None


FORMS = (directive, comment, fence, session, table, underlined, literal, address, heading)  # the first that fits


def after_block(lines: list[str], i: int, outer: int) -> int:
    """The number of the first line from i on that is not blank and not indented deeper than `outer`."""
    while i < len(lines) and (not lines[i].strip() or indent(lines[i]) > outer):
        i += 1
    return i


def blank_line(lines: list[str], i: int) -> int:
    """The number of the first blank line from i on."""
    while i < len(lines) and lines[i].strip():
        i += 1
    return i
