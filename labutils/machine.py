"""What this machine has: cores, memory, disk, fast bf16, and whether the hub answers; and which of several processes
this is. Starts from the standard library; psutil and torch are imported by the functions that ask them.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

PROBE_SECONDS = 2.0
HUB = "https://huggingface.co"
PATIENCE = 50.0  # seconds that other processes wait for the first one to say what is wrong
BF16 = {"avx512_bf16", "amx_bf16", "bf16"}  # a CPU's flag for it: two of x86, one of Arm


def cpu_quota(root: Path = Path("/")) -> float | None:
    """The tightest CPU quota of the control groups around this process, in cores; None without one.

    Source: kernel documentation, cgroup v2 `cpu.max`; v1 `cpu.cfs_quota_us` and `cpu.cfs_period_us`.
    """
    quotas = []
    for folder in groups(root, "cpu"):
        two = (folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us")
        words = read_limit(folder / "cpu.max").split() or " ".join(map(read_limit, two)).split()
        if len(words) == 2 and all(word.isdigit() for word in words) and int(words[1]):
            quotas.append(int(words[0]) / int(words[1]))
    return min(quotas, default=None)


def memory_limit(root: Path = Path("/")) -> int | None:
    """The tightest memory limit of the control groups around this process, in bytes; None without one.

    Source: kernel documentation, cgroup v2 `memory.max` ("max" is none); v1 `memory.limit_in_bytes` (a number near
    2**63 is none).
    """
    names = ("memory.max", "memory.limit_in_bytes")
    words = [read_limit(folder / name).strip() for folder in groups(root, "memory") for name in names]
    return min((int(word) for word in words if word.isdigit() and int(word) < 2**60), default=None)


def groups(root: Path, controller: str) -> list[Path]:
    """The folders of this process's control group and of those around it; v1 and v2, some of which may not exist."""
    mount, folders = root / "sys/fs/cgroup", []
    for line in read_limit(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        names = [controllers, controller] if controllers else ["", "unified"]
        parts = [part for part in path.split("/") if part]
        for name in dict.fromkeys(names):
            folders += [(mount / name).joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
    return folders


def read_limit(path: Path) -> str:
    """The text of a system file, or "" where it is absent or closed to us."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def cores() -> int:
    """CPU cores that this process may use: affinity and the container's quota, not what the host has.

    A quota of one and a half cores counts as one: a second thread would be stopped half of the time.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota()
    return allowed if quota is None else max(1, min(allowed, int(quota)))


def memory() -> int:
    """Bytes of memory that this process may use: the machine's, or the container's limit where it is smaller."""
    import psutil

    total = psutil.virtual_memory().total
    return min(total, memory_limit() or total)


def free_disk(folder: Path) -> int:
    """Bytes free on the disk that holds a folder."""
    return shutil.disk_usage(folder).free


def bf16() -> bool:
    """Whether this CPU multiplies bf16 matrices fast; elsewhere bf16 is emulated and slower than fp32.

    Asks the flags of /proc/cpuinfo and torch, which may have been told to use less than the CPU has. Where there is no
    /proc/cpuinfo the answer is False: nothing is measured.
    """
    import torch

    if not cpu_flags() & BF16:
        return False
    if platform.machine().lower() in {"x86_64", "amd64"}:
        return torch.backends.cpu.get_cpu_capability().startswith(("AVX512", "AMX"))
    return torch.backends.mkldnn.is_available()


def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> set[str]:
    """The feature flags of the first core; empty where the system does not list them."""
    for line in read_limit(cpuinfo).splitlines():
        name, _, words = line.partition(":")
        if name.strip() in {"flags", "Features"}:
            return set(words.split())
    return set()


def hub_endpoint() -> str:
    """Where the hub is: `HF_ENDPOINT` (mirrors are common), or the public one."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or HUB


def hub_answers() -> bool:
    """Whether the hub answers within two seconds in all, name look-up included.

    Honours `HF_ENDPOINT`, proxies, and `HF_HUB_OFFLINE` (then nothing is asked). Any HTTP answer below 500 counts, also
    a refusal: somebody is there.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        return False
    return within(PROBE_SECONDS, lambda: _http_answers(hub_endpoint()))


def within(seconds: float, ask: Callable[[], bool]) -> bool:
    """The answer of `ask()` if it comes in time; False if it is late or fails with an OSError or ValueError.

    A thread asks, because a name look-up cannot be given a time limit; a late one is left behind.
    """
    answers = []

    def run() -> None:
        try:
            answers.append(ask())
        except (OSError, ValueError):
            answers.append(False)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return bool(answers and answers[0])


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object) -> None:
        """A redirection is an answer; where it leads is not asked."""


def _http_answers(url: str) -> bool:
    import ssl

    certificates = ssl.create_default_context()
    try:  # some Pythons come without any certificates
        import certifi

        certificates.load_verify_locations(certifi.where())
    except (ImportError, OSError):
        pass
    opener = urllib.request.build_opener(_StayHere, urllib.request.HTTPSHandler(context=certificates))
    request = urllib.request.Request(url, method="HEAD", headers={"User-Agent": "labutils"})
    try:
        with opener.open(request, timeout=PROBE_SECONDS):
            return True
    except urllib.error.HTTPError as answer:
        return answer.code < 500


def need_hub(instead: str) -> None:
    """Raise ConnectionError, within two seconds, when the hub does not answer; `instead` says what to do then."""
    if not hub_answers():
        raise ConnectionError(f"{hub_endpoint()} does not answer; {instead}")


# Which process of a run this is, where `torchrun` starts several, as it says in the environment of each
# (https://docs.pytorch.org/docs/stable/elastic/run.html). What they do together is for `model.checkpoints`.


def processes() -> int:
    """The number of processes that work together; 1 where nothing started several."""
    return int(os.environ.get("WORLD_SIZE", 1)) if "LOCAL_RANK" in os.environ else 1


def rank() -> int:
    """This process's place among them, from 0 on."""
    return int(os.environ.get("RANK", 0)) if processes() > 1 else 0


def is_first() -> bool:
    """Whether this is the process that speaks and writes for all."""
    return rank() == 0


def say(text: str) -> None:
    """A line on stderr, from the first process only."""
    if is_first():
        print(text, file=sys.stderr)


def leave_to_first() -> bool:
    """Whether another process says what every process has found out; `torchrun` ends all as soon as one has ended, so
    the others wait until the first has spoken.
    """
    if is_first():
        return False
    time.sleep(PATIENCE)
    return True
