"""Credentials of a function: asked ahead of their end, once for many threads, and again after a refusal."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stepstore
from canary import canary
from stepstore import StorageManager, aio

SECRET = canary()
pytestmark = pytest.mark.usefixtures("kept_log")
EMPTY = (
    b"<ListBucketResult><Name>bucket</Name><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>"
)
ABSENT = b"<Error><Code>NoSuchKey</Code><Message>There is no such key.</Message></Error>"
EXPIRED = b"<Error><Code>ExpiredToken</Code><Message>The token has expired.</Message></Error>"


class Bucket:
    """An S3 server with an empty bucket, which knows who signs."""

    def __init__(self) -> None:
        self.signers: list[str] = []
        self.expired: set[str] = set()
        bucket = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                key = self.headers["Authorization"].split("Credential=")[1].split("/")[0]
                bucket.signers.append(key)
                status, body = (200, EMPTY) if "list-type" in self.path else (404, ABSENT)
                if key in bucket.expired:
                    status, body = 400, EXPIRED
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.uri = f"s3://bucket?endpoint=http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    there = Bucket()
    yield there
    there.server.shutdown()
    there.server.server_close()


class Source:
    """Gives KEY1, KEY2 and so on, which live for some seconds."""

    def __init__(self, lives: float | None = None) -> None:
        self.calls = 0
        self.lives = lives
        self.failure: Exception | None = None
        self.before: Callable[[], object] = lambda: None

    def __call__(self) -> dict[str, Any]:
        self.calls += 1
        self.before()
        if self.failure is not None:
            raise self.failure
        keys: dict[str, Any] = {"access_key_id": f"KEY{self.calls}", "secret_access_key": SECRET, "session_token": "T"}
        if self.lives is not None:
            keys["expires_at"] = datetime.now(UTC) + timedelta(seconds=self.lives)
        return keys


def age(store: StorageManager | aio.StorageManager, seconds: float) -> None:
    """As if so much time had passed since the function was called."""
    opened = store._opened
    assert opened is not None
    assert opened.renewal is not None
    for name in ("_made_at", "_due_at", "_ends_at", "_rests_until"):
        setattr(opened.renewal, name, getattr(opened.renewal, name) - seconds)


def test_a_function_is_called_once_and_again_ahead_of_the_end(bucket: Bucket) -> None:
    source = Source(lives=3600)
    with StorageManager(bucket.uri, credentials=source) as store:
        assert source.calls == 0
        store.list_sessions()
        store.list_sessions()
        age(store, 3200)
        store.list_sessions()
        assert source.calls == 1
        age(store, 150)
        store.list_sessions()
    assert set(bucket.signers) == {"KEY1", "KEY2"}
    assert source.calls == 2


def test_many_threads_call_it_once(bucket: Bucket) -> None:
    source = Source()
    source.before = lambda: time.sleep(0.2)
    with StorageManager(bucket.uri, credentials=source) as store:
        threads = [threading.Thread(target=store.list_sessions) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert source.calls == 1


def test_what_the_server_calls_expired_is_made_anew_once(bucket: Bucket) -> None:
    source = Source()
    with StorageManager(bucket.uri, credentials=source) as store:
        store.list_sessions()
        bucket.expired.add("KEY1")
        age(store, 60)
        store.list_sessions()
        assert bucket.signers[-1] == "KEY2"
        bucket.expired.add("KEY2")
        with pytest.raises(stepstore.Unauthenticated, match="expired"):
            store.list_sessions()
    assert source.calls == 2, "the new ones were made a moment ago"


def test_a_failure_keeps_what_is_valid_and_is_remembered(bucket: Bucket) -> None:
    source = Source(lives=3600)
    with StorageManager(bucket.uri, credentials=source) as store:
        store.list_sessions()
        source.failure = OSError(SECRET)
        age(store, 3400)
        store.list_sessions()
        store.list_sessions()
        assert source.calls == 2
        age(store, 400)
        for _ in range(5):
            with pytest.raises(stepstore.Unauthenticated, match="has failed: OSError") as caught:
                store.list_sessions()
            assert SECRET not in str(caught.value)
            assert isinstance(caught.value.__cause__, OSError)
    assert source.calls == 3


@pytest.mark.parametrize(
    ("gives", "message"),
    [
        (None, "credentials are None"),
        ({"access_key_id": "A"}, "no secret_access_key"),
        ({"access_key_id": "A", "secret_access_key": SECRET, "expires_at": "soon"}, "no ISO 8601 time"),
        ({"access_key_id": "A", "secret_access_key": SECRET, "expiry_time": "2020-01-01T00:00:00Z"}, "have expired"),
        ({"access_key_id": "A", "secret_access_key": SECRET, "expires_at": 5}, "TypeError"),
    ],
)
def test_what_it_must_not_give(bucket: Bucket, gives: Any, message: str) -> None:
    with StorageManager(bucket.uri, credentials=lambda: gives) as store:
        with pytest.raises(stepstore.Unauthenticated, match=message) as caught:
            store.list_sessions()
        assert SECRET not in str(caught.value)
    assert bucket.signers == []


def test_asyncio_awaits_it_or_calls_it_on_a_thread(bucket: Bucket) -> None:
    plain = Source()

    async def awaited() -> dict[str, Any]:
        await asyncio.sleep(0.05)
        return plain()

    def on_a_thread() -> dict[str, Any]:
        assert threading.current_thread() is not threading.main_thread()
        return plain()

    async def use(source: Any) -> None:
        async with aio.StorageManager(bucket.uri, credentials=source) as store:
            await asyncio.gather(*(store.list_sessions() for _ in range(8)))
            bucket.expired.add(bucket.signers[-1])
            age(store, 60)
            await store.list_sessions()

    asyncio.run(use(awaited))
    assert plain.calls == 2
    asyncio.run(use(on_a_thread))
    assert plain.calls == 4


def test_the_blocking_manager_awaits_nothing(bucket: Bucket) -> None:
    async def later() -> Any: ...

    with (
        StorageManager(bucket.uri, credentials=later) as store,
        pytest.raises(stepstore.Unauthenticated, match="TypeError"),
    ):
        store.list_sessions()


def test_without_s3_nobody_calls_it() -> None:
    source = Source()
    with StorageManager("memory:", credentials=source) as store:
        store.list_sessions()
    assert source.calls == 0
