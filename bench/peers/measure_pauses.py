"""The event loop's pauses while one client stores steps in this process.

    measure_pauses.py CLIENT LOOP ENDPOINT BUCKET RECORDING N

CLIENT is the name of a file beside this one, or `idle`, which stores nothing until its standard input ends; LOOP is
`asyncio` or `uvloop`. The steps of the recording are taken in turn until there are N. Prints a JSON object.

A heartbeat sleeps for a millisecond, again and again; what it oversleeps is how long the loop would have let everything
else wait. Each pause is kept with what the loop's thread did meanwhile, by the kernel's account: how long it ran, and
how long it was ready to run and no core was free.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import sys
import time
from array import array
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peers.measure_one import read
from peers.peer import AsyncPeer, Step

SLEEP_S = 0.001
LONG_MS = 5.0
KEPT = 20  # the longest pauses of a run are written down one by one


class Heartbeat:
    """Begun before what is measured, on the same loop, and stopped after it."""

    def __init__(self) -> None:
        self._pauses, self._ran, self._queued = array("d"), array("d"), array("d")
        self._task: asyncio.Task[None] | None = None
        self._account = os.open("/proc/thread-self/schedstat", os.O_RDONLY)

    async def begin(self) -> None:
        self._task = asyncio.create_task(self._beat())
        await asyncio.sleep(0.02)

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        os.close(self._account)

    def _queued_s(self) -> float:
        return int(os.pread(self._account, 64, 0).split()[1]) / 1e9

    async def _beat(self) -> None:
        ran, queued = time.thread_time(), self._queued_s()
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(SLEEP_S)
            self._pauses.append(time.perf_counter() - begun - SLEEP_S)
            ran_before, ran = ran, time.thread_time()
            queued_before, queued = queued, self._queued_s()
            self._ran.append(ran - ran_before)
            self._queued.append(queued - queued_before)

    def row(self) -> dict[str, object]:
        beats = sorted(zip(self._pauses, self._ran, self._queued, strict=True), reverse=True)
        return {
            "beats": len(beats),
            "longest_ms": beats[0][0] * 1e3,
            "p999_ms": beats[len(beats) // 1000][0] * 1e3,
            "median_ms": beats[len(beats) // 2][0] * 1e3,
            "over_5_ms": sum(pause * 1e3 > LONG_MS for pause, _, _ in beats),
            "longest": [
                {"pause_ms": pause * 1e3, "ran_ms": ran * 1e3, "queued_ms": queued * 1e3}
                for pause, ran, queued in beats[:KEPT]
            ],
        }


class Idle(AsyncPeer):
    """Waits until the standard input ends."""

    name = "idle"
    version = ""

    def wait(self) -> None:
        async def until_end() -> None:
            ended = asyncio.Event()
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
            await ended.wait()
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())

        self.run(until_end())


def main() -> None:
    client, loop, endpoint, bucket, recording, count = sys.argv[1:]
    AsyncPeer.loop_factory = staticmethod(uvloop.new_event_loop if loop == "uvloop" else asyncio.new_event_loop)
    heartbeat = Heartbeat()
    if client == "idle":
        peer: AsyncPeer = Idle()
        steps = []
        print("ready", flush=True)
    else:
        peer = importlib.import_module(f"peers.{client}").PEER(endpoint, bucket)
        steps = read(Path(recording), int(count))
        peer.store([Step(f"warm-{i}", "<p>", b"\x89PNG\r\n\x1a\n", {}, {}) for i in range(64)])  # opens connections
    peer.run(heartbeat.begin())
    begun = time.perf_counter()
    peer.wait() if isinstance(peer, Idle) else peer.store(steps)
    seconds = time.perf_counter() - begun
    peer.run(heartbeat.stop())
    print(
        json.dumps(
            {
                "client": peer.name,
                "version": peer.version,
                "loop": loop,
                "steps": len(steps),
                "seconds": seconds,
                "gc": gc.get_threshold(),
            }
            | heartbeat.row()
        )
    )
    peer.close()


if __name__ == "__main__":
    main()
