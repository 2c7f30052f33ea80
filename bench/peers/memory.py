"""The most memory that a process has used since a moment, by the kernel's account."""

from __future__ import annotations

import re
import threading
from pathlib import Path


def peak_bytes(pid: int | str) -> int:
    """The highest resident size so far; 0 for a process that has ended or not begun."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


class Growth:
    """Of this process, above what it had when this was made."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")  # the highest size is the present one again
        self._begun = peak_bytes("self")

    def bytes(self) -> int:
        return peak_bytes("self") - self._begun


class Watched:
    """Looks at a child until the block ends. getrusage() would not do: for a child it counts the memory of the parent
    that it was forked from."""

    INTERVAL_S = 0.01

    def __init__(self, pid: int) -> None:
        self.bytes = 0
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._ended.wait(self.INTERVAL_S):
            self.bytes = max(self.bytes, peak_bytes(self._pid))

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
