"""How many bytes calls hold, so that what is on its way is bounded."""

from __future__ import annotations

import contextlib
import os

from stepstore import _core
from stepstore._inputs import Fields

# Beyond it a file is read bit by bit, as the library's stream_threshold says.
_STREAM_THRESHOLD = 8 * 2**20


def _held_by(part: object) -> int:
    if isinstance(part, memoryview):
        return part.nbytes
    if isinstance(part, bytes | bytearray | _core.Text):
        return len(part)
    if isinstance(part, str):  # the name of a file, which is read whole while it is small
        with contextlib.suppress(OSError):
            return min(os.stat(part).st_size, _STREAM_THRESHOLD)
    return 0


def of_parts(parts: tuple[object, ...]) -> int:
    """What the parts of a step hold, before they are looked at: those of which the length tells it."""
    return sum(len(part) for part in parts if isinstance(part, bytes | bytearray | str))


def of_store(fields: Fields) -> int:
    """What a step holds while it is stored."""
    return sum(map(_held_by, (*fields[2:6], *(component[1] for component in fields[6]))))


class Reads:
    """Reads on their way: the size of a step is known when it is there; until then those before speak for it.

    So one begins, and twice as many may be on their way after each.
    """

    __slots__ = ("_limit", "_most", "_on_their_way", "_typical")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._most = 1
        self._typical = 0
        self._on_their_way = 0

    def guess(self, size: int | None) -> int:
        """The bytes that count for a call on its way. None: it is a read."""
        return self._typical if size is None else size

    def has_room(self) -> bool:
        """Whether one more may begin."""
        return self._on_their_way < self._most

    def begin(self) -> None:
        """One begins."""
        self._on_their_way += 1

    def end(self) -> None:
        """One has ended, whatever its outcome."""
        self._on_their_way -= 1
        self._most = min(2 * self._most, self._limit)

    def learn(self, size: int) -> None:
        """How large a step was. Larger ones are believed at once, smaller ones by and by."""
        self._typical = max(size, (self._typical + size) // 2)
