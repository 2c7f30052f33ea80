"""fast-s3: a small client over aiohttp. It hashes every body, and has no listing."""

from __future__ import annotations

from importlib.metadata import version

from fast_s3 import AsyncS3Client

from peers.peer import IN_FLIGHT, AsyncPeer


class FastS3(AsyncPeer):
    name = "fast-s3, asyncio"
    version = version("fast-s3")

    def __init__(self, endpoint: str, bucket: str) -> None:
        super().__init__()

        async def opened() -> AsyncS3Client:
            client = AsyncS3Client(
                endpoint, "any", "any", "us-east-1", bucket, IN_FLIGHT, addressing_style="path", hedge=False
            )
            return await client.__aenter__()

        self._client = self.run(opened())

    async def put(self, key: str, body: bytes) -> None:
        await self._client.put_object(key, body)

    async def get(self, key: str) -> bytes:
        body: bytes = await self._client.get_object(key)
        return body

    def list(self) -> None:
        return None

    def close(self) -> None:
        self.run(self._client.__aexit__(None, None, None))
        super().close()


PEER = FastS3
