"""What the container around this process allows: the limits of its control groups, v1 and v2 (Linux).

Owns the reading of /proc/self/cgroup and /sys/fs/cgroup. Leaves out what the machine itself has (`machine`).
Standard library only.
"""

from __future__ import annotations

from pathlib import Path


def cpu_quota(root: Path = Path("/")) -> float | None:
    """The tightest CPU quota of the control groups around this process, in cores; None without one.

    Source: kernel documentation, cgroup v2 `cpu.max`; v1 `cpu.cfs_quota_us` and `cpu.cfs_period_us`.
    """
    quotas = []
    for folder in groups(root, "cpu"):
        words = read(folder / "cpu.max").split()
        if not words:
            words = [read(folder / "cpu.cfs_quota_us").strip(), read(folder / "cpu.cfs_period_us").strip()]
        if len(words) == 2 and all(word.isdigit() for word in words) and int(words[1]):
            quotas.append(int(words[0]) / int(words[1]))
    return min(quotas, default=None)


def memory_limit(root: Path = Path("/")) -> int | None:
    """The tightest memory limit of the control groups around this process, in bytes; None without one.

    Source: kernel documentation, cgroup v2 `memory.max` ("max" is none); v1 `memory.limit_in_bytes` (a number near
    2**63 is none).
    """
    limits = []
    for folder in groups(root, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            word = read(folder / name).strip()
            if word.isdigit() and int(word) < 2**60:
                limits.append(int(word))
    return min(limits, default=None)


def groups(root: Path, controller: str) -> list[Path]:
    """The folders of this process's control group and of those around it; v1 and v2, some of which may not exist."""
    mount, folders = root / "sys/fs/cgroup", []
    for line in read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        names = [controllers, controller] if controllers else ["", "unified"]
        parts = [part for part in path.split("/") if part]
        for name in dict.fromkeys(names):
            folders += [(mount / name).joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
    return folders


def read(path: Path) -> str:
    """The text of a system file, or "" where it is absent or closed to us."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
