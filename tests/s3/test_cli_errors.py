"""What the command says when an S3 store cannot be used: what is wrong and what to do, soon, and no secret."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import boto3
import pytest
from botocore.config import Config
from canary import canary, found_in
from cli_support import ROOT, Command
from gateway import Gateway, server_context
from s3_support import Server

SECRET = canary()
TOKEN = f"{SECRET}/of+a+session=="
USAGE, NOT_FOUND, CONFLICT, INVALID, NO_SPACE, PERMISSION, UNAVAILABLE, IO, UNSUPPORTED = 2, 3, 5, 7, 8, 9, 10, 13, 14
# Longer than the waits between 8 tries, at most 50 ms doubled each time: 6.4 s.
SOON = 12


@dataclass(frozen=True)
class Case:
    """Runs two commands on a store that cannot be used, one that writes and one that reads."""

    stepstore: Command
    env: dict[str, str]

    def see(self, uri: str, code: int, message: str, advice: str) -> None:
        for command in (["put", uri, "s", "1", "--action-json", "1"], ["ls", uri]):
            begun = time.monotonic()
            told = self.stepstore(*command, env=self.env, code=code)
            assert time.monotonic() - begun < SOON, told.err
            first, *rest = told.err.splitlines()
            assert told.out == ""
            assert first.startswith("stepstore: ")
            assert message in first
            assert len(rest) == 1, told.err
            assert advice in rest[0]
            assert len(told.err) < 1000  # a few lines of a terminal
            assert ".stepstore/" not in told.err  # a file that the user has never heard of
            error = self.stepstore(*command, "--json", env=self.env, code=code).error()
            assert error["exit"] == code
            assert error["advice"]
            log = self.stepstore(*command, env=self.env | {"STEPSTORE_LOG": "trace"}, code=code)
            for text in (told.err, str(error), log.err, log.out):
                for secret in (SECRET, self.env.get("AWS_SECRET_ACCESS_KEY", SECRET)):
                    assert found_in(text.encode(), secret) == []


@pytest.fixture
def case(stepstore: Command) -> Case:
    return Case(stepstore, {"AWS_ACCESS_KEY_ID": "AKIASOMEBODY", "AWS_SECRET_ACCESS_KEY": SECRET})


def refusal(status: int, code: str, **headers: str) -> bytes:
    """As S3 refuses. Without a code: as a proxy does, with nothing but the status."""
    body = f"<Error><Code>{code}</Code><Message>The server's words.</Message></Error>".encode() if code else b""
    lines = [f"HTTP/1.1 {status} No", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextlib.contextmanager
def listening(answer: bytes | None, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that gives every connection this answer, or closes it at once; with TLS, after the handshake."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(10)
                    spoken = tls.wrap_socket(connection, server_side=True) if tls else connection
                    if answer is not None:
                        spoken.recv(65536)
                        spoken.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_wrong_secret(strict: Server, prefix, stepstore):
    env = {"AWS_ACCESS_KEY_ID": strict.access_key, "AWS_SECRET_ACCESS_KEY": SECRET}
    Case(stepstore, env).see(strict.uri(prefix), PERMISSION, "SignatureDoesNotMatch", "Check the secret key")


def test_unknown_key(strict: Server, prefix, case: Case):
    case.see(strict.uri(prefix), PERMISSION, "does not know the access key", "Check the access key")


def takes_any_region(s3: Server) -> bool:
    """Asked by a URL that AWS's own client has signed: by itself, that client would turn to the right region."""
    client = boto3.client(
        "s3",
        endpoint_url=s3.endpoint,
        region_name="eu-central-1",
        aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    with contextlib.closing(client):
        url = client.generate_presigned_url("list_objects_v2", Params={"Bucket": s3.bucket, "MaxKeys": 1})
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status == 200
    except urllib.error.HTTPError as refused:
        refused.close()
        return False


def test_wrong_region(strict: Server, prefix, stepstore):
    """It is found out, and the log names the right one."""
    if takes_any_region(strict):
        pytest.skip("the server takes signatures for any region")
    uri = strict.uri(prefix, region="eu-central-1")
    told = stepstore("-v", "put", uri, "s", "1", "--action-json", "1", env=strict.keys)
    assert f"is in region {strict.region}, not eu-central-1" in told.err
    assert stepstore("ls", uri, env=strict.keys).lines == ["s"]


def test_missing_bucket(s3: Server, prefix, stepstore):
    uri = s3.uri(prefix, bucket="stepstore-not-there")
    Case(stepstore, s3.keys).see(uri, USAGE, "there is no such bucket", "Check the name of the bucket")


def test_refused_connection(case: Case):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    uri = f"s3://bucket?endpoint=http://127.0.0.1:{port}"
    case.see(uri, UNAVAILABLE, "Connection refused", "Is the server running, and is the endpoint right?")


def test_unknown_host(case: Case):
    uri = "s3://bucket?endpoint=https://s3.example.invalid"
    case.see(uri, UNAVAILABLE, "the name of the host cannot be resolved", "Is the endpoint spelled right")


def test_untrusted_certificate(s3: Server, prefix, stepstore, certificate):
    with Gateway(s3.endpoint, tls=server_context(*certificate)) as gateway:
        uri = s3.uri(prefix, endpoint=gateway.endpoint)
        case = Case(stepstore, s3.keys)
        case.see(uri, USAGE, "the server's certificate is not trusted", "ca_file, or AWS_CA_BUNDLE")
        trusted = s3.uri(prefix, endpoint=gateway.endpoint, ca_file=str(certificate[0]))
        stepstore("put", trusted, "s", "1", "--action-json", "1", env=s3.keys)
        absent = s3.uri(prefix, endpoint=gateway.endpoint, ca_file="/nowhere.pem")
        assert "/nowhere.pem" in stepstore("ls", absent, env=s3.keys, code=USAGE).err
        trust = s3.keys | {"AWS_CA_BUNDLE": str(certificate[0])}
        assert stepstore("ls", uri, env=trust).lines == ["s"]


def test_https_to_a_port_that_speaks_http(s3: Server, prefix, case: Case):
    uri = s3.uri(prefix, endpoint=s3.endpoint.replace("http://", "https://"))
    case.see(uri, USAGE, "TLS was refused", "write http:// in the endpoint")


def test_http_to_a_port_that_speaks_https(case: Case, certificate):
    """Servers answer in different ways: some with a page, some with a TLS alert, some by hanging up."""
    page = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
    with listening(page) as port:
        case.see(f"s3://bucket?endpoint=http://127.0.0.1:{port}", USAGE, "400", "Check the endpoint")
    with listening(None, server_context(*certificate)) as port:
        uri = f"s3://bucket?endpoint=http://127.0.0.1:{port}"
        told = case.stepstore("ls", uri, env=case.env, code=None)
        assert told.code in (UNAVAILABLE, 13)
        assert "https" in told.err


def test_plain_http_to_another_machine(stepstore):
    """The recordings can be read on the way: that is said, before anything is sent."""
    uri = "s3://bucket?endpoint=http://192.0.2.1"
    refused = stepstore("ls", uri, code=USAGE)
    assert "would go without TLS" in refused.err
    assert "allow_http=true" in refused.err
    uri += "&allow_http=true"
    assert "without TLS" in stepstore("info", uri).out
    (note,) = stepstore("info", "--json", uri).json()["notes"]
    assert "http://192.0.2.1" in note
    assert "Use https." in note
    assert "without TLS" in stepstore("info", "-v", uri).err
    assert "without TLS" not in stepstore("info", "s3://bucket?endpoint=http://127.0.0.1:1").out
    # A machine that never answers does not outlast the limit that the user has set.
    env = {"AWS_ACCESS_KEY_ID": "AKIASOMEBODY", "AWS_SECRET_ACCESS_KEY": SECRET}
    begun = time.monotonic()
    told = stepstore("ls", uri, "--timeout", "2", env=env, code=UNAVAILABLE)
    assert time.monotonic() - begun < 5
    assert SECRET not in told.err


def test_no_credentials_at_all(s3: Server, prefix, stepstore):
    see = Case(stepstore, {}).see
    see(s3.uri(prefix), PERMISSION, "there are no credentials", "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    see(s3.uri(prefix, profile="work"), PERMISSION, "profile 'work' does not exist", "name a profile that has them")
    Case(stepstore, {"AWS_ACCESS_KEY_ID": "AKIASOMEBODY"}).see(
        s3.uri(prefix), PERMISSION, "AWS_SECRET_ACCESS_KEY", "Set both variables"
    )


def test_an_expired_token(case: Case):
    """AWS says so with a 400; HEAD has no words at all. The token is not shown, whoever repeats it."""
    keys = Case(case.stepstore, case.env | {"AWS_SESSION_TOKEN": TOKEN})
    with listening(refusal(400, "ExpiredToken", x_amz_request_id=TOKEN)) as port:
        uri = f"s3://bucket?endpoint=http://127.0.0.1:{port}"
        keys.see(uri, PERMISSION, "the session token has expired", "Get new credentials: log in again")


# What an S3 server may answer to a listing, and what the command makes of it: the kind of error, its exit code, words
# of the message and of the advice.
ANSWERS = [
    (400, "InvalidToken", "Unauthenticated", PERMISSION, "the session token is not valid", "Get new credentials"),
    (403, "RequestTimeTooSkewed", "Unauthenticated", PERMISSION, "clock and the server's differ", "machine's clock"),
    (403, "SignatureDoesNotMatch", "Unauthenticated", PERMISSION, "the signature is not the one", "the secret key"),
    (403, "AccessDenied", "PermissionDenied", PERMISSION, "access was denied", "the rights it needs"),
    (403, "AccountProblem", "PermissionDenied", PERMISSION, "a problem with the account", "whoever runs the service"),
    (301, "PermanentRedirect", "ConfigError", USAGE, "the bucket is in another region", "Set the region"),
    (404, "NoSuchBucket", "ConfigError", USAGE, "there is no such bucket", "the name of the bucket"),
    (405, "", "Unsupported", UNSUPPORTED, "the server does not allow this here", "Check the endpoint"),
    (501, "NotImplemented", "Unsupported", UNSUPPORTED, "the server cannot do this", ""),
    (404, "NoSuchKey", "NotFound", NOT_FOUND, "there is no such object", ""),
    (412, "PreconditionFailed", "Conflict", CONFLICT, "the object has changed", ""),
    (403, "InvalidObjectState", "Archived", UNSUPPORTED, "the object is in cold storage", ""),
    (400, "EntityTooLarge", "TooLarge", INVALID, "larger than the server takes", ""),
    (400, "KeyTooLongError", "InvalidArgument", INVALID, "the key is longer than", "Use shorter ids"),
    (507, "InsufficientStorage", "NoSpace", NO_SPACE, "the server's disks are full", "Free some space"),
    (400, "BadDigest", "Io", IO, "the bytes that arrived are not those", "look for a proxy"),
    (503, "SlowDown", "Throttled", UNAVAILABLE, "the server asks to slow down", "with fewer requests at a time"),
    (500, "InternalError", "Unavailable", UNAVAILABLE, "the server failed", ""),
    (503, "", "Unavailable", UNAVAILABLE, "the service is not available", ""),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer[0]}-{answer[1] or 'bare'}")
def test_each_kind_of_answer(case: Case, answer):
    status, code, kind, number, message, advice = answer
    # What may pass would be tried again; but not when that has to wait for longer than the call may take.
    with listening(refusal(status, code, Retry_After="60")) as port:
        uri = f"s3://bucket?endpoint=http://127.0.0.1:{port}"
        told = case.stepstore("ls", uri, "--timeout", "5", env=case.env, code=number)
        first, *rest = told.err.splitlines()
        assert message in first
        # What a condition has met is told in the store's own words.
        assert kind == "Conflict" or f"({status}{' ' if code else ''}{code}" in first
        assert len(rest) == 1, told.err
        assert rest[0].endswith(".")
        assert advice in rest[0]
        error = case.stepstore("ls", uri, "--timeout", "5", "--json", env=case.env, code=number).error()
        assert (error["code"], error["exit"], error["advice"]) == (kind, number, rest[0])


def test_every_kind_that_the_table_of_errors_has_is_among_them():
    """AlreadyExists is what a store with --if-exists fail meets, and no listing: cli/tests has it."""
    table = (ROOT / "src/s3/error_table.cc").read_text().split("kRows = ")[1].split("// For what no row names")[0]
    kinds = set(re.findall(r"(\w+),\s+(?:give_up|retry|throttle|refresh|set_clock|move),", table))
    assert len(kinds) >= 14
    assert kinds - {kind for _, _, kind, *_ in ANSWERS} == {"AlreadyExists"}


def test_an_expired_or_wrong_token(strict: Server, prefix, stepstore):
    env = {"AWS_ACCESS_KEY_ID": strict.access_key, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN}
    told = stepstore("ls", strict.uri(prefix), env=env | {"STEPSTORE_LOG": "trace"}, code=PERMISSION)
    assert found_in(told.stderr, SECRET) == []


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("s3://", "names no bucket"),
        ("s3:bucket", "names no bucket"),
        ("s3://key:hunter2@bucket", "holds credentials"),
        ("s3://bucket?secret=hunter2", "unknown parameter 'secret'"),
        ("s3://bucket?region=", "'region' has no value"),
        ("s3://bucket?region=a&region=b", "'region' twice"),
        ("s3://bucket?style=odd", "style is 'odd'"),
        ("s3://bucket?sign_payload=odd", "sign_payload is 'odd'"),
        ("s3://bucket?endpoint=ftp://x", "neither http nor https"),
        ("s3://bucket?endpoint=http://x/path", "has a path"),
        ("s3://bad name", "no bucket name"),
    ],
)
def test_uris_that_cannot_be(stepstore, uri, message):
    env = {"AWS_ACCESS_KEY_ID": "AKIASOMEBODY", "AWS_SECRET_ACCESS_KEY": SECRET}
    for command in ("ls", "check"):
        told = stepstore(command, uri, env=env, code=USAGE)
        assert message in told.err
        assert "hunter2" not in told.err
