"""What an exercise says, as HTML: the box of a result, hints, a solution. Nothing is told by colour alone.

Texts are escaped by `show.plain`; what is in backticks is set as code. Inline styles only, transparent tints and
the reader's own text colour, so that it reads in the light and the dark theme and in a notebook that is not trusted.
"""

import re
from collections.abc import Sequence

from IPython.display import HTML

from labutils.lesson import show

LIMIT = 900  # the most characters of a message
STATES = {  # an icon, the words before the message, a colour (Okabe and Ito 2008)
    "not attempted": ("○", "not attempted:", "rgb(128,128,128)"),
    "not yet": ("△", "not yet, because", "rgb(230,159,0)"),
    "right": ("✓", "right:", "rgb(0,158,115)"),
}
SAID = "rgb(86,180,233)"
CODE = "margin:6px 0 0 0;white-space:pre-wrap;font-family:monospace;background:transparent;color:inherit"


def head(state: str) -> str:
    """The icon and the words before a message. head("right") -> "✓ right:"."""
    icon, words, _ = STATES[state]
    return f"{icon} {words}"


def result(state: str, message: str, note: str = "") -> str:
    """The box of a result."""
    below = f'<div style="opacity:.85">{prose(note)}</div>' if note else ""
    return _box(f"<b>{head(state)}</b> {prose(message)}{below}", STATES[state][2])


def hints(given: Sequence[str], total: int) -> HTML:
    """The hints so far, the newest last."""
    lines = (f"<div><b>→ hint {i} of {total}:</b> {prose(hint)}</div>" for i, hint in enumerate(given, 1))
    return HTML(_box("".join(lines), SAID))


def solution(code: str) -> HTML:
    """A solution, as a cell would hold it."""
    lines = "\n".join(show.plain(line) for line in code.split("\n"))
    return HTML(_box(f'<b>→ one solution:</b><pre style="{CODE}">{lines}</pre>', SAID))


def said(words: str) -> HTML:
    """A sentence to the learner that is neither of these."""
    return HTML(_box(f"→ {prose(words)}", SAID))


def prose(text: str) -> str:
    """A message as safe HTML. prose("use `<`") -> "use <code>&lt;</code>"."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", show.plain(text, LIMIT))


def _box(inside: str, colour: str) -> str:
    style = f"border-left:5px solid {colour};padding:4px 10px;{show.BREAK}"
    return f'<div style="{style}">{inside}</div>'
