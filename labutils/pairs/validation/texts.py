"""What is wrong with one pair: its keys, the types of its values, and the contents of its texts."""

import bisect
import math
import re
from collections import Counter
from functools import cache
from typing import Any, NamedTuple

from labutils.corpus import personal
from labutils.pairs.conversion import CHAT, FORMS, OWN_KEYS, form_of, joined
from labutils.pairs.records import FAMILIES
from labutils.pairs.templates import ANSWER, QUESTION, TEMPLATES, lookup
from labutils.pairs.validation import turns
from labutils.pairs.validation.problems import LISTED, NOTE, WARNING, Tally, named, quoted, type_name
from labutils.pairs.validation.turns import LONGEST_KEY, likeness

# The values of an object -> the texts it holds, with the problems of their types.


class Parts(NamedTuple):
    """What an object holds: its texts under their labels; question and answer are None where one cannot be used."""

    form: str
    texts: list[tuple[str, str]]
    question: str | None
    answer: str | None
    several: str = ""  # the whole of a conversation of more than one question and one answer


def _pair(number: int, record: dict, form: str, tally: Tally) -> Parts:
    texts = {key: _text(number, key, record[key], form, tally) for key in OWN_KEYS[form] if key in record}
    good = [(key, text) for key, text in texts.items() if text is not None]
    sides = [texts.get(key) for key in OWN_KEYS[form]]
    if form == "text":
        question, answer = "", sides[0]
    elif form == "alpaca":
        question, answer = sides[0], sides[2]
        question = joined(question, sides[1]) if question is not None and sides[1] else question
    else:
        question, answer = sides
    return Parts(form, good, question, answer)


def _text(number: int, key: str, value: Any, form: str, tally: Tally) -> str | None:
    """A value if it is a text that says something; elsewhere the problem is told."""
    if not isinstance(value, str):
        code = "null" if value is None else "wrong_type"
        tally.add(number, code, f'"{key}" must be a text, got {type_name(value)}')
        return None
    if value.strip() or (key == "input" and form == "alpaca" and not value):
        return value
    code, what = ("blank_text", "holds white space only") if value else ("empty_text", "is empty")
    tally.add(number, code, f'"{key}" {what}')
    return None


def _conversation(number: int, record: dict, form: str, tally: Tally) -> Parts:
    messages, _, faults = found = turns.read(record, form)
    for code, cause, severity in faults:
        tally.add(number, code, cause, severity=severity)
    texts = [(f"message {place}", text) for place, each in enumerate(messages, 1) if (text := turns.said(each))]
    answers = [place for place, message in enumerate(messages) if message["role"] == "assistant"]
    several = turns.whole(found) if found.several() else ""
    if not answers or len(texts) < len(messages):
        return Parts(form, texts, None, None, several)
    question = "\n\n".join(text for _, text in texts[: answers[-1]])
    return Parts(form, texts, question, texts[answers[-1]][1], several)


# The keys: which form they are, which is misspelt (needed, missing, one like it is there), what is usual in the file.

CHATS = "`finetune` trains every turn of the assistant, in the model's chat template; `ask --chat` asks through it"
USUAL = 0.5  # a further key on this share of the lines is meant; on fewer it looks like a mistake


class Shape(NamedTuple):
    """What an object's keys amount to."""

    form: str | None
    renamed: dict[str, str]  # misspelt key -> the key that was meant
    missing: tuple[str, ...]
    extra: tuple[str, ...]


def shape(keys: tuple[str, ...]) -> Shape:
    """The form that keys amount to. shape(("qestion", "answer")) -> Shape("question/answer", {"qestion": "question"},
    (), ()).
    """
    form = form_of(dict.fromkeys(keys))
    if form:
        return Shape(form, {}, (), tuple(key for key in keys if key not in OWN_KEYS[form]))
    guesses = [_guess(form, keys) for form in FORMS]
    best = max(guesses, key=lambda guess: (not guess.missing, len(FORMS[guess.form]) - len(guess.missing)))
    if len(best.missing) == len(FORMS[best.form]):
        return Shape(None, {}, (), keys)
    return best


def _guess(form: str, keys: tuple[str, ...]) -> Shape:
    free = [key for key in keys if key not in OWN_KEYS[form]]
    renamed: dict[str, str] = {}
    for key in (key for key in OWN_KEYS[form] if key not in keys):
        if like := likeness(key, [each for each in free if each not in renamed]):
            renamed[like] = key
    here = {*keys, *renamed.values()}
    extra = tuple(key for key in keys if key not in OWN_KEYS[form] and key not in renamed)
    return Shape(form, renamed, tuple(key for key in FORMS[form] if key not in here), extra)


class Keys:
    """Reads the objects of one file; at its end it knows which keys and which family are usual there."""

    def __init__(self, tally: Tally) -> None:
        self.tally, self.shapes, self.records, self.several = tally, {}, 0, 0
        self.extra: Counter[str] = Counter()
        self.extra_lines: dict[str, list[int]] = {}
        self.forms: Counter[str] = Counter()
        self.form_lines: dict[str, list[int]] = {}

    def read(self, number: int, record: dict) -> Parts | None:
        """The texts of an object; None where its keys are of no known form."""
        keys = tuple(record)
        if (found := self.shapes.get(keys)) is None:
            found = shape(keys)
            if len(self.shapes) < 1000 and sum(map(len, keys)) < 1000:  # files have few shapes; damaged ones may not
                self.shapes[keys] = found
        self.records += 1
        if found.form is None:
            there = ", ".join(quoted(key) for key in keys[:5]) or "none"
            self.tally.add(number, "missing_key", f"no known keys; there are: {there}")
            return None
        self._count(number, found)
        for got, meant in found.renamed.items():
            self.tally.add(number, "misspelt_key", f'{quoted(got)} seems to be "{meant}"')
        for key in found.missing:
            self.tally.add(number, "missing_key", f'no "{key}", which {found.form} needs')
        if found.renamed:
            record = {found.renamed.get(key, key): value for key, value in record.items()}
        parts = (_conversation if found.form in CHAT else _pair)(number, record, found.form, self.tally)
        self.several += bool(parts.several)
        return parts

    def _count(self, number: int, found: Shape) -> None:
        _remember(self.forms, self.form_lines, found.form, number)
        for key in (key[:LONGEST_KEY] for key in found.extra):
            if found.form in CHAT and key in turns.BESIDE:
                continue
            if key in self.extra or len(self.extra) < 100:
                _remember(self.extra, self.extra_lines, key, number)

    def finish(self) -> None:
        """Tell what only the whole file shows: further keys, mixed families, a form that tuning does not read."""
        for key, count in self.extra.items():
            lines = tuple(self.extra_lines[key])
            usual = count >= USUAL * self.records
            cause = f"the further key {quoted(key)} is on {count:,} of {self.records:,} lines"
            if usual:
                fix = "nothing has to be done; training reads the two sides of a pair only"
                self.tally.add(lines[0], "extra_key", cause, severity=NOTE, fix=fix)
            else:
                self.tally.add(lines[0], "extra_key", cause, lines=lines if count > 1 else ())
        for form, count in self.forms.most_common()[1:]:
            lines, most = tuple(self.form_lines[form]), self.forms.most_common(1)[0][0]
            cause = f"{form} on {named(lines) if count <= LISTED else f'{count:,} lines'}, where most lines are {most}"
            self.tally.add(lines[0], "mixed_families", cause, lines=lines if count > 1 else ())
        for form in self.forms:
            if form not in FAMILIES:
                loses = form == "alpaca"  # its keys hold those of the family input/output
                cause = f"the form is {form}" + ("; read as input/output, it loses its instruction" if loses else "")
                fix = CHATS if form in CHAT and self.several else ""
                cause += f"; {self.several:,} with several turns, a system message or tools" if fix else ""
                self.tally.add(
                    self.form_lines[form][0], "other_form", cause, severity=WARNING if loses else "", fix=fix
                )


def _remember(counts: Counter, lines: dict[str, list[int]], key: str, number: int) -> None:
    counts[key] += 1
    if counts[key] <= LISTED:
        lines.setdefault(key, []).append(number)


# Inside the texts: characters, markers of a template, spaces, personal data.

BIDI = "\u202a-\u202e\u2066-\u2069"  # Boucher and Anderson 2021, "Trojan Source"
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
    r"<\|[A-Za-z_]{1,30}\|>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<｜[^｜<>]{1,40}｜>"
)
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
    if parts.form != "text":
        markers(number, parts.texts, joined, template, tally)
    spaces(number, parts, template, tally)


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
        told = set()
        for found in personal.find(APART.join(self.texts)):
            number = self.begins[bisect.bisect(self.begins, (found.start, math.inf)) - 1][1]
            if (number, found.kind) not in told:
                told.add((number, found.kind))
                code = "secret" if found.kind in SECRETS else "personal_data"
                article = "an" if found.kind[0] in "aeiAEI" else "a"
                self.tally.add(number, code, f"it seems to hold {article} {found.kind}")
        self.texts, self.begins, self.size = [], [], 0


def characters(number: int, label: str, text: str, scripted: bool, tally: Tally, *, damaged: bool = False) -> None:
    """One problem a class of character that a text should not hold; `scripted` as in `at_home`."""
    for code, pattern in PATTERNS.items():
        places = [match.start() for match in pattern.finditer(text)]
        if code == "zero_width_character":
            places = [place for place in places if not at_home(text, place, scripted)]
        if places and not (damaged and code == "replacement_character"):
            more = f" and {len(places) - 1:,} more" if len(places) > 1 else ""
            cause = f"{label}: U+{ord(text[places[0]]):04X} at character {places[0] + 1}{more}"
            tally.add(number, code, cause)


def at_home(text: str, place: int, scripted: bool) -> bool:
    """Whether an invisible character belongs where it stands: the pair holds letters of SCRIPTS, which need it
    (`scripted`), or it is a joiner in an emoji, or one of the tags of a flag.
    """
    character = text[place]
    if scripted and character in NEEDED:
        return True
    if character in JOINERS:
        before, after = text[max(0, place - 2) : place], text[place + 1 : place + 3]
        return bool(HOME.search(before)) and (character == "\u200c" or bool(HOME.search(after)) or not after.strip())
    return character >= "\U000e0000" and FLAG in text[max(0, place - 8) : place]


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
    return re.compile("|".join([SPECIAL.pattern, *(each.pattern for each in patterns if each)]), re.MULTILINE)


def markers(number: int, texts: list[tuple[str, str]], joined: str, template: str, tally: Tally) -> None:
    """Markers inside the data: of the template itself and special tokens (errors), of other templates (warnings)."""
    if not quick(template).search(joined):
        return
    others = [(frame(name), WARNING) for name in TEMPLATES if TEMPLATES[name] != lookup(template)]
    for label, text in texts:
        for pattern, severity in [(SPECIAL, ""), (frame(template), ""), *others]:
            if pattern and (match := pattern.search(text)):
                cause = f"{label}: {quoted(match[0].strip())} at character {match.start() + 1}"
                tally.add(number, "template_marker", cause, severity=severity)
                break


def spaces(number: int, parts: Parts, template: str, tally: Tally) -> None:
    """White space where the prompt ends and the answer begins: as tokens, another beginning than the asked one."""
    question, answer = parts.question, parts.answer
    if question and question != question.rstrip():
        tally.add(number, "space_before_answer", "the question ends in white space")
    if parts.form == "text" and answer:
        after = lookup(template).removesuffix(ANSWER).split(QUESTION)[1]
        answer = answer.partition(after)[2] if after.strip() else ""  # "" where it follows no prompt
    if answer and answer != answer.lstrip():
        tally.add(number, "space_before_answer", "the answer begins with white space")
