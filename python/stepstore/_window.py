"""Batches of the blocking manager: several calls on their way, with a bound on what is held."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any, TypeVar

from stepstore import _core, _log
from stepstore._calls import Call
from stepstore._settings import Opened
from stepstore.exceptions import StorageManagerError

T = TypeVar("T")


class _Flight:
    __slots__ = ("call", "index", "ticket")

    def __init__(self, index: int, call: Call[Any]) -> None:
        self.index = index
        self.call = call
        self.ticket: _core.Ticket | None = None


class _Window:
    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._port = _core.Port()
        self._flying: dict[int, _Flight] = {}
        self._bytes = 0
        self.results: dict[int, Any] = {}

    def add(self, index: int, call: Call[Any]) -> None:
        while self._flying and (
            len(self._flying) >= self._opened.steps_max or self._bytes + call.size > self._opened.bytes_max
        ):
            self.gather()
        flight = _Flight(index, call)
        flight.ticket = self._port.ticket(flight)
        try:
            call.begin(self._opened.core, flight.ticket)
        except BaseException as error:
            flight.ticket = None  # which holds the flight as long as it was not used
            if not isinstance(error, StorageManagerError):
                raise
            self.results[index] = error
            return
        self._flying[index] = flight
        self._bytes += call.size

    def gather(self) -> None:
        """Waits for one result at least."""
        self._port.wait()
        for flight, succeeded, value in self._port.take():
            del self._flying[flight.index]
            self._bytes -= flight.call.size
            self.results[flight.index] = flight.call.finish(value) if succeeded else value

    def finish(self) -> None:
        while self._flying:
            self.gather()

    def stop(self) -> None:
        """Stops all and waits, so that nothing goes on after an exception."""
        for flight in self._flying.values():
            assert flight.ticket is not None
            flight.ticket.stop()
        # The exception that stopped it is what matters.
        with contextlib.suppress(StorageManagerError):
            self.finish()


def run(
    operation: str, opened: Opened, calls: Iterable[Call[T] | StorageManagerError]
) -> list[T | StorageManagerError]:
    """Makes them, and returns a result or an error for each in their order."""
    _log.follow()
    count = 0
    with _core.Busy(operation):
        window = _Window(opened)
        try:
            for call in calls:
                if isinstance(call, Call):
                    window.add(count, call)
                else:
                    window.results[count] = call
                count += 1
            window.finish()
        except BaseException:
            window.stop()
            raise
    return [window.results[index] for index in range(count)]
