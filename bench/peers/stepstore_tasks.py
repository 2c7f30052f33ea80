"""stepstore with asyncio as its manual recommends: a task for every step at once, and no semaphore."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from peers.peer import Step
from peers.stepstore_objects import StepstoreObjects


class StepstoreTasks(StepstoreObjects):
    name = "stepstore, a task for every step"

    def store(self, steps: Sequence[Step]) -> None:
        async def all_at_once() -> None:
            async with asyncio.TaskGroup() as tasks:
                for step in steps:
                    tasks.create_task(self.store_one(step))

        self.run(all_at_once())


PEER = StepstoreTasks
