"""What callers hand in, checked and made ready for the library: bytes, JSON text, paths, numbers."""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Literal, TypeAlias

from stepstore import _core, exceptions

# Anything with the buffer protocol that holds bytes; it is read in place.
Binary: TypeAlias = bytes | bytearray | memoryview
# A path-like object, not a str, names a file.
File: TypeAlias = os.PathLike[str] | os.PathLike[bytes]
Html: TypeAlias = str | Binary | None
Screenshot: TypeAlias = Binary | File | None
# dict, list, str, int, float, bool, None; bytes are JSON text already.
JsonLike: TypeAlias = Any
ComponentData: TypeAlias = Binary | str | File | tuple[Binary | str | File, str]
Components: TypeAlias = Mapping[str, ComponentData] | None
JsonDefault: TypeAlias = Callable[[Any], Any]
IfExists: TypeAlias = Literal["new_version", "fail", "skip_identical"]
KeepVersions: TypeAlias = int | Literal["all"]
Keep: TypeAlias = Literal["critical"]
# session, step, html, screenshot, action, metadata, components as the extension takes them.
Fields: TypeAlias = tuple[str, str, object, object, object, object, list[tuple[str, object, str]]]

_IF_EXISTS = {"new_version": 0, "fail": 1, "skip_identical": 2}
_KEEP_ALL = 2**32 - 1
_CONCURRENCY_MAX = 1024
_LONG_TEXT = 4096  # characters
_LINK_SECONDS_MAX = 7 * 24 * 3600

_logger = logging.getLogger("stepstore")


def _wrong_type(what: str, value: object, wanted: str) -> TypeError:
    return TypeError(f"{what} is {type(value).__name__}, not {wanted}")


def _encoded(text: str, what: str) -> bytes | _core.Text:
    """UTF-8; what has no encoding (lone surrogates) is replaced, and that is noted.

    Long text is encoded by the library's threads, so that an event loop does not wait for it.
    """
    if len(text) >= _LONG_TEXT:
        return _core.Text(text)
    try:
        return text.encode()
    except UnicodeEncodeError:
        note_surrogates(what)
        return text.encode(errors="replace")


def note_surrogates(what: str) -> None:
    """Says that a text had no encoding."""
    _logger.warning("%s holds lone surrogates; they are stored as '?'", what)


def _binary(value: object, what: str) -> object:
    try:
        view = memoryview(value)  # type: ignore[arg-type]
    except TypeError:
        raise _wrong_type(what, value, "bytes") from None
    with view:
        if not view.c_contiguous:
            raise TypeError(f"{what} is not contiguous in memory; pass bytes() of it")
    return value


class Arguments:
    """Checks the arguments of one call. Its errors name the public method and the step."""

    def __init__(self, operation: str) -> None:
        self.operation = operation
        self.key = ""

    def refuse(self, message: str, advice: str, code: str = "InvalidArgument") -> exceptions.StorageManagerError:
        """The error to raise."""
        return exceptions.make(code, self.operation, self.key, message, advice)

    # --- Texts and numbers ---

    def text(self, value: object, what: str) -> str:
        """The value, when it is text that has an encoding."""
        if not isinstance(value, str):
            raise _wrong_type(what, value, "str")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise self.refuse(f"the {what} {value!a} is not valid Unicode text", "Pass UTF-8 text.") from error
        return value

    def session(self, session_id: object) -> str:
        """The id of a session."""
        self.key = ascii(session_id)
        self.key = self.text(session_id, "session_id")
        return self.key

    def maybe_session(self, session_id: object) -> str | None:
        """The id of a session, or None for all of them."""
        return None if session_id is None else self.session(session_id)

    def step(self, session_id: object, step_id: object) -> tuple[str, str]:
        """The ids of a step."""
        session = self.session(session_id)
        self.key = f"{session}/{step_id!a}"
        step = self.text(step_id, "step_id")
        self.key = f"{session}/{step}"
        return session, step

    def number(self, value: object, what: str, least: int, most: int) -> int:
        """A whole number within bounds."""
        if not isinstance(value, int) or isinstance(value, bool):
            raise _wrong_type(what, value, "int")
        if not least <= value <= most:
            raise self.refuse(f"{what} is {value}", f"Use a number from {least} to {most}.")
        return value

    def version(self, value: object, what: str, least: int) -> int | None:
        """The number of a version, or None."""
        return None if value is None else self.number(value, what, least, 2**64 - 1)

    def limit(self, value: object) -> int:
        """How many to list, 0 for all."""
        return 0 if value is None else self.number(value, "limit", 1, 2**63 - 1)

    def seconds(self, timeout: object) -> float:
        """How long the call may take."""
        if timeout is None:
            return math.inf
        if not isinstance(timeout, int | float) or isinstance(timeout, bool):
            raise _wrong_type("timeout", timeout, "a number of seconds or None")
        try:
            seconds = float(timeout)
        except OverflowError:
            return math.inf if timeout > 0 else 0.0
        if math.isnan(seconds):
            raise self.refuse("timeout is not a number", "Pass seconds, or None for no limit.")
        return max(seconds, 0.0)

    def lifetime(self, expires: object) -> int:
        """How long a link works, in whole seconds."""
        seconds = expires.total_seconds() if isinstance(expires, timedelta) else expires
        if not isinstance(seconds, int | float) or isinstance(seconds, bool):
            raise _wrong_type("expires", expires, "a number of seconds or a timedelta")
        if not 1 <= seconds <= _LINK_SECONDS_MAX:  # neither is NaN
            advice = f"Use a number of seconds from 1 to {_LINK_SECONDS_MAX}, which are 7 days."
            raise self.refuse(f"expires is {seconds}", advice)
        return int(seconds)

    # --- Choices ---

    def link_method(self, value: object) -> bool:
        """Whether it is for an upload."""
        if not isinstance(value, str):
            raise _wrong_type("method", value, "str")
        if value not in {"GET", "PUT"}:
            raise self.refuse(f"method is {value!r}", "Use GET or PUT.")
        return value == "PUT"

    def if_exists(self, value: object) -> int:
        """The library's number of the choice."""
        if not isinstance(value, str):
            raise _wrong_type("if_exists", value, "str")
        if value not in _IF_EXISTS:
            raise self.refuse(f"if_exists is {value!r}", f"Use one of {', '.join(_IF_EXISTS)}.")
        return _IF_EXISTS[value]

    def kept(self, keep_versions: object, keep: object = None) -> int | None:
        """How many versions stay readable, or None for the manager's number."""
        if keep is not None:
            if keep != "critical":
                raise self.refuse(f"keep is {keep!r}", 'Use "critical", or keep_versions=.')
            return _KEEP_ALL
        if keep_versions is None:
            return None
        if isinstance(keep_versions, str):
            if keep_versions != "all":
                raise self.refuse(f"keep_versions is {keep_versions!r}", 'Use a number from 1, or "all".')
            return _KEEP_ALL
        return self.number(keep_versions, "keep_versions", 1, _KEEP_ALL)

    # --- Settings of a manager ---

    def concurrency(self, value: object) -> int:
        """Threads of a batch."""
        if not isinstance(value, int) or isinstance(value, bool):
            raise _wrong_type("concurrency", value, "int")
        if not 1 <= value <= _CONCURRENCY_MAX:
            advice = f"Use a number from 1 to {_CONCURRENCY_MAX}."
            raise self.refuse(f"concurrency is {value}", advice, "ConfigError")
        return value

    def flag(self, value: object, what: str) -> bool | None:
        """True, False or None."""
        if value is None or isinstance(value, bool):
            return value
        raise _wrong_type(what, value, "bool")

    def place(self, value: object, what: str) -> bytes | None:
        """A path or URI as the bytes that the system takes."""
        if value is None:
            return None
        if not isinstance(value, str | os.PathLike):
            raise _wrong_type(what, value, "str or a path")
        try:
            path = os.fsencode(value)
        except UnicodeEncodeError as error:
            raise self.refuse(f"{what} {value!a} has no encoding", "Mend the path.", "ConfigError") from error
        if b"\0" in path:
            raise self.refuse(f"{what} {value!a} holds a NUL", "Mend the path.", "ConfigError")
        return path

    # --- Data ---

    def file(self, value: File, what: str) -> str:
        """The path of a file as str, as `os.fsdecode` makes it."""
        path = os.fspath(value)
        try:
            encoded = os.fsencode(path)
        except UnicodeEncodeError as error:
            raise self.refuse(f"the path {path!a} of {what} has no encoding", "Mend the path.") from error
        if b"\0" in encoded:
            raise self.refuse(f"the path {path!a} of {what} holds a NUL", "Mend the path.")
        return os.fsdecode(encoded)

    def json(self, value: JsonLike, what: str, default: JsonDefault | None) -> object:
        """JSON text as bytes, or None."""
        if value is None:
            return None
        if isinstance(value, bytes | bytearray | memoryview):
            return _binary(value, what)  # JSON text already; the library checks it
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=default)
            try:
                return text.encode()
            except UnicodeEncodeError:  # lone surrogates: JSON can escape them
                return json.dumps(value, ensure_ascii=True, allow_nan=False, default=default).encode()
        except (TypeError, ValueError, RecursionError) as error:
            message = f"{what} cannot be written as JSON: {error}"
            raise self.refuse(message, "Pass JSON-like data, or json_default=.") from error

    def component(self, name: object, data: object) -> tuple[str, object, str]:
        """Name, buffer or path, content type ("" to be found by the name)."""
        what = f"component {self.text(name, 'component name')!r}"
        content_type = ""
        if isinstance(data, tuple):
            if len(data) != 2:
                raise TypeError(f"{what} is a tuple of {len(data)}, not (data, content type)")
            data, content_type = data
            self.text(content_type, f"content type of {what}")
        if isinstance(data, os.PathLike):
            return str(name), self.file(data, what), content_type
        if isinstance(data, str):
            return str(name), _encoded(data, what), content_type
        return str(name), _binary(data, what), content_type

    def fields(
        self,
        ids: tuple[object, object],
        parts: tuple[Html, Screenshot, JsonLike, JsonLike, Components],
        default: JsonDefault | None,
    ) -> Fields:
        """One step as the extension takes it."""
        session, step = self.step(*ids)
        html, screenshot, action, metadata, components = parts
        page: object = html
        if isinstance(html, str):
            page = _encoded(html, "html_content")
        elif html is not None:
            page = _binary(html, "html_content")
        picture: object = screenshot
        if isinstance(screenshot, os.PathLike):
            picture = self.file(screenshot, "screenshot_bytes")
        elif screenshot is not None:
            picture = _binary(screenshot, "screenshot_bytes")
        if components is not None and not isinstance(components, Mapping):
            raise _wrong_type("components", components, "a mapping of names to data")
        return (
            session,
            step,
            page,
            picture,
            self.json(action, "action_data", default),
            self.json(metadata, "metadata", default),
            [self.component(name, data) for name, data in (components or {}).items()],
        )
