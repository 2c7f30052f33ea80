"""An HTTP(S) gateway between stepstore and a test server: notes which S3 operations pass, and refuses some of them.

It stands in for what the test servers do not do: rights that are missing, and TLS.
"""

from __future__ import annotations

import http.client
import ssl
import subprocess
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import parse_qs, unquote, urlsplit

DENIED = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}
# The first that fits: method, a parameter of the query, the operation.
OPERATIONS = (
    ("PUT", "partNumber", "UploadPart"),
    ("PUT", "", "PutObject"),
    ("GET", "list-type", "ListObjectsV2"),
    ("GET", "versioning", "GetBucketVersioning"),
    ("GET", "", "GetObject"),
    ("HEAD", "", "HeadObject"),
    ("DELETE", "uploadId", "AbortMultipartUpload"),
    ("DELETE", "", "DeleteObject"),
    ("POST", "delete", "DeleteObjects"),
    ("POST", "uploads", "CreateMultipartUpload"),
    ("POST", "uploadId", "CompleteMultipartUpload"),
)


@dataclass(frozen=True)
class Request:
    operation: str
    bucket: str
    key: str  # empty: the bucket itself
    query: dict[str, str]

    @staticmethod
    def of(method: str, path: str) -> Request:
        url = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        operation = next(name for verb, word, name in OPERATIONS if verb == method and (not word or word in query))
        bucket, _, key = unquote(url.path).lstrip("/").partition("/")
        return Request(operation, bucket, key, query)


class Rights(Protocol):
    """Who judges requests. `tell_absence`: an absent object is answered with 404; else with 403, as on AWS."""

    def allow(self, request: Request) -> bool: ...
    def tell_absence(self, request: Request) -> bool: ...


class Gateway:
    """Listens on a free port of 127.0.0.1 until it is left, and passes on what `rights` allow; without them, all."""

    def __init__(self, upstream: str, *, rights: Rights | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.rights = rights
        self.requests: list[Request] = []
        self.refused: list[Request] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.gateway = self
        if tls:
            # The handshake is left to the thread of the connection.
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self.endpoint = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def operations(self) -> list[str]:
        """What was asked since the last time."""
        names = [request.operation for request in self.requests]
        self.requests.clear()
        return names

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    gateway: Gateway
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """What a client breaks off or says in another protocol is its own affair."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 60

    def log_message(self, *_: object) -> None:
        pass

    def do_any(self) -> None:
        gateway = self.server.gateway
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request.of(self.command, self.path)
        gateway.requests.append(request)
        if gateway.rights and not gateway.rights.allow(request):
            gateway.refused.append(request)
            return self.answer(403, {"Content-Type": "application/xml"}, DENIED)
        connection = http.client.HTTPConnection(gateway.upstream, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        headers = {name: value for name, value in response.getheaders() if name.lower() not in HOP_BY_HOP}
        if self.command == "HEAD":
            headers["Content-Length"] = response.getheader("Content-Length", "0")
        if response.status == 404 and request.key and gateway.rights and not gateway.rights.tell_absence(request):
            gateway.refused.append(request)
            return self.answer(403, {"Content-Type": "application/xml"}, DENIED)
        return self.answer(response.status, headers, answer)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_any  # noqa: N815

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers and status not in (204, 304):
            self.send_header("Content-Length", str(0 if self.command == "HEAD" else len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and the name `objects`, and its key, as PEM files."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=stepstore test", "-addext", "subjectAltName=IP:127.0.0.1,DNS:objects",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return certificate, key


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
