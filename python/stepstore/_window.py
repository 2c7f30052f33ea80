"""Batches of the blocking manager: several calls on their way, with a bound on what is held."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from stepstore import _core, _log
from stepstore._calls import Call
from stepstore._settings import Opened
from stepstore._sizes import Reads
from stepstore.exceptions import Closed, StorageManagerError

T = TypeVar("T")


class _Window:
    """Calls on their way and their results. ctrl-C may come between any two lines, and must lose no outcome."""

    def __init__(self, opened: Opened, *, holds_results: bool = False) -> None:
        self._opened = opened
        self._port = _core.Port()
        # Without what the calls were given: that goes when it was handed over.
        self._flying: dict[int, tuple[Callable[[Any], Any], _core.Ticket]] = {}
        self._taken: list[tuple[int, bool, Any]] = []  # outcomes that have not landed yet
        self._reads = Reads(opened.steps_max)
        self._holds_results = holds_results  # until they were popped
        self._held: dict[int, int | None] = {}  # bytes; None: a read on its way
        self.results: dict[int, Any] = {}

    def has_room(self, call: Call[Any]) -> bool:
        if not self._held:
            return True
        if len(self._held) >= self._opened.steps_max or (call.size is None and not self._reads.has_room()):
            return False
        held = sum(map(self._reads.guess, self._held.values()))
        return held + self._reads.guess(call.size) <= self._opened.bytes_max

    def add(self, index: int, call: Call[Any]) -> None:
        ticket = self._port.ticket(index)
        # Before it begins: what has begun has to be here.
        self._flying[index] = (call.finish, ticket)
        self._held[index] = call.size
        if call.size is None:
            self._reads.begin()
        try:
            if self._opened.renewal is not None:
                self._opened.renewal.ensure(self._opened.core, call.deadline.left())
            call.start(self._opened.core, ticket)
        except StorageManagerError as error:
            self._land(index, False, error)

    def gather(self) -> None:
        """Waits for one result at least."""
        self._port.wait()
        self._port.take(self._taken)
        while self._taken:
            self._land(*self._taken[-1])
            self._taken.pop()

    def _land(self, index: int, succeeded: bool, value: Any) -> None:
        if index not in self._flying:
            return  # it landed, and ctrl-C came before it was struck off the list
        if self._held[index] is None:
            self._reads.end()
            self._held[index] = 0
            if isinstance(value, _core.RawStep):
                self._held[index] = value.size()
                self._reads.learn(value.size())
        finish, _ = self._flying[index]
        self.results[index] = finish(value) if succeeded else value
        del self._flying[index]
        if not self._holds_results:
            del self._held[index]

    def pop(self, index: int) -> Any:
        """The result of a call, when it is there."""
        while index not in self.results:
            self.gather()
        self._held.pop(index, None)
        result = self.results.pop(index)
        if isinstance(result, Closed):  # or an endless stream would go on with nothing else
            raise result
        return result

    def finish(self) -> None:
        while self._flying:
            self.gather()

    def stop(self) -> None:
        """Stops all and waits, so that nothing goes on after an exception."""
        if not self._port.of_this_process():
            return  # a forked child: it all goes on in its parent
        under_way = {index for index, (_, ticket) in self._flying.items() if ticket.begun()}
        for index in under_way:
            self._flying[index][1].stop()
        under_way.difference_update(index for index, _, _ in self._taken)
        # Only to hear of their end; the exception that stopped it is what matters.
        with contextlib.suppress(StorageManagerError):
            while under_way:
                self._port.wait()
                self._port.take(self._taken)
                under_way.difference_update(index for index, _, _ in self._taken)


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
                    while not window.has_room(call):
                        window.gather()
                    window.add(count, call)
                else:
                    window.results[count] = call
                count += 1
            window.finish()
        except BaseException:
            window.stop()
            raise
    return [window.results[index] for index in range(count)]


def stream(opened: Opened, calls: Iterable[Call[T]]) -> Iterator[T | StorageManagerError]:
    """Makes them, and gives a result or an error for each in their order; what was not taken yet counts as held."""
    _log.follow()
    window = _Window(opened, holds_results=True)
    given = begun = 0
    try:
        for call in calls:
            while given in window.results or not window.has_room(call):
                result = window.pop(given)
                given += 1
                yield result
            window.add(begun, call)
            begun += 1
        while given < begun:
            result = window.pop(given)
            given += 1
            yield result
    finally:
        window.stop()
