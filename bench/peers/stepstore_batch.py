"""stepstore with asyncio, all steps in one `store_steps`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stepstore import Receipt, StepData

from peers.peer import Step
from peers.stepstore_async import SESSION
from peers.stepstore_objects import StepstoreObjects


class StepstoreBatch(StepstoreObjects):
    name = "stepstore, store_steps"

    def store(self, steps: Sequence[Step]) -> None:
        def each() -> Iterator[StepData]:
            for step in steps:
                yield StepData(SESSION, step.name, step.html, step.screenshot, step.action, step.metadata)

        for result in self.run(self.manager.store_steps(each())):
            if not isinstance(result, Receipt):
                raise result


PEER = StepstoreBatch
