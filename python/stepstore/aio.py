"""stepstore for asyncio: `aio.StorageManager` has the methods of `stepstore.StorageManager`, to be awaited.

The work is done by the library's threads, which never take the GIL; the loop does not wait for the network or the disk.

>>> async with aio.StorageManager("memory:") as store:
...     receipt = await store.store_step_data("login-test", "0001", "<h1>", action_data={"type": "click"})
...     html, screenshot, action = await store.retrieve_step_data("login-test", "0001")
>>> html, screenshot, action
('<h1>', None, {'type': 'click'})
"""

from __future__ import annotations

import os
import warnings
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from datetime import timedelta
from types import TracebackType
from typing import Literal, Self, TypeVar

from stepstore import _batches, _calls, _core, exceptions
from stepstore._flights import Batch, stream
from stepstore._inputs import (
    Arguments,
    Components,
    Html,
    IfExists,
    JsonDefault,
    JsonLike,
    Keep,
    KeepVersions,
    Screenshot,
)
from stepstore._lanes import Lane, lane_of
from stepstore._s3_inputs import AsyncCredentials, Path, Reach
from stepstore._settings import Opened, open_core, shown, storage_info
from stepstore._step import ReceiptOrError, Step, StepOrError
from stepstore._values import (
    AdoptReport,
    CheckReport,
    DeleteResult,
    DoctorReport,
    PresignedUrl,
    Receipt,
    S3ObjectSettings,
    StepData,
    StepInfo,
    StorageInfo,
)
from stepstore.exceptions import StorageManagerError

__all__ = ["StorageManager"]

T = TypeVar("T")


class StorageManager:
    """Stores the steps of recorded sessions and gets them back, without making the event loop wait.

    The methods, arguments, defaults and errors are those of `stepstore.StorageManager`; here they are awaited.

    One manager may be used by any number of tasks, and on several loops in several threads. At most twice
    `concurrency` calls and `in_flight_bytes_max` bytes are on their way for a loop; others wait for their turn in the
    order of coming, while their timeout runs already. A task that is cancelled, also by `asyncio.timeout`, stops its
    call and waits until it has ended: the step is whole or as it was before, and nothing goes on. One that is cancelled
    a second time meanwhile waits no longer. What a call is given as `bytes` is taken without a copy; what can be
    changed is copied.

    After `os.fork()` a child needs an event loop of its own; the manager works there. uvloop works.

    Args:
        uri, local_base_path, fsync, keep_versions, concurrency, in_flight_bytes_max, s3_bucket_name, s3_region_name,
            s3_endpoint_url, s3_profile, credentials, s3_anonymous, allow_http, ca_file, proxy, no_proxy,
            connect_timeout, first_byte_timeout, stall_timeout, total_timeout, attempts_max, prefer_s3, s3_objects: As
            of `stepstore.StorageManager`. A function as `credentials` may also return an awaitable; one that does not
            is called on a thread.

    Raises:
        ConfigError, InvalidArgument, TypeError: As of `stepstore.StorageManager`.

    Every method but `get_storage_info` and `aclose` may raise what those of `stepstore.StorageManager` may.

    Use it in an `async with` statement, or await `aclose()` when done.

    Example:
        >>> async with aio.StorageManager("memory:") as store:
        ...     await store.list_sessions()
        []
    """

    _opened: Opened | None = None
    _closed = False

    def __init__(
        self,
        uri: str | os.PathLike[str] | None = None,
        *,
        local_base_path: str | os.PathLike[str] | None = None,
        fsync: bool | None = None,
        keep_versions: KeepVersions = 1,
        concurrency: int = 16,
        in_flight_bytes_max: int = 256 * 2**20,
        s3_bucket_name: str | None = None,
        s3_region_name: str | None = None,
        s3_endpoint_url: str | None = None,
        s3_profile: str | None = None,
        credentials: AsyncCredentials | None = None,
        s3_anonymous: bool = False,
        allow_http: bool = False,
        ca_file: Path | None = None,
        proxy: str | None = None,
        no_proxy: str | None = None,
        connect_timeout: float | None = None,
        first_byte_timeout: float | None = None,
        stall_timeout: float | None = None,
        total_timeout: float | None = None,
        attempts_max: int | None = None,
        prefer_s3: bool = True,
        s3_objects: S3ObjectSettings | None = None,
    ) -> None:
        self._opened = open_core(
            uri,
            local_base_path,
            fsync,
            keep_versions,
            concurrency,
            in_flight_bytes_max,
            (s3_bucket_name, s3_region_name, s3_endpoint_url, s3_profile),
            credentials,
            Reach(
                s3_anonymous,
                allow_http,
                ca_file,
                proxy,
                no_proxy,
                connect_timeout,
                first_byte_timeout,
                stall_timeout,
                total_timeout,
                attempts_max,
            ),
            prefer_s3,
            s3_objects,
        )

    @property
    def _native(self) -> _core.Manager:
        assert self._opened is not None
        return self._opened.core

    def _lane(self) -> Lane:
        if self._closed:
            raise exceptions.make("Closed", "StorageManager", "", "the StorageManager was closed", "Open another one.")
        assert self._opened is not None
        return lane_of(self._opened)

    async def _run(self, call: _calls.Call[T] | _calls.Later[T]) -> T:
        lane = self._lane()
        renewal = self._opened.renewal if self._opened is not None else None
        if renewal is None:
            return await lane.run(self._native, call)
        try:
            return await lane.run(self._native, call)
        except exceptions.Unauthenticated as error:
            if not renewal.may_help(error):
                raise
        return await lane.run(self._native, call)

    # --- Steps ---

    async def store_step_data(  # noqa: PLR0917
        self,
        session_id: str,
        step_id: str,
        html_content: Html = None,
        screenshot_bytes: Screenshot = None,
        action_data: JsonLike = None,
        metadata: JsonLike = None,
        *,
        components: Components = None,
        if_exists: IfExists = "new_version",
        if_version: int | None = None,
        keep_versions: KeepVersions | None = None,
        keep: Keep | None = None,
        json_default: JsonDefault | None = None,
        timeout: float | None = 60.0,
    ) -> Receipt:
        """Store a step: all of it or nothing. After it returns, every reader sees it and a crash does not lose it.

        Args:
            session_id: Any non-empty text whose encoded form has at most 200 bytes.
            step_id: The same.
            html_content: The page: str (stored as UTF-8) or bytes in any encoding, kept as they are.
            screenshot_bytes: PNG, JPEG and WebP are recognised; or a `pathlib.Path` of a file.
            action_data: Anything JSON-like; bytes are taken as JSON text and kept to the byte.
            metadata: The same.
            components: Any number of further parts by name: bytes, str, a `pathlib.Path` (large files are streamed), or
                a pair of one of these and a content type.
            if_exists: What to do when the step is there: make the next version, fail, or skip when every byte is the
                same.
            if_version: Store only over this version; 0: only a new step.
            keep_versions: How many versions stay readable; "all" keeps every one. Default: the manager's.
            keep: "critical" is another way to say `keep_versions="all"`.
            json_default: As `default` of `json.dumps`.
            timeout: Seconds for the whole call; None: no limit.

        Raises:
            InvalidArgument: An id, name, JSON or option is wrong, or a path names no plain file. Nothing was written.
            NotFound: A path names no file. Nothing was written.
            AlreadyExists: `if_exists="fail"`, and the step is there.
            Conflict: `if_version` is not the version that is there.
            NoSpace, TooLarge: The disk is full, or a part is larger than the store takes.
            StorageManagerError: What every method may raise; the class says.

        After an error the step is as it was before, unless `error.outcome_unknown`: then it is whole, old or new.

        Example:
            >>> (await store.store_step_data("login-test", "0001", "<p>", action_data={"type": "click"})).version
            1
        """
        given = Arguments("store_step_data")
        given.step(session_id, step_id)  # first, so that errors name it
        choices = _calls.store_choices(given, if_exists, if_version, keep_versions, keep, json_default, timeout)
        step = StepData(session_id, step_id, html_content, screenshot_bytes, action_data, metadata, components)
        return await self._run(_calls.store_later(step, choices))

    async def store_steps(
        self,
        steps: Iterable[StepData] | AsyncIterable[StepData],
        *,
        if_exists: IfExists = "new_version",
        if_version: int | None = None,
        keep_versions: KeepVersions | None = None,
        keep: Keep | None = None,
        json_default: JsonDefault | None = None,
        timeout: float | None = 60.0,
    ) -> list[ReceiptOrError]:
        """Store many steps, several at a time.

        Args:
            steps: `StepData` each; taken bit by bit, so that a generator need not fit into memory.
            if_exists, if_version, keep_versions, keep, json_default: As of `store_step_data`, for all of them.
            timeout: Seconds for all of them; None: no limit.

        Returns:
            A `Receipt` per step in their order, or the exception (not raised) that kept the step from being stored.

        Raises:
            InvalidArgument: An option is wrong. Wrong ids and data fail their own item.
            TypeError: An item is no `StepData`. What was begun is stopped first.
            Closed: The manager was closed.

        Example:
            >>> steps = [stepstore.StepData("s", str(i), html_content="<p>") for i in range(3)]
            >>> [receipt.version for receipt in await store.store_steps(steps)]
            [1, 1, 1]
        """
        choices = _calls.store_choices(
            Arguments("store_steps"), if_exists, if_version, keep_versions, keep, json_default, timeout
        )

        async def calls() -> AsyncIterator[_calls.Call[Receipt] | StorageManagerError]:
            if isinstance(steps, AsyncIterable):
                async for step in steps:
                    yield _batches.storing_one(step, choices)
            else:
                for step in steps:
                    yield _batches.storing_one(step, choices)

        return await self._batch(calls())

    async def retrieve_step_data(
        self,
        session_id: str,
        step_id: str,
        *,
        version: int | None = None,
        legacy: bool = False,
        timeout: float | None = 60.0,
    ) -> Step:
        """Read a step, whole and verified.

        Args:
            session_id: The session.
            step_id: The step.
            version: A kept older version; None: the current one.
            legacy: Also read a folder without a manifest that is older than 24 hours.
            timeout: Seconds for the whole call; None: no limit.

        Raises:
            NotFound: There is no such step or version.
            Corrupt: Its bytes do not agree with its manifest.
            Archived: Its bytes lie in the bucket's cold storage.
            InvalidArgument: An id or the version is wrong.
            StorageManagerError: What every method may raise; the class says.

        Example:
            >>> _ = await store.store_step_data("s", "1", "<p>")
            >>> (await store.retrieve_step_data("s", "1")).html_content
            '<p>'
        """
        return await self._run(_calls.retrieve(session_id, step_id, version, legacy, timeout))

    async def retrieve_steps(
        self, steps: Iterable[tuple[str, str]], *, legacy: bool = False, timeout: float | None = 60.0
    ) -> list[StepOrError]:
        """Read many steps, several at a time.

        Args:
            steps: Pairs of session id and step id.
            legacy: As of `retrieve_step_data`.
            timeout: Seconds for all of them; None: no limit.

        Returns:
            A `Step` per pair in their order, or the exception (not raised) that kept it from being read.

        Raises:
            InvalidArgument: `timeout` is wrong. A wrong id fails its own item.
            TypeError, ValueError: An item is no pair of str. Nothing was read.
            Closed: The manager was closed.

        Example:
            >>> [type(result).__name__ for result in await store.retrieve_steps([("s", "none")])]
            ['NotFound']
        """

        async def calls() -> AsyncIterator[_calls.Call[Step] | StorageManagerError]:
            for call in _batches.retrieving(steps, legacy, timeout):
                yield call

        return await self._batch(calls())

    def stream_steps(
        self, steps: Iterable[tuple[str, str]], *, legacy: bool = False, timeout: float | None = 60.0
    ) -> AsyncIterator[StepOrError]:
        """Read many steps of any sessions, one result after the other; the next ones are read ahead.

        Unlike `retrieve_steps` it holds no more than `in_flight_bytes_max` of them.

        Args:
            steps: Pairs of session id and step id; taken bit by bit, so that a generator need not end.
            legacy: As of `retrieve_step_data`.
            timeout: Seconds for each step; None: no limit.

        Returns:
            An iterator with a `Step` per pair in their order, or the exception (not raised) that kept it from being
            read.

        Raises:
            InvalidArgument: `timeout` is wrong; raised at once. A wrong id fails its own item.
            TypeError, ValueError: An item is no pair of str; raised when its turn comes.
            Closed: The manager was closed.

        Example:
            >>> _ = await store.store_step_data("s", "1", "<p>")
            >>> [type(result).__name__ async for result in store.stream_steps([("s", "1"), ("s", "none")])]
            ['Step', 'NotFound']
        """
        return self._stream(_batches.streaming(steps, legacy, timeout))

    async def stat_step(
        self,
        session_id: str,
        step_id: str,
        *,
        version: int | None = None,
        legacy: bool = False,
        timeout: float | None = 60.0,
    ) -> StepInfo:
        """Read only a step's manifest. Arguments as of `retrieve_step_data`.

        Raises:
            NotFound: There is no such step or version.
            Corrupt: The manifest is damaged.
            InvalidArgument: An id or the version is wrong.
            StorageManagerError: What every method may raise; the class says.

        Example:
            >>> _ = await store.store_step_data("s", "1", "<p>")
            >>> [component.name for component in (await store.stat_step("s", "1")).components]
            ['html']
        """
        return await self._run(_calls.stat(session_id, step_id, version, legacy, timeout))

    # --- Listings ---

    async def list_sessions(
        self, *, prefix: str = "", after: str = "", limit: int | None = None, timeout: float | None = 60.0
    ) -> list[str]:
        """List the sessions, in the order of their encoded ids.

        Sessions are listed by their folders: one whose steps were all deleted singly is still listed.

        Args:
            prefix: Only ids that begin with it.
            after: Only what comes after this id.
            limit: At most so many; None: all.
            timeout: Seconds for the whole call; None: no limit.

        Raises:
            InvalidArgument: `limit` is below 1, or a text is no Unicode.
            StorageManagerError: What every method may raise; the class says.

        Example:
            >>> _ = await store.store_step_data("s", "1", "<p>")
            >>> await store.list_sessions()
            ['s']
        """
        return (await self._run(_calls.sessions("list_sessions", prefix, after, limit, timeout)))[0]

    def iter_sessions(self, *, prefix: str = "", timeout: float | None = 60.0) -> AsyncIterator[str]:
        """Go through the sessions, a thousand at a time, in the order of `list_sessions`.

        Args:
            prefix: Only ids that begin with it.
            timeout: Seconds for each thousand; None: no limit.

        Raises:
            InvalidArgument: The prefix or `timeout` is wrong; raised at once, others while it goes on.
            StorageManagerError: What every method may raise; the class says.

        Example:
            >>> [session async for session in store.iter_sessions()]
            []
        """
        first = _calls.sessions("iter_sessions", prefix, "", _calls.PAGE_IDS, timeout)
        return self._session_pages(first, prefix, timeout)

    async def _session_pages(
        self, call: _calls.Call[_calls.Page], prefix: str, timeout: float | None
    ) -> AsyncIterator[str]:
        while True:
            ids, after = await self._run(call)
            for session_id in ids:
                yield session_id
            if not after:
                return
            call = _calls.sessions("iter_sessions", prefix, after, _calls.PAGE_IDS, timeout)

    async def _steps_of(
        self, begin: _calls.Call[_core.RawCursor], session_id: str, timeout: float | None
    ) -> AsyncIterator[Step]:
        cursor = await self._run(begin)
        while (step := await self._run(_calls.next_of(cursor, session_id, timeout))) is not None:
            yield step

    async def _batch(self, calls: AsyncIterator[_calls.Call[T] | StorageManagerError]) -> list[T | StorageManagerError]:
        batch: Batch[T] = Batch(self._lane(), self._native)
        try:
            async for call in calls:
                await batch.add(call)
            return await batch.results()
        except GeneratorExit:  # its loop has ended: nobody may wait here
            batch.give_up()
            raise
        except BaseException:
            await batch.stop()
            raise

    async def _stream(self, calls: Iterator[_calls.Call[Step]]) -> AsyncIterator[StepOrError]:
        assert self._opened is not None
        async for result in stream(self._lane(), self._opened, calls):
            yield result

    async def list_steps_for_session(
        self,
        session_id: str,
        *,
        prefix: str = "",
        after: str = "",
        limit: int | None = None,
        legacy: bool = False,
        timeout: float | None = 60.0,
    ) -> list[str]:
        """List the committed steps of a session, in the order of their encoded ids. An unknown session has none.

        `list_steps` is the same.

        Args:
            session_id: The session.
            prefix, after, limit, timeout: As of `list_sessions`.
            legacy: Also folders without a manifest that are older than 24 hours.

        Raises:
            InvalidArgument: The id is wrong, `limit` is below 1, or a text is no Unicode.
            StorageManagerError: What every method may raise; the class says.

        Example:
            >>> _ = await store.store_step_data("s", "1", "<p>")
            >>> await store.list_steps_for_session("s")
            ['1']
        """
        return (await self._run(_calls.steps(session_id, prefix, after, limit, legacy, timeout)))[0]

    list_steps = list_steps_for_session

    def iter_steps(
        self,
        session_id: str,
        *,
        prefix: str = "",
        after: str = "",
        limit: int | None = None,
        legacy: bool = False,
        timeout: float | None = 60.0,
    ) -> AsyncIterator[Step]:
        """Read the steps of a session one after the other; the next ones are read ahead.

        What is deleted meanwhile is left out.

        Args:
            session_id, prefix, after, limit, legacy: As of `list_steps_for_session`.
            timeout: Seconds for each step; None: no limit.

        Raises:
            InvalidArgument: As of `list_steps_for_session`; raised at once.
            Corrupt, Archived: As of `retrieve_step_data`, when that step's turn comes.
            StorageManagerError: What every method may raise; the class says.

        Example:
            >>> _ = await store.store_step_data("s", "1", "<p>")
            >>> [step.step_id async for step in store.iter_steps("s")]
            ['1']
        """
        begin = _calls.iterate(session_id, prefix, after, limit, legacy, timeout)
        return self._steps_of(begin, session_id, timeout)

    # --- Deletion and care ---

    async def delete_step(self, session_id: str, step_id: str, *, timeout: float | None = 60.0) -> DeleteResult:
        """Delete a step with its older versions. Deleting what is not there succeeds.

        Args:
            session_id: The session.
            step_id: The step.
            timeout: Seconds for the whole call; None: no limit.

        Raises:
            Held: A hold protects the step or its session.
            InvalidArgument: An id is wrong.
            StorageManagerError: What every method may raise; the class says.

        Example:
            >>> _ = await store.store_step_data("s", "1", "<p>")
            >>> await store.delete_step("s", "1")
            DeleteResult(steps=1, objects=1)
        """
        return await self._run(_calls.delete_step(session_id, step_id, timeout))

    async def delete_session(self, session_id: str, *, timeout: float | None = 60.0) -> DeleteResult:
        """Delete all of a session. Recording may go on under the same id at once.

        Args:
            session_id: The session.
            timeout: Seconds for the whole call; None: no limit.

        Raises:
            Held: A hold protects the session or one of its steps.
            PartialFailure: Something could not be removed, after everything was tried. Call again.
            InvalidArgument: The id is wrong.
            StorageManagerError: What every method may raise; the class says.

        Example:
            >>> _ = await store.store_step_data("s", "1", "<p>")
            >>> (await store.delete_session("s")).steps
            1
        """
        return await self._run(_calls.delete_session(session_id, timeout))

    async def check(
        self, session_id: str | None = None, *, data: bool = False, timeout: float | None = 86400.0
    ) -> CheckReport:
        """Look for damage. Changes nothing.

        Args:
            session_id: One session; None: the whole store.
            data: Also read every component and compare its checksum.
            timeout: Seconds for the whole call, 24 hours by default; None: no limit.

        Raises:
            InvalidArgument: The id is wrong. Damage is no error: it is in the report.
            StorageManagerError: What every method may raise; the class says.

        Example:
            >>> (await store.check(data=True)).healthy
            True
        """
        return await self._run(_calls.check(session_id, data, timeout))

    async def doctor(self, *, thorough: bool = False, timeout: float | None = 600.0) -> DoctorReport:
        """Try out what the store really does, by small writes that are removed again.

        What it finds out about a bucket is kept there and used by every writer.

        Args:
            thorough: More questions and longer races: minutes where it takes seconds otherwise.
            timeout: Seconds for the whole call; None: no limit. What is not answered then is "unknown".

        Raises:
            InvalidArgument: `timeout` is wrong. What a store does not do is no error: it is in the report.
            StorageManagerError: What every method may raise, when nothing at all can be tried; the class says.

        Example:
            >>> (await store.doctor()).fit
            True
        """
        return await self._run(_calls.doctor(thorough, timeout))

    async def adopt(
        self, session_id: str | None = None, *, dry_run: bool = True, timeout: float | None = 86400.0
    ) -> AdoptReport:
        """Write manifests for folders of the older layout, 24 hours old at least. Moves nothing.

        Args:
            session_id: One session; None: every session.
            dry_run: Only say what would be done.
            timeout: Seconds for the whole call, 24 hours by default; None: no limit.

        Raises:
            InvalidArgument: The id is wrong.
            NoSpace: The disk is full. What was adopted before stays; call again.
            StorageManagerError: What every method may raise; the class says.

        Example:
            >>> (await store.adopt(dry_run=False)).adopted
            ()
        """
        return await self._run(_calls.adopt(session_id, dry_run, timeout))

    async def presign(
        self,
        session_id: str,
        step_id: str,
        component: str,
        *,
        method: Literal["GET", "PUT"] = "GET",
        expires: float | timedelta = 3600,
        version: int | None = None,
        content_type: str | None = None,
        content_disposition: str | None = None,
        timeout: float | None = 60.0,
    ) -> PresignedUrl:
        """Make a link to one component, for somebody without credentials. Only stores in S3 have links.

        Whoever has the URL can do what it says until it expires. An upload goes under the plain name of "html",
        "screenshot", "action" or "metadata" in the folder of a step that is not there yet; it can never replace
        anything, and `adopt()` makes a step of it a day later.

        Args:
            session_id: The session.
            step_id: The step.
            component: "html", "screenshot", "action" or a name of its own.
            method: "GET" to read it, "PUT" to upload it.
            expires: Seconds, or a `timedelta`: 1 second to 7 days. It ends earlier when the credentials do.
            version: "GET": a kept older version; None: the current one.
            content_type: "GET": what the answer says in place of what was stored. "PUT": what has to be sent; None:
                by the component's name.
            content_disposition: "GET": for example "attachment; filename=page.html".
            timeout: Seconds for the whole call; None: no limit.

        Raises:
            NotFound: "GET": there is no such step, version or component.
            AlreadyExists: "PUT": the step is there, or was deleted.
            InvalidArgument: An id, `expires` or another argument is wrong.
            Unsupported: The store is not in S3, its objects have a key of SSE-C, or, for an upload, the bucket does
                not enforce If-None-Match.
            StorageManagerError: What every method may raise; the class says.

        Example:
            >>> _ = await store.store_step_data("s", "1", "<p>")
            >>> try:
            ...     await store.presign("s", "1", "html")
            ... except stepstore.Unsupported as error:
            ...     print(error.message)
            only a store in S3 makes links
        """
        return await self._run(
            _calls.presign(
                session_id, step_id, component, method, expires, version, content_type, content_disposition, timeout
            )
        )

    def get_storage_info(self) -> StorageInfo:
        """Say where the store lies and what it promises. Asks nobody and does not fail, even when closed.

        Example:
            >>> store.get_storage_info().location
            'memory:'
        """
        return storage_info(self._native)

    # --- Its life ---

    async def aclose(self) -> None:
        """Wait for the calls of this loop that are on their way; later ones raise `Closed`. May be called twice.

        Example:
            >>> await store.aclose()
        """
        self._closed = True
        assert self._opened is not None
        await lane_of(self._opened).until_idle()
        self._native.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if self._opened is not None and not self._closed:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)

    def __repr__(self) -> str:
        return shown(self._opened, "aio.StorageManager")
