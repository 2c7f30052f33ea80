"""pyarrow's S3FileSystem (AWS's C++ SDK) with threads; no checksums, and small objects in one request."""

from __future__ import annotations

import os

os.environ["AWS_REQUEST_CHECKSUM_CALCULATION"] = "when_required"  # the SDK reads it when it begins

import pyarrow
from pyarrow import fs

from peers.peer import IN_FLIGHT, ThreadedPeer


class Pyarrow(ThreadedPeer):
    name = "pyarrow, threads"
    version = pyarrow.__version__

    def __init__(self, endpoint: str, bucket: str) -> None:
        super().__init__()
        self._bucket = bucket
        pyarrow.set_io_thread_count(IN_FLIGHT)
        scheme, host = endpoint.split("://")
        self._system = fs.S3FileSystem(
            access_key="any",
            secret_key="any",
            region="us-east-1",
            scheme=scheme,
            endpoint_override=host,
            allow_delayed_open=True,
            tls_ca_file_path=os.environ.get("SSL_CERT_FILE"),
        )

    def put(self, key: str, body: bytes) -> None:
        with self._system.open_output_stream(f"{self._bucket}/{key}") as stream:
            stream.write(body)

    def get(self, key: str) -> bytes:
        with self._system.open_input_stream(f"{self._bucket}/{key}") as stream:
            body: bytes = stream.read()
        return body

    def list(self) -> int:
        found = self._system.get_file_info(fs.FileSelector(f"{self._bucket}/{self.prefix}", recursive=True))
        return sum(each.is_file for each in found)


PEER = Pyarrow
