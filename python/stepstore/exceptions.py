"""What stepstore raises: one class per code, all of them `StorageManagerError`, some also the built-in one that fits.

>>> import stepstore
>>> try:
...     stepstore.StorageManager("memory:").retrieve_step_data("login-test", "0001")
... except LookupError as error:
...     print(error.code, error.operation, error.key)
NotFound retrieve_step_data login-test/0001
"""

from __future__ import annotations

import functools
from typing import Any


class StorageManagerError(Exception):
    """The base of all that stepstore raises.

    Attributes:
        code: The name of the class that fits, e.g. "NotFound".
        message: What went wrong, in a clause.
        advice: What to do next, in a sentence.
        operation: The public method that failed.
        key: The object key, path or id concerned.
        retryable: True when the same call may succeed later without any change.
        outcome_unknown: True when a write may or may not have happened. Storing again is always safe.
        http_status: The status of the last answer; 0 without one.
        request_id: The server's id of the last request; "" without one.
        attempts: A line for each try.
    """

    code: str = "StorageManagerError"
    message: str = ""
    advice: str = ""
    operation: str = ""
    key: str = ""
    retryable: bool = False
    outcome_unknown: bool = False
    http_status: int = 0
    request_id: str = ""
    attempts: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.args, dict(self.__dict__), self.__cause__))


class InvalidArgument(StorageManagerError, ValueError):
    """Mend the argument that the message names. Nothing was changed."""


class NotFound(StorageManagerError, LookupError):
    """There is no such step, component or source file. Check the id; ids are case-sensitive."""


class AlreadyExists(StorageManagerError):
    """The step is there and `if_exists="fail"` was asked for. Read it, or store under another id."""


class Conflict(StorageManagerError):
    """Somebody else changed the step first. Read it again, then decide whether to store."""


class PermissionDenied(StorageManagerError, PermissionError):
    """Mend the rights of this user on the path or bucket."""


class Unauthenticated(StorageManagerError):
    """The credentials are missing, wrong or expired. Mend them."""


class Unavailable(StorageManagerError, ConnectionError):
    """The store cannot be reached. Call again later."""


class Throttled(StorageManagerError):
    """The store asks to slow down. Call again later, and less often."""


class Timeout(StorageManagerError, TimeoutError):
    """The time given was not enough. Call again, or allow more."""


class Io(StorageManagerError, OSError):
    """The disk or the network failed. Read the cause; then call again."""


class NoSpace(StorageManagerError, OSError):
    """The disk or quota is full. Free some space; then call again."""


class SpoolFull(StorageManagerError):
    """The spool has reached its limit. Let it drain or raise the limit."""


class TooLarge(StorageManagerError, ValueError):
    """One part is larger than the limit in the message. Split or shrink it."""


class Corrupt(StorageManagerError):
    """Stored bytes do not agree with their manifest. Run `stepstore check`; restore from a copy."""


class Archived(StorageManagerError):
    """The bytes lie in cold storage. Restore them there first."""


class Held(StorageManagerError):
    """A hold protects the step or session. Release it first."""


class Unsupported(StorageManagerError, NotImplementedError):
    """The store or this release cannot do that. The message says what can."""


class ConfigError(StorageManagerError, ValueError):
    """The URI, an option or a variable is wrong. Mend it; the message says which."""


class PartialFailure(StorageManagerError):
    """Some of it was done. The message says what is left; call again."""


class Cancelled(StorageManagerError):
    """The caller asked to stop. The step is whole or absent."""


class Closed(StorageManagerError):
    """The manager was closed. Open another."""


def _rebuild(
    kind: type[StorageManagerError],
    args: tuple[Any, ...],
    attributes: dict[str, Any],
    cause: BaseException | None,
) -> StorageManagerError:
    error = kind(*args)
    error.__cause__ = cause
    error.__dict__.update(attributes)
    return error


@functools.cache
def _classes() -> dict[str, type[StorageManagerError]]:
    return {kind.__name__: kind for kind in StorageManagerError.__subclasses__()}


def make(code: str, operation: str, key: str, message: str, advice: str) -> StorageManagerError:
    """An error of this package's own layer, which reads like the library's."""
    concerned = f" of '{key}'" if key else ""
    text = f"{code} in {operation}{concerned}: {message}. {advice}"
    return from_core(code, text, message, operation, key, advice, False, False, 0, "", [], None)


def from_core(  # noqa: PLR0917
    code: str,
    text: str,
    message: str,
    operation: str,
    key: str,
    advice: str,
    retryable: bool,
    outcome_unknown: bool,
    http_status: int,
    request_id: str,
    attempts: list[str],
    cause: tuple[int | None, str] | None,
) -> StorageManagerError:
    """Build the exception for an error of the C++ library. For the extension only."""
    error = _classes()[code](text)
    error.code = code
    error.message = message
    error.operation = operation
    error.key = key
    error.advice = advice
    error.retryable = retryable
    error.outcome_unknown = outcome_unknown
    error.http_status = http_status
    error.request_id = request_id
    error.attempts = tuple(attempts)
    if cause is not None:
        number, reason = cause
        error.__cause__ = OSError(number, reason) if number is not None else RuntimeError(reason)
    return error
