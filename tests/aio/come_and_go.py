"""Managers and event loops that come and go in random order, and calls that are cancelled at random moments.

    tests/aio/come_and_go.py CYCLES CANCELLATIONS [--store URI] [--seed N]

No call may hang; afterwards there are no more descriptors, threads and memory than before, and every step is whole or
absent. Without --store it uses a folder of its own, without fsync.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import faulthandler
import gc
import logging
import os
import random
import sys
import tempfile
import warnings

import uvloop
from stepstore import NotFound, aio

WARM_UP = 300  # cycles after which memory is expected to stay
GROWTH_MAX_MB = 16.0
HANG_SECONDS = 120


def resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def holdings() -> tuple[int, int]:
    """Descriptors and threads. A thread that has been joined may be listed for a moment longer."""
    gc.collect()
    return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))


class Life:
    """Managers that are kept for a while, on loops that are made, used, closed and dropped."""

    def __init__(self, store: str, rng: random.Random) -> None:
        self.store = store
        self.rng = rng
        self.kept: list[aio.StorageManager] = []

    def manager(self) -> aio.StorageManager:
        if self.kept and self.rng.random() < 0.5:
            return self.rng.choice(self.kept)
        made = aio.StorageManager(self.store, fsync=False, concurrency=self.rng.choice((1, 2, 16)))
        if self.rng.random() < 0.3:
            self.kept.append(made)
        if len(self.kept) > 4:
            self.kept.pop(self.rng.randrange(len(self.kept)))  # dropped, perhaps with calls on their way
        return made

    async def use(self, manager: aio.StorageManager) -> None:
        page = b"x" * self.rng.choice((10, 10_000, 200_000))
        calls = [
            asyncio.ensure_future(manager.store_step_data("s", str(self.rng.randrange(8)), page, page))
            for _ in range(self.rng.randrange(1, 5))
        ]
        calls.append(asyncio.ensure_future(manager.retrieve_step_data("s", "0")))
        await asyncio.sleep(self.rng.choice((0, 0, 0.0005)))
        for call in calls:
            if self.rng.random() < 0.3:
                call.cancel()
        if self.rng.random() < 0.9:
            await asyncio.gather(*calls, return_exceptions=True)  # else the loop ends with them on their way
        if manager not in self.kept and self.rng.random() < 0.5:
            await manager.aclose()

    def cycle(self) -> None:
        factory = uvloop.new_event_loop if self.rng.random() < 0.3 else asyncio.new_event_loop
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(self.use(self.manager()))


def come_and_go(store: str, cycles: int, rng: random.Random) -> list[str]:
    life = Life(store, rng)
    for _ in range(min(WARM_UP, cycles)):
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        life.cycle()
    life.kept.clear()
    held, memory = holdings(), resident_mb()
    for _ in range(cycles - min(WARM_UP, cycles)):
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        life.cycle()
    life.kept.clear()
    now, grown = holdings(), resident_mb() - memory
    print(f"{cycles} cycles: descriptors and threads {held} before, {now} after; memory grew by {grown:.1f} MB")
    wrong = []
    if now != held:
        wrong.append("descriptors or threads are left")
    if grown > GROWTH_MAX_MB:
        wrong.append("memory grew")
    return wrong


async def cancel(store: str, wanted: int, rng: random.Random) -> list[str]:
    """Stores that are cancelled at random moments: each step is what it was, or what was being stored."""
    cancelled = calls = torn = 0
    async with aio.StorageManager(store, fsync=False) as manager:
        while cancelled < wanted:
            faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
            calls += 1
            step, page = str(rng.randrange(8)), f"{calls} ".encode() * rng.choice((1, 50_000))
            call = asyncio.ensure_future(manager.store_step_data("cancelled", step, page, page))
            await asyncio.sleep(rng.random() * 0.003)
            call.cancel()
            stored = True
            try:
                await call
            except asyncio.CancelledError:
                cancelled += 1
                stored = False
            with contextlib.suppress(NotFound):
                found = await manager.retrieve_step_data("cancelled", step)
                torn += found.html_bytes != found.screenshot_bytes
                torn += stored and found.html_bytes != page
        report = await manager.check("cancelled", data=True)
    print(f"{cancelled} of {calls} stores were cancelled; {torn} steps torn; healthy: {report.healthy}")
    return [] if report.healthy and torn == 0 else ["a cancelled store left half a step"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cycles", type=int)
    parser.add_argument("cancellations", type=int)
    parser.add_argument("--store")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    print(f"--seed {options.seed}")
    warnings.simplefilter("ignore", ResourceWarning)  # managers and loops are dropped on purpose
    logging.getLogger("stepstore").setLevel(logging.ERROR)  # removals that were cancelled too
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # tasks that were pending when their loop ended
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        store = options.store or f"{folder}/store"
        wrong = come_and_go(store, options.cycles, rng)
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        wrong += asyncio.run(cancel(store, options.cancellations, rng))
        faulthandler.cancel_dump_traceback_later()
    for each in wrong:
        print(f"FAILED: {each}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
