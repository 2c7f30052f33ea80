"""How calls of asyncio's manager travel: what is on its way for one event loop, and how its outcome gets there.

The library's threads never touch Python. They put outcomes into a port, whose descriptor the loop watches.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import weakref
from collections import deque
from typing import Any, TypeVar

from stepstore import _core, _log
from stepstore._calls import Call
from stepstore._settings import Opened

T = TypeVar("T")


class LoopPort:
    """The port of an event loop, which alone keeps it: so it ends with the loop, and with it the calls on their way."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.core = _core.Port()
        # The library knows a call by a number: what it held itself, Python's collector could not see.
        self._flights: dict[int, Flight] = {}
        self._numbers = itertools.count()
        loop.add_reader(self.core.fileno(), self.deliver)

    def begin(self, flight: Flight, call: Call[Any], core: _core.Manager) -> _core.Ticket:
        """Begins the call of a flight, which will land here."""
        number = next(self._numbers)
        ticket = self.core.ticket(number)
        call.begin(core, ticket)
        self._flights[number] = flight
        return ticket

    def deliver(self) -> None:
        """Lets land what has ended."""
        for number, succeeded, value in self.core.take():
            self._flights.pop(number).land(succeeded, value)


# Weak on both sides: a call on its way knows its loop, so that a port kept here would keep its loop for ever.
_ports: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, weakref.ref[LoopPort]] = weakref.WeakKeyDictionary()
_ports_lock = threading.Lock()


def port_of(loop: asyncio.AbstractEventLoop) -> LoopPort:
    """The port of a running loop, made when it is first asked for."""
    with _ports_lock:
        known = _ports.get(loop)
        port = known() if known is not None else None
        if port is None:
            port = LoopPort(loop)
            _ports[loop] = weakref.ref(port)
        return port


class Flight:
    """One call on its way."""

    __slots__ = ("_call", "_ended", "_future", "_landed", "_lane", "_ticket")

    def __init__(self, lane: Lane, call: Call[Any], core: _core.Manager) -> None:
        loop = asyncio.get_running_loop()
        self._lane = lane
        self._call = call
        self._future: asyncio.Future[tuple[bool, Any]] = loop.create_future()
        self._landed = False
        self._ended: asyncio.Future[None] | None = None  # made when it is given up
        self._ticket = port_of(loop).begin(self, call, core)

    def land(self, succeeded: bool, value: Any) -> None:
        """Called by the port."""
        self._landed = True
        self._lane.leave(self._call.size)
        if not self._future.done():
            self._future.set_result((succeeded, value))
        elif self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    async def outcome(self) -> tuple[bool, Any]:
        """Whether it succeeded, and its value or exception. A task that is cancelled here stops the call."""
        try:
            succeeded, value = await self._future
        except asyncio.CancelledError:
            await self.stop()
            raise
        return succeeded, self._call.finish(value) if succeeded else value

    async def stop(self) -> None:
        """Stops it, and waits until it has ended: then nothing of it goes on."""
        if self._landed:  # perhaps between the cancellation and this moment
            return
        self._ticket.stop()
        self._future.cancel()
        self._ended = asyncio.get_running_loop().create_future()
        await self._ended


class Lane:
    """What one manager has on its way for one loop. Used on that loop alone."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._steps = 0
        self._bytes = 0
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()
        self._idle: asyncio.Future[None] | None = None

    # --- Back-pressure ---

    def _has_room(self, size: int) -> bool:
        if self._steps == 0:
            return True  # a step that is larger than the bound goes alone
        return self._steps < self._opened.steps_max and self._bytes + size <= self._opened.bytes_max

    def _take(self, size: int) -> None:
        self._steps += 1
        self._bytes += size

    async def _enter(self, size: int) -> None:
        """Waits for its turn, in the order of coming."""
        if not self._waiting and self._has_room(size):
            self._take(size)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, size))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._admit()  # those behind it, if it was the first
            else:
                self.leave(size)  # it was let in at this very moment
            raise

    def _admit(self) -> None:
        while self._waiting:
            turn, size = self._waiting[0]
            if not turn.cancelled():
                if not self._has_room(size):
                    return
                self._take(size)
                turn.set_result(None)
            self._waiting.popleft()

    def leave(self, size: int) -> None:
        """A call has ended: others may come."""
        self._steps -= 1
        self._bytes -= size
        self._admit()
        if self._idle is not None and self._steps == 0 and not self._idle.done():
            self._idle.set_result(None)

    # --- Calls ---

    async def begin(self, call: Call[Any]) -> Flight:
        """Waits for room and begins the call."""
        await self._enter(call.size)
        _log.follow()
        try:
            return Flight(self, call, self._opened.core)
        except BaseException:
            self.leave(call.size)
            raise

    async def run(self, call: Call[T]) -> T:
        """Makes a call. A task that is cancelled stops it, and waits until it has ended."""
        flight = await self.begin(call)
        succeeded, value = await flight.outcome()
        if not succeeded:
            raise value
        result: T = value
        return result

    async def until_idle(self) -> None:
        """Waits until nothing of this lane is on its way."""
        while self._steps > 0:
            if self._idle is None or self._idle.done():
                self._idle = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._idle)


class Lanes:
    """The lanes of one manager, which may be used on several loops in several threads."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._lanes: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Lane] = weakref.WeakKeyDictionary()

    def mine(self) -> Lane:
        """That of the running loop."""
        loop = asyncio.get_running_loop()
        lane = self._lanes.get(loop)
        if lane is None:
            lane = self._lanes[loop] = Lane(self._opened)
        return lane
