"""The fixtures of the tests of the command; what is no fixture is in cli_support.py."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from cli_support import ROOT, Command


@pytest.fixture
def stepstore(tmp_path) -> Command:
    work = tmp_path / "cwd"
    work.mkdir()
    return Command(work)


@pytest.fixture
def store(tmp_path) -> Path:
    return tmp_path / "store"


@pytest.fixture(scope="session")
def recording(tmp_path_factory) -> Path:
    """The bundled recording: the folder of one session with 30 steps."""
    archive = ROOT / "samples" / "pg-tour.tar.zst"
    folder = tmp_path_factory.mktemp("recording")
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", folder], check=True)
    return folder / "pg-tour"
