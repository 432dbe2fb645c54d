"""What is wrong inside the texts of one pair: characters, markers of a template, spaces, personal data, encodings.

What is at home in some script or notation stays quiet. Keys and types are for `texts`.
"""

import bisect
import math
import re
from functools import cache

from labutils.corpus import personal
from labutils.pairs.causes import quoted
from labutils.pairs.records import unpadded
from labutils.pairs.templates import ANSWER, QUESTION, TEMPLATES, lookup
from labutils.pairs.validation.problems import KINDS, NOTE, WARNING, Tally
from labutils.pairs.validation.texts import Parts

EMBEDDING = "\u202a\u202b\u202c\u2066\u2067\u2068\u2069"  # marks a name in other letters: at home in SCRIPTS
BIDI = EMBEDDING + "\u202d\u202e"  # Boucher and Anderson 2021, "Trojan Source"
JOINERS = "\u200c\u200d"  # at home in emoji, too
NEEDED = JOINERS + "\u061c\u180e\u200b\u200e\u200f\u2060"  # joiners, directions, ends of words: at home in SCRIPTS
HIDDEN = "\u00ad\u2061-\u2064\ufeff\U000e0000-\U000e007f"
CLASSES = {  # code: the characters; a tab, \n and \r are text
    "lone_surrogate": "\ud800-\udfff",
    "replacement_character": "\ufffd",
    "control_character": "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029",
    "bidi_character": BIDI,
    "zero_width_character": HIDDEN + NEEDED,
}
CONTROL = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]")
SUSPECT = re.compile("[" + "".join(CLASSES.values()) + "]")
PATTERNS = {code: re.compile(f"[{characters}]") for code, characters in CLASSES.items()}
ZERO_WIDTH = PATTERNS["zero_width_character"]
HOME = re.compile("[^\x00-\u024f\u2000-\u206f\ufeff]")  # a letter of another script, or a picture
SCRIPTS = re.compile(  # written from the right, joined, or without spaces (The Unicode Standard, chapters 9, 12 to 17)
    "[\u0590-\u109f\u1700-\u18af\u1900-\u1cff\ua800-\ua8ff\ua930-\ua95f\ua980-\uab2f\uabc0-\uabff"
    "\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00011fff\U0001e800-\U0001eeff]"
)
FLAG = "\U0001f3f4"  # the tag characters behind it spell a region
SPECIAL = re.compile(  # what tokenizers read as one special token, so that it ends a turn or a text
    r"<\|[A-Za-z_]{2,30}\|>|\[/INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<｜[^｜<>]{1,40}｜>"
)
MAYBE = re.compile(r"\[INST\]|</s>\s*\Z|\A<s>(?![^\n]*</s>)")  # the same, unless it is an array in C, or HTML
CODED = "nothing has to be done where it is code or HTML; else remove it: the encoding adds what ends a text"
LATER = "[" + "".join(bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(0x80, 0xC0)) + "]"
MOJIBAKE = re.compile(  # UTF-8 that was read as Windows-1252; a capital Ã alone is Portuguese
    rf"Ã{LATER}(?=[a-z])|(?<=[a-z])Ã{LATER}|(?<![«\u00a0])Â[\u00a0-\u00bf]|â€|ðŸ|ï»¿|(?:[ÐÑ]{LATER}){{2}}|(?:[ä-é]{LATER}{{2}}){{2}}"
)
ESCAPE = re.compile(r"(?<=[^\s\\])\\n(?=[^\s\"'`)\]},.;:!?])(?!(?:u|abla|eq?|eg)\b)")  # where a line could end; no \nu
CODE = re.compile(r"[`\"'][^`\"']{0,200}\\n[^`\"']{0,200}[`\"']|\\[^nrt]|[{}=;$\[\]]|[A-Za-z]:\\|/\\[nr]/|\\[nr]\|\\")
SECTION = re.compile(
    r"(?:section|sect?\.|§|chapter|clause|paragraph|article|annex|appendix|item|rule|step|arc|table|figure|part|point|"
    r"\bvers\w*|ver\.|release|firmware|driver|build|\bec(?: number)?)s?\W{0,3}$|\boids?\b(?s:.*)$",
    re.IGNORECASE,
)
HOTLINE = re.compile(
    r"\b(?:hotline|helpline|switchboard|emergency|help ?desk|customer (?:service|support|care))\b", re.I
)
TRIAL = {"4111111111111111", "4242424242424242", "4012888888881881", "5555555555554444", "5105105105105100",
         "378282246310005", "6011111111111117", "3530111333300000"}  # fmt: skip  # what payment firms print for tests
APART, AT_ONCE = "\n\n", 1 << 14  # between the texts of two lines; characters that are looked through at once
SECRETS = {"private key", "token"}  # kinds of `personal` that open doors; the others say who somebody is


def check(number: int, parts: Parts, joined: str, template: str, tally: Tally, *, damaged: bool = False) -> None:
    """Tell what is wrong with the texts of one pair, which are `joined` for a first look. `damaged` texts were decoded
    past a fault that is told already.
    """
    if (CONTROL if joined.isascii() else SUSPECT).search(joined):
        scripted = bool(SCRIPTS.search(joined))
        for label, text in parts.texts:
            characters(number, label, text, scripted, tally, damaged=damaged)
    if parts.form != "text" and (name := filled(parts, template)):
        cause = f"the question is filled into the template {quoted(name)} already"
        tally.tie(number, "filled_template", cause, KINDS["filled_template"][1].replace("NAME", name))
        parts = parts._replace(texts=parts.texts[1:], question=None)
    if parts.form != "text":
        markers(number, parts.texts, joined, template, tally)
    spaces(number, parts, template, tally)
    if not joined.isascii() and not damaged and (match := MOJIBAKE.search(joined)):
        tally.add(number, "mojibake", f"it seems to hold letters in a wrong encoding: {quoted(match[0])}")
    if "\\n" in joined:
        for label, text in parts.texts:
            if "\n" not in text and ESCAPE.search(text) and not CODE.search(text):
                tally.add(number, "literal_escape", f"{label} holds the two signs \\n where a line seems to end")


class Persons:
    """Looks for personal data and secrets in the texts of many lines at once, because a look costs much to begin."""

    def __init__(self, tally: Tally) -> None:
        self.tally, self.texts, self.begins, self.size = tally, [], [], 0

    def add(self, number: int, joined: str) -> None:
        """Take in the texts of a line."""
        self.texts.append(joined)
        self.begins.append((self.size, number))
        self.size += len(joined) + len(APART)
        if self.size > AT_ONCE:
            self.finish()

    def finish(self) -> None:
        """Tell what is found in the lines taken in since the last look, each kind once a line."""
        told, text = set(), APART.join(self.texts)
        for found in personal.find(text):
            number = self.begins[bisect.bisect(self.begins, (found.start, math.inf)) - 1][1]
            severity = likely(found, text)
            if severity is not None and (number, found.kind, severity) not in told:
                told.add((number, found.kind, severity))
                code = "secret" if found.kind in SECRETS else "personal_data"
                article = "an" if found.kind[0] in "aeiAEI" else "a"
                self.tally.add(number, code, f"it seems to hold {article} {found.kind}", severity=severity)
        self.texts, self.begins, self.size = [], [], 0


def likely(found: personal.Finding, text: str) -> str | None:
    """The severity of what looks like somebody's data, "" for the kind's own: a note for a card for tests and a
    hotline; None for the number of a section (four numbers under 64 are an address once in 256 times).
    """
    said, begins = text[found.start : found.end], max(text.rfind(APART, 0, found.start), found.start - 80, 0)
    if found.kind == "IP address" and "." in said:
        section = max(map(int, said.split("."))) < 64 or SECTION.search(text, begins, found.start)
        return None if section else ""
    if found.kind == "card number":
        return NOTE if re.sub(r"\D", "", said) in TRIAL else ""
    return NOTE if found.kind == "telephone" and HOTLINE.search(text, begins, found.start) else ""


def characters(number: int, label: str, text: str, scripted: bool, tally: Tally, *, damaged: bool = False) -> None:
    """One problem a class of character that a text should not hold; `scripted` as in `at_home`."""
    for code, pattern in PATTERNS.items():
        places = [match.start() for match in pattern.finditer(text) if not at_home(text, match.start(), scripted)]
        if places and not (damaged and code == "replacement_character"):
            more = f" and {len(places) - 1:,} more" if len(places) > 1 else ""
            cause = f"{label}: U+{ord(text[places[0]]):04X} at character {places[0] + 1}{more}"
            tally.add(number, code, cause)


def at_home(text: str, place: int, scripted: bool) -> bool:
    """Whether an invisible character belongs where it stands: the pair holds letters of SCRIPTS, which need it
    (`scripted`), or it is a joiner in an emoji, or one of the tags of a flag.
    """
    character = text[place]
    if scripted and character in NEEDED + EMBEDDING:
        return True
    if character in JOINERS:
        before, after = text[max(0, place - 2) : place], text[place + 1 : place + 3]
        return bool(HOME.search(before)) and (character == "\u200c" or bool(HOME.search(after)) or not after.strip())
    return character >= "\U000e0000" and FLAG in text[max(0, place - 8) : place]


def filled(parts: Parts, template: str) -> str | None:
    """The template that the question begins like, so that it is filled in already."""
    begins = openings(template)
    if not parts.question or not parts.question.startswith(tuple(begins)):
        return None
    return next(name for mark, name in begins.items() if parts.question.startswith(mark))


@cache
def openings(template: str) -> dict[str, str]:
    """How a text in a template begins, for each template whose text begins with a mark of its own."""
    begins = {lookup(name).partition(QUESTION)[0].strip(): name for name in (*TEMPLATES, template)}
    return {mark: name for mark, name in begins.items() if mark}


@cache
def frame(template: str) -> re.Pattern | None:
    """What finds the fixed lines of a template inside data; a word such as "Q:" only at the beginning of a line."""
    lines = lookup(template).replace(QUESTION, "\n").replace(ANSWER, "\n").split("\n")
    pieces = {piece for line in lines if (piece := line.strip()) and not SPECIAL.fullmatch(piece)}
    wanted = [(r"^[^\S\n]*" if piece[0].isalnum() else "") + re.escape(piece) for piece in sorted(pieces)]
    return re.compile("|".join(wanted), re.MULTILINE) if wanted else None


@cache
def quick(template: str) -> re.Pattern:
    """One look for all of `markers`; most texts hold none."""
    patterns = [frame(each) for each in (template, *TEMPLATES)]
    return re.compile(
        "|".join([SPECIAL.pattern, r"\[INST\]|</?s>", *(each.pattern for each in patterns if each)]), re.MULTILINE
    )


def markers(number: int, texts: list[tuple[str, str]], joined: str, template: str, tally: Tally) -> None:
    """Markers inside the data: of the template itself and special tokens (errors), of other templates (warnings)."""
    if not quick(template).search(joined):
        return
    others = [(frame(name), WARNING) for name in TEMPLATES if TEMPLATES[name] != lookup(template)]
    for label, text in texts:
        for pattern, severity in [(SPECIAL, ""), (frame(template), ""), *others, (MAYBE, NOTE)]:
            if pattern and (match := pattern.search(text)):
                cause = f"{label}: {quoted(match[0].strip())} at character {match.start() + 1}"
                tally.add(number, "template_marker", cause, severity=severity, fix=CODED if pattern is MAYBE else "")
                break


def spaces(number: int, parts: Parts, template: str, tally: Tally) -> None:
    """White space where the prompt ends and the answer begins: as tokens, another beginning than the asked one."""
    question, answer = parts.question, parts.answer
    if question and question != question.rstrip() and _padded(question):
        tally.add(number, "space_before_answer", "the question ends in white space")
    if parts.form == "text" and answer:
        after = lookup(template).removesuffix(ANSWER).split(QUESTION)[1]
        answer = answer.partition(after)[2] if after.strip() else ""  # "" where it follows no prompt
    if answer and answer != answer.lstrip() and _padded(answer):
        tally.add(number, "space_before_answer", "the answer begins with white space")


def _padded(text: str) -> bool:
    """Whether white space around a text surely means nothing; it may be code."""
    return unpadded(text) == text.strip()
