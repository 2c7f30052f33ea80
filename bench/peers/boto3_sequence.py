"""boto3 as a hand-written class uses it: the client as it comes, four calls in a row for a step."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import boto3

from peers.peer import Step, check, keys_of


class Boto3Sequence:
    name = "boto3, four calls in a row"
    version = version("boto3")

    def __init__(self, endpoint: str, bucket: str) -> None:
        self._bucket = bucket
        self._client = boto3.client("s3", endpoint_url=endpoint)

    def store(self, steps: Sequence[Step]) -> None:
        for step in steps:
            for key, body in zip(keys_of("boto3", step), step.objects(), strict=True):
                self._client.put_object(Bucket=self._bucket, Key=key, Body=body)

    def retrieve(self, steps: Sequence[Step]) -> None:
        for step in steps:
            bodies = [
                self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read() for key in keys_of("boto3", step)
            ]
            check(step, bodies)

    def list(self) -> int:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix="boto3")
        return sum(page["KeyCount"] for page in pages)

    def close(self) -> None:
        self._client.close()


PEER = Boto3Sequence
