"""What the tests of the Python package share."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from stepstore import StorageManager

sys.path.insert(0, str(Path(__file__).parent))  # for silent_server


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StorageManager]:
    """An empty store of each kind."""
    with StorageManager("memory:" if request.param == "memory" else tmp_path / "store", fsync=False) as manager:
        yield manager
