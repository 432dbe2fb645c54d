"""Personal data and secrets: what is found and what is passed over, side by side, kind by kind; masks; any text."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labutils.corpus import personal
from labutils.corpus.personal import Finding, counts, find, mask

law = settings(derandomize=True, deadline=None, max_examples=80)
LINE = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj"  # as long as the shortest body that is taken for a key


def key(kind: str = "PRIVATE KEY", body: str = LINE, end: str | None = None) -> str:
    return f"-----BEGIN {kind}-----\n{body}\n-----END {end or kind}-----"


FOUND = {  # never whole in this file, so that nobody's scanner takes them for real
    "e-mail": [
        "a@plover.org", "first.last+tag@sub.plover.co.uk", "o_o@plover.de", "x@a-b.info", "A@B.com",
        "me@plover.academy",
    ],
    "telephone": [
        "+49 89 1234567", "+49 (0)89 1234567", "+49(89)1234567", "+1 212-456-7890", "+442071838750", "212-456-7890",
        "(212) 456-7890", "(212)456-7890", "212.456.7890", "1-212-456-7890", "+64 3 379 0000", "212-555-0200",
    ],
    "IBAN": [
        "DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "GB82 WEST 1234 5698 7654 32",
        "FR1420041010050500013M02606", "NO9386011117947", "MT84MALT011000012345MTLCAST001S",
    ],
    "card number": [
        "4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "5555555555554444", "2223003122003222",
        "6011111111111117", "3530111333300000", "378282246310005", "3782 822463 10005",
    ],
    "IP address": ["8.8.8.8", "91.198.174.192", "172.32.0.1", "2a02:ec80:300:ed1a::1", "2606:4700:4700:0:0:0:0:1111"],
    "token": [
        "AKIA" + "Z2Y3X4W5V6U7T2S3", "ASIA" + "Z2Y3X4W5V6U7T2S3", "ghp_" + "a1B2" * 9, "ghs_" + "a1B2" * 9,
        "github_pat_" + "a1" * 41, "glpat-" + "a1B2-" * 4, "hf_" + "aB" * 17, "sk-ant-" + "api03-" + "a1-" * 31 + "AA",
        "sk-" + "a1B2c" * 4 + "T3BlbkFJ" + "a1B2c" * 4, "sk-proj-" + "a1_-" * 18 + "T3BlbkFJ" + "a1_-" * 18,
        "AIza" + "a1_-B" * 7, "xoxb-" + "123456789012-123456789012-" + "aB1" * 8, "sk_live_" + "a1B2" * 4,
        "rk_test_" + "a1B2" * 6, "SG." + "a1" * 11 + "." + "a1b" * 14 + "c", "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ"
        + "zdWIiOiIxMjM0NTY3ODkw" + "." + "dozjgNryP4J3jVmNHl0w",
    ],
    "private key": [key(), key("RSA PRIVATE KEY"), key("OPENSSH PRIVATE KEY"), key("PGP PRIVATE KEY BLOCK")],
}  # fmt: skip
PASSED = {
    "e-mail": [
        "@property", "@app.route", "x@property.setter", "a@b", "a@b.q", "a@b.c1", "a @plover.org", "a@ plover.org",
        "git@github.com:a/b", "hg@plover.org", "you@example.com", "you@mail.example.org", "you@plover.test",
        "a@b.invalid",
        "icon@2x.png", "pkg@1.2.3", "y = a@b.mean(0)", "a@b.to(device)", ".@plover.org", "a.@plover.org",
        "a..b@plover.org", "max@example.de", "max@example.co.uk", "max@plover.org:/srv/a.txt",
        "a@plover.org@x", "a@plover.orgs", "a@-plover.org",
    ],
    "telephone": [
        "+49 123", "+1234567", "+49 89 1234567 89012345", "x+442071838750", "+1.709561043370328", "212-456-789",
        "212-156-7890", "112-456-7890", "212-456.7890", "212-456-78901", "3212-456-7890", "1980-02-29", "212-555-0123",
        "+1 212 555 0199", "+0123456789012", "10 + 200 + 3000",
        "+15551234567", "+1 555 123 4567", "+44 7700 900123", "+44 (0)20 7946 0123", "+12 500 000", "+1 000 000 000",
    ],
    "IBAN": [
        "DE89370400440532013001", "DE8937040044053201300", "XX89370400440532013000", "ZDE89370400440532013000",
        "TR14 TR15 TR16 TR111", "SHA256 ABCD EFGH IJKL",
    ],
    "card number": [
        "4111111111111112", "411111111111111", "41111111111111111", "9111111111111111", "4111 11111111 1111",
        "4111 1111-1111 1111", "0.4111111111111111", "x4111111111111111", "1111111111111111", "378282246310006",
    ],
    "IP address": [
        "10.0.0.1", "192.168.1.1", "127.0.0.1", "172.31.0.1", "192.0.2.7", "256.1.1.1", "8.8.8", "8.8.8.8.8",
        "v8.8.8.8",
        "== 8.8.8.8", ">=8.8.8.8", "version 8.8.8.8", "8.8.8.8-rc1", "::1", "fe80::1", "std::vector",
        "2001:db8::1", "2000:10", "224.0.0.251", "191.255.255.255", "128.0.0.0",
    ],
    "token": [
        "AKIA" + "IOSFODNN7EXAMPLE", "AKIA" + "Z2Y3X4W5V6U7T2S", "AKIA" + "Z2Y3X4W5V6U7T2S3T",
        "AKIA" + "Z2Y3X4W5V6U7T2S1",
        "ghp_" + "a1B2" * 9 + "c", "ghp_" + "a1B2" * 8 + "abc", "ghx_" + "a1B2" * 9, "hf_" + "a1" * 17, "hf_model_name",
        "sk-learn", "sk-" + "a1B2c" * 9, "AIza" + "a1_-B" * 6 + "abcd", "xoxb-" + "123-456",
        "sk_live_" + "a1B2" * 3 + "abc",
        "sk_demo_" + "a1B2" * 6, "SG." + "a1" * 10 + "." + "a1b" * 14 + "c", "eyJ" + "hbGciOiJIUzI1NiJ9" + ".abc.def",
    ],
    "private key": [
        key("PUBLIC KEY"), key(end="CERTIFICATE"), key(body=LINE[2:]), key("private key"),
        "-----BEGIN PRIVATE KEY-----",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in FOUND.items() for text in texts])
def test_what_is_found(kind, text):
    assert find(text) == [Finding(kind, 0, len(text))]
    framed = f'say("{text}", ÄΩ😀 {text}).'
    assert [(finding.kind, framed[finding.start : finding.end]) for finding in find(framed)] == [(kind, text)] * 2


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in PASSED.items() for text in texts])
def test_what_is_passed_over(kind, text):
    assert counts(text)[kind] == counts(f"so: {text} it is")[kind] == 0


def test_mask():
    text = "Write to a.b@plover.org or c@heron.net,\ncall 212-456-7890 (card 4111 1111 1111 1111)."
    assert mask(text) == "Write to [e-mail] or [e-mail],\ncall [telephone] (card [card number])."
    assert counts(text) == {"e-mail": 2, "telephone": 1, "card number": 1} and mask("") == ""
    inside = key(body=LINE + "\na@plover.org\n" + LINE)  # of two that overlap the first counts
    assert [finding.kind for finding in find(inside + " a@plover.org")] == ["private key", "e-mail"]
    assert len(personal.LENGTHS) == 78 and not personal.is_iban("NO93860111179470")
    for long in (63, 64, 65):
        assert find("a" * long + "@plover.org")[0].start == max(0, long - 64), "names have at most 64 characters"


pieces = st.sampled_from([text for texts in [*FOUND.values(), *PASSED.values()] for text in texts])
anything = st.lists(pieces | st.text(max_size=8) | st.sampled_from("@+.:- 0123456789"), max_size=12).map("".join)


@law
@given(anything | st.text())
def test_findings_of_any_text_lie_in_order_inside_it_and_a_mask_leaves_none(text):
    found = find(text)
    ends = [0, *(end for _, start, end in found for end in (start, end)), len(text)]
    assert ends == sorted(ends) and all(finding.start < finding.end for finding in found)
    assert find(mask(text)) == []


@pytest.mark.parametrize(
    "unit", ["@", "a@b.de", "-----BEGIN PRIVATE KEY-----\n", "-eyJ", "1 ", "AB12 ", "2001:", "1.1.", "sk-", "+1 22 "]
)
def test_a_lot_of_bait_takes_seconds(unit):
    """A pattern that goes back over the text again and again would take hours."""
    started = time.process_time()
    find(unit * (300_000 // len(unit)))
    assert time.process_time() - started < 20
