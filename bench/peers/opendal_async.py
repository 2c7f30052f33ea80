"""OpenDAL for Python, with asyncio."""

from __future__ import annotations

from importlib.metadata import version

import opendal

from peers.peer import AsyncPeer


class Opendal(AsyncPeer):
    name = "opendal, asyncio"
    version = version("opendal")

    def __init__(self, endpoint: str, bucket: str) -> None:
        super().__init__()
        self._operator = opendal.AsyncOperator(
            "s3",
            bucket=bucket,
            endpoint=endpoint,
            region="us-east-1",
            access_key_id="any",
            secret_access_key="any",
            disable_ec2_metadata="true",
            disable_config_load="true",
        )

    async def put(self, key: str, body: bytes) -> None:
        await self._operator.write(key, body)

    async def get(self, key: str) -> bytes:
        return bytes(await self._operator.read(key))

    def list(self) -> int:
        async def count() -> int:
            found = await self._operator.list(f"{self.prefix}/", recursive=True)
            return len([entry async for entry in found if not entry.path.endswith("/")])

        return self.run(count())


PEER = Opendal
