"""Personal data and secrets in a text: found, counted by kind, masked. Text in, spans out.

A kind has a sign (a literal that must be there; looking for it is cheap), a pattern, and where there is one a
checksum, so that decorators, versions and numeric constants are passed over. So is what belongs to nobody: example
domains (RFC 2606), networks that are private or kept for documentation (RFC 6890), North American numbers kept for
fiction, the example key of a vendor's manual. Names, street addresses and numbers in words are not found.

Sources: telephone ITU-T E.164 and the North American Numbering Plan; IBAN ISO 13616 with ISO 7064 mod 97-10, lengths
from the SWIFT registry; cards ISO/IEC 7812 with Luhn's formula; keys RFC 7468; tokens RFC 7519 and the vendors'
documented prefixes, lengths as in the rules of gitleaks; e-mail RFC 5321, without its quoted and exotic forms.
"""

import ipaddress
import re
import string
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple


class Finding(NamedTuple):
    """A stretch of a text, text[start:end], and what it seems to be."""

    kind: str
    start: int
    end: int


class Kind(NamedTuple):
    """How a kind is found: where a sign occurs in the text's shape, the pattern may begin up to `back` before it."""

    name: str
    signs: tuple[bytes, ...]
    back: int
    pattern: re.Pattern
    holds: Callable[[str], bool] = bool  # the last word on what the pattern matched
    shape: str = "digits"  # in which of SHAPES the signs are looked for


SHAPES = {  # of "DE12 ab": "DE00 ab", "AA00 ab", "0000 00"
    "digits": bytes.maketrans(b"123456789", b"0" * 9),
    "capitals": bytes.maketrans(b"BCDEFGHIJKLMNOPQRSTUVWXYZ123456789", b"A" * 25 + b"0" * 9),
    "hex": bytes.maketrans(b"123456789abcdefABCDEF", b"0" * 21),
}
KNOWN = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
LENGTHS = {country: int(n) for n, countries in KNOWN["iban_lengths"].items() for country in countries.split()}
NOBODY = re.compile(r"(?:[@.]example\.(?:com|org|net)|[@.](?:example|test|invalid|localhost))$", re.IGNORECASE)
MACHINES = ("git@", "hg@", "svn@")  # the user of a repository's address: git@host.org:path
LOCAL = frozenset(string.ascii_letters + string.digits + "._%+-")
DOMAIN = re.compile(
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}"
    rf"(?:{'|'.join(KNOWN['domains'].split())}|[a-z]{{2}})(?![\w(@-]|\.\w)",
    re.ASCII,
)
ISSUERS = re.compile(  # Visa, Mastercard, Discover, JCB; American Express
    r"(?:4\d{3}|5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720|6011|64[4-9]\d|65\d\d|35[2-8]\d)\d{12}|3[47]\d{13}"
)


def find(text: str) -> list[Finding]:
    """What is found in a text, in order; where two overlap, the one that begins first counts, then the longer one.

    find("Ask a.b@plover.org") -> [Finding("e-mail", 4, 18)]
    """
    plain = text.encode("latin-1", "replace")  # one byte a character, so places agree
    shapes = {name: plain.translate(shape) for name, shape in SHAPES.items()}
    found = {*_mails(text), *(finding for kind in KINDS for finding in _of_kind(kind, text, shapes[kind.shape]))}
    kept: list[Finding] = []
    for finding in sorted(found, key=lambda each: (each.start, -each.end, each.kind)):
        if not kept or finding.start >= kept[-1].end:
            kept.append(finding)
    return kept


def counts(text: str) -> Counter[str]:
    """How often each kind is found in a text."""
    return Counter(finding.kind for finding in find(text))


def mask(text: str) -> str:
    """The text with the name of its kind in place of each finding, until nothing is found any more.

    mask("Ask a.b@plover.org!") -> "Ask [e-mail]!"
    """
    while found := find(text):
        ends = [0, *(finding.end for finding in found)]
        kept = [text[end : finding.start] + f"[{finding.kind}]" for end, finding in zip(ends, found, strict=False)]
        text = "".join(kept) + text[ends[-1] :]
    return text


def _of_kind(kind: Kind, text: str, shape: bytes) -> Iterator[Finding]:
    for sign in kind.signs:
        i, end = -1, 0
        while (i := shape.find(sign, i + 1)) >= 0:
            for start in range(max(end, i - kind.back), i + 1):
                if (match := kind.pattern.match(text, start)) and kind.holds(match[0]):
                    end = match.end()
                    yield Finding(kind.name, start, end)
                    break


def _mails(text: str) -> Iterator[Finding]:
    """A domain behind an "@" first, because decorators are many; then what stands before it, at most 64 characters."""
    for match in DOMAIN.finditer(text):
        at = start = match.start()
        while start > max(0, at - 64) and text[start - 1] in LOCAL:
            start -= 1
        start += len(text[start:at]) - len(text[start:at].lstrip(".%+-"))
        if start == at or text[at - 1] == ".":
            continue
        address = text[start : match.end()]
        if not (NOBODY.search(address) or address.startswith(MACHINES) or ".." in address):
            yield Finding("e-mail", start, match.end())


def is_iban(text: str) -> bool:
    """Whether a text has the length of its country's IBANs and a remainder of 1 (mod 97), spaces aside."""
    plain = text.replace(" ", "")
    number = "".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])
    return LENGTHS.get(plain[:2]) == len(plain) and int(number) % 97 == 1


def is_card(text: str) -> bool:
    """Whether digits begin like an issuer's and fulfil Luhn's formula, spaces and hyphens aside."""
    digits = [int(digit) for digit in re.sub(r"[ -]", "", text)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return bool(ISSUERS.fullmatch("".join(map(str, digits)))) and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_public(text: str) -> bool:
    """Whether a text is an IP address of the open network."""
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


def is_telephone(text: str) -> bool:
    """Whether a number has 8 to 15 digits (E.164; none in use has fewer) and is not one of those kept for fiction."""
    digits = re.sub(r"\D", "", text)
    fiction = text[:1] != "+" or text.startswith("+1")
    return 8 <= len(digits) <= 15 and not (fiction and re.search(r"^1?\d{3}55501\d\d$", digits))


CHECKS = {"telephone": is_telephone, "IBAN": is_iban, "card number": is_card, "IP address": is_public}
KINDS = [
    Kind(
        row["name"],
        tuple(map(str.encode, row["signs"])),
        row.get("back", 0),
        re.compile(row["pattern"], re.ASCII),
        CHECKS.get(row["name"], bool),
        row.get("shape", "digits"),
    )
    for row in KNOWN["kinds"]
]
