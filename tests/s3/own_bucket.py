#!/usr/bin/env python3
"""Runs a command against a bucket of yours: the command finds it in STEPSTORE_TEST_SERVERS (tests/servers/README.md).

    tests/s3/own_bucket.py URI -- COMMAND...      URI: s3://bucket/prefix[?endpoint=...&region=...]

Refuses a prefix below which something lies already, and removes everything below it afterwards, however the command
ended. Keys, and a region or endpoint that the URI does not name, come from where AWS's tools have them. Exit status:
the command's; 2 when it was not run; 3 when something of it is left.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from typing import Any, NoReturn

import boto3
from botocore.exceptions import BotoCoreError, ClientError

AWS_TRAITS: list[str] = []  # what your server does not do is for the tests to find out
PARAMETERS = {"endpoint", "region"}


def refuse(text: str) -> NoReturn:
    print(f"own_bucket.py: {text}", file=sys.stderr)
    sys.exit(2)


class Place:
    """The part of a bucket below a prefix."""

    def __init__(self, uri: str) -> None:
        parts = urllib.parse.urlsplit(uri)
        query = dict(urllib.parse.parse_qsl(parts.query))
        self.bucket, prefix = parts.netloc, parts.path.strip("/")
        if parts.scheme != "s3" or not self.bucket or not prefix:
            refuse(f"{uri} is not s3://bucket/prefix: the tests need a prefix of their own")
        if unknown := sorted(query.keys() - PARAMETERS):
            refuse(f"the tests take {' and '.join(sorted(PARAMETERS))} from the URI, not {', '.join(unknown)}")
        self.prefix = prefix + "/"
        session = boto3.Session()
        credentials = session.get_credentials()
        if credentials is None:
            refuse("there are no keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")
        self._keys = credentials.get_frozen_credentials()
        self.client = session.client("s3", region_name=query.get("region"), endpoint_url=query.get("endpoint"))
        self.endpoint, self.region = self.client.meta.endpoint_url, self.client.meta.region_name

    def _pages(self, operation: str) -> Iterator[dict[str, Any]]:
        yield from self.client.get_paginator(operation).paginate(Bucket=self.bucket, Prefix=self.prefix)

    def first_key(self) -> str | None:
        """Something that lies there."""
        found = self.client.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix, MaxKeys=1)
        return next((each["Key"] for each in found.get("Contents", [])), None)

    def described(self) -> dict[str, Any]:
        """As servers.py describes a server of its own."""
        keys = {"access_key": self._keys.access_key, "secret_key": self._keys.secret_key}
        if self._keys.token:
            keys["session_token"] = self._keys.token
        return keys | {
            "name": "bucket",
            "endpoint": self.endpoint,
            "region": self.region,
            "bucket": self.bucket,
            "versioned_bucket": None,
            "prefix": self.prefix,
            "uri": f"s3://{self.bucket}/{self.prefix}?endpoint={self.endpoint}&region={self.region}",
            "traits": AWS_TRAITS,
        }

    def environment(self) -> dict[str, str]:
        """Ours, with keys that need no profile and STEPSTORE_TEST_SERVERS."""
        mine = dict(os.environ, AWS_ACCESS_KEY_ID=self._keys.access_key, AWS_SECRET_ACCESS_KEY=self._keys.secret_key)
        mine.pop("AWS_PROFILE", None)
        if self._keys.token:
            mine["AWS_SESSION_TOKEN"] = self._keys.token
        return mine | {"STEPSTORE_TEST_SERVERS": json.dumps([self.described()])}

    def clean(self) -> int:
        """Removes every object, with the versions that the bucket keeps, and every upload. How many there were."""
        removed = 0
        for page in self._pages("list_multipart_uploads"):
            for upload in page.get("Uploads", []):
                self.client.abort_multipart_upload(Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"])
                removed += 1
        for page in self._pages("list_objects_v2"):
            removed += self._delete([{"Key": each["Key"]} for each in page.get("Contents", [])])
        if self.client.get_bucket_versioning(Bucket=self.bucket).get("Status"):
            for page in self._pages("list_object_versions"):
                all_versions = page.get("Versions", []) + page.get("DeleteMarkers", [])
                removed += self._delete([{"Key": each["Key"], "VersionId": each["VersionId"]} for each in all_versions])
        return removed

    def _delete(self, objects: list[dict[str, str]]) -> int:
        if objects:
            done = self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": objects, "Quiet": True})
            for error in done.get("Errors", []):
                print(f"own_bucket.py: {error['Key']} was not removed: {error['Message']}", file=sys.stderr)
        return len(objects)


def run(place: Place, command: list[str]) -> int:
    # ctrl-C reaches the command as well, which has no such handler; this goes on, to clean up.
    signal.signal(signal.SIGINT, lambda *_: None)
    process = subprocess.Popen(command, env=place.environment())
    signal.signal(signal.SIGTERM, lambda number, _: process.send_signal(number))
    status = process.wait()
    return status if status >= 0 else 128 - status


def main() -> int:
    words = sys.argv[1:]
    if len(words) < 3 or words[1] != "--":
        sys.exit(__doc__)
    place = Place(words[0])
    try:
        if key := place.first_key():
            refuse(f"s3://{place.bucket}/{place.prefix} is not empty: {key} lies there. Name a prefix that nobody uses")
    except (BotoCoreError, ClientError) as error:
        refuse(f"cannot list s3://{place.bucket}/{place.prefix}: {error}")
    print(
        f"The tests write several thousand small objects, about 100 MB in all, below s3://{place.bucket}/{place.prefix}\n"
        f"at {place.endpoint} ({place.region}), and remove them afterwards. Your provider may charge for the requests.",
        flush=True,
    )
    status = run(place, words[2:])
    try:
        removed = place.clean()
        left = place.first_key()
    except (BotoCoreError, ClientError) as error:
        print(f"own_bucket.py: could not clean up below s3://{place.bucket}/{place.prefix}: {error}", file=sys.stderr)
        return 3
    if removed:
        print(f"Removed {removed} objects below s3://{place.bucket}/{place.prefix}", flush=True)
    if left is not None:
        print(f"own_bucket.py: {left} is still there", file=sys.stderr)
        return 3
    return status


if __name__ == "__main__":
    sys.exit(main())
