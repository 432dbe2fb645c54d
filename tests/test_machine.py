"""Cores and memory from faked control groups; the network probe against servers that answer, refuse or keep silent."""

import http.server
import socket
import threading
import time
from pathlib import Path
from typing import ClassVar

import pytest

from labutils import machine


def system(root: Path, groups: str, **files: str) -> Path:
    """A fake root folder: the text of /proc/self/cgroup, and files under /sys/fs/cgroup by path."""
    files = {"proc/self/cgroup": groups, **{f"sys/fs/cgroup/{path}": text for path, text in files.items()}}
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


V1 = "cpu,cpuacct/box/cpu.cfs_"
QUOTAS = [
    ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
    ("0::/\n", {"cpu.max": "max 100000\n"}, None),
    ("0::/outer/inner\n", {"outer/cpu.max": "200000 100000", "outer/inner/cpu.max": "max 100000"}, 2.0),
    ("0::/not/mounted\n", {"cpu.max": "400000 100000"}, 4.0),
    ("2:cpu,cpuacct:/box\n", {f"{V1}quota_us": "300000", f"{V1}period_us": "100000"}, 3.0),
    ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
    ("", {}, None),
]


@pytest.mark.parametrize(("groups", "files", "quota"), QUOTAS)
def test_cpu_quota(tmp_path, groups, files, quota):
    assert machine.cpu_quota(system(tmp_path, groups, **files)) == quota


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("0::/\n", {"memory.max": "2147483648\n"}, 2**31),
        ("0::/\n", {"memory.max": "max\n"}, None),
        ("0::/a/b\n", {"a/memory.max": "1000", "a/b/memory.max": "2000"}, 1000),
        ("4:memory:/box\n", {"memory/box/memory.limit_in_bytes": "5000"}, 5000),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, None),
        ("4:memory:/\n0::/\n", {"memory/memory.limit_in_bytes": "7000", "unified/memory.max": "max"}, 7000),
        ("", {}, None),
    ],
)
def test_memory_limit(tmp_path, groups, files, limit):
    assert machine.memory_limit(system(tmp_path, groups, **files)) == limit


@pytest.mark.parametrize(
    ("processor", "capability", "flags", "fast"),
    [
        ("x86_64", "AVX512", {"avx512_bf16"}, True),
        ("AMD64", "AMX", {"amx_bf16"}, True),
        ("x86_64", "AVX2", {"avx512_bf16"}, False),
        ("x86_64", "AVX512", {"avx512f"}, False),
        ("aarch64", "DEFAULT", {"bf16"}, True),
        ("aarch64", "DEFAULT", {"asimd"}, False),
        ("arm64", "DEFAULT", set(), False),
    ],
)
def test_bf16_only_where_it_is_fast(monkeypatch, tmp_path, processor, capability, flags, fast):
    import torch

    (tmp_path / "cpuinfo").write_text(
        f"processor\t: 0\nflags\t\t: fpu {' '.join(flags)}\n\nprocessor\t: 1\nflags\t\t: x\n"
    )
    assert machine.cpu_flags(tmp_path / "cpuinfo") == {"fpu", *flags}
    assert machine.cpu_flags(tmp_path / "absent") == set()
    monkeypatch.setattr(machine.platform, "machine", lambda: processor)
    monkeypatch.setattr(machine, "cpu_flags", lambda: flags)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    assert machine.bf16() is fast


def test_what_is_here_is_the_smaller_of_two(monkeypatch, tmp_path):
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
    for quota, cores in [(None, 4), (0.5, 1), (1.9, 1), (2.0, 2), (64.0, 4)]:
        monkeypatch.setattr(machine, "cpu_quota", lambda quota=quota: quota)
        assert machine.cores() == cores
    monkeypatch.setattr(machine, "memory_limit", lambda: 10**6)
    assert machine.memory() == 10**6
    monkeypatch.setattr(machine, "memory_limit", lambda: None)
    assert machine.memory() > 10**8 and machine.free_disk(tmp_path) > 0


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers HEAD with the code that the path names; notes the requests."""

    asked: ClassVar[list[str]] = []

    def do_HEAD(self):
        self.asked.append(self.path)
        self.send_response(int(self.path.strip("/") or 200))
        self.end_headers()

    def log_message(self, *args):
        """Keep the test's output clean."""


@pytest.fixture
def hub(monkeypatch):
    """A function that points the probe at an endpoint."""
    for name in ("HF_HUB_OFFLINE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return lambda endpoint: monkeypatch.setenv("HF_ENDPOINT", endpoint)


@pytest.fixture
def server():
    Answers.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


def test_a_server_that_answers_one_that_comes_back_and_offline_which_is_believed(hub, server, monkeypatch):
    for path, answers in [("", True), ("/401", True), ("/302", True), ("/499", True), ("/500", False)]:
        hub(server + path)
        assert machine.hub_answers() is answers
    hub("nonsense")
    assert machine.hub_answers() is False
    hub(server)
    assert machine.hub_answers() is True
    Answers.asked.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert machine.hub_answers() is False and Answers.asked == []
    monkeypatch.delenv("HF_ENDPOINT")
    assert machine.hub_endpoint() == machine.HUB


def test_no_server_costs_more_than_two_seconds(hub, monkeypatch):
    start = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        hub(address)
        assert machine.hub_answers() is False
    hub(address)  # now refused
    assert machine.hub_answers() is False
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: time.sleep(60) or [])
    hub("http://slow.example.org")
    with pytest.raises(ConnectionError, match=r"^http://slow\.example\.org does not answer; read a file$"):
        machine.need_hub("read a file")
    assert time.monotonic() - start < 40
