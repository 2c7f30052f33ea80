"""Stores steps for some seconds, whatever the server says: `measure_storm.py CLIENT ENDPOINT BUCKET SECONDS`.

Prints a JSON object: how many steps were stored and how many failed, by error. So many steps are under way that 32
requests are on their way at most; a step that fails is left, and the next one begins at once, as a recorder goes on.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peers.peer import FILES, IN_FLIGHT

BODIES = (b"<p>step</p>" * 400, b"\x89PNG\r\n\x1a\n" * 400, b'{"type": "click"}', b"{}")
STEPS_AT_ONCE = IN_FLIGHT // len(FILES)


class Count:
    """What became of the steps."""

    def __init__(self) -> None:
        self.stored = 0
        self.failed: Counter[str] = Counter()

    def told(self, client: str, package: str) -> dict[str, Any]:
        return {"client": client, "version": version(package), "stored": self.stored, "failed": dict(self.failed)}


async def with_tasks(store: Callable[[str], Awaitable[object]], seconds: float) -> Count:
    count, end = Count(), time.monotonic() + seconds

    async def worker(name: str) -> None:
        number = 0
        while time.monotonic() < end:
            number += 1
            try:
                await store(f"{name}-{number}")
                count.stored += 1
            except Exception as error:  # whatever a client has for an error
                count.failed[type(error).__name__] += 1

    await asyncio.gather(*(worker(str(i)) for i in range(STEPS_AT_ONCE)))
    return count


def stepstore(endpoint: str, bucket: str, seconds: float) -> dict[str, Any]:
    from stepstore import aio  # noqa: PLC0415  # each client is in an environment of its own

    async def main() -> Count:
        uri = f"s3://{bucket}/stepstore?endpoint={endpoint}&region=us-east-1"
        html, screenshot, action, metadata = BODIES
        async with aio.StorageManager(uri, concurrency=STEPS_AT_ONCE) as manager:
            return await with_tasks(
                lambda name: manager.store_step_data("storm", name, html, screenshot, action, metadata), seconds
            )

    return asyncio.run(main()).told("stepstore", "stepstore")


def obstore(endpoint: str, bucket: str, seconds: float) -> dict[str, Any]:
    from peers.obstore_async import Obstore  # noqa: PLC0415

    peer = Obstore(endpoint, bucket)

    async def store(name: str) -> None:
        keys = (f"obstore/{name}/{file}" for file in FILES)
        await asyncio.gather(*(peer.put(key, body) for key, body in zip(keys, BODIES, strict=True)))

    return asyncio.run(with_tasks(store, seconds)).told("obstore, as it comes", "obstore")


def boto3(endpoint: str, bucket: str, seconds: float) -> dict[str, Any]:
    import boto3 as library  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    settings = Config(retries={"mode": "standard"}, max_pool_connections=IN_FLIGHT, s3={"addressing_style": "path"})
    client = library.client("s3", endpoint_url=endpoint, config=settings)
    count, lock, end = Count(), threading.Lock(), time.monotonic() + seconds

    def worker(name: str) -> None:
        number = 0
        while time.monotonic() < end:
            number += 1
            try:
                for file, body in zip(FILES, BODIES, strict=True):
                    client.put_object(Bucket=bucket, Key=f"boto3/{name}-{number}/{file}", Body=body)
            except Exception as error:  # whatever it has for an error
                with lock:
                    count.failed[type(error).__name__] += 1
            else:
                with lock:
                    count.stored += 1

    threads = [threading.Thread(target=worker, args=(str(i),)) for i in range(IN_FLIGHT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return count.told("boto3, standard mode", "boto3")


CLIENTS = {"stepstore": stepstore, "boto3": boto3, "obstore": obstore}

if __name__ == "__main__":
    print(json.dumps(CLIENTS[sys.argv[1]](sys.argv[2], sys.argv[3], float(sys.argv[4]))))
