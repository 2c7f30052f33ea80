"""What every client offers to be measured, and the form of a step that all of them are handed."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import uvloop

T = TypeVar("T")
U = TypeVar("U")

IN_FLIGHT = 32  # requests at the same time, for all who can
_compared: set[int] = set()  # pages of steps that live as long as the process
FILES = ("observation.html", "screenshot.png", "action.json", "metadata.json")


@dataclass(frozen=True)
class Step:
    """As a recorder in Python holds it; the page as text or as bytes."""

    name: str
    html: str | bytes
    screenshot: bytes
    action: Any
    metadata: Any

    def objects(self) -> tuple[bytes, bytes, bytes, bytes]:
        """The bodies of its files, made anew each time: it is part of what storing costs."""
        action, metadata = json.dumps(self.action).encode(), json.dumps(self.metadata).encode()
        html = self.html.encode() if isinstance(self.html, str) else self.html
        return html, self.screenshot, action, metadata

    def check(self, html: str | bytes | None, screenshot: bytes | None, action: Any, metadata: Any) -> None:
        """Raises AssertionError when it came back changed.

        Steps that share a page are compared whole once, and then by their sizes: it is the measurement's work and not
        the client's.
        """
        same = (self.action, self.metadata) == (action, metadata)
        if id(self.html) not in _compared:
            same = same and (self.html, self.screenshot) == (html, screenshot)
            _compared.add(id(self.html))
        elif html is None or screenshot is None:
            same = False
        else:
            same = same and (len(self.html), len(self.screenshot)) == (len(html), len(screenshot))
        if not same:
            raise AssertionError(f"step {self.name} came back changed")


class Peer(Protocol):
    """A client on its way to one bucket; its calls return when all is done."""

    name: str
    version: str

    def store(self, steps: Sequence[Step]) -> None: ...
    def retrieve(self, steps: Sequence[Step]) -> None:
        """Raises AssertionError for a step that came back changed."""

    def list(self) -> int | None:
        """How many objects (stepstore: steps) there are; None for a client that cannot tell."""

    def close(self) -> None: ...


def keys_of(prefix: str, step: Step) -> list[str]:
    return [f"{prefix}/{step.name}/{file}" for file in FILES]


def check(step: Step, bodies: Sequence[bytes]) -> None:
    html, screenshot, action, metadata = bodies
    page = html.decode() if isinstance(step.html, str) else html
    step.check(page, screenshot, json.loads(action), json.loads(metadata))


class AsyncPeer:
    """A base for clients of asyncio: a loop of uvloop, and at most IN_FLIGHT objects, a request each, on their way."""

    name: str
    version: str
    loop_factory: Callable[[], asyncio.AbstractEventLoop] = staticmethod(uvloop.new_event_loop)

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=self.loop_factory)

    def run(self, work: Awaitable[T]) -> T:
        async def main() -> T:
            return await work

        return self._runner.run(main())

    async def put(self, key: str, body: bytes) -> None:
        raise NotImplementedError

    async def get(self, key: str) -> bytes:
        raise NotImplementedError

    @property
    def prefix(self) -> str:
        return type(self).__name__.lower()

    def store(self, steps: Sequence[Step]) -> None:
        async def one(step: Step) -> None:
            objects = zip(keys_of(self.prefix, step), step.objects(), strict=True)
            await asyncio.gather(*(self.put(key, body) for key, body in objects))

        self.run(over(steps, one, IN_FLIGHT // len(FILES)))

    def retrieve(self, steps: Sequence[Step]) -> None:
        async def one(step: Step) -> None:
            check(step, await asyncio.gather(*(self.get(key) for key in keys_of(self.prefix, step))))

        self.run(over(steps, one, IN_FLIGHT // len(FILES)))

    def close(self) -> None:
        self._runner.close()


class ThreadedPeer:
    """A base for blocking clients: IN_FLIGHT threads, an object in each, and as many waiting for one."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(IN_FLIGHT)

    def put(self, key: str, body: bytes) -> None:
        raise NotImplementedError

    def get(self, key: str) -> bytes:
        raise NotImplementedError

    @property
    def prefix(self) -> str:
        return type(self).__name__.lower()

    def store(self, steps: Sequence[Step]) -> None:
        objects = (pair for step in steps for pair in zip(keys_of(self.prefix, step), step.objects(), strict=True))
        for _ in self._each(lambda pair: self.put(*pair), objects):
            pass

    def retrieve(self, steps: Sequence[Step]) -> None:
        bodies = self._each(self.get, (key for step in steps for key in keys_of(self.prefix, step)))
        for step in steps:
            check(step, [next(bodies) for _ in FILES])

    def close(self) -> None:
        self._threads.shutdown()

    def _each(self, work: Callable[[U], T], items: Iterable[U]) -> Iterator[T]:
        """The results in order. Executor.map() would take all items at once, and hold what they carry."""
        begun: deque[Future[T]] = deque()
        for item in items:
            begun.append(self._threads.submit(work, item))
            if len(begun) == 2 * IN_FLIGHT:
                yield begun.popleft().result()
        for each in begun:
            yield each.result()


async def over(items: Iterable[Step], work: Callable[[Step], Awaitable[None]], at_once: int) -> None:
    """As many tasks as may be under way, each of which takes the next item when it is done with one."""
    left = iter(items)

    async def worker() -> None:
        for item in left:
            await work(item)

    await asyncio.gather(*(worker() for _ in range(at_once)))
