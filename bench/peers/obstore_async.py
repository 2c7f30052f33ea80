"""obstore: Rust's object_store for Python, with asyncio."""

from __future__ import annotations

from importlib.metadata import version

import obstore
from obstore.store import S3Store

from peers.peer import AsyncPeer


class Obstore(AsyncPeer):
    name = "obstore, asyncio"
    version = version("obstore")

    def __init__(self, endpoint: str, bucket: str) -> None:
        super().__init__()
        self._store = S3Store(
            bucket,
            endpoint=endpoint,
            region="us-east-1",
            access_key_id="any",
            secret_access_key="any",
            virtual_hosted_style_request=False,
            unsigned_payload=True,
            client_options={"allow_http": True},
        )

    async def put(self, key: str, body: bytes) -> None:
        await obstore.put_async(self._store, key, body, use_multipart=False)

    async def get(self, key: str) -> bytes:
        answer = await obstore.get_async(self._store, key)
        return bytes(await answer.bytes_async())

    def list(self) -> int:
        return sum(len(page) for page in obstore.list(self._store, prefix=self.prefix))


PEER = Obstore
