"""What the tests of the Python package share."""

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from stepstore import StorageManager

sys.path.insert(0, str(Path(__file__).parent))  # for silent_server
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "canary"))


@pytest.fixture
def kept_log() -> Iterator[None]:
    """The library's log lines of a test go into a file of the run, at the level trace (tests/canary)."""
    folder = os.environ.get("STEPSTORE_TEST_TRACE")
    if folder is None:
        yield
        return
    logger, handler = logging.getLogger("stepstore"), logging.FileHandler(Path(folder) / "python.log")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(1)
    yield
    logger.setLevel(level)
    logger.removeHandler(handler)
    handler.close()


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StorageManager]:
    """An empty store of each kind."""
    with StorageManager("memory:" if request.param == "memory" else tmp_path / "store", fsync=False) as manager:
        yield manager
