"""A web server on loopback for one file, with the faults that a download meets: cut lines, no ranges, a new version.

`with FileServer(content, ...) as server`, then read `server.url`; `server.asked` lists each request's Range header.
"""

import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Faults:
    """What goes wrong; nothing by default."""

    cut: int | None = None  # bytes after which a connection is cut, without a word
    cuts: int = 10**9  # how many connections are cut; the others hold
    ranges: bool = True  # False: every answer is the whole file
    etag: str | None = '"1"'
    changed: str | None = None  # another ETag from the second request on
    later: bytes | None = None  # another content from the second request on
    status: Callable[[int], int] | None = None  # status of the request with this number, from 0, in place of an answer
    length: bool = True  # False: chunked, or closed at the end
    chunked: bool = False
    shift: int = 0  # a range that begins so many bytes off
    encoding: str | None = None  # a Content-Encoding that nobody asked for


class FileServer(ThreadingHTTPServer):
    """One file under any path; `asked` and `connections` say what clients did."""

    daemon_threads = True

    def __init__(self, content: bytes, name: str = "a.jsonl", **faults: object) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.faults, self.asked, self.lock = content, Faults(**faults), [], threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}/{name}"

    def __enter__(self) -> "FileServer":
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *args: object) -> None:
        """A client that left early is no news."""


class Handler(BaseHTTPRequestHandler):
    """One request for the file."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server, faults = self.server, self.server.faults
        with server.lock:
            number = len(server.asked)
            server.asked.append(self.headers.get("Range"))
        if faults.status and (status := faults.status(number)) != 200:
            return self.start(status, {"Content-Length": "0"})
        content = faults.later if number and faults.later is not None else server.content
        etag = faults.changed if number and faults.changed is not None else faults.etag
        start, headers = self.span(content, etag), {"ETag": etag, "Content-Encoding": faults.encoding}
        if start is not None and start >= len(content):
            return self.start(416, {**headers, "Content-Range": f"bytes */{len(content)}", "Content-Length": "0"})
        if start is not None:
            start += faults.shift
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        body = content[start or 0 :]
        self.start(200 if start is None else 206, {**headers, **self.framing(body)})
        return self.give(body, number)

    def span(self, content: bytes, etag: str | None) -> int | None:
        """Where the answer begins, None for the whole file; If-Range as RFC 9110 has it."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range") in (None, etag)
        return int(asked[1]) if asked and same and self.server.faults.ranges else None

    def framing(self, body: bytes) -> dict[str, str]:
        if self.server.faults.chunked:
            return {"Transfer-Encoding": "chunked"}
        return {"Content-Length": str(len(body))} if self.server.faults.length else {"Connection": "close"}

    def start(self, status: int, headers: dict[str, str | None]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()

    def give(self, body: bytes, number: int) -> None:
        faults, chunked = self.server.faults, self.server.faults.chunked
        cut = faults.cut is not None and number < faults.cuts and len(body) > faults.cut
        given = body[: faults.cut] if cut else body
        self.wfile.write(b"%x\r\n%s\r\n" % (len(given), given) if chunked and given else given)
        if chunked and not cut:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()
        if cut or not faults.length:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *args: object) -> None:
        pass


class RawServer(FileServer):
    """A server that answers every request with the same bytes, whatever they are, and hangs up."""

    def finish_request(self, request: socket.socket, address: object) -> None:
        self.asked.append(request.recv(65536))
        request.sendall(self.content)
