"""stepstore with asyncio, on average 32 of the objects that make up steps on their way.

A store has three in its first round trip and one in its second, two on average; a retrieve asks for four. The looks at
the session's root come on top: 64 requests at the peak of 16 stores, 40 on average; 40 for 8 retrieves.
"""

from __future__ import annotations

from peers.peer import IN_FLIGHT
from peers.stepstore_async import Stepstore


class StepstoreObjects(Stepstore):
    name = "stepstore, 32 objects on average"
    stores = IN_FLIGHT // 2
    retrieves = IN_FLIGHT // 4


PEER = StepstoreObjects
