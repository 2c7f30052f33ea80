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


class _Window:
    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._port = _core.Port()
        self._flying: dict[int, tuple[Call[Any], _core.Ticket]] = {}
        self._bytes = 0
        self.results: dict[int, Any] = {}

    def add(self, index: int, call: Call[Any]) -> None:
        while self._flying and (
            len(self._flying) >= self._opened.steps_max or self._bytes + call.size > self._opened.bytes_max
        ):
            self.gather()
        ticket = self._port.ticket(index)
        try:
            call.begin(self._opened.core, ticket)
        except StorageManagerError as error:
            self.results[index] = error
            return
        self._flying[index] = (call, ticket)
        self._bytes += call.size

    def gather(self) -> None:
        """Waits for one result at least."""
        self._port.wait()
        for index, succeeded, value in self._port.take():
            call, _ = self._flying.pop(index)
            self._bytes -= call.size
            self.results[index] = call.finish(value) if succeeded else value

    def finish(self) -> None:
        while self._flying:
            self.gather()

    def stop(self) -> None:
        """Stops all and waits, so that nothing goes on after an exception."""
        for _, ticket in self._flying.values():
            ticket.stop()
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
