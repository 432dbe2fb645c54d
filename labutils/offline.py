"""The network block: run a command so that it reaches loopback and nothing else.

Two ways. Linux: a network namespace of its own (`unshare`), which holds for every process, kernels and browsers
included. Elsewhere: a guard that every Python child loads through `tests/guard/sitecustomize.py`. Owns both; leaves out
what runs inside. Standard library only, and runnable as a file.
"""

from __future__ import annotations

import errno
import functools
import ipaddress
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

GUARD = Path(__file__).resolve().parent.parent / "tests" / "guard"
_open = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex")}
_look_up = {name: getattr(socket, name) for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex")}


def command(argv: list[str]) -> list[str]:
    """The command line that runs `argv` inside the block, with the same exit code."""
    return namespaced(argv) if namespaces_work() else guarded(argv)


def namespaced(argv: list[str]) -> list[str]:
    """`argv` in a user and network namespace of its own, loopback up (Linux)."""
    return ["unshare", "-Urn", sys.executable, "-P", __file__, "loopback", *argv]


def guarded(argv: list[str]) -> list[str]:
    """`argv` with the guard loaded by every Python process in it."""
    return [sys.executable, "-P", __file__, "guard", *argv]


@functools.cache
def namespaces_work() -> bool:
    """Whether this system lets us make a network namespace and bring loopback up in it; tried once."""
    if sys.platform != "linux" or not shutil.which("unshare"):
        return False
    return subprocess.run(namespaced([sys.executable, "-c", ""]), capture_output=True).returncode == 0


def raise_loopback() -> None:
    """Bring `lo` up in this network namespace. Source: netdevice(7), SIOCGIFFLAGS and SIOCSIFFLAGS."""
    import fcntl
    import struct

    get_flags, set_flags, up = 0x8913, 0x8914, 0x1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack_from("H", fcntl.ioctl(control, get_flags, request), 16)
        fcntl.ioctl(control, set_flags, struct.pack("16sH14x", b"lo", flags | up))


def is_local(host: object) -> bool:
    """Whether a host names this machine alone.

    >>> is_local("127.0.0.1"), is_local("localhost"), is_local("192.0.2.1"), is_local("example.org")
    (True, True, False, False)
    """
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host is None or host in {"", "localhost"}:
        return True
    try:
        address = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def block_sockets() -> None:
    """From here on, this process's Python sockets reach loopback only; a refusal is an OSError that names the host."""

    def connect(self, address):
        if isinstance(address, tuple) and not is_local(address[0]):
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"the network is blocked: no connection to {address[0]}")
        return _open["connect"](self, address)

    def connect_ex(self, address):
        if isinstance(address, tuple) and not is_local(address[0]):
            return errno.ECONNREFUSED
        return _open["connect_ex"](self, address)

    socket.socket.connect, socket.socket.connect_ex = connect, connect_ex
    for name, original in _look_up.items():
        setattr(socket, name, _refusing(original))


def free_sockets() -> None:
    """Undo `block_sockets`."""
    for name, original in _open.items():
        setattr(socket.socket, name, original)
    for name, original in _look_up.items():
        setattr(socket, name, original)


def _refusing(original):
    @functools.wraps(original)
    def look_up(host, *args, **kwargs):
        if not is_local(host):
            raise socket.gaierror(socket.EAI_NONAME, f"the network is blocked: no look-up of {host}")
        return original(host, *args, **kwargs)

    return look_up


def main(way: str, *argv: str) -> int:
    """Enter the block (`loopback` or `guard`) and become the command."""
    if way == "loopback":
        raise_loopback()
    else:
        paths = [str(GUARD), os.environ.get("PYTHONPATH", "")]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    if sys.platform == "win32":
        return subprocess.call(argv)
    return os.execvp(argv[0], argv)  # does not come back


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
