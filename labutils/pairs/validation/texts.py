"""What is wrong with one pair: its keys and the types of its values. What its texts contain is for `contents`."""

from collections import defaultdict
from typing import Any, NamedTuple

from labutils.pairs import causes
from labutils.pairs.causes import quoted, type_name
from labutils.pairs.conversion import CHAT, FORMS, OWN_KEYS, form_of, joined
from labutils.pairs.records import FAMILIES
from labutils.pairs.validation import turns
from labutils.pairs.validation.problems import NOTE, WARNING, Tally, Where
from labutils.pairs.validation.turns import LONGEST_KEY, likeness

# The values of an object -> the texts it holds, with the problems of their types.


class Parts(NamedTuple):
    """What an object holds: its texts under their labels; question and answer are None where one cannot be used."""

    form: str
    texts: list[tuple[str, str]]
    question: str | None
    answer: str | None
    several: str = ""  # the whole of a conversation of more than one question and one answer
    beside: str = ""  # what stands beside the pair and belongs to its prompt

    def asked(self) -> str:
        """The question with what belongs to its prompt."""
        return self.beside + (self.question or "")


def _pair(number: int, record: dict, form: str, tally: Tally) -> Parts:
    if form == "alpaca" and record.get("input", "") is None:
        record = {**record, "input": ""}
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
    beside = "".join(f"{record[key]}\n\n" for key in causes.BESIDE if isinstance(record.get(key), str))
    return Parts(form, good, question, answer, beside=beside)


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

NAME_THEM = "`convert FILE --question NAME --answer NAME --to question/answer --out OUT` renames what you name"
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


def fitting(found: Shape, record: dict) -> Shape:
    """A shape of an object's keys, unless it takes for misspelt messages what is no list."""
    talk = next(iter(found.renamed), "") if found.form in CHAT else ""
    return found if not talk or isinstance(record[talk], list) else Shape(None, {}, (), tuple(record))


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
        self.extra: defaultdict[str, Where] = defaultdict(Where)
        self.forms: defaultdict[str, Where] = defaultdict(Where)

    def read(self, number: int, record: dict) -> Parts | None:
        """The texts of an object; None where its keys are of no known form."""
        keys = tuple(record)
        if (found := self.shapes.get(keys)) is None:
            found = shape(keys)
            if len(self.shapes) < 1000 and sum(map(len, keys)) < 1000:  # files have few shapes; damaged ones may not
                self.shapes[keys] = found
        self.records += 1
        found = fitting(found, record)
        if cause := self._meant(found, record):
            self.tally.tie(number, *cause)
            return None
        if found.form is None:
            there = ", ".join(quoted(key) for key in keys[:5]) or "none"
            self.tally.add(number, "missing_key", f"no known keys; there are: {there}", fix=NAME_THEM)
            return None
        self._count(number, found, record)
        for got, meant in found.renamed.items():
            self.tally.add(number, "misspelt_key", f'{quoted(got)} seems to be "{meant}"')
        for key in found.missing:
            self.tally.add(number, "missing_key", f'no "{key}", which {found.form} needs')
        if found.renamed:
            record = {found.renamed.get(key, key): value for key, value in record.items()}
        parts = (_conversation if found.form in CHAT else _pair)(number, record, found.form, self.tally)
        self.several += bool(parts.several)
        return parts

    def _meant(self, found: Shape, record: dict) -> causes.Cause | None:
        """What a record is meant to be, where it is not what its keys say."""
        if found.form is None or found.missing:
            return causes.meant(record)
        odd = [key for key in (*found.renamed, FORMS[found.form][0]) if isinstance(record.get(key), (list, dict))]
        if found.form in CHAT:
            return None if found.renamed else causes.meant(record, False)
        strange = odd or "input" in found.extra or record.get("label") in (0, 1)
        return causes.meant(record, bool(found.renamed)) if strange else None

    def _count(self, number: int, found: Shape, record: dict) -> None:
        self.forms[found.form].add(number)
        for key in (key[:LONGEST_KEY] for key in found.extra):
            if key in (turns.BESIDE if found.form in CHAT else ()) or (key in causes.BESIDE and not record[key]):
                continue  # an empty context is none
            if key in self.extra or len(self.extra) < 100:
                self.extra[key].add(number)

    def finish(self) -> None:
        """Tell what only the whole file shows: further keys, mixed families, a form that tuning does not read."""
        for key, where in self.extra.items():
            cause = f"the further key {quoted(key)} is on {where.count:,} of {self.records:,} lines"
            if key in causes.BESIDE:
                cause += "; it seems to belong to the prompt, and training does not read it"
                self.tally.add(where.first[0], "context_beside", cause)
            elif key in causes.LABELS and set(self.forms) == {"text"}:
                command = f"`convert FILE --question text --answer {key} ...`"
                fix = f"where it is the answer to the text, {command} makes pairs"
                self.tally.add(where.first[0], "other_names", cause, severity=WARNING, fix=fix)
            elif where.count >= USUAL * self.records:
                fix = "nothing has to be done; training reads the two sides of a pair only"
                self.tally.add(where.first[0], "extra_key", cause, severity=NOTE, fix=fix)
            else:
                self.tally.add(where.first[0], "extra_key", cause, lines=where.first)
        most = max(self.forms, key=lambda form: self.forms[form].count, default="")
        for form, where in self.forms.items():
            if form != most:
                cause = f"{form} on {where}, where most lines are {most}"
                self.tally.add(where.first[0], "mixed_families", cause, lines=where.first)
            cause, fix = f"the form is {form}", ""
            if form == "alpaca":  # its keys hold those of the family input/output
                cause += "; read as input/output, it loses its instruction"
            if form in CHAT and self.several:
                cause += f"; {self.several:,} with several turns, a system message or tools"
                fix = CHATS
            if form not in FAMILIES:
                self.tally.add(where.first[0], "other_form", cause, severity=WARNING * (form == "alpaca"), fix=fix)
