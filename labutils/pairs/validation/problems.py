"""The kinds of problem that a file of pairs can have: code, severity, what to do. And the list that collects them.

How a problem is found is for the files beside this one, each on its subject; how one is shown is for `lesson`.
"""

from collections import Counter
from typing import NamedTuple

PER_KIND = 1000  # problems kept of one kind; further ones are counted, so that memory stays flat on any file
LISTED = 20  # lines named in one problem that ties several


class Problem(NamedTuple):
    """One problem. `line` counts from 1 and is 0 for the whole file; `lines` names all where a problem ties several."""

    line: int
    code: str
    severity: str  # error: it must be repaired; warning: look at it; note: good to know
    cause: str
    fix: str
    lines: tuple[int, ...] = ()


ERROR, WARNING, NOTE = "error", "warning", "note"
KINDS = {  # code: (severity, fix)
    "empty_file": (ERROR, "write one JSON object a line"),
    "json_list": (ERROR, "turn the list into JSON Lines with the command `convert`"),
    "utf16": (ERROR, "save the file as UTF-8; a repaired copy is"),
    "bom": (WARNING, "save the file as UTF-8 without a byte order mark; a repaired copy is"),
    "invalid_utf8": (ERROR, "find the encoding that the line was written in (often Windows-1252) and save it as UTF-8"),
    "crlf": (NOTE, "nothing has to be done; a repaired copy ends its lines in \\n"),
    "no_final_newline": (NOTE, "see that the last line was not cut off"),
    "blank_line": (WARNING, "remove the line"),
    "line_too_long": (ERROR, "look at how the file was made: a newline is missing, or this is no pair"),
    "not_json": (ERROR, "write the line as one JSON object, keys and texts in double quotes"),
    "raw_control_character": (ERROR, "write it as an escape (\\n, \\t, \\u0000); a repaired copy does"),
    "repeated_key": (ERROR, "keep one of the values; most readers keep the last without a word"),
    "not_an_object": (ERROR, 'write an object, such as {"question": "...", "answer": "..."}'),
    "missing_key": (ERROR, "add the key with its text"),
    "misspelt_key": (ERROR, "rename the key; a repaired copy does"),
    "extra_key": (WARNING, "remove it, unless it is meant: training reads the two sides of a pair only"),
    "mixed_families": (WARNING, "bring all lines to one family with the command `convert`"),
    "other_form": (
        NOTE,
        "`finetune` and `format` read it; for a notebook, use `convert --to question/answer`",
    ),
    "wrong_type": (ERROR, "write the value as a text in double quotes"),
    "null": (ERROR, "write the text, or remove the line"),
    "empty_text": (ERROR, "write the text, or remove the line"),
    "blank_text": (ERROR, "write the text, or remove the line"),
    "unknown_role": (ERROR, "use system, user and assistant (ShareGPT: system, human and gpt)"),
    "no_answer": (ERROR, "end the conversation with an answer of the assistant: it is what is trained"),
    "lone_surrogate": (ERROR, "replace it: half of a character pair cannot be written as UTF-8"),
    "replacement_character": (WARNING, "write the right character: a decoder put U+FFFD where it could not read one"),
    "control_character": (WARNING, "remove it, or write what it stood for"),
    "bidi_character": (WARNING, "remove it: it shows text in another order than the model reads"),
    "zero_width_character": (WARNING, "remove it: nobody sees it, but the model reads it; a repaired copy does"),
    "template_marker": (ERROR, "reword the text: in training it reads as the beginning of another part"),
    "space_before_answer": (WARNING, "remove the space; a repaired copy does, where that is safe"),
    "personal_data": (WARNING, "replace it by a made-up value, unless it is public: a model can recite it"),
    "secret": (ERROR, "remove it and have it revoked: a model can recite it"),
    "nothing_left": (ERROR, "shorten the question: no token of the answer fits, so nothing is trained"),
    "answer_truncated": (WARNING, "shorten the pair or raise the limit: the end of the answer, or the pair, is lost"),
    "duplicate": (WARNING, "keep one: the others count double in training, and leak if the file is split"),
    "different_answers": (WARNING, "decide which answer is right: the model is taught both"),
    "near_duplicate": (WARNING, "keep them on one side of a split; drop those that say nothing new"),
    "split_leak": (ERROR, "remove it from one side: the score would measure memory"),
    "near_split_leak": (WARNING, "move both to one side: the score would partly measure memory"),
    "dominating_answer": (WARNING, "use fewer pairs with this answer, or word it in several ways"),
    "search_bounded": (NOTE, "validate a sample, or the parts of the file one by one"),
    "unread_other": (WARNING, "validate that file, too"),
    "tokens": (NOTE, "this is what one pass over the file costs"),
}


class Tally:
    """Collects problems in bounded memory: PER_KIND of each kind are kept, the rest is counted."""

    def __init__(self) -> None:
        self.kept: list[Problem] = []
        self.counts: Counter[str] = Counter()
        self.last: dict[str, int] = {}

    def add(
        self, line: int, code: str, cause: str, *, lines: tuple[int, ...] = (), severity: str = "", fix: str = ""
    ) -> None:
        """Add a problem; severity and fix are the kind's own where none is given."""
        self.counts[code] += 1
        if self.counts[code] <= PER_KIND:
            usual = KINDS[code]
            self.kept.append(Problem(line, code, severity or usual[0], cause, fix or usual[1], lines[:LISTED]))
        else:
            self.last[code] = max(line, self.last.get(code, 0))

    def problems(self) -> list[Problem]:
        """All problems by line; where a kind has more than are kept, a last one says how many."""
        more = [
            Problem(line, code, KINDS[code][0], f"{self.counts[code] - PER_KIND:,} further problems of this kind, the "
                    f"last at line {line}", KINDS[code][1])
            for code, line in self.last.items()
        ]  # fmt: skip
        return sorted([*self.kept, *more], key=lambda problem: (problem.line, problem.code))


def quoted(text: object, limit: int = 40) -> str:
    """A piece of somebody's data inside a message: cut, on one line, in quotes. quoted("a\\nb") -> '"a\\\\nb"'."""
    text = str(text)
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" if c != "\n" else "\\n" for c in text[:limit])
    return f'"{shown}{"..." if len(text) > limit else ""}"'


def named(lines: tuple[int, ...] | list[int]) -> str:
    """Line numbers as words. named([3, 7]) -> "lines 3, 7"; many are cut."""
    shown = ", ".join(str(line) for line in lines[:8])
    more = f" and {len(lines) - 8:,} more" if len(lines) > 8 else ""
    return f"line{'s' if len(lines) > 1 else ''} {shown}{more}"
