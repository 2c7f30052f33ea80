"""The S3 settings of a manager. No message repeats a value that may be a secret."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from stepstore._values import S3ObjectSettings

if TYPE_CHECKING:
    from stepstore._inputs import Arguments


class Keys(Protocol):
    """What signs requests, in the words of stepstore. `session_token` may be missing or None."""

    @property
    def access_key_id(self) -> str: ...
    @property
    def secret_access_key(self) -> str: ...


class FrozenCredentials(Protocol):
    """What signs requests, in the words of botocore. `token` may be missing or None."""

    @property
    def access_key(self) -> str: ...
    @property
    def secret_key(self) -> str: ...


Held: TypeAlias = Mapping[str, str | datetime | None] | Mapping[str, str | None] | Keys | FrozenCredentials
# Or a function that gives them, and perhaps `expiry_time` or `expires_at` with them.
Credentials: TypeAlias = Held | Callable[[], Held]
AsyncCredentials: TypeAlias = Credentials | Callable[[], Awaitable[Held]]
# Access key id, secret access key, session token; when they expire, in milliseconds since 1970, where that is known.
Signer: TypeAlias = tuple[str, str, str, int | None]
# Bucket, region, endpoint, profile.
Names: TypeAlias = tuple[str | None, str | None, str | None, str | None]
Path: TypeAlias = str | os.PathLike[str]
# Anonymous, plain HTTP, CA file, proxy, no proxy, the four times in seconds, attempts.
Times: TypeAlias = tuple[float | None, float | None, float | None, float | None]
Network: TypeAlias = tuple[bool, bool, bytes | None, str | None, str | None, Times, int | None]


@dataclass(frozen=True, slots=True)
class Reach:
    """How servers are reached, as the caller has it. The repr of a proxy would show its password."""

    s3_anonymous: bool
    allow_http: bool
    ca_file: Path | None
    proxy: str | None
    no_proxy: str | None
    connect_timeout: float | None
    first_byte_timeout: float | None
    stall_timeout: float | None
    total_timeout: float | None
    attempts_max: int | None

    def __repr__(self) -> str:
        return "<Reach>"

# The members of S3ObjectSettings, in their order.
ObjectFields: TypeAlias = tuple[
    str | None,
    str | None,
    str | None,
    bool | None,
    dict[str, str],
    bytes | None,
    bytes | None,
    bool | None,
    str | None,
    str | None,
    dict[str, str],
]

_OURS = ("access_key_id", "secret_access_key", "session_token")
_BOTOCORE = ("access_key", "secret_key", "token")
_WORDS = (_OURS, _BOTOCORE)
_EXPIRY = ("expiry_time", "expires_at")
_DAY = 86_400.0
_ATTEMPTS_MAX = 100
_ADVICE = "Pass access_key_id, secret_access_key and, for temporary ones, session_token."


def name(given: Arguments, value: object, what: str) -> str | None:
    """A bucket, region, endpoint, profile or proxy; None and "" leave the choice to the environment."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise TypeError(f"{what} is {type(value).__name__}, not str")
    if not value.isprintable() or not value.isascii():
        raise given.refuse(f"{what} holds characters that are not printable ASCII", f"Mend {what}.", "ConfigError")
    return value


def _seconds(given: Arguments, value: object, what: str) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{what} is {type(value).__name__}, not a number of seconds")
    if not 0 < value <= _DAY:
        raise given.refuse(f"{what} is {value}", "Pass seconds, above 0 and up to a day.", "ConfigError")
    return float(value)


def _attempts(given: Arguments, value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"attempts_max is {type(value).__name__}, not int")
    if not 1 <= value <= _ATTEMPTS_MAX:
        advice = f"Use a number from 1 to {_ATTEMPTS_MAX}."
        raise given.refuse(f"attempts_max is {value}", advice, "ConfigError")
    return value


def network(given: Arguments, reach: Reach) -> Network:
    """The settings as the library takes them."""
    return (
        given.flag(reach.s3_anonymous, "s3_anonymous") is True,
        given.flag(reach.allow_http, "allow_http") is True,
        given.place(reach.ca_file, "ca_file"),
        name(given, reach.proxy, "proxy"),
        name(given, reach.no_proxy, "no_proxy"),
        (
            _seconds(given, reach.connect_timeout, "connect_timeout"),
            _seconds(given, reach.first_byte_timeout, "first_byte_timeout"),
            _seconds(given, reach.stall_timeout, "stall_timeout"),
            _seconds(given, reach.total_timeout, "total_timeout"),
        ),
        _attempts(given, reach.attempts_max),
    )


def is_function(value: Any) -> bool:
    """Whether it gives credentials, and is none itself."""
    return callable(value) and not isinstance(value, Mapping) and not any(hasattr(value, word[0]) for word in _WORDS)


def expiry(value: Any) -> Any:
    """When they expire; None: it is not known."""
    for word in _EXPIRY:
        found = value.get(word) if isinstance(value, Mapping) else getattr(value, word, None)
        if found is not None:
            return found
    return None


def moment(given: Arguments, value: object) -> datetime | None:
    """An expiry: a datetime, or ISO 8601 text. None: it never comes."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            message = "the expiry of credentials is no ISO 8601 time"
            raise given.refuse(message, "Pass a datetime.", "ConfigError") from None
    if not isinstance(value, datetime):
        raise TypeError(f"the expiry of credentials is {type(value).__name__}, not datetime or str")
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value


def credentials(given: Arguments, value: Any) -> Signer | None:
    """The keys of a mapping or an object."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        if not set(value) <= {*_OURS, *_BOTOCORE, *_EXPIRY}:
            raise given.refuse("credentials has an item that is not known", _ADVICE, "ConfigError")
        members = dict(value)
    else:
        members = {member: getattr(value, member) for member in (*_OURS, *_BOTOCORE) if hasattr(value, member)}
    words = _BOTOCORE if "access_key" in members else _OURS
    key, secret, token = (members.get(word) for word in words)
    if not key or not secret:
        missing = words[0] if not key else words[1]
        raise given.refuse(f"credentials has no {missing}", _ADVICE, "ConfigError")
    for word, text in zip(words, (key, secret, token or ""), strict=True):
        if not isinstance(text, str):
            raise TypeError(f"{word} of credentials is {type(text).__name__}, not str")
        if not text.isascii() or not text.isprintable() or " " in text:
            message = f"{word} of credentials holds a blank, a line break or another character that no key has"
            raise given.refuse(message, "Strip what is not part of it.", "ConfigError")
    end = moment(given, expiry(value))
    return key, secret, token or "", None if end is None else int(end.timestamp() * 1000)


def _pairs(given: Arguments, value: Any, what: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"{what} is {type(value).__name__}, not a mapping of names to values")
    out: dict[str, str] = {}
    for key, text in value.items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise TypeError(f"{what} has a name or value that is not str")
        if not f"{key}{text}".isascii():
            raise given.refuse(f"{what} holds characters that are not ASCII", f"Mend {what}.", "ConfigError")
        out[key] = text
    return out


def objects(given: Arguments, value: object) -> ObjectFields:
    """How objects are kept; the library checks what the values say."""
    settings = S3ObjectSettings() if value is None else value
    if not isinstance(settings, S3ObjectSettings):
        raise TypeError(f"s3_objects is {type(settings).__name__}, not S3ObjectSettings")
    key: Any = settings.sse_c_key
    if key is not None and not isinstance(key, bytes | str):
        raise TypeError(f"sse_c_key is {type(key).__name__}, not bytes or str")
    if isinstance(key, str):
        if not key.isascii():
            raise given.refuse("sse_c_key is no base64", "Give 32 bytes, or their base64.", "ConfigError")
        key = key.encode()
    return (
        name(given, settings.checksum, "checksum"),
        name(given, settings.sse, "sse"),
        name(given, settings.sse_kms_key_id, "sse_kms_key_id"),
        given.flag(settings.sse_bucket_key, "sse_bucket_key"),
        _pairs(given, settings.sse_context, "sse_context"),
        key,
        given.place(settings.sse_c_key_file, "sse_c_key_file"),
        given.flag(settings.require_sse, "require_sse"),
        name(given, settings.storage_class, "storage_class"),
        name(given, settings.expected_bucket_owner, "expected_bucket_owner"),
        _pairs(given, settings.tags, "tags"),
    )
