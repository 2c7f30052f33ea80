"""The examples run as they stand, each as a program over a store of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from stepstore import StorageManager

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PICTURE = b"\x89PNG\r\n\x1a\n"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs an example in an empty folder; what else is in its environment is the caller's choice."""

    def begin(name: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "error", EXAMPLES / name, *map(str, arguments)],
            cwd=tmp_path, env={**os.environ, **environment}, text=True, capture_output=True, check=False, timeout=60,
        )  # fmt: skip

    return begin


def printed(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_seed_example_runs_as_written(run: Run, tmp_path: Path) -> None:
    assert printed(run("seed/example.py", tmp_path / "store")) == [
        "<html><body>Example</body></html> 11 {'type': 'click', 'selector': '#submit'}",
        "['step_001']",
    ]
    assert (tmp_path / "store/session_123/step_001/observation.html").exists()


def test_every_example_is_run_here() -> None:
    text = Path(__file__).read_text()
    programs = sorted(path.name for path in (EXAMPLES / "python").iterdir() if path.name != "__pycache__")
    assert len(programs) >= 4
    assert [name for name in programs if f'"python/{name}"' not in text] == []


def test_record_and_read(run: Run, tmp_path: Path) -> None:
    assert printed(run("python/record_agent.py")) == ["the agent came to https://shop.example/5"]
    lines = printed(run("python/read_session.py", "recordings", "shop-tour", "last.png"))
    assert [line.split()[:3] for line in lines] == [[f"{number:04}", "click", "Shop"] for number in range(1, 6)]
    files = [path for path in (tmp_path / "recordings/shop-tour/0001").iterdir() if path.name != "step.json"]
    assert lines[0].endswith(f"  {sum(path.stat().st_size for path in files)} bytes")
    assert (tmp_path / "last.png").read_bytes() == PICTURE + b"https://shop.example/4"


def test_an_agent_goes_on_when_nothing_can_be_stored(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    done = run("python/record_agent.py", "file")
    assert (done.returncode, done.stdout) == (0, "the agent came to https://shop.example/5\n")
    for number, line in enumerate(sorted(done.stderr.splitlines()), 1):
        assert line.startswith(
            f"step {number:04} was not recorded: the store's path is not a directory. Name a directory"
        )
    assert len(done.stderr.splitlines()) == 5


def test_what_cannot_be_read_is_said(run: Run, tmp_path: Path) -> None:
    printed(run("python/record_agent.py", "store"))
    done = run("python/read_session.py", "store", "shop")
    assert (done.returncode, done.stdout) == (1, "there is no session shop; there are: shop-tour\n")
    (tmp_path / "store/shop-tour/0003/observation.html").write_text("other")
    done = run("python/read_session.py", "store", "shop-tour")
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 2)
    assert done.stderr.startswith("Corrupt in ")


def test_batches(run: Run) -> None:
    read = ["0000 <h1>Page 0</h1>", "0199 <h1>Page 199</h1>", "none NotFound"]
    assert printed(run("python/batches.py")) == ["200 written, 0 were there, 0 failed", *read]
    assert printed(run("python/batches.py")) == ["0 written, 200 were there, 0 failed", *read]


def test_batches_that_fail(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    done = run("python/batches.py", "file")
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == "0 written, 0 were there, 200 failed"


# --- From boto3 ---


class Bucket(BaseHTTPRequestHandler):
    """What boto3's put_object, get_object and list_objects_v2 with a delimiter need of S3; one page holds all."""

    protocol_version = "HTTP/1.1"
    objects: dict[str, bytes]

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        self.objects[unquote(self.path)] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200)

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if not address.query.startswith("list-type"):
            body = self.objects.get(unquote(address.path))
            self.answer(404 if body is None else 200, body or b"")
            return
        prefix = parse_qs(address.query).get("prefix", [""])[0]
        keys = [key.removeprefix("/old/") for key in sorted(self.objects)]
        below = {key[len(prefix) :].split("/")[0] for key in keys if key.startswith(prefix)}
        folders = "".join(
            f"<CommonPrefixes><Prefix>{prefix}{each}/</Prefix></CommonPrefixes>" for each in sorted(below)
        )
        self.answer(200, f"<ListBucketResult>{folders}</ListBucketResult>".encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def endpoint() -> Iterator[str]:
    Bucket.objects = {}
    with ThreadingHTTPServer(("127.0.0.1", 0), Bucket) as server:
        server.daemon_threads = True
        serving = Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def test_from_boto3(run: Run, tmp_path: Path, endpoint: str) -> None:
    aws = {
        "AWS_ENDPOINT_URL_S3": endpoint, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1", "NO_PROXY": "127.0.0.1", "PYTHONPATH": f"{EXAMPLES / 'python'}",
    }  # fmt: skip
    aws["PYTHONPATH"] += os.pathsep + os.environ.get("PYTHONPATH", "")
    record = tmp_path / "record.py"
    record.write_text(
        "import from_boto3\n"
        "old = from_boto3.BotoRecorder('old')\n"
        "for step in '12':\n"
        "    old.save('tour', step, '<p>é' + step, b'png' + step.encode(), {'type': 'click'})\n"
    )
    assert printed(run(record, **aws)) == []
    assert len(Bucket.objects) == 6

    expected = ["2 steps moved, 0 failed", "<h1>Hello</h1>"]
    assert printed(run("python/from_boto3.py", "old", "store", **aws)) == expected
    assert printed(run("python/from_boto3.py", "old", "store", **aws)) == expected
    with StorageManager(tmp_path / "store") as store:
        assert store.list_sessions() == ["after-the-move", "tour"]
        assert tuple(store.retrieve_step_data("tour", "2")) == ("<p>é2", b"png2", {"type": "click"})
        assert store.stat_step("tour", "2").version == 1
