"""Lines from files near and far, over connections that break: nothing lost, nothing doubled, or a clear error."""

import gzip
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import pytest
from file_server import FileServer, RawServer
from hypothesis import given, settings
from hypothesis import strategies as st

from labutils import machine
from labutils.corpus import remote, sources

law = settings(derandomize=True, deadline=None, max_examples=60)
DOCUMENTS = [{"text": f"{i} " + random.Random(i).randbytes(40).hex(), "meta": {"i": i}} for i in range(3000)]
PLAIN = "".join(json.dumps(document) + "\n" for document in DOCUMENTS).encode()
HALF = len(PLAIN) // 2
PACKED = {
    "a.jsonl": PLAIN,
    "a.jsonl.gz": gzip.compress(PLAIN, 1),
    "a.jsonl.zst": remote.zstd.compress(PLAIN),
    "members.jsonl.gz": gzip.compress(PLAIN[:HALF], 1) + gzip.compress(b"") + gzip.compress(PLAIN[HALF:], 1),
    "frames.jsonl.zst": remote.zstd.compress(PLAIN[:HALF]) + remote.zstd.compress(PLAIN[HALF:]),
    "skippable.jsonl.zst": b"\x5e\x2a\x4d\x18\x04\0\0\0nope" + remote.zstd.compress(PLAIN),
}


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Pieces of 16 kB, so that a small file is many of them, and no pause between two attempts."""
    monkeypatch.setattr(remote, "CHUNK", 1 << 14)
    monkeypatch.setattr(remote.time, "sleep", lambda seconds: None)
    monkeypatch.setenv("NO_PROXY", "*")


def read(url: str) -> list[dict]:
    return list(sources.jsonl(url))


def fails(kind: type[Exception], url: str) -> str:
    """The message with which reading an address fails."""
    with pytest.raises(kind) as raised:
        read(url)
    assert type(raised.value) is kind
    return str(raised.value)


@pytest.mark.parametrize("name", PACKED)
def test_a_file_near_and_far(name, tmp_path):
    (tmp_path / name).write_bytes(PACKED[name])
    assert read(tmp_path / name) == DOCUMENTS
    with FileServer(PACKED[name], name) as server:
        assert read(server.url + "?download=true") == DOCUMENTS and server.asked == [None]
        lines = remote.lines(server.url)
        assert json.loads(next(lines)) == DOCUMENTS[0]
        lines.close()
        assert server.asked == [None] * 2, "reading the beginning asks for no more"


def later(status: int) -> dict:
    """A server that three times says: later; and cuts what it gives in between."""
    return {"cut": HALF, "cuts": 4, "status": lambda number: status if number in (0, 1, 3) else 200}


CUT = [  # the faults of a server, and from where it is then asked for the rest
    *(({"cut": 70_000, "cuts": 2, "etag": etag}, [70_000, 140_000]) for etag in ('"1"', 'W/"1"', None)),
    ({"cut": len(PLAIN) - 1, "chunked": True}, [len(PLAIN) - 1]),  # all has come but the mark of the end
    ({"cut": 100_000, "cuts": 1, "shift": -100_000}, [100_000]),  # the server begins anew: that much is passed over
    *((later(status), [None, None, HALF, HALF]) for status in (408, 425, 429, 500, 503)),
]


@pytest.mark.parametrize(("faults", "starts"), CUT)
def test_a_connection_that_is_cut(faults, starts):
    with FileServer(PLAIN, **faults) as server:
        assert read(server.url) == DOCUMENTS
        assert server.asked == [None, *(start and f"bytes={start}-" for start in starts)]


@pytest.mark.parametrize("name", ["a.jsonl", "members.jsonl.gz"])
def test_a_server_without_ranges_is_read_again_and_what_was_given_is_passed_over(name):
    with FileServer(PACKED[name], name, cut=100_000, cuts=3, ranges=False) as server:
        assert read(server.url) == DOCUMENTS
        assert server.asked == [None, *["bytes=100000-"] * 3]
    with FileServer(PACKED["a.jsonl.gz"], encoding="gzip", cut=60_000, cuts=1) as server:  # packed on the way
        assert read(server.url) == DOCUMENTS


@pytest.mark.parametrize(
    "fault",
    [
        {"changed": '"2"'},
        {"changed": '"2"', "ranges": False},
        {"later": PLAIN + b"\n"},
        {"etag": None, "later": PLAIN.replace(b"7", b"8"), "ranges": False},
        {"etag": None, "later": PLAIN[:60_000]},
        {"etag": None, "later": PLAIN[:60_000], "chunked": True, "ranges": False},
    ],
    ids=range(6),
)
def test_a_file_that_changes_meanwhile(fault):
    with FileServer(PLAIN, cut=100_000, cuts=1, **fault) as server:
        message = fails(ValueError, server.url)
        assert message == f"{server.url}: the file changed on the server after 100,000 bytes; begin anew"
    for shift in (-100_001, -1, 1):
        with FileServer(PLAIN, cut=100_000, cuts=1, shift=shift) as server:
            assert fails(ValueError, server.url).endswith("asked for the bytes from 100,000, got others")


def test_the_number_of_attempts_is_bounded_and_progress_begins_a_new_count(monkeypatch):
    pauses = []
    monkeypatch.setattr(remote.time, "sleep", pauses.append)
    with FileServer(PLAIN, cut=0) as server:
        message = fails(ConnectionError, server.url)
        assert message.startswith(f"{server.url}: 6 connections in a row failed before the first byte (")
        assert message.endswith("; try again later") and (len(server.asked), pauses) == (6, [0.5, 1, 2, 4, 8])
    with FileServer(PLAIN, cut=100_000, ranges=False) as server:
        assert "6 connections in a row failed after 100,000 bytes" in fails(ConnectionError, server.url)
    pauses.clear()
    with FileServer(PLAIN, cut=30_000) as server:
        assert read(server.url) == DOCUMENTS and len(server.asked) > 6 and set(pauses) == {0.5}


OK = b"HTTP/1.1 200 OK\r\n"
NO = {401: ", no permission", 403: ", no permission", 404: ", not there", 410: ", not there any more", 400: "", 204: ""}


@pytest.mark.parametrize("status", NO)
def test_a_server_that_says_no_is_asked_once_and_no_message_holds_a_secret(status):
    with FileServer(PLAIN, status=lambda n: status) as server:
        url = server.url.replace("http://", "http://ada:secret1@") + "?token=secret2#secret3"
        assert fails(ValueError, url) == f"{server.url}: the server answered {status}{NO[status]}; expected the file"
        assert len(server.asked) == 1
    assert [remote.shown(address) for address in ("a/b?c", "https://x/a@b.jsonl")] == ["a/b?c", "https://x/a@b.jsonl"]


@pytest.mark.parametrize("name", [name for name in PACKED if name != "a.jsonl"])
def test_a_packed_file_cut_short_or_damaged_is_an_error_and_no_end(name, tmp_path):
    whole = PACKED[name]
    for length in (0, 1, 3, len(whole) // 3, len(whole) - 1):
        (tmp_path / name).write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"damaged or cut short|begins with"):
            read(tmp_path / name)
    with FileServer(whole[: len(whole) // 3], name, length=False) as server:
        assert name in fails(ValueError, server.url)
    for place in (20, len(whole) // 2, len(whole) - 2):
        (tmp_path / name).write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :] + b"garbage")
        with pytest.raises(ValueError, match=r"damaged or cut short|line \d+: not JSON"):
            read(tmp_path / name)


def test_what_is_not_what_it_promises_to_be():
    for name in ("a.jsonl.gz", "a.jsonl.zst"):
        with FileServer(b"<html>sign in</html>", name) as server:
            message = f"{server.url}: no .{name.rpartition('.')[2]} file, for it begins with b'<htm'; is the address"
            assert fails(ValueError, server.url).startswith(message)
    with FileServer(PLAIN[:-20], length=False) as server:
        assert fails(ValueError, server.url).startswith(f"{server.url}, line 3000: not JSON (")
    for url in ("http://", "http://[", "http://a:b/", "http://127.0.0.1:99999/", "http:// /"):
        with pytest.raises((ValueError, ConnectionError), match=r"not an address|does not answer|the server answered"):
            read(url)
    for answer in (b"", b"\xff\x00", b"HTTP/1.1 302 X\r\nLocation: \r\n\r\n", OK + b"Content-Length: 9\r\n\r\nab",
                   OK + b"Transfer-Encoding: chunked\r\n\r\nz"):  # fmt: skip
        with RawServer(answer) as server, pytest.raises((ValueError, ConnectionError), match=f"^{server.url}"):
            list(remote.lines(server.url, attempts=2))


def test_a_line_that_is_too_long(monkeypatch, tmp_path):
    monkeypatch.setattr(remote, "LONGEST", 20)
    (tmp_path / "a").write_bytes(b"x" * 19 + b"\n" + b"x" * 20)
    assert list(map(len, remote.lines(tmp_path / "a"))) == [20, 20]
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"x" * 20 + b"\n"))
    with pytest.raises(ValueError, match=r"a\.gz: a line is longer than 20 bytes; expected one document a line"):
        list(remote.lines(tmp_path / "a.gz"))


def test_nobody_there_is_noticed_soon_and_a_look_up_that_hangs_is_not_waited_for(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/a.jsonl"
    begin = time.monotonic()
    words = f"{url}: the server does not answer; check the network, or use a file on this machine"
    assert fails(ConnectionError, url) == words
    assert "does not answer" in fails(ConnectionError, "https://example.org/a.jsonl")
    monkeypatch.setattr(remote.socket, "create_connection", lambda *args: threading.Event().wait(60))
    monkeypatch.setattr(machine, "PROBE_SECONDS", 0.2)
    fails(ConnectionError, "http://127.0.0.1:9/a.jsonl")
    assert time.monotonic() - begin < 30


pieces = st.sampled_from([b'{"text":"a"}\n', b"\n", b"\x1f\x8b", gzip.compress(b'{"text":"b"}\n'), b"(\xb5/\xfd", b"{"])
contents = st.binary(max_size=60) | st.lists(pieces, max_size=6).map(b"".join)


@law
@given(contents, st.sampled_from(["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"]), st.integers(1, 40))
def test_any_bytes_served_are_documents_or_a_clear_error(content, name, cut):
    with FileServer(content, name, cut=cut) as server:
        try:
            documents = read(server.url)
        except (ValueError, ConnectionError) as error:
            assert str(error).startswith(server.url)
        else:
            assert all(type(d["text"]) is str and type(d["meta"]) is dict for d in documents)


@law
@given(st.lists(st.integers(1, 5000), max_size=5), st.sampled_from(list(PACKED)), st.booleans())
def test_cuts_anywhere_lose_nothing_and_double_nothing(cuts, name, ranges):
    content = PACKED[name][:20_000]
    with FileServer(content, cut=0, ranges=ranges) as server:
        places = iter(cuts)

        def next_cut(number: int) -> int:
            server.faults.cut = next(places, None)
            return 200

        server.faults.status = next_cut
        assert b"".join(remote.web_chunks(server.url, attempts=9)) == content


MEMORY = """
import sys
from labutils.corpus import sources
for url in sys.argv[1:]:
    count = sum(1 for _ in sources.jsonl(url))
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    print(count, status["VmHWM"].split()[0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc/self/status")
def test_memory_does_not_grow_with_the_file(tmp_path):
    """The high-water mark of one process, in kB, after the three small files and after three 32 times as long."""
    names = ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"]
    with ExitStack() as stack:
        servers = [stack.enter_context(FileServer(PACKED[name] * times, name)) for times in (1, 32) for name in names]
        argv = [sys.executable, "-c", MEMORY, *(server.url for server in servers)]
        env = {**os.environ, "HF_HOME": str(tmp_path)}
        ran = subprocess.run(argv, capture_output=True, text=True, env=env, check=True)
    rows = [tuple(map(int, line.split())) for line in ran.stdout.splitlines()]
    assert [count for count, _ in rows] == [3000] * 3 + [96_000] * 3
    assert rows[-1][1] - rows[2][1] < 4_000  # the plain file grew by 11,000 kB
