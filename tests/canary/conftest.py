"""The fixtures of the tests of the run's secret."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "cli" / "tests"))

from cli_support import Command


@pytest.fixture
def stepstore(tmp_path: Path) -> Command:
    """The command, in a folder and a home of its own, without anybody's AWS settings."""
    work = tmp_path / "cwd"
    work.mkdir()
    command = Command(work)
    command.env = {name: value for name, value in command.env.items() if not name.startswith("AWS_")}
    command.env |= {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true", "STEPSTORE_LOG": "trace"}
    return command
