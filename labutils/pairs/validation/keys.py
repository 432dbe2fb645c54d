"""The keys of an object: which form they are, which is misspelt, which is further; and what is usual in the file.

Which key was meant is guessed by likeness: a needed key is missing, and one that looks like it is there.
"""

from collections import Counter
from typing import NamedTuple

from labutils.pairs.conversion import FORMS, OWN_KEYS, form_of
from labutils.pairs.records import FAMILIES
from labutils.pairs.validation.problems import LISTED, NOTE, WARNING, Tally, named, quoted
from labutils.pairs.validation.values import LONGEST_KEY, Parts, likeness, read

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
        self.tally, self.shapes, self.records = tally, {}, 0
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
        return read(number, record, found.form, self.tally)

    def _count(self, number: int, found: Shape) -> None:
        _remember(self.forms, self.form_lines, found.form, number)
        for key in (key[:LONGEST_KEY] for key in found.extra):
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
                self.tally.add(self.form_lines[form][0], "other_form", cause, severity=WARNING if loses else "")


def _remember(counts: Counter, lines: dict[str, list[int]], key: str, number: int) -> None:
    counts[key] += 1
    if counts[key] <= LISTED:
        lines.setdefault(key, []).append(number)
