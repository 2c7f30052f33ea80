"""The blocking StorageManager."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from datetime import timedelta
from types import TracebackType
from typing import Literal, Self, TypeVar

from stepstore import _batches, _calls, _core, _log, _window
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
from stepstore._s3_inputs import Credentials, Path, Reach
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
from stepstore.exceptions import Unauthenticated

T = TypeVar("T")


class StorageManager:
    """Stores the steps of recorded sessions and gets them back. Thread-safe; usable after `os.fork()`.

    A step is there whole or not at all, for every reader at every moment; what a store call has acknowledged is not
    lost.

    Args:
        uri: A path, "file:///path", "memory:" (private), "memory:name" (shared in the process), or
            "s3://bucket/prefix?region=...&endpoint=...". None: the bucket of `s3_bucket_name` or SM_S3_BUCKET_NAME;
            else the directory of `local_base_path` or SM_LOCAL_BASE_PATH; else "./.storage_data".
        local_base_path: The directory, when no `uri` is given.
        fsync: False: do not wait for the disk; a crash of the machine may lose steps. For tests. Default True.
        keep_versions: How many versions of a step stay readable, the current one included: a number from 1 (the
            default) or "all".
        concurrency: Steps that batches, `iter_steps` and calls of asyncio do at the same time, each on a thread that
            is started when it is needed. Default 16.
        in_flight_bytes_max: Bytes of steps that they hold at the same time; a larger step goes alone. Default 256 MiB.
        s3_bucket_name: The bucket, when no `uri` is given.
        s3_region_name: Its region. None: SM_S3_REGION, AWS_REGION, AWS_DEFAULT_REGION, the profile's, "us-east-1".
        s3_endpoint_url: The server, "https://host:port". None: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's,
            AWS.
        s3_profile: The profile of the shared AWS files, for credentials too. None: AWS_PROFILE, "default".
        credentials: Who signs: a mapping or an object with access_key_id, secret_access_key and session_token, or
            botocore's frozen credentials, read once; or a function that gives these, perhaps with `expiry_time` or
            `expires_at` (a datetime, or ISO 8601 text), and is called again ahead of that time. None: the
            environment's, the profile's, the machine's.
        s3_anonymous: True: requests are not signed, for buckets that anybody may read.
        allow_http: True: requests may go without TLS to another machine.
        ca_file: A PEM file, or a directory as `openssl rehash` makes it, with the CAs to trust. None: AWS_CA_BUNDLE,
            the profile's, the system's.
        proxy: "http://user:password@host:port", for all requests but those to this machine; "none" for the direct way.
            None: https_proxy, HTTPS_PROXY, http_proxy, all_proxy, ALL_PROXY.
        no_proxy: Hosts that are reached without it, e.g. "example.com,10.0.0.0/8". None: no_proxy, NO_PROXY.
        connect_timeout: Seconds for TCP, a proxy and TLS, of each try of a request. None: 5.
        first_byte_timeout: Seconds from the end of a request to the first byte of its answer. None: 10.
        stall_timeout: Seconds of silence in the middle of a request or an answer. None: 10.
        total_timeout: Seconds for one try of a request, all of it. None: no limit but the call's.
        attempts_max: Tries of one request, 1 to 100. None: AWS_MAX_ATTEMPTS, the profile's, 8.
        prefer_s3: Where both a bucket and a directory are configured and no `uri` is given: True takes the bucket.
        s3_objects: `S3ObjectSettings`: checksums, encryption, storage class, owner and tags of what is kept in S3.

    Raises:
        ConfigError: The URI, a path, a name, the credentials, a proxy or a time are wrong.
        InvalidArgument: A number is out of its bounds.
        TypeError: An argument has a wrong type.

    Every method but `get_storage_info` and `close` may raise:
        Timeout: The time given was over.
        Closed: The manager was closed.
        PermissionDenied, Unauthenticated: The store refuses this user, or the credentials.
        Unavailable, Throttled: The store cannot be reached, or asks to slow down; it was tried several times.
        Io: The disk or the network failed.
        Corrupt, Unsupported: One of the store's own documents is damaged, or made by a later release.
        ConfigError: There can be no store: a file is in the way, or there is no such bucket.
        TypeError: An argument has a wrong type. All the others are a `StorageManagerError`.

    The store is not touched before the first call. Close the manager when done, or use it in a `with` statement.

    Example:
        >>> with StorageManager("memory:") as store:
        ...     store.list_sessions()
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
        credentials: Credentials | None = None,
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
    def _open(self) -> Opened:
        assert self._opened is not None
        _log.follow()
        return self._opened

    def _run(self, call: _calls.Call[T]) -> T:
        opened = self._open
        renewal = opened.renewal
        if renewal is None:
            return call.finish(call.start(opened.core))
        renewal.ensure(opened.core, call.deadline.left())
        try:
            return call.finish(call.start(opened.core))
        except Unauthenticated as error:
            if not renewal.may_help(error):
                raise
        renewal.ensure(opened.core, call.deadline.left())
        return call.finish(call.start(opened.core))

    # --- Steps ---

    def store_step_data(  # noqa: PLR0917
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
            >>> store.store_step_data("login-test", "0001", "<p>", action_data={"type": "click"}).version
            1
        """
        given = Arguments("store_step_data")
        given.step(session_id, step_id)  # first, so that errors name it
        choices = _calls.store_choices(given, if_exists, if_version, keep_versions, keep, json_default, timeout)
        step = StepData(session_id, step_id, html_content, screenshot_bytes, action_data, metadata, components)
        return self._run(_calls.store(step, choices))

    def store_steps(
        self,
        steps: Iterable[StepData],
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

        Example:
            >>> steps = [stepstore.StepData("s", str(i), html_content="<p>") for i in range(3)]
            >>> [receipt.version for receipt in store.store_steps(steps)]
            [1, 1, 1]
        """
        choices = _calls.store_choices(
            Arguments("store_steps"), if_exists, if_version, keep_versions, keep, json_default, timeout
        )
        return _window.run("store_steps", self._open, _batches.storing(steps, choices))

    def retrieve_step_data(
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
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> store.retrieve_step_data("s", "1").html_content
            '<p>'
        """
        return self._run(_calls.retrieve(session_id, step_id, version, legacy, timeout))

    def retrieve_steps(
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

        Example:
            >>> [type(result).__name__ for result in store.retrieve_steps([("s", "none")])]
            ['NotFound']
        """
        return _window.run("retrieve_steps", self._open, _batches.retrieving(steps, legacy, timeout))

    def stream_steps(
        self, steps: Iterable[tuple[str, str]], *, legacy: bool = False, timeout: float | None = 60.0
    ) -> Iterator[StepOrError]:
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
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> [type(result).__name__ for result in store.stream_steps([("s", "1"), ("s", "none")])]
            ['Step', 'NotFound']
        """
        return _window.stream(self._open, _batches.streaming(steps, legacy, timeout))

    def stat_step(
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
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> [component.name for component in store.stat_step("s", "1").components]
            ['html']
        """
        return self._run(_calls.stat(session_id, step_id, version, legacy, timeout))

    # --- Listings ---

    def list_sessions(
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
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> store.list_sessions()
            ['s']
        """
        return self._run(_calls.sessions("list_sessions", prefix, after, limit, timeout))[0]

    def iter_sessions(self, *, prefix: str = "", timeout: float | None = 60.0) -> Iterator[str]:
        """Go through the sessions, a thousand at a time, in the order of `list_sessions`.

        Args:
            prefix: Only ids that begin with it.
            timeout: Seconds for each thousand; None: no limit.

        Raises:
            InvalidArgument: The prefix or `timeout` is wrong; raised at once, others while it goes on.
            StorageManagerError: What every method may raise; the class says.

        Example:
            >>> list(store.iter_sessions())
            []
        """
        first = _calls.sessions("iter_sessions", prefix, "", _calls.PAGE_IDS, timeout)
        return self._session_pages(first, prefix, timeout)

    def _session_pages(self, call: _calls.Call[_calls.Page], prefix: str, timeout: float | None) -> Iterator[str]:
        while True:
            ids, after = self._run(call)
            yield from ids
            if not after:
                return
            call = _calls.sessions("iter_sessions", prefix, after, _calls.PAGE_IDS, timeout)

    def _steps_of(self, cursor: _core.RawCursor, session_id: str, timeout: float | None) -> Iterator[Step]:
        while (step := self._run(_calls.next_of(cursor, session_id, timeout))) is not None:
            yield step

    def list_steps_for_session(
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
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> store.list_steps_for_session("s")
            ['1']
        """
        return self._run(_calls.steps(session_id, prefix, after, limit, legacy, timeout))[0]

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
    ) -> Iterator[Step]:
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
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> [step.step_id for step in store.iter_steps("s")]
            ['1']
        """
        begun = self._run(_calls.iterate(session_id, prefix, after, limit, legacy, timeout))
        return self._steps_of(begun, session_id, timeout)

    # --- Deletion and care ---

    def delete_step(self, session_id: str, step_id: str, *, timeout: float | None = 60.0) -> DeleteResult:
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
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> store.delete_step("s", "1")
            DeleteResult(steps=1, objects=1)
        """
        return self._run(_calls.delete_step(session_id, step_id, timeout))

    def delete_session(self, session_id: str, *, timeout: float | None = 60.0) -> DeleteResult:
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
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> store.delete_session("s").steps
            1
        """
        return self._run(_calls.delete_session(session_id, timeout))

    def check(
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
            >>> store.check(data=True).healthy
            True
        """
        return self._run(_calls.check(session_id, data, timeout))

    def doctor(self, *, thorough: bool = False, timeout: float | None = 600.0) -> DoctorReport:
        """Try out what the store really does, by small writes that are removed again.

        What it finds out about a bucket is kept there and used by every writer.

        Args:
            thorough: More questions and longer races: minutes where it takes seconds otherwise.
            timeout: Seconds for the whole call; None: no limit. What is not answered then is "unknown".

        Raises:
            InvalidArgument: `timeout` is wrong. What a store does not do is no error: it is in the report.
            StorageManagerError: What every method may raise, when nothing at all can be tried; the class says.

        Example:
            >>> store.doctor().fit
            True
        """
        return self._run(_calls.doctor(thorough, timeout))

    def adopt(
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
            >>> store.adopt(dry_run=False).adopted
            ()
        """
        return self._run(_calls.adopt(session_id, dry_run, timeout))

    def presign(
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
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> try:
            ...     store.presign("s", "1", "html")
            ... except stepstore.Unsupported as error:
            ...     print(error.message)
            only a store in S3 makes links
        """
        return self._run(
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
        return storage_info(self._open.core)

    # --- Its life ---

    def close(self) -> None:
        """Let running calls end; later ones raise `Closed`. May be called twice.

        Example:
            >>> store.close()
        """
        if self._opened is not None:
            self._opened.core.close()
            self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if self._opened is not None and not self._closed:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)

    def __repr__(self) -> str:
        return shown(self._opened, "StorageManager")
