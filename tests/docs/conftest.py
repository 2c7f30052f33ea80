"""The fixtures of the tests of the documents; what is no fixture is in docs_support.py."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from docs_support import ROOT


@pytest.fixture(scope="session")
def recording(tmp_path_factory) -> Path:
    """The bundled recording: the folder of one session with 30 steps."""
    folder = tmp_path_factory.mktemp("recording")
    subprocess.run(["tar", "--zstd", "-xf", ROOT / "samples" / "pg-tour.tar.zst", "-C", folder], check=True)
    return folder / "pg-tour"
