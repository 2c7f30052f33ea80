"""Links work by what every language has, on every server: read and upload without credentials, and replace nothing."""

from __future__ import annotations

import datetime
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, timedelta

import pytest
import stepstore
from cli_support import png
from gateway import Gateway
from s3_support import Server
from stepstore import PresignedUrl, StorageManager


@pytest.fixture
def store(s3: Server, prefix: str) -> Iterator[StorageManager]:
    with StorageManager(s3.uri(prefix), credentials=s3.credentials) as manager:
        yield manager


def use(link: PresignedUrl, body: bytes | None = None, *, url: str = "", **headers: str) -> tuple[int, bytes]:
    """Status and body of the answer to who has nothing but the link."""
    sent = {**link.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = urllib.request.Request(url or link.url, data=body, headers=sent, method=link.method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def test_each_component_is_read_by_its_link(store: StorageManager) -> None:
    parts = {"h a/r é": b"\x00\xff" * 1000, "note": b""}
    store.store_step_data("a b/é", ".1", "<p>é", png(), {"x": 1}, components=parts)
    wanted = {"html": "<p>é".encode(), "screenshot": png(), "action": b'{"x": 1}'} | parts
    for name, data in wanted.items():
        link = store.presign("a b/é", ".1", name)
        assert use(link) == (200, data), name
        assert (link.method, link.headers, link.note) == ("GET", {}, "")


def test_what_the_answer_says_can_be_chosen(store: StorageManager) -> None:
    store.store_step_data("s", "1", "<p>")
    link = store.presign("s", "1", "html", content_type="text/plain", content_disposition="attachment; filename=a.txt")
    with urllib.request.urlopen(link.url, timeout=30) as answer:
        assert answer.headers["Content-Type"] == "text/plain"
        assert answer.headers["Content-Disposition"] == "attachment; filename=a.txt"
    with urllib.request.urlopen(store.presign("s", "1", "html").url, timeout=30) as answer:
        assert answer.headers["Content-Type"] == "text/html"


def test_an_older_version_has_a_link_of_its_own(store: StorageManager) -> None:
    for text in ("first", "second"):
        store.store_step_data("s", "1", text, keep_versions=2)
    assert use(store.presign("s", "1", "html")) == (200, b"second")
    old = store.presign("s", "1", "html", version=1)
    assert use(old) == (200, b"first")
    store.delete_step("s", "1")
    assert use(old)[0] == 404


def test_a_link_lives_as_long_as_it_says(store: StorageManager) -> None:
    store.store_step_data("s", "1", "<p>")
    for expires in (1, 3600.0, timedelta(days=7)):
        seconds = expires.total_seconds() if isinstance(expires, timedelta) else expires
        before = datetime.datetime.now(UTC)
        link = store.presign("s", "1", "html", expires=expires)
        assert abs((link.expires_at - before).total_seconds() - seconds) < 5
        assert f"X-Amz-Expires={int(seconds)}&" in link.url
    for wrong in (0, -1, 604801, float("nan"), timedelta(days=8)):
        with pytest.raises(stepstore.InvalidArgument):
            store.presign("s", "1", "html", expires=wrong)


def test_a_strange_signature_opens_nothing(strict: Server, prefix: str) -> None:
    with StorageManager(strict.uri(prefix), credentials=strict.credentials) as store:
        store.store_step_data("s", "1", "<p>")
        store.store_step_data("s", "2", "<q>")
        link = store.presign("s", "1", "html")
        assert use(link) == (200, b"<p>")
        other = store.presign("s", "2", "html").url.partition("?")[0]
        assert use(link, url=f"{other}?{link.url.partition('?')[2]}")[0] == 403
        assert use(link, url=link.url.replace("X-Amz-Expires=3600", "X-Amz-Expires=36000"))[0] == 403
        inbox = store.presign("inbox", "1", "html", method="PUT")
        assert use(inbox, b"<p>", content_type="text/evil")[0] == 403


@pytest.mark.parametrize("name", ["html", "screenshot", "action", "metadata"])
def test_an_upload_lies_where_adopt_looks(store: StorageManager, name: str) -> None:
    bodies = {"html": b"<p>theirs", "screenshot": png(), "action": b"{}", "metadata": b"{}"}
    link = store.presign("inbox", "1", name, method="PUT")
    assert link.method == "PUT"
    assert link.headers["If-None-Match"] == "*"
    assert use(link, bodies[name])[0] == 200
    assert store.list_steps("inbox") == []
    with pytest.raises(stepstore.NotFound):
        store.retrieve_step_data("inbox", "1")
    assert store.list_steps_for_session("inbox", legacy=True) == []  # not a day old


def test_an_upload_replaces_nothing(s3: Server, store: StorageManager) -> None:
    link = store.presign("inbox", "1", "html", method="PUT")
    assert use(link, b"<p>first")[0] == 200
    assert use(link, b"<p>second")[0] == 412, "a link works once"

    early = store.presign("inbox", "2", "html", method="PUT")
    store.store_step_data("inbox", "2", "<p>ours")
    assert use(early, b"<p>theirs")[0] == 412
    assert store.retrieve_step_data("inbox", "2").html_content == "<p>ours"

    # Without the signed header it is another request; a server that checks no signature would take it.
    if "no-signatures" not in s3.traits:
        bare = PresignedUrl(early.url, "PUT", {}, early.expires_at, early.key, "")
        assert use(bare, b"<p>theirs", content_type="text/html")[0] == 403
        assert store.retrieve_step_data("inbox", "2").html_content == "<p>ours"

    late = store.presign("inbox", "3", "html", method="PUT")
    assert use(late, b"<p>theirs")[0] == 200
    store.store_step_data("inbox", "3", "<p>ours")
    assert store.retrieve_step_data("inbox", "3").html_content == "<p>ours"
    assert store.check(data=True).healthy


def test_there_are_links_only_to_what_may_have_one(store: StorageManager) -> None:
    store.store_step_data("s", "1", "<p>", metadata={"a": 1})
    with pytest.raises(stepstore.NotFound):
        store.presign("s", "none", "html")
    with pytest.raises(stepstore.NotFound):
        store.presign("s", "1", "har")
    with pytest.raises(stepstore.NotFound):
        store.presign("s", "1", "html", version=7)
    with pytest.raises(stepstore.AlreadyExists):
        store.presign("s", "1", "action", method="PUT")
    with pytest.raises(stepstore.InvalidArgument):
        store.presign("s", "2", "har", method="PUT")
    store.delete_step("s", "1")
    with pytest.raises(stepstore.AlreadyExists):
        store.presign("s", "1", "html", method="PUT")


def test_a_link_costs_the_requests_that_find_its_object(s3: Server, prefix: str) -> None:
    with Gateway(s3.endpoint) as gateway:
        uri = f"s3://{s3.bucket}/{prefix}?endpoint={gateway.endpoint}&region={s3.region}"
        with StorageManager(uri, credentials=s3.credentials) as store:
            store.store_step_data("s", "1", "<p>")
            store.retrieve_step_data("s", "1")  # what the store is like is known from here on
            gateway.operations()
            link = store.presign("s", "1", "html")
            assert gateway.operations() == ["GetObject", "GetObject"]
        assert link.url.startswith(f"{gateway.endpoint}/{s3.bucket}/{prefix}/s/1/observation.html?")


def test_a_link_ends_with_the_credentials_that_sign_it(s3: Server, prefix: str) -> None:  # G8
    soon = datetime.datetime.now(UTC) + timedelta(hours=12)
    for credentials in ({**s3.credentials, "expires_at": soon}, lambda: {**s3.credentials, "expires_at": soon}):
        with StorageManager(s3.uri(prefix), credentials=credentials) as store:  # type: ignore[arg-type]
            store.store_step_data("s", "1", "<p>")
            link = store.presign("s", "1", "html", expires=timedelta(days=7))
            assert use(link) == (200, b"<p>")
            assert timedelta(0) <= soon - link.expires_at < timedelta(seconds=2)
            assert "end before the time that was asked for" in link.note
            assert store.presign("s", "1", "html").note == ""
