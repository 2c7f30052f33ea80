"""The secret of each source of credentials is in nothing that the command prints at the level trace, whatever the
services answer: also when they repeat what they were sent, in any spelling."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
from canary import canary, found_in
from cli_support import Command

SPELLED: dict[str, Callable[[bytes], str]] = {
    "as it is": lambda sent: sent.decode(),
    "URL-encoded": lambda sent: quote(sent, safe=""),
    "in base64": lambda sent: base64.b64encode(sent).decode(),
}
EMPTY = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"


def refusal(code: str, words: str) -> str:
    return f"<Error><Code>{code}</Code><Message>you sent {escape(words)}</Message><RequestId>R</RequestId></Error>"


class Services:
    """A bucket, STS and a container's endpoint. `repeats` says who of them refuses, and how the refusal tells what was
    sent."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.repeats: dict[str, Callable[[bytes], str]] = {}
        self.asked: dict[str, list[bytes]] = {"s3": [], "sts": [], "container": []}
        services = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                lines = [body, *(f"{name}: {value}".encode() for name, value in self.headers.items())]
                # What is repeated of it may be cut: the secret goes first.
                lines.sort(key=lambda line: found_in(line, services.secret) == [])
                status, answer = services.answer(self.command, self.path, b"\n".join(lines))
                self.send_response_only(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.encode())

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_any  # noqa: N815

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def answer(self, method: str, path: str, sent: bytes) -> tuple[int, str]:
        who = "container" if path == "/container" else "sts" if (method, path) == ("POST", "/") else "s3"
        self.asked[who].append(sent)
        if spelled := self.repeats.get(who):
            words = spelled(sent)
            if who == "s3":
                return 403, refusal("InvalidToken", words)
            return 403, f"<ErrorResponse>{refusal('AccessDenied', words)}</ErrorResponse>" if who == "sts" else words
        if who == "container":
            return 200, json.dumps(
                {"AccessKeyId": "AKIACONTAINER", "SecretAccessKey": self.secret, "Token": self.secret,
                 "Expiration": "2099-01-01T00:00:00Z"}
            )  # fmt: skip
        if who == "sts":
            action = "AssumeRoleWithWebIdentity" if b"WithWebIdentity" in sent else "AssumeRole"
            keys = "".join(f"<{name}>{self.secret}</{name}>" for name in ("SecretAccessKey", "SessionToken"))
            return 200, (
                f"<{action}Response><{action}Result><Credentials><AccessKeyId>AKIAROLE</AccessKeyId>{keys}"
                f"<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></{action}Result></{action}Response>"
            )
        return (200, EMPTY) if "list-type" in path else (404, refusal("NoSuchKey", "nothing"))


@pytest.fixture
def services() -> Iterator[Services]:
    there = Services(canary())
    yield there
    there.server.shutdown()
    there.server.server_close()


def variables(services: Services, _: Path) -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": services.secret,
            "AWS_SESSION_TOKEN": services.secret}  # fmt: skip


def write_keys(home: Path, section: str, secret: str) -> None:
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "credentials").write_text(
        f"[{section}]\naws_access_key_id = AKIAFILE\naws_secret_access_key = {secret}\naws_session_token = {secret}\n"
    )


def profile(services: Services, home: Path) -> dict[str, str]:
    write_keys(home, "work", services.secret)
    return {"AWS_PROFILE": "work"}


def process(services: Services, home: Path) -> dict[str, str]:
    keys = {"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": services.secret,
            "SessionToken": services.secret}  # fmt: skip
    (home / "keys.json").write_text(json.dumps(keys))
    (home / ".aws").mkdir()
    # What it says beside the keys may hold anything, too.
    command = f"sh -c 'cat {home}/keys.json; cat {home}/keys.json >&2'"
    (home / ".aws" / "config").write_text(f"[profile work]\ncredential_process = {command}\n")
    return {"AWS_PROFILE": "work"}


def role(services: Services, home: Path) -> dict[str, str]:
    write_keys(home, "base", services.secret)
    (home / ".aws" / "config").write_text("[profile work]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n")
    return {"AWS_PROFILE": "work", "AWS_ENDPOINT_URL_STS": services.url, "AWS_REGION": "eu-west-1"}


def web_identity(services: Services, home: Path) -> dict[str, str]:
    (home / "token").write_text(services.secret)
    return {"AWS_WEB_IDENTITY_TOKEN_FILE": str(home / "token"), "AWS_ROLE_ARN": "arn:aws:iam::1:role/r",
            "AWS_ENDPOINT_URL_STS": services.url, "AWS_REGION": "eu-west-1"}  # fmt: skip


def container(services: Services, _: Path) -> dict[str, str]:
    return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{services.url}/container",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": services.secret}  # fmt: skip


# Each source, and the service that it asks, if any.
SOURCES = {
    variables: None, profile: None, process: None, role: "sts", web_identity: "sts", container: "container",
}  # fmt: skip


def commands(stepstore: Command, services: Services, env: dict[str, str]) -> bytes:
    """All that some commands print, with the log at its loudest."""
    uri = f"s3://bucket/p?endpoint={services.url}"
    printed = b""
    for words in (["ls", uri], ["put", uri, "s", "1", "--action-json", "1"], ["info", uri], ["--json", "ls", uri]):
        done = stepstore(*words, env=env, code=None)
        printed += done.stdout + done.stderr
    assert len(printed) > 300, printed
    return printed


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_no_source_shows_its_secret(source, stepstore: Command, services: Services, tmp_path: Path) -> None:
    env = source(services, tmp_path)
    who = SOURCES[source]
    printed = commands(stepstore, services, env)
    assert found_in(printed, services.secret) == []
    # The secret was there to be shown: as the session token of each request, or for the service that gave it.
    assert any(services.secret.encode() in sent for sent in services.asked["s3"])
    for refuses in filter(None, ("s3", who)):
        for name, spelled in SPELLED.items():
            services.repeats = {refuses: spelled}
            services.asked[refuses].clear()
            printed = commands(stepstore, services, env)
            assert services.asked[refuses], f"{refuses} was not asked"
            assert found_in(printed, services.secret) == [], f"{refuses} repeats it {name}"
