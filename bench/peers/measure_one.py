"""Measures one client in this process and prints a JSON object: `measure_one.py CLIENT STEPS ENDPOINT BUCKET N`.

CLIENT is the name of a file beside this one. STEPS is a recording, whose steps are taken in turn until there are N; or
a number of bytes, for N steps with a page and a screenshot of that size. A page is a str, as a browser's driver gives
it: every client has to make bytes of it, and to give it back. With `bytes` as a sixth argument it is bytes. CPU time is
of the whole process: user and system time, threads and children included. Memory is the most that was resident beyond
what was there before the client was loaded: its code counts, the steps do not.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peers.memory import Growth
from peers.peer import Peer, Step


def made(size: int, count: int) -> list[Step]:
    """A page and a screenshot of so many bytes each; the steps share them."""
    page, screenshot = ("<p>step</p>\n" * (size // 12 + 1))[:size], (b"\x89PNG\r\n\x1a\n" + os.urandom(size))[:size]
    return [Step(f"{i}", page, screenshot, {"type": "click"}, {"i": i}) for i in range(count)]


def read(recording: Path, count: int, text: bool = True) -> list[Step]:
    """The steps of a folder, again and again under other names, which share what they hold."""
    kinds = [
        Step(
            folder.name,
            (folder / "observation.html").read_text() if text else (folder / "observation.html").read_bytes(),
            (folder / "screenshot.png").read_bytes(),
            json.loads((folder / "action.json").read_bytes()),
            json.loads((folder / "metadata.json").read_bytes()),
        )
        for folder in sorted(recording.iterdir())
    ]
    return [replace(kinds[i % len(kinds)], name=f"{i:06}") for i in range(count)]


def cpu_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def main() -> None:
    client, source, endpoint, bucket, count, *form = sys.argv[1:]
    text = form != ["bytes"]
    steps = made(int(source), int(count)) if source.isdecimal() else read(Path(source), int(count), text)
    memory = Growth()
    peer: Peer = importlib.import_module(f"peers.{client}").PEER(endpoint, bucket)
    warm = [Step(f"warm-{i}", "<p>", b"\x89PNG\r\n\x1a\n", {}, {}) for i in range(32)]
    peer.store(warm)  # opens connections; stepstore looks at the bucket once
    peer.retrieve(warm)

    row: dict[str, object] = {"client": peer.name, "version": peer.version, "steps": len(steps)}

    def measure(what: str, work: Callable[[], object], per: int) -> None:
        used, begun = cpu_s(), time.perf_counter()
        work()
        row[f"{what}_s"] = (time.perf_counter() - begun) / per
        row[f"{what}_cpu_s"] = (cpu_s() - used) / per

    measure("store", lambda: peer.store(steps), len(steps))
    measure("retrieve", lambda: peer.retrieve(steps), len(steps))
    row["listed"] = peer.list()
    if row["listed"] is not None:
        measure("list", peer.list, 1)
    row["one_store_s"], row["one_retrieve_s"] = alone(peer)
    # Of a client that is a program of its own, the program's; it has none of the steps in its memory beforehand.
    row["memory_bytes"] = getattr(peer, "program_bytes_max", None) or memory.bytes()
    peer.close()
    print(json.dumps(row))


def alone(peer: Peer) -> tuple[float, float]:
    """The median time of one step when nothing else is under way."""
    times: tuple[list[float], list[float]] = [], []
    for i in range(11):
        step = Step(f"alone-{i}", "<p>" * 1000, b"\x89PNG\r\n\x1a\n" * 1000, {}, {})
        for work, into in ((peer.store, times[0]), (peer.retrieve, times[1])):
            begun = time.perf_counter()
            work([step])
            into.append(time.perf_counter() - begun)
    return sorted(times[0])[5], sorted(times[1])[5]


if __name__ == "__main__":
    main()
