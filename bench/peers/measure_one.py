"""Measures one client in this process and prints a JSON object: `measure_one.py CLIENT RECORDING ENDPOINT BUCKET N`.

CLIENT is the name of a file beside this one, N how often the recording is gone through. Each value is of the whole
process: user and system time, threads and children included.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peers.peer import Peer, Step


def read(recording: Path, passes: int) -> list[Step]:
    return [
        Step(
            f"{turn}-{folder.name}",
            (folder / "observation.html").read_text(),
            (folder / "screenshot.png").read_bytes(),
            json.loads((folder / "action.json").read_bytes()),
            json.loads((folder / "metadata.json").read_bytes()),
        )
        for turn in range(passes)
        for folder in sorted(recording.iterdir())
    ]


def cpu_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def main() -> None:
    client, recording, endpoint, bucket, passes = sys.argv[1:]
    steps = read(Path(recording), int(passes))
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
    measure("list", peer.list, 1)
    row["listed"] = peer.list()
    row["one_store_s"], row["one_retrieve_s"] = alone(peer)
    row["memory_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
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
