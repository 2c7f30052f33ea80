"""Credentials of a function, called on Python threads before they expire: the library's threads never take the GIL.

The library signs with what was handed to it last.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from stepstore import _core, _s3_inputs, exceptions
from stepstore._inputs import Arguments

_log = logging.getLogger("stepstore")

AHEAD_S = 300.0  # renewed so long before the end; those that live shortly, a quarter of their life
REST_S = 10.0  # after a failure, and after a renewal that the server refuses
REST_WHILE_VALID_S = 60.0


def seconds_left(given: Arguments, value: object) -> float | None:
    """From now until an expiry. None: it never comes."""
    end = _s3_inputs.moment(given, value)
    return None if end is None else (end - datetime.now(UTC)) / timedelta(seconds=1)


class Renewal:
    """The function of one manager, and when it is to be called again. Thread-safe; usable after `os.fork()`."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._given = Arguments("credentials")
        self._made_at = float("-inf")
        self._due_at = float("-inf")
        self._ends_at = float("-inf")
        self._rests_until = float("-inf")
        self._failure: exceptions.StorageManagerError | None = None
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def _turn(self) -> threading.Lock:
        if self._pid != os.getpid():  # a thread of the parent may have held it at the fork
            self._lock, self._pid = threading.Lock(), os.getpid()
        return self._lock

    def _is_usable(self) -> bool:
        return time.monotonic() < self._ends_at

    def _is_due(self) -> bool:
        now = time.monotonic()
        if now < self._due_at:
            return False
        if now >= self._rests_until:
            return True
        if not self._is_usable() and self._failure is not None:
            raise self._failure
        return False

    def ensure(self, core: _core.Manager, left: float) -> None:
        """Calls the function when it is due; one thread at a time, the others go on with what is valid, or wait."""
        if not self._is_due():
            return
        turn = self._turn()
        if self._is_usable():
            taken = turn.acquire(blocking=False)
        else:
            taken = turn.acquire(timeout=min(left, threading.TIMEOUT_MAX))
            if not taken:
                raise self._given.refuse("the function took longer than the call may", "Give it more time.", "Timeout")
        if not taken:
            return
        try:
            if self._is_due():
                self._take(core, self._make)
        finally:
            turn.release()

    async def ensure_later(self, core: _core.Manager, left: float) -> None:
        """The same for asyncio: a coroutine function is awaited, another one called on a thread."""
        until = time.monotonic() + left
        while self._is_due():
            turn = self._turn()
            if turn.acquire(blocking=False):
                try:
                    if not self._is_due():
                        return
                    made = await self._awaited()
                    self._take(core, made)
                finally:
                    turn.release()
                return
            if self._is_usable():
                return
            if time.monotonic() >= until:
                raise self._given.refuse("the function took longer than the call may", "Give it more time.", "Timeout")
            await asyncio.sleep(0.01)

    async def _awaited(self) -> Callable[[], Any]:
        try:
            made = self._make() if inspect.iscoroutinefunction(self._make) else await asyncio.to_thread(self._make)
            value = await made if inspect.isawaitable(made) else made
        except Exception as error:  # told by _take
            failure = error

            def fail() -> Any:
                raise failure

            return fail
        return lambda: value

    def _take(self, core: _core.Manager, make: Callable[[], Any]) -> None:
        try:
            left = self._hand_over(core, make)
        except Exception as error:
            self._remember(error)
            return
        now = time.monotonic()
        self._failure = None
        self._made_at = now
        self._ends_at = float("inf") if left is None else now + left
        self._due_at = float("inf") if left is None else now + left - min(AHEAD_S, left / 4)

    def _hand_over(self, core: _core.Manager, make: Callable[[], Any]) -> float | None:
        value = make()
        if inspect.isawaitable(value):
            if inspect.iscoroutine(value):
                value.close()
            raise TypeError("an awaitable, which only stepstore.aio can await")
        signer = _s3_inputs.credentials(self._given, value)
        if signer is None:
            raise self._given.refuse("credentials are None", "Return a mapping or an object.", "ConfigError")
        left = seconds_left(self._given, _s3_inputs.expiry(value))
        if left is not None and left <= 0:
            raise self._given.refuse("they have expired already", "Is this machine's clock right?", "ConfigError")
        core.set_credentials(signer)
        return left

    def _remember(self, error: Exception) -> None:
        # Of other exceptions only the kind: their text may hold a secret. The cause has it.
        told = error.message if isinstance(error, exceptions.StorageManagerError) else type(error).__name__
        message = f"the function given as credentials has failed: {told}"
        failure = self._given.refuse(message, "See the cause.", "Unauthenticated")
        failure.__cause__ = error
        valid = self._is_usable()
        self._failure = failure
        self._rests_until = time.monotonic() + (REST_WHILE_VALID_S if valid else REST_S)
        if not valid:
            raise failure
        _log.warning("%s; those at hand are still valid", message)

    def may_help(self, error: exceptions.StorageManagerError) -> bool:
        """After a refusal: whether the call may be made once more, with new ones. Then they are due."""
        if error.outcome_unknown or error.operation in {"credentials", "iter_steps"}:
            return False  # a cursor that has failed gives no more steps, and would look as if it had ended
        if time.monotonic() - self._made_at < REST_S:
            return False  # they would be refused again
        self._due_at = self._ends_at = float("-inf")
        return True
