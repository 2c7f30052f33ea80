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


SAMPLES = sorted((ROOT / "samples").glob("*.tar.zst"))


def unpacked(archive: Path, folder: Path) -> Path:
    """The folder of one session with 30 steps."""
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", folder], check=True)
    return folder / archive.name.removesuffix(".tar.zst")


@pytest.fixture(scope="session")
def recording(tmp_path_factory) -> Path:
    """The bundled recording that comes with every release."""
    return unpacked(ROOT / "samples" / "pg-tour.tar.zst", tmp_path_factory.mktemp("recording"))


@pytest.fixture(scope="session", params=SAMPLES, ids=lambda archive: archive.name.removesuffix(".tar.zst"))
def each_recording(request: pytest.FixtureRequest, tmp_path_factory) -> Path:
    """Each bundled recording in turn."""
    return unpacked(request.param, tmp_path_factory.mktemp("recording"))
