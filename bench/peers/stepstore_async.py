"""stepstore with asyncio, at most 32 requests on their way at any moment.

A store has four requests on their way in its first round trip, three objects and a look at the session's root; then
one, the manifest. A retrieve has five in its only one: root, manifest and three objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from stepstore import aio

from peers.peer import IN_FLIGHT, AsyncPeer, Step, over

SESSION = "session"


class Stepstore(AsyncPeer):
    name = "stepstore, at most 32 requests"
    version = version("stepstore")
    stores = IN_FLIGHT // 4
    retrieves = IN_FLIGHT // 5

    def __init__(self, endpoint: str, bucket: str) -> None:
        super().__init__()
        uri = f"s3://{bucket}/stepstore?endpoint={endpoint}&region=us-east-1"
        self.manager = aio.StorageManager(uri, concurrency=self.stores)

    async def store_one(self, step: Step) -> None:
        await self.manager.store_step_data(SESSION, step.name, step.html, step.screenshot, step.action, step.metadata)

    def store(self, steps: Sequence[Step]) -> None:
        self.run(over(steps, self.store_one, self.stores))

    def retrieve(self, steps: Sequence[Step]) -> None:
        async def one(step: Step) -> None:
            found = await self.manager.retrieve_step_data(SESSION, step.name)
            page = found.html_content if isinstance(step.html, str) else found.html_bytes
            step.check(page, found.screenshot_bytes, found.action_data, found.metadata)

        self.run(over(steps, one, self.retrieves))

    def list(self) -> int:
        return len(self.run(self.manager.list_steps_for_session(SESSION)))

    def close(self) -> None:
        self.run(self.manager.aclose())
        super().close()


PEER = Stepstore
