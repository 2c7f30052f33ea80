"""The blocking StorageManager."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

from stepstore import _core, _log, _s3_inputs
from stepstore._inputs import (
    Arguments,
    Components,
    Fields,
    Html,
    IfExists,
    JsonDefault,
    JsonLike,
    Keep,
    KeepVersions,
    Screenshot,
)
from stepstore._s3_inputs import Credentials
from stepstore._step import ReceiptOrError, Step, StepOrError
from stepstore._values import (
    AdoptReport,
    CheckReport,
    DeleteResult,
    Finding,
    Receipt,
    StepData,
    StepInfo,
    StorageInfo,
)
from stepstore.exceptions import StorageManagerError

_PAGE = 1000


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
        concurrency: Threads that a batch may use, the caller's included. Default 8.
        s3_bucket_name: The bucket, when no `uri` is given.
        s3_region_name: Its region. None: SM_S3_REGION, AWS_REGION, AWS_DEFAULT_REGION, the profile's, "us-east-1".
        s3_endpoint_url: The server, "https://host:port". None: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's,
            AWS.
        s3_profile: The profile of the shared AWS files, for credentials too. None: AWS_PROFILE, "default".
        credentials: Who signs: a mapping or an object with access_key_id, secret_access_key and session_token, or
            botocore's frozen credentials. Read once. None: the environment's, the profile's.
        prefer_s3: Where both a bucket and a directory are configured and no `uri` is given: True takes the bucket.

    Raises:
        ConfigError: The URI or an option is wrong.

    The store is not touched before the first call. Close the manager when done, or use it in a `with` statement.

    Example:
        >>> with StorageManager("memory:") as store:
        ...     store.list_sessions()
        []
    """

    _native: _core.Manager | None = None

    def __init__(
        self,
        uri: str | os.PathLike[str] | None = None,
        *,
        local_base_path: str | os.PathLike[str] | None = None,
        fsync: bool | None = None,
        keep_versions: KeepVersions = 1,
        concurrency: int = 8,
        s3_bucket_name: str | None = None,
        s3_region_name: str | None = None,
        s3_endpoint_url: str | None = None,
        s3_profile: str | None = None,
        credentials: Credentials | None = None,
        prefer_s3: bool = True,
    ) -> None:
        given = Arguments("StorageManager")
        place = given.place(uri, "uri")
        s3_names = (
            _s3_inputs.name(given, s3_bucket_name, "s3_bucket_name"),
            _s3_inputs.name(given, s3_region_name, "s3_region_name"),
            _s3_inputs.name(given, s3_endpoint_url, "s3_endpoint_url"),
            _s3_inputs.name(given, s3_profile, "s3_profile"),
        )
        settings = (
            given.place(local_base_path, "local_base_path"),
            given.flag(fsync, "fsync"),
            given.kept(keep_versions) or 1,
            given.concurrency(concurrency),
            s3_names,
            _s3_inputs.credentials(given, credentials),
            given.flag(prefer_s3, "prefer_s3") is not False,
        )
        _log.follow()
        self._native = _core.Manager(place or b"", *settings)
        self._closed = False

    @property
    def _open(self) -> _core.Manager:
        assert self._native is not None
        _log.follow()
        return self._native

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
            InvalidArgument: An id, name, JSON or option is wrong. Nothing was written.
            AlreadyExists: `if_exists="fail"`, and the step is there.
            Conflict: `if_version` is not the version that is there.
            NoSpace, TooLarge, Io, Timeout: The step is as it was before, unless `error.outcome_unknown`.

        Example:
            >>> store.store_step_data("login-test", "0001", "<p>", action_data={"type": "click"}).version
            1
        """
        given = Arguments("store_step_data")
        parts = (html_content, screenshot_bytes, action_data, metadata, components)
        fields = given.fields((session_id, step_id), parts, json_default)
        version = given.version(if_version, "if_version", 0)
        options = (given.if_exists(if_exists), version, given.kept(keep_versions, keep))
        return Receipt(*self._open.store(fields, *options, given.seconds(timeout)))

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
            steps: `StepData` each.
            if_exists, if_version, keep_versions, keep, json_default: As of `store_step_data`, for all of them.
            timeout: Seconds for all of them; None: no limit.

        Returns:
            A `Receipt` per step in their order, or the exception (not raised) that kept the step from being stored.

        Example:
            >>> steps = [stepstore.StepData("s", str(i), html_content="<p>") for i in range(3)]
            >>> [receipt.version for receipt in store.store_steps(steps)]
            [1, 1, 1]
        """
        given = Arguments("store_steps")
        version = given.version(if_version, "if_version", 0)
        options = (given.if_exists(if_exists), version, given.kept(keep_versions, keep))
        seconds = given.seconds(timeout)
        fields: list[Fields | StorageManagerError] = []
        for step in steps:
            if not isinstance(step, StepData):
                raise TypeError(f"a step is {type(step).__name__}, not StepData")
            parts = (step.html_content, step.screenshot_bytes, step.action_data, step.metadata, step.components)
            try:
                fields.append(given.fields((step.session_id, step.step_id), parts, json_default))
            except StorageManagerError as error:
                fields.append(error)
        good = [step_fields for step_fields in fields if not isinstance(step_fields, StorageManagerError)]
        results = iter(self._open.store_many(good, *options, seconds))
        out: list[ReceiptOrError] = []
        for step_fields in fields:
            result = step_fields if isinstance(step_fields, StorageManagerError) else next(results)
            out.append(Receipt(*result) if isinstance(result, tuple) else result)
        return out

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

        Example:
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> store.retrieve_step_data("s", "1").html_content
            '<p>'
        """
        given = Arguments("retrieve_step_data")
        ids = given.step(session_id, step_id)
        return Step(self._open.retrieve(*ids, given.version(version, "version", 1), legacy, given.seconds(timeout)))

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

        Example:
            >>> [type(result).__name__ for result in store.retrieve_steps([("s", "none")])]
            ['NotFound']
        """
        given = Arguments("retrieve_steps")
        names = [given.step(session, step) for session, step in steps]
        results = self._open.retrieve_many(names, legacy, given.seconds(timeout))
        return [Step(result) if isinstance(result, _core.RawStep) else result for result in results]

    def stat_step(
        self,
        session_id: str,
        step_id: str,
        *,
        version: int | None = None,
        legacy: bool = False,
        timeout: float | None = 60.0,
    ) -> StepInfo:
        """Read only a step's manifest. Arguments and errors as of `retrieve_step_data`.

        Example:
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> [component.name for component in store.stat_step("s", "1").components]
            ['html']
        """
        given = Arguments("stat_step")
        ids = given.step(session_id, step_id)
        number = given.version(version, "version", 1)
        return StepInfo._from_core(self._open.stat(*ids, number, legacy, given.seconds(timeout)))

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

        Example:
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> store.list_sessions()
            ['s']
        """
        given = Arguments("list_sessions")
        bounds = (given.text(prefix, "prefix"), given.text(after, "after"), given.limit(limit))
        return self._open.sessions(*bounds, given.seconds(timeout))[0]

    def iter_sessions(self, *, prefix: str = "", timeout: float | None = 60.0) -> Iterator[str]:
        """Go through the sessions page by page. `timeout`: seconds for each page.

        Example:
            >>> list(store.iter_sessions())
            []
        """
        given = Arguments("iter_sessions")
        text, seconds = given.text(prefix, "prefix"), given.seconds(timeout)
        return self._session_pages(text, seconds)

    def _session_pages(self, prefix: str, seconds: float) -> Iterator[str]:
        after = ""
        while True:
            ids, after = self._open.sessions(prefix, after, _PAGE, seconds)
            yield from ids
            if not after:
                return

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

        Arguments as of `list_sessions`; with `legacy`, folders without a manifest too.

        Example:
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> store.list_steps_for_session("s")
            ['1']
        """
        given = Arguments("list_steps_for_session")
        session = given.session(session_id)
        bounds = (given.text(prefix, "prefix"), given.text(after, "after"), given.limit(limit))
        return self._open.steps(session, *bounds, legacy, given.seconds(timeout))[0]

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
        """Read the steps of a session one after the other. `timeout`: seconds for each step.

        Example:
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> [step.step_id for step in store.iter_steps("s")]
            ['1']
        """
        given = Arguments("iter_steps")
        session = given.session(session_id)
        bounds = (given.text(prefix, "prefix"), given.text(after, "after"), given.limit(limit))
        return _steps(self._open.iterate(session, *bounds, legacy, given.seconds(timeout)))

    # --- Deletion and care ---

    def delete_step(self, session_id: str, step_id: str, *, timeout: float | None = 60.0) -> DeleteResult:
        """Delete a step. Deleting what is not there succeeds.

        Raises:
            Held: A hold protects the step or its session.

        Example:
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> store.delete_step("s", "1")
            DeleteResult(steps=1, objects=1)
        """
        given = Arguments("delete_step")
        ids = given.step(session_id, step_id)
        return DeleteResult(*self._open.delete_step(*ids, given.seconds(timeout)))

    def delete_session(self, session_id: str, *, timeout: float | None = 60.0) -> DeleteResult:
        """Delete all of a session. Recording may go on under the same id at once.

        Raises:
            Held: A hold protects the session or one of its steps.
            PartialFailure: Something could not be removed, after everything was tried. Call again.

        Example:
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> store.delete_session("s").steps
            1
        """
        given = Arguments("delete_session")
        return DeleteResult(*self._open.delete_session(given.session(session_id), given.seconds(timeout)))

    def check(
        self, session_id: str | None = None, *, data: bool = False, timeout: float | None = 86400.0
    ) -> CheckReport:
        """Look for damage. Changes nothing.

        Args:
            session_id: One session; None: the whole store.
            data: Also read every component and compare its checksum.
            timeout: Seconds for the whole call; None: no limit.

        Example:
            >>> store.check(data=True).healthy
            True
        """
        given = Arguments("check")
        raw = self._open.check(given.maybe_session(session_id), data, given.seconds(timeout))
        findings = tuple(Finding(*finding) for finding in raw.pop("findings"))
        return CheckReport(**raw, findings=findings)

    def adopt(
        self, session_id: str | None = None, *, dry_run: bool = True, timeout: float | None = 86400.0
    ) -> AdoptReport:
        """Write manifests for folders of the older layout, 24 hours old at least. Moves nothing.

        Args:
            session_id: One session; None: every session.
            dry_run: Only say what would be done.
            timeout: Seconds for the whole call; None: no limit.

        Example:
            >>> store.adopt(dry_run=False).adopted
            ()
        """
        given = Arguments("adopt")
        session = given.maybe_session(session_id)
        adopted, skipped = self._open.adopt(session, dry_run, given.seconds(timeout))
        return AdoptReport(tuple(adopted), tuple(Finding(*finding) for finding in skipped))

    def get_storage_info(self) -> StorageInfo:
        """Say where the store lies and what it promises.

        Example:
            >>> store.get_storage_info().location
            'memory:'
        """
        raw = self._open.info()
        return StorageInfo(**{**raw, "notes": tuple(raw["notes"])})

    # --- Its life ---

    def close(self) -> None:
        """Let running calls end; later ones raise `Closed`. May be called twice.

        Example:
            >>> store.close()
        """
        if self._native is not None:
            self._native.close()
            self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if self._native is not None and not self._closed:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)

    def __repr__(self) -> str:
        if self._native is None:
            return "<StorageManager>"
        info = self._native.info()
        return f"<StorageManager {info['location']!r} ({info['backend']})>"


def _steps(cursor: _core.RawCursor) -> Iterator[Step]:
    while True:
        _log.follow()
        raw = cursor.next()
        if raw is None:
            return
        yield Step(raw)
