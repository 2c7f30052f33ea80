"""The fixtures of the tests over S3 servers; what is none is in boto3_support.py, s3_support.py, gateway.py."""

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "cli" / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from boto3_support import ROOT, UNSET, Folder, told_servers, unpack_recording
from cli_support import Command
from gateway import make_certificate
from s3_support import Server


@pytest.fixture(autouse=True)
def _kept_log() -> Iterator[None]:
    """The library's log lines of this process go into a file of the run, at the level trace (tests/canary)."""
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


@pytest.fixture
def s3(server) -> Server:
    """The same server, with the addresses and keys that tests of stepstore alone use."""
    return Server.of(server)


@pytest.fixture
def strict(s3) -> Server:
    """A server that checks signatures: who does not refuses nothing."""
    if "no-signatures" in s3.traits:
        pytest.skip("no-signatures")
    return s3


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """Of the keys of one test: the servers are the same for all."""
    return Server.new_prefix(request.node.originalname)


@pytest.fixture
def stepstore(tmp_path: Path) -> Command:
    """The command, in a folder of its own, without anybody's AWS settings and proxies."""
    work = tmp_path / "cwd"
    work.mkdir()
    command = Command(work)
    command.env = {
        name: value
        for name, value in command.env.items()
        if not name.startswith("AWS_") and not name.lower().endswith("_proxy")
    }
    command.env["HOME"] = str(tmp_path)
    return command


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that nobody trusts, and its key."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))
