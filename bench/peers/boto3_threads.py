"""boto3 with threads: an object in each; bodies not hashed, parameters not checked."""

from __future__ import annotations

from importlib.metadata import version

import boto3
from botocore.config import Config

from peers.botocore_settings import SETTINGS
from peers.peer import ThreadedPeer


class Boto3Threads(ThreadedPeer):
    name = "boto3, threads"
    version = version("boto3")

    def __init__(self, endpoint: str, bucket: str) -> None:
        super().__init__()
        self._bucket = bucket
        self._client = boto3.client("s3", endpoint_url=endpoint, config=Config(**SETTINGS))

    def put(self, key: str, body: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=key, Body=body)

    def get(self, key: str) -> bytes:
        body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return body

    def list(self) -> int:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self.prefix)
        return sum(page["KeyCount"] for page in pages)

    def close(self) -> None:
        super().close()
        self._client.close()


PEER = Boto3Threads
