"""The blocking StorageManager."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Literal, Self

from stepstore import _core, _inputs, _log
from stepstore._inputs import Components, Html, JsonDefault, JsonLike, Screenshot
from stepstore._values import (
    AdoptReport,
    CheckReport,
    DeleteResult,
    Finding,
    Receipt,
    ReceiptOrError,
    Step,
    StepData,
    StepInfo,
    StepOrError,
    StorageInfo,
)
from stepstore.exceptions import ConfigError, StorageManagerError, from_core

IfExists = Literal["new_version", "fail", "skip_identical"]
KeepVersions = int | Literal["all"]

_IF_EXISTS = {"new_version": 0, "fail": 1, "skip_identical": 2}
_KEEP_ALL = 2**32 - 1
_PAGE = 1000


def _choice(value: str) -> int:
    if value not in _IF_EXISTS:
        raise _inputs.invalid("", "", f"if_exists is {value!r}", f"Use one of {', '.join(_IF_EXISTS)}.")
    return _IF_EXISTS[value]


def _kept(keep_versions: KeepVersions | None, keep: str | None = None) -> int | None:
    if keep is not None:
        if keep != "critical":
            raise _inputs.invalid("", "", f"keep is {keep!r}", 'Use "critical", or keep_versions=.')
        return _KEEP_ALL
    if keep_versions is None or keep_versions == "all":
        return None if keep_versions is None else _KEEP_ALL
    if not isinstance(keep_versions, int) or not 1 <= keep_versions <= _KEEP_ALL:
        raise _inputs.invalid("", "", f"keep_versions is {keep_versions!r}", 'Use a number from 1, or "all".')
    return keep_versions


class StorageManager:
    """Stores the steps of recorded sessions and gets them back. Thread-safe; usable after `os.fork()`.

    A step is there whole or not at all, for every reader at every moment; what a store call has acknowledged is not lost.

    Args:
        uri: A path, "file:///path", "memory:" (private) or "memory:name" (shared in the process). None: `local_base_path`,
            else SM_LOCAL_BASE_PATH, else "./.storage_data".
        local_base_path: The directory, when no `uri` is given.
        fsync: False: do not wait for the disk; a crash of the machine may lose steps. For tests. Default True.
        keep_versions: How many versions of a step stay readable, the current one included: a number from 1 (the default)
            or "all".
        concurrency: Threads that a batch may use, the caller's included. Default 8.
        s3_bucket_name: Not in this release.
        s3_region_name: Not in this release.
        prefer_s3: Not in this release; False is accepted.

    Raises:
        ConfigError: The URI or an option is wrong.
        Unsupported: S3 is asked for.

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
        prefer_s3: bool = False,
    ) -> None:
        if s3_bucket_name or s3_region_name or prefer_s3:
            message, advice = "this release does not store on S3 yet", "Pass a path as uri or local_base_path."
            text = f"ConfigError in StorageManager: {message}. {advice}"
            raise from_core("ConfigError", text, message, "StorageManager", "", advice, False, False, 0, "", [], None)
        if not isinstance(concurrency, int) or not 1 <= concurrency <= 1024:
            raise ConfigError(f"concurrency is {concurrency!r}. Use a number from 1 to 1024.")
        _log.follow()
        self._native = _core.Manager(
            b"" if uri is None else os.fsencode(uri),
            None if local_base_path is None else os.fsencode(local_base_path),
            fsync,
            _kept(keep_versions) or 1,
            concurrency,
        )
        self._closed = False

    @property
    def _open(self) -> _core.Manager:
        assert self._native is not None
        _log.follow()
        return self._native

    # --- Steps ---

    def store_step_data(
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
        keep: Literal["critical"] | None = None,
        json_default: JsonDefault | None = None,
        timeout: float = 60.0,
    ) -> Receipt:
        """Store a step: all of it or nothing. After it returns, every reader sees it and a crash does not lose it.

        Args:
            session_id: Any non-empty text whose encoded form has at most 200 bytes.
            step_id: The same.
            html_content: The page: str (stored as UTF-8) or bytes in any encoding, kept as they are.
            screenshot_bytes: PNG, JPEG and WebP are recognised; or a `pathlib.Path` of a file.
            action_data: Anything JSON-like; bytes are taken as JSON text and kept to the byte.
            metadata: The same.
            components: Any number of further parts by name: bytes, str, a `pathlib.Path` (large files are streamed), or a
                pair of one of these and a content type.
            if_exists: What to do when the step is there: make the next version, fail, or skip when every byte is the same.
            if_version: Store only over this version; 0: only a new step.
            keep_versions: How many versions stay readable; "all" keeps every one. Default: the manager's.
            keep: "critical" is another way to say `keep_versions="all"`.
            json_default: As `default` of `json.dumps`.
            timeout: Seconds for the whole call.

        Raises:
            InvalidArgument: An id, name, JSON or option is wrong. Nothing was written.
            AlreadyExists: `if_exists="fail"`, and the step is there.
            Conflict: `if_version` is not the version that is there.
            NoSpace, TooLarge, Io, Timeout: The step is as it was before, unless `error.outcome_unknown`.

        Example:
            >>> store.store_step_data("login-test", "0001", "<p>", action_data={"type": "click"}).version
            1
        """
        fields = _inputs.fields(
            session_id, step_id, html_content, screenshot_bytes, action_data, metadata, components, json_default
        )
        options = (_choice(if_exists), if_version, _kept(keep_versions, keep))
        return Receipt(*self._open.store(fields, *options, timeout))

    def store_steps(
        self,
        steps: Iterable[StepData],
        *,
        if_exists: IfExists = "new_version",
        if_version: int | None = None,
        keep_versions: KeepVersions | None = None,
        json_default: JsonDefault | None = None,
        timeout: float = 60.0,
    ) -> list[ReceiptOrError]:
        """Store many steps, several at a time.

        Args:
            steps: `StepData` each.
            if_exists, if_version, keep_versions, json_default: As of `store_step_data`, for all of them.
            timeout: Seconds for all of them.

        Returns:
            A `Receipt` per step in their order, or the exception (not raised) that kept the step from being stored.

        Example:
            >>> steps = [stepstore.StepData("s", str(i), html_content="<p>") for i in range(3)]
            >>> [receipt.version for receipt in store.store_steps(steps)]
            [1, 1, 1]
        """
        fields: list[_inputs.Fields | StorageManagerError] = []
        for step in steps:
            try:
                fields.append(
                    _inputs.fields(
                        step.session_id,
                        step.step_id,
                        step.html_content,
                        step.screenshot_bytes,
                        step.action_data,
                        step.metadata,
                        step.components,
                        json_default,
                    )
                )
            except StorageManagerError as error:
                fields.append(error)
        good = [step for step in fields if not isinstance(step, StorageManagerError)]
        options = (_choice(if_exists), if_version, _kept(keep_versions))
        results = iter(self._open.store_many(good, *options, timeout))
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
        timeout: float = 60.0,
    ) -> Step:
        """Read a step, whole and verified.

        Args:
            session_id: The session.
            step_id: The step.
            version: A kept older version; None: the current one.
            legacy: Also read a folder without a manifest that is older than 24 hours.
            timeout: Seconds for the whole call.

        Raises:
            NotFound: There is no such step or version.
            Corrupt: Its bytes do not agree with its manifest.

        Example:
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> store.retrieve_step_data("s", "1").html_content
            '<p>'
        """
        ids = (_inputs.require_id(session_id, "session_id"), _inputs.require_id(step_id, "step_id"))
        return Step(self._open.retrieve(*ids, version, legacy, timeout))

    def retrieve_steps(
        self, steps: Iterable[tuple[str, str]], *, legacy: bool = False, timeout: float = 60.0
    ) -> list[StepOrError]:
        """Read many steps, several at a time.

        Args:
            steps: Pairs of session id and step id.
            legacy: As of `retrieve_step_data`.
            timeout: Seconds for all of them.

        Returns:
            A `Step` per pair in their order, or the exception (not raised) that kept it from being read.

        Example:
            >>> [type(result).__name__ for result in store.retrieve_steps([("s", "none")])]
            ['NotFound']
        """
        names = [(_inputs.require_id(a, "session_id"), _inputs.require_id(b, "step_id")) for a, b in steps]
        results = self._open.retrieve_many(names, legacy, timeout)
        return [Step(result) if isinstance(result, _core.RawStep) else result for result in results]

    def stat_step(
        self, session_id: str, step_id: str, *, version: int | None = None, legacy: bool = False, timeout: float = 60.0
    ) -> StepInfo:
        """Read only a step's manifest. Arguments and errors as of `retrieve_step_data`.

        Example:
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> [component.name for component in store.stat_step("s", "1").components]
            ['html']
        """
        ids = (_inputs.require_id(session_id, "session_id"), _inputs.require_id(step_id, "step_id"))
        return StepInfo._from_core(self._open.stat(*ids, version, legacy, timeout))

    # --- Listings ---

    def list_sessions(
        self, *, prefix: str = "", after: str = "", limit: int | None = None, timeout: float = 60.0
    ) -> list[str]:
        """List the sessions, in the order of their encoded ids.

        Sessions are listed by their folders: one whose steps were all deleted singly is still listed.

        Args:
            prefix: Only ids that begin with it.
            after: Only what comes after this id.
            limit: At most so many; None: all.
            timeout: Seconds for the whole call.

        Example:
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> store.list_sessions()
            ['s']
        """
        ids: list[str] = self._open.sessions(prefix, after, _limit(limit), timeout)[0]
        return ids

    def iter_sessions(self, *, prefix: str = "", timeout: float = 60.0) -> Iterator[str]:
        """Go through the sessions page by page. `timeout`: seconds for each page.

        Example:
            >>> list(store.iter_sessions())
            []
        """
        after = ""
        while True:
            ids, after = self._open.sessions(prefix, after, _PAGE, timeout)
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
        timeout: float = 60.0,
    ) -> list[str]:
        """List the committed steps of a session, in the order of their encoded ids. An unknown session has none.

        Arguments as of `list_sessions`; with `legacy`, folders without a manifest too.

        Example:
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> store.list_steps_for_session("s")
            ['1']
        """
        session = _inputs.require_id(session_id, "session_id")
        ids: list[str] = self._open.steps(session, prefix, after, _limit(limit), legacy, timeout)[0]
        return ids

    list_steps = list_steps_for_session

    def iter_steps(
        self,
        session_id: str,
        *,
        prefix: str = "",
        after: str = "",
        limit: int | None = None,
        legacy: bool = False,
        timeout: float = 60.0,
    ) -> Iterator[Step]:
        """Read the steps of a session one after the other. `timeout`: seconds for each step.

        Example:
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> [step.step_id for step in store.iter_steps("s")]
            ['1']
        """
        session = _inputs.require_id(session_id, "session_id")
        cursor = self._open.iterate(session, prefix, after, _limit(limit), legacy, timeout)
        return _steps(cursor)

    # --- Deletion and care ---

    def delete_step(self, session_id: str, step_id: str, *, timeout: float = 60.0) -> DeleteResult:
        """Delete a step. Deleting what is not there succeeds.

        Raises:
            Held: A hold protects the step or its session.

        Example:
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> store.delete_step("s", "1")
            DeleteResult(steps=1, objects=1)
        """
        ids = (_inputs.require_id(session_id, "session_id"), _inputs.require_id(step_id, "step_id"))
        return DeleteResult(*self._open.delete_step(*ids, timeout))

    def delete_session(self, session_id: str, *, timeout: float = 60.0) -> DeleteResult:
        """Delete all of a session. Recording may go on under the same id at once.

        Raises:
            Held: A hold protects the session or one of its steps.
            PartialFailure: Something could not be removed, after everything was tried. Call again.

        Example:
            >>> _ = store.store_step_data("s", "1", "<p>")
            >>> store.delete_session("s").steps
            1
        """
        return DeleteResult(*self._open.delete_session(_inputs.require_id(session_id, "session_id"), timeout))

    def check(self, session_id: str | None = None, *, data: bool = False, timeout: float = 86400.0) -> CheckReport:
        """Look for damage. Changes nothing.

        Args:
            session_id: One session; None: the whole store.
            data: Also read every component and compare its checksum.
            timeout: Seconds for the whole call.

        Example:
            >>> store.check(data=True).healthy
            True
        """
        raw = self._open.check(session_id, data, timeout)
        findings = tuple(Finding(*finding) for finding in raw.pop("findings"))
        return CheckReport(**raw, findings=findings)

    def adopt(self, session_id: str | None = None, *, dry_run: bool = True, timeout: float = 86400.0) -> AdoptReport:
        """Write manifests for folders of the older layout, 24 hours old at least. Moves nothing.

        Args:
            session_id: One session; None: every session.
            dry_run: Only say what would be done.
            timeout: Seconds for the whole call.

        Example:
            >>> store.adopt(dry_run=False).adopted
            ()
        """
        adopted, skipped = self._open.adopt(session_id, dry_run, timeout)
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


def _limit(limit: int | None) -> int:
    if limit is None:
        return 0
    if limit < 1:
        raise _inputs.invalid("", "", f"limit is {limit}", "Use a number from 1, or None for all.")
    return limit


def _steps(cursor: _core.RawCursor) -> Iterator[Step]:
    while True:
        _log.follow()
        raw = cursor.next()
        if raw is None:
            return
        yield Step(raw)
