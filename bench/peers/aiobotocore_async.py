"""aiobotocore: botocore over aiohttp; bodies not hashed, parameters not checked."""

from __future__ import annotations

from importlib.metadata import version

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from peers.botocore_settings import SETTINGS
from peers.peer import AsyncPeer


class Aiobotocore(AsyncPeer):
    name = "aiobotocore"
    version = version("aiobotocore")

    def __init__(self, endpoint: str, bucket: str) -> None:
        super().__init__()
        self._bucket = bucket
        self._opening = get_session().create_client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=AioConfig(**SETTINGS),
        )
        self._client = self.run(self._opening.__aenter__())

    async def put(self, key: str, body: bytes) -> None:
        await self._client.put_object(Bucket=self._bucket, Key=key, Body=body)

    async def get(self, key: str) -> bytes:
        answer = await self._client.get_object(Bucket=self._bucket, Key=key)
        async with answer["Body"] as stream:
            body: bytes = await stream.read()
            return body

    def list(self) -> int:
        async def count() -> int:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self.prefix)
            return sum([page.get("KeyCount", 0) async for page in pages])

        return self.run(count())

    def close(self) -> None:
        self.run(self._opening.__aexit__(None, None, None))
        super().close()


PEER = Aiobotocore
