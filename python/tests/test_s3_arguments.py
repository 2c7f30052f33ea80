"""The S3 settings of a manager: what is taken and refused before any server is asked. No secret is ever shown."""

import copy
import logging
import pickle
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
import stepstore
from canary import canary
from stepstore import S3ObjectSettings, StorageManager

SECRET = canary()
pytestmark = pytest.mark.usefixtures("kept_log")
KEYS = {"access_key_id": "AKIASOMEBODY", "secret_access_key": SECRET}
VARIABLES = (
    "SM_S3_BUCKET_NAME SM_S3_REGION SM_S3_SSE_C_KEY SM_LOCAL_BASE_PATH AWS_REGION AWS_DEFAULT_REGION AWS_PROFILE "
    "AWS_DEFAULT_PROFILE AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL AWS_CA_BUNDLE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY "
    "AWS_SESSION_TOKEN AWS_MAX_ATTEMPTS http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY"
)


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in VARIABLES.split():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))


def location(*uri: str, **settings: Any) -> str:
    with StorageManager(*uri, **settings) as store:
        return store.get_storage_info().location


def test_where_the_settings_come_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    aws = "?endpoint=https://s3.us-east-1.amazonaws.com&region=us-east-1"
    assert location("s3://bucket/a/b/") == f"s3://bucket/a/b{aws}"
    assert location(s3_bucket_name="bucket") == f"s3://bucket{aws}"
    place = {"s3_region_name": "eu-central-1", "s3_endpoint_url": "http://127.0.0.1:9000"}
    assert location("s3://bucket", **place) == "s3://bucket?endpoint=http://127.0.0.1:9000&region=eu-central-1"
    assert location("s3://bucket?region=x-1", **place).endswith("&region=x-1")
    assert location("s3://bucket", s3_region_name="", s3_endpoint_url=None) == f"s3://bucket{aws}"
    monkeypatch.setenv("SM_S3_BUCKET_NAME", "of-the-variable")
    monkeypatch.setenv("SM_S3_REGION", "eu-west-1")
    assert location() == "s3://of-the-variable?endpoint=https://s3.eu-west-1.amazonaws.com&region=eu-west-1"
    assert location(s3_bucket_name="bucket", s3_region_name="eu-west-2").startswith("s3://bucket?")
    (tmp_path / "config").write_text("[profile work]\nregion = ap-south-1\nendpoint_url = https://s3.example.com\n")
    monkeypatch.delenv("SM_S3_REGION")
    assert location(s3_profile="work").endswith("?endpoint=https://s3.example.com&region=ap-south-1")


def test_s3_is_preferred_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    both = {"s3_bucket_name": "bucket", "local_base_path": tmp_path}
    with StorageManager(**both) as store:
        assert store.get_storage_info().reason == "s3_bucket_name names a bucket, and S3 is preferred"
    with StorageManager(**both, prefer_s3=False) as store:
        assert (store.get_storage_info().backend, store.get_storage_info().location) == ("local", str(tmp_path))
    with StorageManager(tmp_path, prefer_s3=True) as store:
        assert store.get_storage_info().backend == "local"
    monkeypatch.setenv("SM_S3_BUCKET_NAME", "")
    with StorageManager(local_base_path=tmp_path) as store:
        assert store.get_storage_info().backend == "local"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"uri": "s3://"}, "names no bucket"),
        ({"uri": "s3://bad name"}, "no bucket name"),
        ({"uri": "s3://bucket?odd=1"}, "unknown parameter 'odd'"),
        ({"uri": "s3://bucket?region=a&region=b"}, "'region' twice"),
        ({"uri": f"s3://AKIA:{SECRET}@bucket"}, "holds credentials"),
        ({"uri": f"s3://bucket?secret_access_key={SECRET}"}, "unknown parameter"),
        ({"uri": "s3://bucket", "s3_bucket_name": "other"}, "both a URI and s3_bucket_name"),
        ({"s3_bucket_name": "a/b"}, "no bucket name"),
        ({"s3_bucket_name": "b\n"}, "s3_bucket_name holds characters"),
        ({"s3_bucket_name": "b", "s3_region_name": "eu\r\nHost: x"}, "s3_region_name holds characters"),
        ({"s3_bucket_name": "b", "s3_endpoint_url": "ftp://x"}, "neither http nor https"),
        ({"s3_bucket_name": "b", "s3_endpoint_url": "http://x/path"}, "has a path"),
        ({"s3_bucket_name": "b", "s3_endpoint_url": "not a url"}, "endpoint"),
        ({"credentials": {}}, "no access_key_id"),
        ({"credentials": {"access_key_id": "A"}}, "no secret_access_key"),
        ({"credentials": {"access_key_id": "", "secret_access_key": SECRET}}, "no access_key_id"),
        ({"credentials": {"access_key": "A", "secret_key": ""}}, "no secret_key"),
        ({"credentials": KEYS | {SECRET: "x"}}, "an item that is not known"),
        ({"credentials": KEYS | {"session_token": f"{SECRET}\n"}}, "session_token of credentials holds"),
        ({"credentials": KEYS | {"secret_access_key": f"{SECRET}\ud800"}}, "secret_access_key of credentials holds"),
        ({"credentials": object()}, "no access_key_id"),
        ({"connect_timeout": 0}, "connect_timeout is 0"),
        ({"first_byte_timeout": -1.5}, "first_byte_timeout is -1.5"),
        ({"stall_timeout": float("nan")}, "stall_timeout is nan"),
        ({"total_timeout": float("inf")}, "total_timeout is inf"),
        ({"attempts_max": 0}, "attempts_max is 0"),
        ({"attempts_max": 101}, "attempts_max is 101"),
        ({"uri": "s3://b?attempts_max=x"}, "the URI's attempts_max is 'x'"),
        ({"uri": "s3://b?connect_timeout=0"}, "connect_timeout is no time"),
        ({"uri": f"s3://b?proxy=http://me:{SECRET}@proxy:1"}, "holds a user name or password"),
        ({"uri": "s3://b", "proxy": f"https://me:{SECRET}@proxy:1"}, "speaks to proxies by plain HTTP only"),
        ({"uri": "s3://b", "proxy": f"http://me:{SECRET}\n@proxy:1"}, "proxy holds characters"),
        ({"uri": "s3://b", "s3_anonymous": True, "credentials": KEYS}, "two of anonymous, s3_credentials"),
    ],
)
def test_what_cannot_be_is_a_config_error(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(stepstore.ConfigError, match=message) as caught:
        StorageManager(**wrong)
    assert caught.value.advice
    assert caught.value.operation == "StorageManager"
    assert SECRET not in f"{caught.value!s}{caught.value!r}{caught.value.__dict__}"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"s3_bucket_name": 5}, "s3_bucket_name is int"),
        ({"s3_region_name": b"x"}, "s3_region_name is bytes"),
        ({"s3_endpoint_url": object()}, "s3_endpoint_url is object"),
        ({"s3_profile": 1}, "s3_profile is int"),
        ({"prefer_s3": "no"}, "prefer_s3 is str"),
        ({"s3_anonymous": 1}, "s3_anonymous is int"),
        ({"allow_http": "yes"}, "allow_http is str"),
        ({"ca_file": 5}, "ca_file is int"),
        ({"proxy": b"http://proxy"}, "proxy is bytes"),
        ({"no_proxy": ["a"]}, "no_proxy is list"),
        ({"connect_timeout": "5"}, "connect_timeout is str"),
        ({"total_timeout": True}, "total_timeout is bool"),
        ({"attempts_max": 2.0}, "attempts_max is float"),
        ({"credentials": KEYS | {"secret_access_key": SECRET.encode()}}, "secret_access_key of credentials is bytes"),
        ({"credentials": KEYS | {"session_token": 5}}, "session_token of credentials is int"),
    ],
)
def test_wrong_types_are_type_errors(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message) as caught:
        StorageManager("memory:", **wrong)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"checksum": "sha1"}, "checksum is 'sha1'"),
        ({"sse": "rot13"}, "sse is 'rot13'"),
        ({"sse_kms_key_id": "a"}, "keys of KMS"),
        ({"sse": "aws:kms", "sse_context": {"a": "ä"}}, "not ASCII"),
        ({"sse_c_key": b"short"}, "no key of SSE-C"),
        ({"sse_c_key": f"{SECRET}ä"}, "no base64"),
        ({"sse_c_key": SECRET}, "no key of SSE-C"),
        ({"sse_c_key": bytes(32), "sse": "AES256"}, "both given"),
        ({"sse_c_key_file": "/nowhere/at/all"}, "cannot be read"),
        ({"storage_class": "GLACIER"}, "restored"),
        ({"expected_bucket_owner": "1"}, "expected_bucket_owner is"),
        ({"tags": {str(i): "" for i in range(11)}}, "11 tags"),
        ({"tags": {"aws:a": "1"}}, "a tag is not"),
    ],
)
def test_object_settings_that_cannot_be_are_config_errors(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(stepstore.ConfigError, match=message) as caught:
        StorageManager("s3://bucket", s3_objects=S3ObjectSettings(**wrong))
    assert caught.value.advice
    assert SECRET not in f"{caught.value!s}{caught.value!r}{caught.value.__dict__}"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"checksum": 5}, "checksum is int"),
        ({"sse_bucket_key": "yes"}, "sse_bucket_key is str"),
        ({"sse_context": [("a", "b")]}, "sse_context is list"),
        ({"sse_c_key": 5}, "sse_c_key is int"),
        ({"sse_c_key_file": 5}, "sse_c_key_file is int"),
        ({"require_sse": 1}, "require_sse is int"),
        ({"tags": {"a": 1}}, "tags has a name or value"),
    ],
)
def test_object_settings_of_wrong_types_are_type_errors(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        StorageManager("s3://bucket", s3_objects=S3ObjectSettings(**wrong))


def test_object_settings_are_taken_and_show_no_key() -> None:
    key = b"0123456789abcdef0123456789abcdef"
    settings = S3ObjectSettings(sse_c_key=key, require_sse=True, tags={"team": "qa"}, storage_class="STANDARD_IA")
    assert "0123456789" not in repr(settings)
    with StorageManager("s3://bucket", s3_objects=settings) as store:
        assert "0123456789" not in repr(store)
    with pytest.raises(TypeError, match="s3_objects is dict"):
        StorageManager("s3://bucket", s3_objects={"sse": "AES256"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"method": "POST"}, stepstore.InvalidArgument),
        ({"method": 5}, TypeError),
        ({"expires": 0}, stepstore.InvalidArgument),
        ({"expires": float("nan")}, stepstore.InvalidArgument),
        ({"expires": timedelta(days=8)}, stepstore.InvalidArgument),
        ({"expires": "1h"}, TypeError),
        ({"expires": True}, TypeError),
        ({"content_type": 5}, TypeError),
        ({"content_type": "html"}, stepstore.InvalidArgument),
        ({"content_disposition": "a\nb"}, stepstore.InvalidArgument),
        ({"version": 0}, stepstore.InvalidArgument),
    ],
)
def test_links_that_cannot_be_are_refused(options: dict[str, Any], error: type[Exception]) -> None:
    with StorageManager("memory:") as store, pytest.raises(error):
        store.presign("s", "1", "html", **options)


@pytest.mark.parametrize(
    "credentials",
    [
        KEYS,
        KEYS | {"session_token": None},
        KEYS | {"session_token": f"token-{SECRET}"},
        SimpleNamespace(**KEYS),
        SimpleNamespace(access_key="AKIASOMEBODY", secret_key=SECRET, token=None),
        {"access_key": "AKIASOMEBODY", "secret_key": SECRET, "token": f"token-{SECRET}"},
    ],
)
def test_no_secret_is_shown(credentials: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "stepstore")
    refused = "http://127.0.0.1:1"
    with StorageManager("s3://bucket", s3_endpoint_url=refused, credentials=credentials) as store:
        assert repr(store) == f"<StorageManager 's3://bucket?endpoint={refused}&region=us-east-1' (s3)>"
        with pytest.raises(stepstore.StorageManagerError) as caught:
            store.store_step_data("s", "1", "x", timeout=0.5)
        told = f"{store!r}{store.get_storage_info()!r}{caught.value!s}{caught.value.__dict__}{caplog.text}"
    assert "127.0.0.1:1" in told
    assert SECRET not in told
    assert SECRET not in repr(pickle.loads(pickle.dumps(caught.value)).__dict__)
    assert copy.copy(caught.value).attempts == caught.value.attempts != ()
    assert isinstance(caught.value, stepstore.Unavailable | stepstore.Timeout)


def test_without_credentials_the_first_call_says_what_to_set() -> None:
    with StorageManager("s3://bucket?endpoint=http://127.0.0.1:1") as store:
        with pytest.raises(stepstore.Unauthenticated, match="there are no credentials") as caught:
            store.list_sessions()
        assert "AWS_ACCESS_KEY_ID" in caught.value.advice
        assert not caught.value.retryable


def refused_attempts(**settings: Any) -> tuple[stepstore.Attempt, ...]:
    """What was tried at a port where nobody listens."""
    with StorageManager("s3://bucket?endpoint=http://127.0.0.1:1", credentials=KEYS, **settings) as store:
        with pytest.raises(stepstore.Unavailable) as caught:
            store.list_sessions()
        return caught.value.attempts


def test_tries_are_told_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = refused_attempts(attempts_max=2)
    assert str(first) == first.what
    assert first.what.startswith("1 of 2: ")
    assert second.what.startswith("2 of 2: ")
    assert (first.peer, first.request_id, first.reused_connection, first.http_status) == ("127.0.0.1:1", "", False, 0)
    assert (first.connect, first.first_byte, first.bytes_sent, first.bytes_received) == (0.0, 0.0, 0, 0)
    assert 0 < first.total < 30
    assert pickle.loads(pickle.dumps(first)) == first
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert len(refused_attempts()) == 1
    assert len(refused_attempts(attempts_max=3)) == 3


def test_plain_http_elsewhere_has_to_be_allowed() -> None:
    with pytest.raises(stepstore.ConfigError, match="would go without TLS"):
        StorageManager("s3://bucket", s3_endpoint_url="http://192.0.2.1")
    with StorageManager("s3://bucket", s3_endpoint_url="http://192.0.2.1", allow_http=True) as store:
        assert store.get_storage_info().location.endswith("&allow_http=true")


def test_a_proxy_that_is_not_there_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = f"http://me:{quote(SECRET, safe='')}@127.0.0.1:1"
    settings: dict[str, Any] = {"s3_endpoint_url": "https://s3.example.com", "credentials": KEYS, "attempts_max": 1}
    with StorageManager("s3://bucket", proxy=proxy, **settings) as store:
        with pytest.raises(stepstore.Unavailable, match=r"127.0.0.1:1 \(the argument proxy\)") as caught:
            store.list_sessions()
        told = f"{store!r}{store.get_storage_info()!r}{caught.value!s}{caught.value.__dict__}"
        assert SECRET not in told
        assert "NO_PROXY" in caught.value.advice
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with (
        StorageManager("s3://bucket", **settings) as store,
        pytest.raises(stepstore.Unavailable, match=r"127.0.0.1:1 \(HTTPS_PROXY\)"),
    ):
        store.list_sessions()
    here = "s3://bucket?endpoint=http://127.0.0.1:1"
    with (
        StorageManager(here, proxy=proxy, credentials=KEYS, attempts_max=1) as store,
        pytest.raises(stepstore.Unavailable) as direct,
    ):
        store.list_sessions()
    assert "proxy" not in str(direct.value), "this machine is never asked through one"
