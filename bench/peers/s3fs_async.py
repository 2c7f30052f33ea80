"""s3fs: files in S3 over aiobotocore, with asyncio; bodies not hashed, parameters not checked."""

from __future__ import annotations

from importlib.metadata import version

import s3fs

from peers.botocore_settings import SETTINGS
from peers.peer import AsyncPeer


class S3fs(AsyncPeer):
    name = "s3fs, asyncio"
    version = version("s3fs")

    def __init__(self, endpoint: str, bucket: str) -> None:
        super().__init__()
        self._bucket = bucket
        self._system = s3fs.S3FileSystem(
            key="any",
            secret="any",
            endpoint_url=endpoint,
            client_kwargs={"region_name": "us-east-1"},
            config_kwargs=dict(SETTINGS),
            asynchronous=True,
            use_listings_cache=False,
            skip_instance_cache=True,
        )
        self._session = self.run(self._system.set_session())

    async def put(self, key: str, body: bytes) -> None:
        await self._system._pipe_file(f"{self._bucket}/{key}", body)

    async def get(self, key: str) -> bytes:
        body: bytes = await self._system._cat_file(f"{self._bucket}/{key}")
        return body

    def list(self) -> int:
        return len(self.run(self._system._find(f"{self._bucket}/{self.prefix}")))

    def close(self) -> None:
        self.run(self._session.close())
        super().close()


PEER = S3fs
