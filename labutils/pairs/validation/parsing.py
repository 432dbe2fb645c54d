"""A line's bytes -> the object on it, with the problems on the way. What an object must hold is for `keys`."""

import codecs
import json
from typing import Any, NamedTuple

from labutils.pairs.validation.lines import LINE_LIMIT, Line
from labutils.pairs.validation.problems import Tally, quoted

SPACE = " \t\r\n"  # what JSON calls white space


class Parsed(NamedTuple):
    """A line's value, None where there is none, and whether it was read past a fault in the bytes."""

    value: Any = None
    damaged: bool = False


class Reader:
    """Turns lines into JSON objects and tells what is wrong with them; one for a whole file, because it is reused."""

    def __init__(self, tally: Tally) -> None:
        self.tally, self.repeated = tally, []
        self.strict, self.loose = (decoder(self.repeated, strict=strict) for strict in (True, False))

    def parse(self, line: Line) -> Parsed:
        """The object on a line, problems told on the way; a line that is damaged but can be read is read."""
        number, data = line.number, line.data
        if not line.whole:
            if line.start:
                cause = f"the line is longer than {LINE_LIMIT:,} bytes; it was not parsed"
                self.tally.add(number, "line_too_long", cause)
            return Parsed()
        if data.startswith(codecs.BOM_UTF8):
            where = "the file begins" if number == 1 else "the line begins, as where two files were joined,"
            self.tally.add(number, "bom", f"{where} with a byte order mark (EF BB BF)")
            data = data[3:]
        if not data.strip():
            self.tally.add(number, "blank_line", "the line is blank")
            return Parsed()
        try:
            return Parsed(self._object(number, data.decode()))
        except UnicodeDecodeError as error:
            cause = f"byte {error.start + 1} of the line (0x{data[error.start]:02x}) is no UTF-8"
            self.tally.add(number, "invalid_utf8", cause)
            return Parsed(self._object(number, data.decode(errors="replace")), damaged=True)

    def _object(self, number: int, text: str) -> dict | None:
        self.repeated.clear()
        try:
            value = self.strict.decode(text.strip(SPACE))
        except (ValueError, RecursionError) as error:
            if (value := self._despite_control_characters(number, text, error)) is None:
                self.tally.add(number, "not_json", _why(text, error))
                return None
        if self.repeated:
            self.tally.add(number, "repeated_key", f"the key {quoted(self.repeated[0])} occurs twice in one object")
        if isinstance(value, dict):
            return value
        self.tally.add(number, "not_an_object", f"the line holds {type_name(value)}")
        return None

    def _despite_control_characters(self, number: int, text: str, error: Exception) -> Any:
        if not getattr(error, "msg", "").startswith("Invalid control character"):
            return None
        self.repeated.clear()
        try:
            value = self.loose.decode(text.strip(SPACE))
        except (ValueError, RecursionError):
            return None
        cause = f"U+{ord(error.doc[error.pos]):04X} is unescaped inside a text, at column {error.pos + 1}"
        self.tally.add(number, "raw_control_character", cause)
        return value


def type_name(value: Any) -> str:
    """What a JSON value is, in words. type_name([1]) -> "a list"."""
    names = {list: "a list", dict: "an object", str: "a text", type(None): "null", bool: "true or false"}
    return names.get(type(value), "a number")


def decoder(repeated: list[str], *, strict: bool = True) -> json.JSONDecoder:
    """JSON's reader, but NaN and Infinity, which are no JSON, are a ValueError, and keys that occur twice in one object
    are put into `repeated`.
    """

    def object_of(pairs: list) -> dict:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set = set()
            repeated.extend(key for key, _ in pairs if key in seen or seen.add(key))
        return found

    return json.JSONDecoder(object_pairs_hook=object_of, parse_constant=_refuse, strict=strict)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _why(text: str, error: Exception) -> str:
    """What JSON's reader says, and a guess where the mistake is a common one."""
    if isinstance(error, RecursionError):
        return "not JSON that can be read: nested too deep"
    said = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
    stripped = text.strip()
    guess = ""
    if stripped.startswith("{'"):
        guess = "; it looks like a Python dict: JSON wants double quotes"
    elif stripped.endswith(","):
        guess = "; a comma follows, as in a list"
    elif said.startswith("Extra data"):
        guess = "; a newline may be missing between two objects"
    elif said.startswith("Unterminated"):
        guess = "; the line may be cut off"
    return f"not JSON: {said[:100]}{guess}"
