"""The peak memory of a process and its children, watched from outside.

Owns the watch. Leaves out what is being watched. psutil is imported when a watch begins.
"""

import re
import threading
from pathlib import Path

INTERVAL = 0.1  # seconds between two looks


class PeakMemory(threading.Thread):
    """Watches a process tree until `stop()` returns its peak in MB.

    Sums resident memory, so pages that processes share count more than once. On Linux the first process's own
    high-water mark (VmHWM in /proc/PID/status) catches a peak between two looks.
    """

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.pid, self.peak, self.over = pid, 0, threading.Event()

    def run(self) -> None:
        """Look until told to stop, or until the process is gone."""
        import psutil

        while not self.over.is_set():
            try:
                root = psutil.Process(self.pid)
                tree = [root, *root.children(recursive=True)]
            except psutil.Error:
                return
            self.peak = max(self.peak, sum(map(_resident, tree)), _high_water(self.pid))
            self.over.wait(INTERVAL)

    def stop(self) -> float:
        """End the watch; the peak in MB."""
        self.over.set()
        self.join()
        return self.peak / 1e6


def _resident(process: object) -> int:
    import psutil

    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def _high_water(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0
