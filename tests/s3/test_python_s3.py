"""The whole Python API on every S3 server: what the manual promises on disk holds there too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import stepstore
from cli_support import reset_sigint
from gateway import Gateway
from s3_support import Server
from stepstore import StepData, StorageManager


def open_store(s3: Server, prefix: str, endpoint: str | None = None) -> StorageManager:
    return StorageManager(
        f"s3://{s3.bucket}/{prefix}",
        s3_endpoint_url=endpoint or s3.endpoint,
        s3_region_name=s3.region,
        credentials=s3.credentials,
    )


@pytest.fixture
def store(s3: Server, prefix: str) -> Iterator[StorageManager]:
    with open_store(s3, prefix) as manager:
        yield manager


def test_a_step_comes_back_as_it_was(store: StorageManager) -> None:
    html, har = "<p>\u00e9\u4e16</p>", b"\x00\xff" * 1000
    receipt = store.store_step_data(
        "login test/\u00e9", ".1", html, b"\x89PNG\r\n\x1a\n", {"type": "click"}, {"url": "x"},
        components={"har": har, "empty": b"", "text": ("t", "text/x-odd")},
    )  # fmt: skip
    assert (receipt.state, receipt.version) == ("committed", 1)
    step = store.retrieve_step_data("login test/\u00e9", ".1")
    assert (step.html_content, step.screenshot_bytes, step.action_data) == (
        html, b"\x89PNG\r\n\x1a\n", {"type": "click"},
    )  # fmt: skip
    assert step.metadata == {"url": "x"}
    assert (step.components["har"], step.components["empty"], step.components["text"]) == (har, b"", b"t")
    info = store.stat_step("login test/\u00e9", ".1")
    assert {part.name: part.size for part in info.components}["har"] == len(har)
    assert {part.name: part.content_type for part in info.components}["text"] == "text/x-odd"
    assert info.commit_id == receipt.commit_id


def test_versions_and_conditions(store: StorageManager) -> None:
    for number, text in enumerate(("a", "b", "c"), 1):
        assert store.store_step_data("s", "1", text, keep_versions=2).version == number
    assert store.retrieve_step_data("s", "1").html_content == "c"
    assert store.retrieve_step_data("s", "1", version=2).html_content == "b"
    with pytest.raises(stepstore.NotFound):
        store.retrieve_step_data("s", "1", version=1)
    with pytest.raises(stepstore.Conflict):
        store.store_step_data("s", "1", "late", if_version=2)
    with pytest.raises(stepstore.AlreadyExists):
        store.store_step_data("s", "1", "late", if_exists="fail")
    assert store.store_step_data("s", "1", "c", if_exists="skip_identical").skipped
    assert store.store_step_data("s", "1", "d", if_version=3).version == 4
    assert store.check(data=True).healthy


def test_lists_iterations_and_pages(store: StorageManager) -> None:
    steps = [StepData("s", f"{number:03}", html_content=str(number)) for number in range(25)]
    assert [receipt.version for receipt in store.store_steps(steps)] == [1] * 25
    for session in ("a b", "t"):
        store.store_step_data(session, "1", "x")
    ids = [step.step_id for step in steps]
    assert store.list_sessions() == ["a b", "s", "t"]
    assert list(store.iter_sessions(prefix="s")) == ["s"]
    assert store.list_steps("s") == ids
    assert store.list_steps("s", prefix="01", after="014", limit=3) == ["015", "016", "017"]
    assert store.list_steps("unknown") == []
    assert [step.html_content for step in store.iter_steps("s", after="019")] == ["20", "21", "22", "23", "24"]


def test_batches_give_an_outcome_each(store: StorageManager) -> None:
    stored = store.store_steps([StepData("s", "1", html_content="x"), StepData("s", "", html_content="x")])
    assert [type(result).__name__ for result in stored] == ["Receipt", "InvalidArgument"]
    read = store.retrieve_steps([("s", "1"), ("s", "none")])
    assert [type(result).__name__ for result in read] == ["Step", "NotFound"]
    assert isinstance(read[1], stepstore.NotFound)
    assert read[1].key == "s/none"


def test_deletes(store: StorageManager) -> None:
    for number in range(4):
        store.store_step_data("s", str(number), "x", action_data=number)
    assert store.delete_step("s", "0").steps == 1
    assert store.delete_step("s", "0").steps == 0
    with pytest.raises(stepstore.NotFound):
        store.retrieve_step_data("s", "0")
    assert store.store_step_data("s", "0", "again").version == 2
    assert store.delete_session("s").steps == 4
    assert store.list_steps("s") == []
    assert store.store_step_data("s", "0", "anew").version == 1
    assert store.check(data=True).healthy


def test_a_large_file_goes_up_in_parts(s3: Server, prefix: str, tmp_path) -> None:
    data = os.urandom(1 << 20) * 17
    path = tmp_path / "video.webm"
    path.write_bytes(data)
    with Gateway(s3.endpoint) as gateway, open_store(s3, prefix, gateway.endpoint) as store:
        store.store_step_data("s", "0", "x")  # what the bucket enforces is known from here on
        gateway.operations()
        store.store_step_data("s", "1", "x", components={"video.webm": path})
        assert gateway.operations().count("UploadPart") == 3
        step = store.retrieve_step_data("s", "1")
        assert step.components["video.webm"] == data
        assert store.check(data=True).healthy


def test_what_get_storage_info_and_repr_say(s3: Server, store: StorageManager, prefix: str) -> None:
    info = store.get_storage_info()
    assert (info.backend, info.reason, info.durable) == ("s3", "it is the URI that was given", True)
    assert info.location == f"s3://{s3.bucket}/{prefix}?endpoint={s3.endpoint}&region={s3.region}"
    assert s3.secret_key not in f"{store!r}{info!r}"
    with StorageManager(info.location, credentials=s3.credentials) as same:
        store.store_step_data("s", "1", "x")
        assert same.list_sessions() == ["s"]


def test_the_bucket_and_the_keys_may_come_from_elsewhere(s3: Server, prefix: str, monkeypatch, tmp_path) -> None:
    frozen = SimpleNamespace(access_key=s3.access_key, secret_key=s3.secret_key, token=None)
    place = {"s3_endpoint_url": s3.endpoint, "s3_region_name": s3.region}
    with StorageManager(s3_bucket_name=s3.bucket, credentials=frozen, **place) as store:
        store.store_step_data(prefix, "1", "x")
        assert store.get_storage_info().reason == "s3_bucket_name names a bucket"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    profile = tmp_path / "credentials"
    profile.write_text(f"[work]\naws_access_key_id={s3.access_key}\naws_secret_access_key={s3.secret_key}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profile))
    monkeypatch.setenv("SM_S3_BUCKET_NAME", s3.bucket)
    with StorageManager(s3_profile="work", **place) as store:
        assert store.retrieve_step_data(prefix, "1").html_content == "x"
        store.delete_session(prefix)
    with StorageManager(local_base_path=tmp_path / "store", prefer_s3=False) as store:
        assert store.get_storage_info().backend == "local"


def test_threads_share_a_manager(store: StorageManager) -> None:
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(5):
                store.store_step_data(name, str(number), name)
                assert store.retrieve_step_data(name, str(number)).html_content == name
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"s{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert store.check(data=True).steps == 20


def test_a_forked_child_works_on(store: StorageManager) -> None:
    store.store_step_data("s", "1", "parent")
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if store.store_step_data("s", "2", store.retrieve_step_data("s", "1").html_content) else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert store.retrieve_step_data("s", "2").html_content == "parent"


SILENT = """
import socket, sys, stepstore
listening = socket.create_server(("127.0.0.1", 0))
store = stepstore.StorageManager(
    "s3://bucket", s3_endpoint_url=f"http://127.0.0.1:{listening.getsockname()[1]}",
    credentials={"access_key_id": "a", "secret_access_key": "b"},
)
print("ready", flush=True)
try:
    store.store_step_data("s", "1", "x")
except KeyboardInterrupt:
    print("interrupted", flush=True)
store.close()
"""


def test_ctrl_c_ends_a_call_that_a_silent_server_holds_up() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SILENT],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=reset_sigint,  # noqa: PLW1509
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        # Before the call has begun it would be no test of the call; the interpreter takes it in either case.
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=5)[0] == "interrupted\n"
    finally:
        process.kill()
        process.wait()
