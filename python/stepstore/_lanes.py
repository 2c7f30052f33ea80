"""How calls of asyncio's manager travel: what is on its way for one event loop, and how its outcome gets there.

The library's threads never touch Python. They put outcomes into a port, whose descriptor the loop watches.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from stepstore import _core, _log
from stepstore._calls import Call, Later
from stepstore._renewal import Renewal
from stepstore._settings import Opened
from stepstore._sizes import Reads

T = TypeVar("T")
Done = Callable[[bool, Any], None]  # told whether it succeeded, and its value or exception; must not raise


class LoopPort:
    """The port of an event loop, which alone keeps it: so it ends with the loop, and with it the calls on their way."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.core = _core.Port()
        # Not kept by the managers: futures of the loop wait in them, and would keep it after its end.
        self.lanes: weakref.WeakKeyDictionary[Opened, Lane] = weakref.WeakKeyDictionary()
        # The library knows a call by a number: what it held itself, Python's collector could not see.
        self._flights: dict[int, Flight] = {}
        self._taken: list[tuple[int, bool, Any]] = []
        self._numbers = itertools.count()
        loop.add_reader(self.core.fileno(), self.deliver)

    def begin(self, flight: Flight, call: Call[Any], core: _core.Manager) -> _core.Ticket:
        """Begins the call of a flight, which will land here."""
        number = next(self._numbers)
        ticket = self.core.ticket(number)
        self._flights[number] = flight
        try:
            call.start(core, ticket)
        except BaseException:
            if not ticket.begun():
                del self._flights[number]
            raise
        return ticket

    def deliver(self) -> None:
        """Lets land what has ended."""
        self.core.take(self._taken)
        while self._taken:
            number, succeeded, value = self._taken.pop()
            self._flights.pop(number).land(succeeded, value)


# Weak on both sides: a call on its way knows its loop, so that a port kept here would keep its loop for ever.
_ports: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, weakref.ref[LoopPort]] = weakref.WeakKeyDictionary()
_ports_lock = threading.RLock()
# A child must not find it locked by a thread that is not there.
os.register_at_fork(before=_ports_lock.acquire, after_in_parent=_ports_lock.release, after_in_child=_ports_lock.release)


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
    """One call on its way. It keeps nothing of what the call was given."""

    __slots__ = ("_done", "_ended", "_finish", "_landed", "_lane", "_port", "_size", "_ticket")

    def __init__(self, lane: Lane, call: Call[Any], core: _core.Manager, done: Done) -> None:
        self._lane = lane
        self._finish = call.finish
        self._size = call.size
        self._done = done
        self._landed = False
        self._ended: asyncio.Future[None] | None = None  # made when it is given up
        port = port_of(asyncio.get_running_loop())
        self._port = port.core
        self._ticket = port.begin(self, call, core)

    def land(self, succeeded: bool, value: Any) -> None:
        """Called by the port."""
        self._landed = True
        if isinstance(value, _core.RawStep):
            self._lane.reads.learn(value.size())
        self._lane.leave(self._size)
        if succeeded:
            # Here and not at the end of a batch, where it would be the work of one long turn of the loop.
            try:
                value = self._finish(value)
            except Exception as error:
                succeeded, value = False, error
        self._done(succeeded, value)
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    def give_up(self) -> None:
        """Stops it, and does not wait for its end."""
        self._ticket.stop()

    async def stop(self) -> None:
        """Stops it, and waits until it has ended: then nothing of it goes on."""
        # It may have landed between the cancellation and this moment; in a forked child it goes on in its parent.
        if self._landed or not self._port.of_this_process():
            return
        self.give_up()
        self._ended = asyncio.get_running_loop().create_future()
        await self._ended


class Lane:
    """What one manager has on its way for one loop. Used on that loop alone."""

    def __init__(self, steps_max: int, bytes_max: int, renewal: Renewal | None = None) -> None:
        self._renewal = renewal
        self._steps_max = steps_max
        self._bytes_max = bytes_max
        self._pid = os.getpid()
        self._steps = 0
        self._bytes = 0  # without those of reads
        self._reading = 0
        self.reads = Reads(steps_max)
        self._waiting: deque[tuple[asyncio.Future[bool], int | None]] = deque()  # told whether they may go
        self._idle: asyncio.Future[None] | None = None

    # --- Back-pressure ---

    def held(self) -> int:
        """Bytes that are on their way, as far as they are known."""
        return self._bytes + self._reading * self.reads.guess(None)

    def _has_room(self, size: int | None) -> bool:
        if self._steps == 0:
            return True  # a step that is larger than the bound goes alone
        if self._steps >= self._steps_max or (size is None and not self.reads.has_room()):
            return False
        return self.held() + self.reads.guess(size) <= self._bytes_max

    def has_room(self, size: int | None) -> bool:
        """Whether a call of that size could begin now."""
        return not self._waiting and self._has_room(size)

    def _take(self, size: int | None) -> None:
        self._steps += 1
        if size is None:
            self._reading += 1
            self.reads.begin()
        else:
            self._bytes += size

    async def _enter(self, call: Call[Any] | Later[Any]) -> None:
        """Waits for its turn, in the order of coming and no longer than the call may take."""
        if self.has_room(call.size):
            self._take(call.size)
            return
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[bool] = loop.create_future()
        self._waiting.append((turn, call.size))
        left = call.deadline.left()
        timer = None if math.isinf(left) else loop.call_later(left, self._give_up, turn)
        try:
            if not await turn:
                raise call.too_late()
        except asyncio.CancelledError:
            if turn.cancelled():
                self._admit()  # those behind it, if it was the first
            elif turn.result():
                self.leave(call.size)  # it was let in at this very moment
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def _give_up(self, turn: asyncio.Future[bool]) -> None:
        if not turn.done():
            turn.set_result(False)
            self._admit()

    def _admit(self) -> None:
        while self._waiting:
            turn, size = self._waiting[0]
            if not turn.done():
                if not self._has_room(size):
                    return
                self._take(size)
                turn.set_result(True)
            self._waiting.popleft()

    def leave(self, size: int | None) -> None:
        """A call has ended: others may come."""
        self._steps -= 1
        if size is None:
            self._reading -= 1
            self.reads.end()
        else:
            self._bytes -= size
        self._admit()
        if self._idle is not None and self._steps == 0:
            idle, self._idle = self._idle, None
            idle.set_result(None)

    # --- Calls ---

    async def begin(self, core: _core.Manager, call: Call[Any] | Later[Any], done: Done) -> Flight:
        """Waits for room and begins the call. `done` is told its outcome once, on the loop, if it has begun."""
        if self._pid == os.getpid():  # else nobody will ever make room; beginning says what is wrong
            await self._enter(call)
        else:
            self._take(call.size)
        _log.follow()
        size = call.size
        try:
            if self._renewal is not None:
                await self._renewal.ensure_later(core, call.deadline.left())
            ready = call.prepared()
            if ready.size != size:  # now that it was looked at
                self._bytes += (ready.size or 0) - (size or 0)
                size = ready.size
            return Flight(self, ready, core, done)
        except BaseException:
            self.leave(size)
            raise

    async def run(self, core: _core.Manager, call: Call[T] | Later[T]) -> T:
        """Makes a call. A task that is cancelled stops it, and waits until it has ended."""
        outcome: asyncio.Future[tuple[bool, Any]] = asyncio.get_running_loop().create_future()

        def done(succeeded: bool, value: Any) -> None:
            if not outcome.done():
                outcome.set_result((succeeded, value))

        flight = await self.begin(core, call, done)
        del call  # what it was given went with it
        try:
            succeeded, value = await outcome
        except asyncio.CancelledError:
            await flight.stop()
            raise
        if not succeeded:
            raise value
        result: T = value
        return result

    async def until_idle(self) -> None:
        """Waits until nothing of this lane is on its way. In a forked child nothing is."""
        while self._steps > 0 and self._pid == os.getpid():
            if self._idle is None:
                self._idle = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._idle)


def lane_of(opened: Opened) -> Lane:
    """That of a manager for the running loop."""
    lanes = port_of(asyncio.get_running_loop()).lanes
    lane = lanes.get(opened)
    if lane is None:
        lane = lanes[opened] = Lane(opened.steps_max, opened.bytes_max, opened.renewal)
    return lane
