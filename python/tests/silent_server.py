"""S3 endpoints that stop answering: a socket that is only listened at, and a session of which some steps never come."""

import subprocess
import sys
import textwrap
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def settings(port: int) -> dict[str, Any]:
    """Of a manager on that port."""
    credentials = {"access_key_id": "any", "secret_access_key": "any"}
    return {"s3_endpoint_url": f"http://127.0.0.1:{port}", "credentials": credentials, "s3_region_name": "us-east-1"}


def python(code: str, *arguments: object, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Runs a program that ends by itself."""
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


class HalfSilent:
    """Lists a session "s" with steps "1" to "9" and never answers when one of them is read."""

    def __init__(self) -> None:
        self.asked_for_a_step = threading.Event()
        self._end = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if "list-type" in self.path:
                    keys = "".join(
                        f"<Contents><Key>s/{i}/step.json</Key><Size>2000</Size><ETag>&quot;e{i}&quot;</ETag>"
                        "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
                        for i in range(1, 10)
                    )
                    found = keys if "prefix=s%2F" in self.path else ""
                    self.answer(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>")
                elif "/s/" in self.path:
                    outer.asked_for_a_step.set()
                    outer._end.wait()
                else:
                    self.answer(404, "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>")

            def answer(self, status: int, text: str) -> None:
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.settings = settings(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends it."""
        self._end.set()
        self._server.shutdown()
        self._server.server_close()
