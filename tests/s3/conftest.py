"""The fixtures of the tests over S3 servers; what is no fixture is in boto3_support.py."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from boto3_support import ROOT, UNSET, Folder, told_servers, unpack_recording

SAMPLES = sorted(path.name.removesuffix(".tar.zst") for path in (ROOT / "samples").glob("*.tar.zst"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" in metafunc.fixturenames:
        servers = told_servers()
        # Without servers every such test fails: none is left out in silence.
        metafunc.parametrize(
            "server", servers or [None], indirect=True, ids=[each["name"] for each in servers] or ["no-server"]
        )


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest):
    """Each of the servers of STEPSTORE_TEST_SERVERS, as that tells them."""
    if request.param is None:
        pytest.fail(UNSET)
    return request.param


@pytest.fixture
def folder(server) -> Folder:
    return Folder(server)


@pytest.fixture(scope="session", params=SAMPLES)
def recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundled recording: the folder of a session, alone in its folder."""
    return unpack_recording(tmp_path_factory.mktemp("recording"), request.param) / request.param
