"""stepstore with asyncio. A step's parts go side by side, and then its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from stepstore import aio

from peers.peer import IN_FLIGHT, AsyncPeer, Step, over

SESSION = "session"
# A store has three objects under way in its first round trip and one in its second, two on average; a retrieve asks for
# four in its only one.
STORES = IN_FLIGHT // 2
RETRIEVES = IN_FLIGHT // 4


class Stepstore(AsyncPeer):
    name = "stepstore, asyncio"
    version = version("stepstore")

    def __init__(self, endpoint: str, bucket: str) -> None:
        super().__init__()
        uri = f"s3://{bucket}/stepstore?endpoint={endpoint}&region=us-east-1"
        self._store = aio.StorageManager(uri, concurrency=STORES)

    def store(self, steps: Sequence[Step]) -> None:
        async def one(step: Step) -> None:
            await self._store.store_step_data(
                SESSION, step.name, step.html, step.screenshot, step.action, step.metadata
            )

        self.run(over(steps, one, STORES))

    def retrieve(self, steps: Sequence[Step]) -> None:
        async def one(step: Step) -> None:
            found = await self._store.retrieve_step_data(SESSION, step.name)
            if not step.is_made_of(*found):
                raise AssertionError(f"step {step.name} came back changed")

        self.run(over(steps, one, RETRIEVES))

    def list(self) -> int:
        return len(self.run(self._store.list_steps_for_session(SESSION)))

    def close(self) -> None:
        self.run(self._store.aclose())
        super().close()


PEER = Stepstore
