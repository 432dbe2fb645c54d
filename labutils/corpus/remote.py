"""The lines of a file, near or far: .jsonl, .jsonl.gz and .jsonl.zst by path or address, one by one in flat memory.

Owns the unpacking and the longest line. How bytes come over a network that fails is for `download`, what a line holds
is for `sources`.
"""

import gzip
import io
import itertools
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from labutils.corpus import download

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CHUNK = 1 << 18  # bytes taken from a disk or handed on at a time
LONGEST = 1 << 28  # bytes of the longest line that is held, 256 MB
PACKED = {  # how a packed file begins: RFC 1952, and RFC 8878 with its skippable frames
    ".gz": (re.compile(rb"\x1f\x8b"), gzip.open),
    ".zst": (re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), zstd.open),
}
DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError)


def lines(
    source: str | Path, name: str = "", *, attempts: int = download.ATTEMPTS, pause: float = download.PAUSE
) -> Iterator[bytes]:
    """The lines of a file, each with its newline. What is packed (.gz, .zst, also of several members) is unpacked.

    Errors call it by its `name`. Raises ValueError for a packed file that is damaged or cut short, a line over 256 MB,
    an address that gives no file, and a file that changed on the server while it was read; ConnectionError when the
    server does not answer within two seconds or the connection drops `attempts` times in a row; FileNotFoundError when
    there is no such path. A plain file whose server does not state its length may end early unseen, if it ends with a
    line.
    """
    far = download.is_address(source)
    chunks = download.chunks(str(source), attempts=attempts, pause=pause) if far else _read(Path(source))
    name = name or download.shown(source)
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
        self.chunks, self.left = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, space: memoryview) -> int:
        while not self.left:
            chunk = next(self.chunks, None)
            if chunk is None:
                return 0
            self.left = memoryview(chunk)
        part = self.left[: len(space)]
        space[: len(part)] = part
        self.left = self.left[len(part) :]
        return len(part)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
