"""The lines of a file, near or far: .jsonl, .jsonl.gz and .jsonl.zst by path or address, in flat memory."""

import gzip
import io
import itertools
import re
import socket
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import HTTPError as StreamError

from labutils import machine

# The bytes of a file on a web server. A connection that drops is taken up where it was, by an HTTP range request (RFC
# 9110, section 14) on the same version of the file. A server without ranges is read from the start and what was given
# already is passed over, its checksum compared.

CHUNK = 1 << 18  # bytes taken from a connection or a disk at a time
ATTEMPTS = 6  # connections in a row that bring nothing new before a download gives up
PAUSE = 0.5  # seconds before the second attempt; doubled before each further one, up to 30
SILENCE = 30  # seconds without a byte after which a connection counts as dropped


def is_address(source: str | Path) -> bool:
    """Whether a source is an address on the web. is_address("https://example.org/a.jsonl.gz") -> True."""
    return str(source).lower().startswith(("http://", "https://"))


def shown(source: str | Path) -> str:
    """A source as a message may show it: an address without its password and its query, which can hold keys."""
    if not is_address(source):
        return str(source)
    before, at, _ = str(source).partition("://")[2].partition("/")[0].rpartition("@")
    return str(source).partition("?")[0].partition("#")[0].replace(before + at, "", 1)


class _Dropped(Exception):
    """A connection that ended too early, or an answer that says: later."""


@dataclass
class _Position:
    """How far a download has come, and which version of the file it reads."""

    name: str
    given: int = 0  # bytes passed on so far
    check: int = 0  # CRC-32 of these bytes
    size: int | None = None  # of the whole file, where the server says so
    version: str | None = None  # its ETag, or the time of its last change

    def headers(self) -> dict[str, str]:
        """What to ask with: the rest of the file, if it is still the same one."""
        asked = {"Accept-Encoding": "identity", "User-Agent": "labutils"}
        if self.given:
            asked["Range"] = f"bytes={self.given}-"
            if self.version and not self.version.startswith("W/"):  # a weak ETag may not stand in If-Range
                asked["If-Range"] = self.version
        return asked

    def changed(self) -> ValueError:
        return ValueError(f"{self.name}: the file changed on the server after {self.given:,} bytes; begin anew")

    def accept(self, answer: requests.Response) -> int:
        """Compare an answer's headers with what is known; the number of its first bytes that were given before."""
        headers, partial = answer.headers, answer.status_code == 206
        stated = None if "Transfer-Encoding" in headers else _number(headers.get("Content-Length", ""))
        start, size = _range(headers.get("Content-Range", "")) if partial else (0, stated)
        version = headers.get("ETag") or headers.get("Last-Modified")
        known = ((self.version, version), (self.size, size))
        if self.given and any(old != new for old, new in known if old is not None and new is not None):
            raise self.changed()
        if start not in (0, self.given):
            raise ValueError(f"{self.name}: asked for the bytes from {self.given:,}, got others")
        self.size = size if size is not None else self.size
        self.version = version or self.version
        return self.given - start

    def advance(self, chunk: bytes) -> bytes:
        self.given += len(chunk)
        self.check = zlib.crc32(chunk, self.check)
        return chunk


def web_chunks(url: str, *, attempts: int = ATTEMPTS) -> Iterator[bytes]:
    """The bytes of a file on a server, in pieces, each once and in order, over as many connections as it takes.

    Raises ValueError for an address that gives no file, and for a file that changed on the server meanwhile;
    ConnectionError when the server does not answer within two seconds, or `attempts` connections in a row fail.
    """
    position, failures = _Position(shown(url)), 0
    _reach(url, position.name)
    with requests.Session() as session:
        while True:
            try:
                for chunk in _connection(session, url, position):
                    failures = 0
                    yield chunk
                return
            except (_Dropped, StreamError, requests.RequestException) as error:
                failures += 1
                if isinstance(error, ValueError):  # an address that requests cannot make sense of
                    raise ValueError(f"{position.name}: not an address that can be fetched") from None
                if failures >= attempts:
                    reason = str(error) if isinstance(error, _Dropped) else type(error).__name__
                    where = f"after {position.given:,} bytes" if position.given else "before the first byte"
                    raise ConnectionError(
                        f"{position.name}: {failures} connections in a row failed {where} ({reason}); try again later"
                    ) from None
            time.sleep(min(30.0, PAUSE * 2 ** (failures - 1)))


def _connection(session: requests.Session, url: str, position: _Position) -> Iterator[bytes]:
    """What one connection brings that was not given before. Raises _Dropped when it ends before the file does."""
    limits = (machine.PROBE_SECONDS * 2, SILENCE)
    with session.get(url, headers=position.headers(), stream=True, timeout=limits) as answer:
        if answer.status_code == 416 and _range(answer.headers.get("Content-Range", ""))[1] == position.given:
            return
        _check_status(answer, position)
        again, check = position.accept(answer), 0
        for chunk in answer.raw.stream(CHUNK, decode_content=False):
            known, chunk = chunk[:again], chunk[again:]
            if known:
                again, check = again - len(known), zlib.crc32(known, check)
                if not again and check != position.check:
                    raise position.changed()
            if chunk:
                yield position.advance(chunk)
    if again or (position.size is not None and position.given > position.size):
        raise position.changed()
    if position.size is not None and position.given < position.size:
        raise _Dropped(f"{position.given:,} of {position.size:,} bytes")


def _check_status(answer: requests.Response, position: _Position) -> None:
    status = answer.status_code
    if status in (200, 206):
        return
    if status in (408, 425, 429) or status >= 500:
        raise _Dropped(f"status {status}")
    if status == 416:
        raise position.changed()
    meaning = {401: ", no permission", 403: ", no permission", 404: ", not there", 410: ", not there any more"}
    raise ValueError(f"{position.name}: the server answered {status}{meaning.get(status, '')}; expected the file")


def _reach(url: str, name: str) -> None:
    """Notice within two seconds, name look-up included, that nobody is there. Asks the proxy where there is one."""
    try:
        proxy = select_proxy(url, get_environ_proxies(url))
        server = urlsplit(proxy if proxy and "://" in proxy else f"http://{proxy}" if proxy else url)
        place = (server.hostname, server.port or (443 if server.scheme == "https" else 80))
    except ValueError:
        raise ValueError(f"{name}: not an address that can be fetched") from None
    if not machine.within(
        machine.PROBE_SECONDS, lambda: socket.create_connection(place, machine.PROBE_SECONDS).close() is None
    ):
        raise ConnectionError(f"{name}: the server does not answer; check the network, or use a file on this machine")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _range(header: str) -> tuple[int | None, int | None]:
    """Where a part begins, and the size of the whole. _range("bytes 5-9/10") -> (5, 10), "bytes */10" -> (None, 10)."""
    span, _, size = header.removeprefix("bytes ").partition("/")
    start = span.partition("-")[0]
    return _number(start), _number(size)


# The lines of these bytes, or of a file here: the unpacking and the longest line. What a line holds is for `sources`.

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LONGEST = 1 << 28  # bytes of the longest line that is held, 256 MB
PACKED = {  # how a packed file begins: RFC 1952, and RFC 8878 with its skippable frames
    ".gz": (re.compile(rb"\x1f\x8b"), gzip.open),
    ".zst": (re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), zstd.open),
}
DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError)


def lines(source: str | Path, name: str = "", *, attempts: int = ATTEMPTS) -> Iterator[bytes]:
    """The lines of a file, each with its newline. What is packed (.gz, .zst, also of several members) is unpacked.

    Errors call it by its `name`. Raises ValueError for a packed file that is damaged or cut short, a line over 256 MB,
    and what `web_chunks` does of an address; ConnectionError as that does; FileNotFoundError where there is no such
    path. A plain file whose server does not state its length may end early unseen, if it ends with a line.
    """
    chunks = web_chunks(str(source), attempts=attempts) if is_address(source) else _read(Path(source))
    name = name or shown(source)
    with closing(chunks):
        try:
            file = _unpacked(chunks, name)
            while line := file.readline(LONGEST + 1):
                if len(line) > LONGEST:
                    raise ValueError(f"{name}: a line is longer than {LONGEST:,} bytes; expected one document a line")
                yield line
        except DAMAGE as damage:
            raise ValueError(f"{name}: damaged or cut short ({damage}); fetch or pack it again") from None


def _unpacked(chunks: Iterator[bytes], name: str) -> io.BufferedReader:
    """The chunks as a file, unpacked where they begin as a packed file does."""
    head = b""
    while len(head) < 4 and (chunk := next(chunks, b"")):
        head += chunk
    file = io.BufferedReader(_Chunks(itertools.chain([head], chunks)), CHUNK)
    for ending, (magic, opener) in PACKED.items():
        if magic.match(head):
            return io.BufferedReader(opener(file), CHUNK)
        if name.lower().endswith(ending):
            raise ValueError(
                f"{name}: no {ending} file, for it begins with {head[:4]!r}; is the address the file's own?"
            )
    return file


class _Chunks(io.RawIOBase):
    """An iterator of bytes as a file that can be read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks, self.left = filter(None, chunks), memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, space: memoryview) -> int:
        self.left = self.left or memoryview(next(self.chunks, b""))
        size = min(len(space), len(self.left))
        space[:size], self.left = self.left[:size], self.left[size:]
        return size


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(CHUNK), b"")
