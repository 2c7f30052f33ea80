"""Where the stores of a run lie: in a directory, or below a fresh prefix of a bucket. What is checked is the same."""

from __future__ import annotations

import json
import os
import secrets
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class LocalPlace:
    # Each is killed before it does anything of these.
    syscalls = ("write", "fsync", "renameat2", "linkat", "unlinkat", "mkdirat", "fallocate", "utimensat")

    def __init__(self, folder: Path) -> None:
        self.name = "local"
        self._folder = folder

    def store(self, name: str) -> str:
        """The URI of an empty store of that name."""
        return str(self._folder / name)

    def keys(self, name: str) -> list[str]:
        root = self._folder / name
        return [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]

    def remove(self) -> None:
        """The directory is its maker's."""


class BucketPlace:
    syscalls = ("connect", "sendmsg", "recvfrom", "write")

    def __init__(self, name: str, uri: str, client: Any) -> None:
        """`client`: boto3's, which looks at the bucket on its own."""
        self.name = name
        parts = urllib.parse.urlsplit(uri)
        self._bucket, self._query = parts.netloc, parts.query
        self._prefix = "/".join(filter(None, [parts.path.strip("/"), f"kill-{secrets.token_hex(6)}"]))
        self._client = client

    def store(self, name: str) -> str:
        return urllib.parse.urlunsplit(("s3", self._bucket, f"/{self._prefix}/{name}", self._query, ""))

    def keys(self, name: str) -> list[str]:
        prefix = f"{self._prefix}/{name}/"
        return [key.removeprefix(prefix) for keys in self._pages(prefix) for key in keys]

    def remove(self) -> None:
        for keys in self._pages(self._prefix + "/"):
            objects = [{"Key": key} for key in keys]
            self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})

    def _pages(self, prefix: str) -> Iterator[list[str]]:
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            if found := [each["Key"] for each in page.get("Contents", [])]:
                yield found


Place = LocalPlace | BucketPlace


def bucket_place(uri: str) -> BucketPlace:
    """A bucket with the credentials of the environment."""
    import boto3  # noqa: PLC0415  # the local trials run without it

    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(uri).query))
    client = boto3.client("s3", endpoint_url=query.get("endpoint"), region_name=query.get("region"))
    return BucketPlace(uri, uri, client)


def server_places() -> list[BucketPlace]:
    """The servers that tests/servers/servers.py has started."""
    told = os.environ.get("STEPSTORE_TEST_SERVERS")
    if told is None:
        sys.exit("kill.py: --servers needs tests/servers/servers.py run NAME... -- before it")
    places = []
    for server in json.loads(told):
        place = bucket_place(server["uri"])
        place.name = server["name"]
        places.append(place)
    return places
