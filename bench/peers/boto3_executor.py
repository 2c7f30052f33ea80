"""boto3 beside asyncio: each of its calls in a thread of an executor, so that the loop does not wait for it;
bodies not hashed, parameters not checked."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import boto3
from botocore.config import Config

from peers.botocore_settings import SETTINGS
from peers.peer import IN_FLIGHT, AsyncPeer


class Boto3Executor(AsyncPeer):
    name = "boto3 in an executor"
    version = version("boto3")

    def __init__(self, endpoint: str, bucket: str) -> None:
        super().__init__()
        self._bucket = bucket
        self._client = boto3.client("s3", endpoint_url=endpoint, config=Config(**SETTINGS))
        self._threads = ThreadPoolExecutor(IN_FLIGHT)

    async def put(self, key: str, body: bytes) -> None:
        def work() -> None:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body)

        await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def get(self, key: str) -> bytes:
        def work() -> bytes:
            body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            return body

        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def list(self) -> int:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self.prefix)
        return sum(page["KeyCount"] for page in pages)

    def close(self) -> None:
        self._threads.shutdown()
        self._client.close()
        super().close()


PEER = Boto3Executor
