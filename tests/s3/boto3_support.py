"""What the tests with boto3 share: servers, buckets as boto3 sees them, recordings, trees on disk."""

from __future__ import annotations

import base64
import dataclasses
import json
import mimetypes
import os
import secrets
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest
from awscrt import checksums
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
UNSET = "STEPSTORE_TEST_SERVERS is not set: run this by tests/servers/servers.py run NAME... -- pytest tests/s3"
DAY_AND_AN_HOUR = "+25h"


def told_servers() -> list[dict[str, Any]]:
    return json.loads(os.environ.get("STEPSTORE_TEST_SERVERS", "[]"))


def binary() -> Path:
    path = Path(os.environ.get("STEPSTORE_BIN", ROOT / "build" / "stepstore")).resolve()
    if not os.access(path, os.X_OK):
        pytest.exit(f"there is no stepstore command at {path}: run ./dev build, or set STEPSTORE_BIN", 2)
    return path


def stepstore(*arguments: object, later: bool = False) -> str:
    """Standard output of the command. `later`: it believes that a day and an hour have passed."""
    return run(str(binary()), *map(str, arguments), later=later)


def run(*command: str, later: bool = False) -> str:
    # Only what the time of day is: how long something takes stays as it is.
    around = ["faketime", "-m", "-f", DAY_AND_AN_HOUR] if later else []
    done = subprocess.run(
        [*around, *command],
        env=os.environ | {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr}{done.stdout}"
    return done.stdout


def crc64nvme(data: bytes) -> str:
    """In base64, as S3 tells it."""
    return base64.b64encode(checksums.crc64nvme(data).to_bytes(8, "big")).decode()


@dataclasses.dataclass(frozen=True)
class Stored:
    """An object as boto3 got it."""

    data: bytes
    content_type: str
    etag: str
    crc64nvme: str | None  # none: the server keeps no such checksum


class Folder:
    """A fresh prefix of a server's bucket, through boto3."""

    def __init__(self, server: dict[str, Any]) -> None:
        self.server = server
        self.prefix = f"{server.get('prefix', '')}boto3/{secrets.token_hex(8)}"
        self._bucket = server["bucket"]
        self.client = boto3.client(
            "s3",
            endpoint_url=server["endpoint"],
            region_name=server["region"],
            aws_access_key_id=server["access_key"],
            aws_secret_access_key=server["secret_key"],
            aws_session_token=server.get("session_token"),
            config=Config(s3={"addressing_style": "path"}),
        )

    @property
    def uri(self) -> str:
        return f"s3://{self._bucket}/{self.prefix}?endpoint={self.server['endpoint']}&region={self.server['region']}"

    def keys(self) -> list[str]:
        """Below the prefix, in the order of the listing."""
        start = self.prefix + "/"
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=start)
        return [each["Key"].removeprefix(start) for page in pages for each in page.get("Contents", [])]

    def get(self, key: str) -> Stored:
        """boto3 itself compares the bytes with every checksum that the server tells."""
        got = self.client.get_object(Bucket=self._bucket, Key=f"{self.prefix}/{key}", ChecksumMode="ENABLED")
        return Stored(got["Body"].read(), got["ContentType"], got["ETag"], got.get("ChecksumCRC64NVME"))

    def put(self, key: str, data: bytes, content_type: str, **more: str) -> None:
        self.client.put_object(
            Bucket=self._bucket, Key=f"{self.prefix}/{key}", Body=data, ContentType=content_type, **more
        )

    def tree(self) -> dict[str, bytes]:
        return {key: self.get(key).data for key in self.keys()}

    def keeps_crc64nvme(self) -> bool:
        """Whether the server tells the checksum that boto3 has put with an object."""
        probe = Folder(self.server)
        probe.put("probe", b"123456789", "text/plain", ChecksumCRC64NVME=crc64nvme(b"123456789"))
        kept = probe.get("probe").crc64nvme
        assert kept in (None, base64.b64encode(bytes.fromhex("ae8b14860a799888")).decode())
        return kept is not None

    def upload(self, tree: Path) -> None:
        """As `aws s3 sync` does it, types guessed by the files' names."""
        for file in files_of(tree):
            guessed = mimetypes.guess_type(file)[0] or "binary/octet-stream"
            self.put(file, (tree / file).read_bytes(), guessed)

    def download(self, tree: Path) -> None:
        for key in self.keys():
            file = tree / key
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(self.get(key).data)


def files_of(tree: Path) -> list[str]:
    return sorted(str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file())


def recorded(tree: Path) -> dict[str, Any]:
    """Each file's bytes; metadata.json as the JSON that it says."""
    return {
        name: json.loads((tree / name).read_bytes()) if name.endswith("/metadata.json") else (tree / name).read_bytes()
        for name in files_of(tree)
    }


def exported(uri: object, session: str, out: Path) -> dict[str, Any]:
    stepstore("export", uri, session, out)
    return recorded(out)


def unpack_recording(folder: Path, name: str) -> Path:
    """A folder of one session with 30 steps."""
    subprocess.run(["tar", "--zstd", "-xf", ROOT / "samples" / f"{name}.tar.zst", "-C", folder], check=True)
    return folder
