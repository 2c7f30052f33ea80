"""What callers hand in, made ready for the library: bytes, JSON text, paths."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from stepstore import exceptions

# Anything with the buffer protocol that holds bytes; it is read in place.
Binary: TypeAlias = bytes | bytearray | memoryview
Html: TypeAlias = str | Binary | None
Screenshot: TypeAlias = Binary | os.PathLike[str] | None
# dict, list, str, int, float, bool, None; bytes are JSON text already.
JsonLike: TypeAlias = Any
ComponentData: TypeAlias = Binary | str | os.PathLike[str] | tuple[Binary | str | os.PathLike[str], str]
Components: TypeAlias = Mapping[str, ComponentData] | None
JsonDefault: TypeAlias = Callable[[Any], Any]
# session, step, html, screenshot, action, metadata, components as the extension takes them.
Fields: TypeAlias = tuple[str, str, Any, Any, Any, Any, list[tuple[str, Any, str]]]

_logger = logging.getLogger("stepstore")


def invalid(operation: str, key: str, message: str, advice: str) -> exceptions.InvalidArgument:
    """An error for an argument that this layer refuses."""
    text = f"InvalidArgument in {operation} of '{key}': {message}. {advice}"
    error = exceptions.from_core(
        "InvalidArgument", text, message, operation, key, advice, False, False, 0, "", [], None
    )
    assert isinstance(error, exceptions.InvalidArgument)
    return error


def require_id(value: object, what: str) -> str:
    """The id, when it is text that has an encoding."""
    if not isinstance(value, str):
        raise TypeError(f"{what} is {type(value).__name__}, not str")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise invalid("", ascii(value), f"the {what} is not valid Unicode text", "Pass UTF-8 text.") from error
    return value


def encode_text(text: str, what: str) -> bytes:
    """UTF-8; what has no encoding (lone surrogates) is replaced, and that is noted."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        _logger.warning("%s holds lone surrogates; they are stored as '?'", what)
        return text.encode(errors="replace")


def _binary(value: object, what: str) -> object:
    try:
        memoryview(value).release()  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{what} is {type(value).__name__}, not bytes") from None
    return value


def html(value: Html) -> object:
    """Bytes of the page, or None."""
    if value is None:
        return None
    if isinstance(value, str):
        return encode_text(value, "html_content")
    return _binary(value, "html_content")


def screenshot(value: Screenshot) -> object:
    """Bytes of the picture, the path of a file as str, or None."""
    if value is None:
        return None
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return _binary(value, "screenshot_bytes")


def json_text(value: JsonLike, what: str, key: str, default: JsonDefault | None) -> object:
    """JSON text as bytes, or None."""
    if value is None:
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        return value  # JSON text already; the library checks it
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=default)
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, ensure_ascii=True, allow_nan=False, default=default).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise invalid(
            "", key, f"{what} cannot be written as JSON: {error}", "Pass JSON-like data, or json_default=."
        ) from error


def components(value: Components) -> list[tuple[str, object, str]]:
    """(name, buffer or path, content type) of each."""
    out: list[tuple[str, object, str]] = []
    for name, data in (value or {}).items():
        require_id(name, "component name")
        content_type = ""
        if isinstance(data, tuple):
            data, content_type = data  # noqa: PLW2901
        if isinstance(data, os.PathLike):
            out.append((name, os.fspath(data), content_type))
        elif isinstance(data, str):
            out.append((name, encode_text(data, f"component {name!r}"), content_type))
        else:
            out.append((name, _binary(data, f"component {name!r}"), content_type))
    return out


def fields(
    session_id: str,
    step_id: str,
    html_content: Html,
    screenshot_bytes: Screenshot,
    action_data: JsonLike,
    metadata: JsonLike,
    extra: Components,
    default: JsonDefault | None,
) -> Fields:
    """One step as the extension takes it."""
    key = f"{require_id(session_id, 'session_id')}/{require_id(step_id, 'step_id')}"
    return (
        session_id,
        step_id,
        html(html_content),
        screenshot(screenshot_bytes),
        json_text(action_data, "action_data", key, default),
        json_text(metadata, "metadata", key, default),
        components(extra),
    )
