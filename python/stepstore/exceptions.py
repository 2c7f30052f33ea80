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

from stepstore._values import Attempt

__all__ = [
    "AlreadyExists",
    "Archived",
    "Cancelled",
    "Closed",
    "ConfigError",
    "Conflict",
    "Corrupt",
    "Held",
    "InvalidArgument",
    "Io",
    "NoSpace",
    "NotFound",
    "PartialFailure",
    "PermissionDenied",
    "SpoolFull",
    "StorageManagerError",
    "Throttled",
    "Timeout",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "Unsupported",
]


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
        http_status: The HTTP status of the last answer; 0 without one.
        request_id: The server's id of the last request; "" without one.
        attempts: An `Attempt` for each try that failed; empty without a network.

    Example:
        >>> try:
        ...     store.retrieve_step_data("login-test", "0001")
        ... except stepstore.StorageManagerError as error:
        ...     print(error.code, error.operation, error.key, error.retryable, sep=", ")
        NotFound, retrieve_step_data, login-test/0001, False
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
    attempts: tuple[Attempt, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.args, dict(self.__dict__), self.__cause__))


class InvalidArgument(StorageManagerError, ValueError):
    """Mend the argument that the message names. Nothing was changed.

    Example:
        >>> try:
        ...     store.list_sessions(limit=0)
        ... except ValueError as error:
        ...     print(error.advice)
        Use a number from 1 to 9223372036854775807.
    """


class NotFound(StorageManagerError, LookupError):
    """There is no such step, component or source file. Check the id; ids are case-sensitive.

    Example:
        >>> try:
        ...     store.retrieve_step_data("login-test", "0001")
        ... except LookupError as error:
        ...     print(error.key)
        login-test/0001
    """


class AlreadyExists(StorageManagerError):
    """The step is there and `if_exists="fail"` was asked for. Read it, or store under another id.

    Example:
        >>> _ = store.store_step_data("s", "1", "<p>")
        >>> try:
        ...     store.store_step_data("s", "1", "<h1>", if_exists="fail")
        ... except stepstore.AlreadyExists:
        ...     store.retrieve_step_data("s", "1").html_content
        '<p>'
    """


class Conflict(StorageManagerError):
    """Somebody else changed the step first. Read it again, then decide whether to store.

    Example:
        >>> _ = store.store_step_data("s", "1", "<p>")
        >>> try:
        ...     store.store_step_data("s", "1", "<h1>", if_version=7)
        ... except stepstore.Conflict:
        ...     store.stat_step("s", "1").version
        1
    """


class PermissionDenied(StorageManagerError, PermissionError):
    """Mend the rights of this user on the path or bucket.

    Example:
        >>> issubclass(stepstore.PermissionDenied, PermissionError)
        True
    """


class Unauthenticated(StorageManagerError):
    """The credentials are missing, wrong or expired. Mend them.

    Example:
        >>> try:
        ...     receipt = store.store_step_data("s", "1", "<p>")
        ... except stepstore.Unauthenticated as error:
        ...     print(error.advice)
    """


class Unavailable(StorageManagerError, ConnectionError):
    """The store cannot be reached. Call again later.

    Example:
        >>> nobody = stepstore.StorageManager("s3://bucket?endpoint=http://127.0.0.1:1", credentials={
        ...     "access_key_id": "id", "secret_access_key": "key"})
        >>> try:
        ...     nobody.list_sessions(timeout=0.2)
        ... except ConnectionError as error:
        ...     print(error.retryable, len(error.attempts) > 0)
        True True
    """


class Throttled(StorageManagerError):
    """The store asks to slow down. Call again later, and less often.

    Example:
        >>> try:
        ...     receipt = store.store_step_data("s", "1", "<p>")
        ... except stepstore.Throttled as error:
        ...     print("again later:", *error.attempts, sep="\\n")
    """


class Timeout(StorageManagerError, TimeoutError):
    """The time given was not enough. Call again, or allow more.

    Example:
        >>> try:
        ...     store.list_sessions(timeout=0)
        ... except TimeoutError as error:
        ...     print(error.retryable)
        True
    """


class Io(StorageManagerError, OSError):
    """The disk or the network failed. Read the cause; then call again.

    Example:
        >>> issubclass(stepstore.Io, OSError)
        True
    """


class NoSpace(StorageManagerError, OSError):
    """The disk or quota is full. Free some space; then call again.

    Example:
        >>> issubclass(stepstore.NoSpace, OSError)
        True
    """


class SpoolFull(StorageManagerError):
    """The spool has reached its limit. Let it drain or raise the limit. Not raised in this release.

    Example:
        >>> issubclass(stepstore.SpoolFull, stepstore.StorageManagerError)
        True
    """


class TooLarge(StorageManagerError, ValueError):
    """One part is larger than the limit in the message. Split or shrink it.

    Example:
        >>> issubclass(stepstore.TooLarge, ValueError)
        True
    """


class Corrupt(StorageManagerError):
    """Stored bytes do not agree with their manifest. Run `stepstore check`; restore from a copy.

    Example:
        >>> _ = store.store_step_data("s", "1", "<p>")
        >>> try:
        ...     step = store.retrieve_step_data("s", "1")
        ... except stepstore.Corrupt as error:
        ...     print("restore", error.key)
    """


class Archived(StorageManagerError):
    """The bytes lie in cold storage. Restore them there first.

    Example:
        >>> _ = store.store_step_data("s", "1", "<p>")
        >>> try:
        ...     step = store.retrieve_step_data("s", "1")
        ... except stepstore.Archived as error:
        ...     print("thaw", error.key)
    """


class Held(StorageManagerError):
    """A hold protects the step or session. Release it first.

    Example:
        >>> try:
        ...     deleted = store.delete_session("s")
        ... except stepstore.Held as error:
        ...     print("kept:", error.key)
    """


class Unsupported(StorageManagerError, NotImplementedError):
    """The store or this release cannot do that. The message says what can.

    Example:
        >>> try:
        ...     sessions = store.list_sessions()
        ... except stepstore.Unsupported as error:
        ...     print("a later release made this store:", error.message)
    """


class ConfigError(StorageManagerError, ValueError):
    """The URI, an option or a variable is wrong. Mend it; the message says which.

    Example:
        >>> try:
        ...     stepstore.StorageManager("s3://bucket?regoin=eu-central-1")
        ... except ValueError as error:
        ...     print(error.code)
        ConfigError
    """


class PartialFailure(StorageManagerError):
    """Some of it was done. The message says what is left; call again.

    Example:
        >>> try:
        ...     deleted = store.delete_session("s")
        ... except stepstore.PartialFailure:
        ...     deleted = store.delete_session("s")
    """


class Cancelled(StorageManagerError):
    """The caller asked to stop. The step is whole or absent.

    Ctrl-C and cancelled tasks raise `KeyboardInterrupt` and `asyncio.CancelledError`.

    Example:
        >>> issubclass(stepstore.Cancelled, stepstore.StorageManagerError)
        True
    """


class Closed(StorageManagerError):
    """The manager was closed. Open another.

    Example:
        >>> store.close()
        >>> try:
        ...     store.list_sessions()
        ... except stepstore.Closed as error:
        ...     print(error.advice)
        Open another StorageManager.
    """


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
    attempts: list[tuple[Any, ...]],
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
    error.attempts = tuple(Attempt(*each) for each in attempts)
    if cause is not None:
        number, reason = cause
        error.__cause__ = OSError(number, reason) if number is not None else RuntimeError(reason)
    return error
