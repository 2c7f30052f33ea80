"""The library's log lines, handed to the logger "stepstore" of `logging`."""

from __future__ import annotations

import logging
import os
import sys
import traceback

from stepstore import _core

_logger = logging.getLogger("stepstore")
_asked_for: str | None = None


def _word() -> str:
    level = _logger.getEffectiveLevel()
    if level < logging.DEBUG:
        return "trace"
    if level <= logging.DEBUG:
        return "debug"
    if level <= logging.INFO:
        return "info"
    return "warning" if level <= logging.WARNING else "error"


def follow() -> None:
    """Asks the library for what the logger lets through now, unless STEPSTORE_LOG sends it to standard error."""
    global _asked_for  # noqa: PLW0603
    word = _word()
    if word != _asked_for and not os.environ.get("STEPSTORE_LOG"):
        _core.collect_log(word)
        _asked_for = word


def emit(level: int, message: str) -> None:
    """Logs a line of the library. A filter or handler that fails must not fail the call that was made."""
    try:
        _logger.log(level, "%s", message)
    except Exception:
        if logging.raiseExceptions and sys.stderr is not None:  # as logging.Handler.handleError does
            traceback.print_exc()
