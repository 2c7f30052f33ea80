"""Managers and event loops that come and go in random order, and calls that are cancelled at random moments.

    tests/aio/come_and_go.py CYCLES CANCELLATIONS [--store URI] [--seed N]

No call may hang; afterwards there are no more descriptors, threads and memory than before, and every step is whole or
absent. Without --store it uses a folder of its own, without fsync. Over a server that takes its time, calls are
cancelled while they wait for it:

    build/dev/testing/fault_server/stepstore-fault-server --delay-ms 5
    tests/aio/come_and_go.py 200 200 --store 's3://checkpoints/x?endpoint=...'
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
import time
import warnings
from collections.abc import Coroutine
from typing import Any

import uvloop
from stepstore import NotFound, Receipt, StepData, StorageManagerError, aio

WARM_UP = 300  # cycles after which memory is expected to stay
GROWTH_MAX_MB = 8.0
SETTLE_SECONDS = 1.0
HANG_SECONDS = 120


def resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def holdings() -> tuple[int, int]:
    """Descriptors and threads, once they have become no fewer for a while: managers end in the background."""
    fewest, since = (sys.maxsize, sys.maxsize), time.monotonic()
    while time.monotonic() - since < SETTLE_SECONDS:
        gc.collect()
        held = len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
        if held < fewest:
            fewest, since = held, time.monotonic()
        time.sleep(0.01)
    return fewest


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

    def call(self, manager: aio.StorageManager) -> Coroutine[Any, Any, Any]:
        """Any of the calls that take a while."""
        rng = self.rng
        page = b"x" * rng.choice((10, 10_000, 200_000))
        ids = [str(rng.randrange(8)) for _ in range(rng.randrange(1, 12))]

        async def go_through(iterator: Any, leave: bool) -> None:
            async for _ in iterator:
                if leave:
                    return

        kind = rng.randrange(7)
        if kind == 0:
            return manager.store_steps(StepData("s", step, page, page) for step in ids)
        if kind == 1:
            return manager.retrieve_steps([("s", step) for step in ids])
        if kind == 2:
            return go_through(manager.iter_steps("s"), rng.random() < 0.3)
        if kind == 3:
            return go_through(manager.stream_steps([("s", step) for step in ids]), rng.random() < 0.3)
        if kind == 4:
            return manager.retrieve_step_data("s", ids[0])
        return manager.store_step_data("s", ids[0], page, page)

    async def use(self, manager: aio.StorageManager, wait: bool) -> None:
        calls = [asyncio.ensure_future(self.call(manager)) for _ in range(self.rng.randrange(1, 5))]
        await asyncio.sleep(self.rng.choice((0, 0, 0.0005, 0.005)))
        for call in calls:
            if self.rng.random() < 0.3:
                call.cancel()
        if not wait:
            return  # the loop ends with them on their way
        await asyncio.gather(*calls, return_exceptions=True)
        if manager not in self.kept and self.rng.random() < 0.5:
            await manager.aclose()

    def cycle(self) -> None:
        factory = uvloop.new_event_loop if self.rng.random() < 0.3 else asyncio.new_event_loop
        wait = self.rng.random() < 0.8
        if self.rng.random() < 0.3:  # as those do who have not heard of Runner: tasks are left as they are
            loop = factory()
            loop.run_until_complete(self.use(self.manager(), wait))
            loop.close()
            return
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(self.use(self.manager(), wait))


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
    if now[0] > held[0] or now[1] > held[1]:
        wrong.append("descriptors or threads are left")
    if grown > GROWTH_MAX_MB:
        wrong.append("memory grew")
    return wrong


async def read_at_random(manager: aio.StorageManager, rng: random.Random) -> list[Any]:
    """What one of the ways to read gives of the cancelled session."""
    kind, names = rng.randrange(4), [("cancelled", str(step)) for step in range(8)]
    if kind == 0:
        return list(await manager.retrieve_steps(names))
    if kind == 1:
        return [step async for step in manager.iter_steps("cancelled")]
    if kind == 2:
        return [step async for step in manager.stream_steps(names)]
    with contextlib.suppress(NotFound):
        return [await manager.retrieve_step_data(*rng.choice(names))]
    return []


async def cancel(store: str, wanted: int, rng: random.Random) -> list[str]:
    """Calls that are cancelled at random moments: each step is what it was, or what was being stored."""
    cancelled = calls = torn = 0
    waited = 0.0
    async with aio.StorageManager(store, fsync=False) as manager:
        while cancelled < wanted:
            faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
            calls += 1
            step, page = str(rng.randrange(8)), f"{calls} ".encode() * rng.choice((1, 50_000))
            if rng.random() < 0.5:
                coroutine: Coroutine[Any, Any, Any] = manager.store_step_data("cancelled", step, page, page)
            elif rng.random() < 0.5:
                coroutine = manager.store_steps([StepData("cancelled", step, page, page)])
            else:
                coroutine = read_at_random(manager, rng)
            call: asyncio.Future[Any] = asyncio.ensure_future(coroutine)
            await asyncio.sleep(rng.random() * 0.003 * rng.choice((1, 1, 20)))
            call.cancel()
            began = time.monotonic()
            try:
                result = await call
            except asyncio.CancelledError:
                cancelled += 1
                result = None
            waited = max(waited, time.monotonic() - began)
            results = result if isinstance(result, list) else [result]
            stored = any(isinstance(each, Receipt) for each in results)
            torn += sum(
                each.html_bytes != each.screenshot_bytes
                for each in results
                if not isinstance(each, Receipt | StorageManagerError | None)
            )
            with contextlib.suppress(NotFound):
                found = await manager.retrieve_step_data("cancelled", step)
                torn += found.html_bytes != found.screenshot_bytes
                torn += stored and found.html_bytes != page
        report = await manager.check("cancelled", data=True)
    print(
        f"{cancelled} of {calls} calls were cancelled, and ended within {waited * 1000:.0f} ms; {torn} steps torn; "
        f"healthy: {report.healthy}"
    )
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
