"""Cores and memory from faked control groups; the network probe against servers that answer, refuse or keep silent."""

import http.server
import socket
import threading
import time
from collections import namedtuple
from pathlib import Path
from typing import ClassVar

import pytest

from labutils import machine


def system(root: Path, groups: str, **files: str) -> Path:
    """A fake root folder: the text of /proc/self/cgroup, and files under /sys/fs/cgroup by path."""
    for path, text in {
        "proc/self/cgroup": groups,
        **{f"sys/fs/cgroup/{path}": text for path, text in files.items()},
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


@pytest.mark.parametrize(
    ("groups", "files", "quota"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/outer/inner\n", {"outer/cpu.max": "200000 100000", "outer/inner/cpu.max": "max 100000"}, 2.0),
        ("0::/not/mounted\n", {"cpu.max": "400000 100000"}, 4.0),
        (
            "2:cpu,cpuacct:/box\n",
            {"cpu,cpuacct/box/cpu.cfs_quota_us": "300000", "cpu,cpuacct/box/cpu.cfs_period_us": "100000"},
            3.0,
        ),
        ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ("", {}, None),
    ],
)
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


@pytest.mark.parametrize(("quota", "cores"), [(None, 4), (0.5, 1), (1.9, 1), (2.0, 2), (64.0, 4)])
def test_cores_are_the_smaller_of_affinity_and_quota(monkeypatch, quota, cores):
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(machine, "cpu_quota", lambda: quota)
    assert machine.cores() == cores


def test_memory_is_the_smaller_of_machine_and_limit(monkeypatch):
    monkeypatch.setattr(machine, "memory_limit", lambda: 10**6)
    assert machine.memory() == 10**6
    monkeypatch.setattr(machine, "memory_limit", lambda: None)
    assert machine.memory() > 10**8


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
def test_bf16_only_where_it_is_fast(monkeypatch, processor, capability, flags, fast):
    import torch

    monkeypatch.setattr(machine.platform, "machine", lambda: processor)
    monkeypatch.setattr(machine, "cpu_flags", lambda: flags)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    assert machine.bf16() is fast


def test_cpu_flags(tmp_path):
    (tmp_path / "cpuinfo").write_text(
        "processor\t: 0\nflags\t\t: fpu avx512_bf16\n\nprocessor\t: 1\nflags\t\t: other\n"
    )
    assert machine.cpu_flags(tmp_path / "cpuinfo") == {"fpu", "avx512_bf16"}
    assert machine.cpu_flags(tmp_path / "absent") == set()


def test_free_disk(monkeypatch, tmp_path):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda folder: usage(9, 8, 1))
    assert machine.free_disk(tmp_path) == 1


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


@pytest.mark.parametrize(
    ("path", "answers"), [("", True), ("/401", True), ("/302", True), ("/499", True), ("/500", False)]
)
def test_a_server_that_answers(hub, server, path, answers):
    hub(server + path)
    assert machine.hub_answers() is answers


def test_a_network_that_comes_back_is_noticed(hub, server):
    hub("nonsense")
    assert not machine.hub_answers()
    hub(server)
    assert machine.hub_answers()


def test_offline_is_believed_without_asking(hub, server, monkeypatch):
    hub(server)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert machine.hub_answers() is False
    assert Answers.asked == []


def test_a_silent_server_costs_two_seconds(hub):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hub(f"http://127.0.0.1:{silent.getsockname()[1]}")
        start = time.monotonic()
        assert machine.hub_answers() is False
    assert time.monotonic() - start < 25


def test_a_refused_port_costs_nothing(hub):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    hub(f"http://127.0.0.1:{port}")
    start = time.monotonic()
    assert machine.hub_answers() is False
    assert time.monotonic() - start < 10


def test_a_slow_name_look_up_is_left_behind(hub, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: time.sleep(60) or [])
    hub("http://slow.example.org")
    start = time.monotonic()
    assert machine.hub_answers() is False
    assert time.monotonic() - start < 25


def test_an_endpoint_that_is_no_address(hub):
    hub("nonsense")
    assert machine.hub_answers() is False


def test_the_endpoint_has_a_default(monkeypatch):
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert machine.hub_endpoint() == machine.HUB
