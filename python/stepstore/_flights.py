"""Batches of asyncio's manager: many calls on their way, their results in the order of the calls."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator
from typing import Any, Generic, TypeVar

from stepstore import _core
from stepstore._calls import Call
from stepstore._lanes import Flight, Lane
from stepstore._settings import Opened
from stepstore._step import Step, held_by
from stepstore.exceptions import Closed, StorageManagerError

T = TypeVar("T")

TURN_S = 0.001  # a batch gives way to the loop's other work after so long


def _give_up(flights: Iterable[Flight]) -> None:
    for flight in flights:
        flight.give_up()


async def _stop(flights: list[Flight]) -> None:
    _give_up(flights)  # all of them at once, also when this task is cancelled again while it waits
    for flight in flights:
        await flight.stop()


class Batch(Generic[T]):
    """Keeps the results of its calls, and of a call only that it is on its way."""

    def __init__(self, lane: Lane, core: _core.Manager) -> None:
        self._lane = lane
        self._core = core
        self._flying: dict[int, Flight] = {}
        self._results: list[Any] = []
        self._landed: asyncio.Future[None] | None = None
        self._turn_began = time.perf_counter()

    async def add(self, call: Call[T] | StorageManagerError) -> None:
        """Begins a call when there is room, or takes what is wrong with it as its result."""
        index = len(self._results)
        self._results.append(call if isinstance(call, StorageManagerError) else None)
        if isinstance(call, StorageManagerError):
            return

        def done(_: bool, value: Any) -> None:
            self._results[index] = value
            self._flying.pop(index, None)
            if not self._flying and self._landed is not None and not self._landed.done():
                self._landed.set_result(None)

        try:
            flight = await self._lane.begin(self._core, call, done)
        except Closed:
            raise
        except StorageManagerError as error:
            self._results[index] = error
            return
        self._flying[index] = flight
        await self._let_others_run()

    async def _let_others_run(self) -> None:
        # Each step costs the loop some work, and a batch may begin many before it has to wait.
        if time.perf_counter() - self._turn_began > TURN_S:
            await asyncio.sleep(0)
            self._turn_began = time.perf_counter()

    async def results(self) -> list[T | StorageManagerError]:
        """All of them, when they are there."""
        if self._flying:
            self._landed = asyncio.get_running_loop().create_future()
            await self._landed
        return self._results

    def give_up(self) -> None:
        """Stops what is on its way, and does not wait for its end."""
        _give_up(self._flying.values())

    async def stop(self) -> None:
        """Stops what is on its way, and waits until it has ended."""
        await _stop(list(self._flying.values()))


class _Reading(Generic[T]):
    """A read whose result nobody has taken yet."""

    def __init__(self) -> None:
        self.flight: Flight | None = None
        self.size: int | None = None  # None: on its way
        self.result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def done(self, _: bool, value: Any) -> None:
        self.size = held_by(value) if isinstance(value, Step) else 0
        if not self.result.done():
            self.result.set_result(value)


async def stream(lane: Lane, opened: Opened, calls: Iterator[Call[T]]) -> AsyncGenerator[T | StorageManagerError]:
    """The results in their order, the next ones read ahead; what was not taken yet counts as held."""
    ahead: deque[_Reading[T]] = deque()
    most = 1
    call = next(calls, None)

    def room() -> bool:
        if not ahead:
            return True
        held = sum(lane.reads.guess(each.size) for each in ahead)
        return len(ahead) < most and held + lane.reads.guess(None) <= opened.bytes_max and lane.has_room(None)

    try:
        while call is not None or ahead:
            while call is not None and room():
                reading: _Reading[T] = _Reading()
                ahead.append(reading)
                try:
                    reading.flight = await lane.begin(opened.core, call, reading.done)
                except Closed:
                    raise
                except StorageManagerError as error:
                    reading.done(False, error)
                call = next(calls, None)
            result = await asyncio.shield(ahead[0].result)
            ahead.popleft()
            most = min(2 * most, opened.steps_max)
            yield result
            del result
    except GeneratorExit:  # left early, or its loop has ended: nobody may wait here
        _give_up(each.flight for each in ahead if each.flight is not None)
        raise
    except BaseException:
        await _stop([each.flight for each in ahead if each.flight is not None])
        raise
