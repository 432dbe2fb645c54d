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
from collections import Counter
from collections.abc import Callable, Iterator
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
    shape: int = 0  # in which of SHAPES the signs are looked for


DIGITS = bytes.maketrans(b"123456789", b"000000000")
CAPITALS = bytes.maketrans(b"BCDEFGHIJKLMNOPQRSTUVWXYZ123456789", b"A" * 25 + b"0" * 9)
HEX = bytes.maketrans(b"123456789abcdefABCDEF", b"0" * 21)
SHAPES = (DIGITS, CAPITALS, HEX)  # "DE12 ab" -> "DE00 ab", "AA00 ab", "0000 00"
GENERIC = (  # top-level domains beside the countries', which have two letters (IANA root zone; those in common use)
    "com|org|net|edu|gov|mil|int|info|biz|name|pro|aero|coop|museum|jobs|mobi|cat|asia|tel|xyz|dev|app|tech|cloud|blog|"
    "online|site|store|shop|email|science|systems|software|academy|agency|design|network|digital|solutions|wiki|africa|"
    "berlin|hamburg|koeln|wien|paris|london|tokyo|nyc|swiss|scot"
)
NOBODY = re.compile(r"(?:[@.]example(?:\.[a-z]{2,3}){0,2}|[@.](?:test|invalid|localhost))$", re.IGNORECASE)
MACHINES = ("git@", "hg@", "svn@")  # the user of a repository's address: git@host.org:path
LENGTHS = dict(  # of an IBAN, by country
    re.findall(
        r"(..)(\d\d)",
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18FR27GB22GE22GI23GL18"
        "GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MR27MT31MU30NL18NO15"
        "PK24PL28PS29PT25QA29RO24RS22SA24SC31SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20",
    )
)
ISSUERS = re.compile(  # Visa, Mastercard, Discover, JCB; American Express
    r"(?:4\d{3}|5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720|6011|64[4-9]\d|65\d\d|35[2-8]\d)\d{12}|3[47]\d{13}"
)


def find(text: str) -> list[Finding]:
    """What is found in a text, in order; where two overlap, the one that begins first counts, then the longer one.

    find("Ask a.b@plover.org") -> [Finding("e-mail", 4, 18)]
    """
    plain = text.encode("latin-1", "replace")  # one byte a character, so places agree
    shapes = [plain.translate(shape) for shape in SHAPES]
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
    return LENGTHS.get(plain[:2]) == str(len(plain)) and int(number) % 97 == 1


def is_card(text: str) -> bool:
    """Whether digits begin like an issuer's and fulfil Luhn's formula, spaces and hyphens aside."""
    digits = [int(digit) for digit in re.sub(r"[ -]", "", text)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return bool(ISSUERS.fullmatch("".join(map(str, digits)))) and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_public(text: str) -> bool:
    """Whether a text is an IP address of the open network, and of one machine: no group's, no bound of a range."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.is_global and not address.is_multicast and not text.endswith((".0.0", ".255.255"))


def is_telephone(text: str) -> bool:
    """Whether a number has 8 to 15 digits (E.164; none in use has fewer), in North America those of its plan, and is
    not one of those kept for fiction.
    """
    digits = re.sub(r"\D", "", text)
    american = text[:1] != "+" or text.startswith("+1")
    return bool(re.fullmatch(AMERICAN if american else ELSEWHERE, digits))


KEY = r"-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?)-----\s(?:[^-]|-(?!----)){40,20000}-----END \1-----"
AMERICAN = r"1?(?!555|\d{3}55501)[2-9]\d\d[2-9]\d{6}"
ELSEWHERE = r"(?!440?(?:7700900|2079460|1632960)\d{3}$)\d{8,15}"  # without Ofcom's numbers for drama
LOCAL = frozenset(string.ascii_letters + string.digits + "._%+-")
DOMAIN = re.compile(
    rf"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?\.){{1,8}}(?:{GENERIC}|[a-z]{{2}})(?![\w(@-]|\.\w|:[/~])",
    re.ASCII,
)
PLUS = (
    r"(?<![\w.)\]+])\+[1-9](?:\d{9,14}|\d{0,2}(?:[ -]?\(0?\d{1,4}\)[ -]?\d{2,12})?"
    r"(?:[ -]\d{1,8}(?:[ -]\d{2,8}){0,4})?)(?![\w+]|[.-]\d)"
)
AREA = r"(?<![\w.+/-])(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d([.-]))[2-9]\d\d(?(1)\1|[ .-])\d{4}(?![\w+]|[.-]\d)"
IBAN = r"(?<![A-Za-z0-9])[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])"
CARD = r"(?<![\w.+-])\d{4}(?:([ -]?)\d{4}\1\d{4}\1\d{4}|([ -]?)\d{6}\2\d{5})(?![\w+]|[.-]\d)"
IPV4 = r"(?<![\w.+-])(?<![=<>~^])(?<![=<>~^] )(?<![vV]ersion )(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)"
IPV6 = r"(?<![\w:.])[23][0-9a-fA-F]{3}(?::[0-9a-fA-F]{0,4}){2,7}(?![\w:.])"  # 2000::/3, all that is handed out
TOKENS = {  # signs, then the whole
    (b"AKIA", b"ASIA"): r"(?<![\w/+])A[KS]IA[A-Z2-7]{16}(?<!EXAMPLE)(?![\w/+])",  # Amazon
    (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"): r"\bgh[pousr]_[A-Za-z0-9]{36}\b",  # GitHub
    (b"github_pat_",): r"\bgithub_pat_\w{82}\b",
    (b"glpat-",): r"\bglpat-[\w-]{20}(?![\w-])",  # GitLab
    (b"hf_",): r"\bhf_[A-Za-z]{34}\b",  # Hugging Face
    (b"sk-ant-",): r"\bsk-ant-(?:api|admin)\d\d-[\w-]{93}AA(?![\w-])",  # Anthropic
    (b"sk-",): r"\bsk-[\w-]{20,90}T3BlbkFJ[\w-]{20,90}(?![\w-])",  # OpenAI
    (b"AIza",): r"\bAIza[\w-]{35}(?![\w-])",  # Google
    (b"xox",): r"\bxox[abeprs]-(?:\d{8,13}-){1,3}[A-Za-z0-9]{16,64}(?![\w-])",  # Slack
    (b"sk_live_", b"sk_test_", b"rk_live_", b"rk_test_"): r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,99}\b",  # Stripe
    (b"SG.",): r"\bSG\.[\w-]{22}\.[\w-]{43}(?![\w-])",  # SendGrid
    (b"eyJ",): r"\beyJ[\w-]{15,500}\.eyJ[\w-]{15,4000}\.[\w-]{16,1000}(?![\w-])",  # JSON Web Token
}
DIALLED = (b"000-000-0000", b"000.000.0000", b"(000)")
CARDS = (b"0000000000000", b"0000 0000 0000", b"0000-0000-0000", b"0000 000000 ", b"0000-000000-")
IPV4_SIGNS = (b"0.0.0", b"0.00.0", b"0.000.0")
KINDS = (
    Kind("private key", (b"-----BEGIN ",), 0, re.compile(KEY)),
    *(Kind("token", signs, 0, re.compile(whole, re.ASCII)) for signs, whole in TOKENS.items()),
    Kind("telephone", (b"+0",), 0, re.compile(PLUS, re.ASCII), is_telephone),
    Kind("telephone", DIALLED, 2, re.compile(AREA, re.ASCII), is_telephone),
    Kind("IBAN", (b"AA00",), 0, re.compile(IBAN, re.ASCII), is_iban, 1),
    Kind("card number", CARDS, 0, re.compile(CARD, re.ASCII), is_card),
    Kind("IP address", IPV4_SIGNS, 2, re.compile(IPV4, re.ASCII), is_public),
    Kind("IP address", (b"0000:",), 0, re.compile(IPV6, re.ASCII), is_public, 2),
)
