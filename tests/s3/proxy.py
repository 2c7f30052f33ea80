"""An HTTP proxy between stepstore and a test server: every name leads to this machine. It notes what it was asked."""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit


class Proxy:
    """Listens on a free port of 127.0.0.1 until it is left. With `who` ("user:password") it takes nobody else."""

    def __init__(self, who: str = "") -> None:
        self.authorization = f"Basic {base64.b64encode(who.encode()).decode()}" if who else ""
        self.asked: list[str] = []  # "CONNECT host:port", "GET http://host:port/..."
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    proxy: Proxy
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """What a client breaks off is its own affair."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 60

    def log_message(self, *_: object) -> None:
        pass

    def may_pass(self) -> bool:
        proxy = self.server.proxy
        proxy.asked.append(f"{self.command} {self.path}")
        if not proxy.authorization or self.headers.get("Proxy-Authorization") == proxy.authorization:
            return True
        page = f"<h1>Who asks?</h1>{self.headers}".encode()
        self.send_response(407)
        self.send_header("Proxy-Authenticate", 'Basic realm="the test"')
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)
        return False

    def do_CONNECT(self) -> None:
        if not self.may_pass():
            return
        with socket.create_connection(("127.0.0.1", int(self.path.rpartition(":")[2])), timeout=60) as upstream:
            self.send_response(200, "Connection established")
            self.end_headers()
            join(self.connection, upstream)
        self.close_connection = True

    def do_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.may_pass():
            return
        url = urlsplit(self.path)
        path = url._replace(scheme="", netloc="").geturl()
        lines = [f"{self.command} {path} HTTP/1.1", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers.items() if not name.lower().startswith("proxy-")]
        with socket.create_connection(("127.0.0.1", url.port or 80), timeout=60) as upstream:
            upstream.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
            while block := upstream.recv(65536):
                self.wfile.write(block)
        self.close_connection = True

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_any  # noqa: N815


def join(one: socket.socket, other: socket.socket) -> None:
    """Passes on bytes both ways until one side ends."""
    with contextlib.suppress(OSError):
        while True:
            ready, _, _ = select.select([one, other], [], [], 60)
            for end in ready:
                block = end.recv(65536)
                if not block:
                    return
                (other if end is one else one).sendall(block)
            if not ready:
                return
