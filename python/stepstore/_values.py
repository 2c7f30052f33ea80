"""What calls take and give."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepstore._inputs import Components, Html, JsonLike, Screenshot


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


@dataclass(frozen=True)
class StepData:
    """One step for `store_steps`. The fields are the arguments of `store_step_data`, and checked by `store_steps`.

    Example:
        >>> stepstore.StepData("login-test", "0001", html_content="<p>", action_data={"type": "click"}).step_id
        '0001'
    """

    session_id: str
    step_id: str
    html_content: Html = None
    screenshot_bytes: Screenshot = None
    action_data: JsonLike = None
    metadata: JsonLike = None
    components: Components = None


@dataclass(frozen=True)
class Receipt(Mapping[str, str]):
    """What a store call returns; also a mapping of `html_path`, `screenshot_path`, ... to keys in the store.

    Attributes:
        state: "committed": in the store itself.
        version: 1 for the first store of the step, one more for each later one.
        commit_id: ULID of this store call.
        skipped: True when `if_exists="skip_identical"` found the very same step and wrote nothing.
        paths: Component name to key.

    Example:
        >>> store.store_step_data("s", "1", "<p>")["html_path"]
        's/1/observation.html'
    """

    state: str
    version: int
    commit_id: str
    skipped: bool
    paths: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, key: str) -> str:
        if key.endswith("_path"):
            return self.paths[key.removesuffix("_path")]
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return (f"{name}_path" for name in self.paths)

    def __len__(self) -> int:
        return len(self.paths)


@dataclass(frozen=True)
class Attempt:
    """One try of a request over the network, in `attempts` of an error.

    Attributes:
        what: One line: what was tried, against what, how it ended, how long it took. `str()` of an attempt is this.
        request_id: The server's id of the request; "": it told none.
        peer: Address and port that were connected to, a proxy's where one is used; "": there was no connection.
        reused_connection: True when the connection had served before; False: a fresh one, or none.
        http_status: 0: no answer.
        connect: Seconds until a fresh connection stood, a proxy and TLS included; 0.0: it did not come so far, or the
            connection was not fresh.
        first_byte: Seconds until the first byte of the answer; 0.0: there was none.
        total: Seconds of the whole try.
        bytes_sent: Over HTTP, heads included.
        bytes_received: The same.

    Example:
        >>> nobody = stepstore.StorageManager("s3://bucket?endpoint=http://127.0.0.1:1&attempts_max=1", credentials={
        ...     "access_key_id": "id", "secret_access_key": "key"})
        >>> try:
        ...     nobody.list_sessions()
        ... except stepstore.Unavailable as error:
        ...     [(attempt.peer, attempt.http_status, attempt.bytes_sent) for attempt in error.attempts]
        [('127.0.0.1:1', 0, 0)]
    """

    what: str
    request_id: str = ""
    peer: str = ""
    reused_connection: bool = False
    http_status: int = 0
    connect: float = 0.0
    first_byte: float = 0.0
    total: float = 0.0
    bytes_sent: int = 0
    bytes_received: int = 0

    def __str__(self) -> str:
        return self.what


@dataclass(frozen=True)
class ComponentInfo:
    """What the manifest says of a component.

    Attributes:
        name: "html", "screenshot", "action", or its own.
        path: Its key relative to the step, e.g. "observation.html".
        content_type: For example "image/png".
        size: Bytes.
        crc64: CRC-64/NVME of the bytes, the value that S3 verifies.

    Example:
        >>> _ = store.store_step_data("s", "1", "<p>")
        >>> store.stat_step("s", "1").components[0].size
        3
    """

    name: str
    path: str
    content_type: str
    size: int
    crc64: int


@dataclass(frozen=True)
class StepInfo:
    """What the manifest says of a step.

    Attributes:
        session_id: As it was given.
        step_id: As it was given.
        version: 1 for the first store of the step, one more for each later one.
        commit_id: ULID of the store call; "" for a legacy step.
        created_at: Aware `datetime` in UTC, to the millisecond, by the recorder's clock.
        expires_at: The same, when it may be removed; None: never.
        path: Key of the step's folder in the store.
        legacy: True for a folder without a manifest, read with `legacy=True`.
        components: A `ComponentInfo` for each.

    Example:
        >>> _ = store.store_step_data("s", "1", "<p>")
        >>> store.stat_step("s", "1").version
        1
    """

    session_id: str
    step_id: str
    version: int
    commit_id: str
    created_at: datetime
    expires_at: datetime | None
    path: str
    legacy: bool
    components: tuple[ComponentInfo, ...]

    @classmethod
    def _from_core(cls, raw: dict[str, Any]) -> StepInfo:
        expires = raw["expires_at_ms"]
        return cls(
            session_id=raw["session_id"],
            step_id=raw["step_id"],
            version=raw["version"],
            commit_id=raw["commit_id"],
            created_at=_time(raw["created_at_ms"]),
            expires_at=None if expires is None else _time(expires),
            path=raw["path"],
            legacy=raw["legacy"],
            components=tuple(ComponentInfo(*fields) for fields in raw["components"]),
        )


@dataclass(frozen=True)
class DeleteResult:
    """What was deleted.

    Attributes:
        steps: Steps that were there and are gone.
        objects: Objects (files) removed; for a session with the manifests.

    Example:
        >>> store.delete_step("s", "1").steps
        0
    """

    steps: int
    objects: int


@dataclass(frozen=True)
class Finding:
    """One thing that `check()` found.

    Attributes:
        kind: "missing" and "corrupt" are damage; "orphan", "foreign" and "unfinished" are not.
        key: The object concerned.
        message: What is wrong with it.

    Example:
        >>> store.check().findings
        ()
    """

    kind: str
    key: str
    message: str


@dataclass(frozen=True)
class CheckReport:
    """What `check()` saw.

    Attributes:
        sessions: Number of sessions.
        steps: Number of steps with a manifest.
        legacy_steps: Number of steps without one.
        components: Number of components that manifests name.
        bytes: Bytes of these components.
        data_verified: True when all of them were read and compared.
        healthy: False when a live step is damaged.
        findings: What is damaged or odd.

    Example:
        >>> store.check().healthy
        True
    """

    sessions: int
    steps: int
    legacy_steps: int
    components: int
    bytes: int
    data_verified: bool
    healthy: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class AdoptReport:
    """What `adopt()` did, or with `dry_run` would do.

    Attributes:
        adopted: Pairs of session id and step id.
        skipped: What was left alone, and why.

    Example:
        >>> store.adopt().adopted
        ()
    """

    adopted: tuple[tuple[str, str], ...]
    skipped: tuple[Finding, ...]


@dataclass(frozen=True)
class DoctorRow:
    """One question that `doctor()` asked a store, and its answer.

    Attributes:
        area: What it is about; the rows of one area follow each other.
        name: The question's name, the same in every release.
        tried: What was done to find out.
        verdict: "yes", "no", "partly", or "unknown": it failed for a moment, or does not arise.
        seen: What the store did.
        advice: What to do about it; empty: nothing.
        needed: True: unless the verdict is "yes", the store is not fit.

    Example:
        >>> [row.verdict for row in store.doctor().rows if row.name == "put-get"]
        ['yes']
    """

    area: str
    name: str
    tried: str
    verdict: str
    seen: str
    advice: str
    needed: bool


@dataclass(frozen=True)
class DoctorReport:
    """What `doctor()` found out.

    Attributes:
        location: An absolute path or a URI, without secrets.
        server: What the server calls itself; empty: it does not, or there is none.
        fit: True when the store does all that stepstore's promises need.
        rows: The questions and their answers.
        notes: Promises that are weaker here, and why.
        left_behind: What was written for the trial and could not be removed: keys and reasons.

    Example:
        >>> report = store.doctor()
        >>> report.fit, report.left_behind
        (True, ())
    """

    location: str
    server: str
    fit: bool
    rows: tuple[DoctorRow, ...]
    notes: tuple[str, ...]
    left_behind: tuple[str, ...]


@dataclass(frozen=True)
class StorageInfo:
    """Where a store lies and what it promises.

    Attributes:
        backend: "local", "s3" or "memory".
        location: An absolute path or a URI, without secrets.
        stack: The layers of the store, outermost first.
        format: The format that this release writes.
        reason: Why this store was chosen.
        durable: True when an acknowledged step survives a crash of the machine.
        fsync: False when that was switched off.
        notes: Weaker promises and their reasons.

    Example:
        >>> store.get_storage_info().backend
        'memory'
    """

    backend: str
    location: str
    stack: str
    format: str
    reason: str
    durable: bool
    fsync: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class PresignedUrl:
    """A link that `presign()` made. Whoever has its URL can do what it says, so `repr()` leaves that out.

    Attributes:
        url: Works without credentials until it expires.
        method: "GET" or "PUT".
        headers: To be sent with it as they stand.
        expires_at: Aware `datetime` in UTC: when it ends indeed, as far as that is known.
        key: Of the object, in the store.
        note: Why it ends before the time that was asked for, or may; else "".

    Example:
        >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
        >>> stepstore.PresignedUrl("https://example.com/?X-Amz-Signature=1", "GET", {}, noon, "s/1/a", "").method
        'GET'
    """

    url: str = field(repr=False)
    method: str
    headers: dict[str, str]
    expires_at: datetime
    key: str
    note: str

    @classmethod
    def _from_core(cls, raw: tuple[str, str, dict[str, str], int, str, str]) -> PresignedUrl:
        url, method, headers, expires, key, note = raw
        return cls(url, method, headers, _time(expires), key, note)


@dataclass(frozen=True)
class S3ObjectSettings:
    """How objects are kept in S3. What is None or empty is not asked for: the bucket's own settings then count.

    All of it is checked when the manager is made. A parameter of the same name in the URI goes before the field.

    Attributes:
        checksum: What goes with the bytes of each write: "auto", "crc64nvme", "crc32c", "md5" or "none". None: "auto",
            which begins with crc64nvme and takes the next one where the server refuses the header.
        sse: Encryption by the server: "AES256", "aws:kms" or "aws:kms:dsse".
        sse_kms_key_id: Id, ARN or alias of the key; None: the account's own.
        sse_bucket_key: Fewer requests to KMS; None: as the bucket says.
        sse_context: Of KMS: names and values of printable ASCII, no secret.
        sse_c_key: A key of one's own (SSE-C): 32 bytes, or their base64. Without it nobody can read the objects again.
            Not shown by `repr()`.
        sse_c_key_file: A file that holds it.
        require_sse: Refuse a server that does not say that an object is encrypted, before anything is stored.
        storage_class: Of components; manifests stay in STANDARD.
        expected_bucket_owner: An account's 12 digits.
        tags: Of components; at most 10.

    Example:
        >>> stepstore.S3ObjectSettings(sse="aws:kms", require_sse=True, tags={"team": "qa"}).sse
        'aws:kms'
    """

    checksum: str | None = None
    sse: str | None = None
    sse_kms_key_id: str | None = None
    sse_bucket_key: bool | None = None
    sse_context: Mapping[str, str] | None = None
    sse_c_key: bytes | str | None = field(default=None, repr=False)
    sse_c_key_file: str | os.PathLike[str] | None = None
    require_sse: bool | None = None
    storage_class: str | None = None
    expected_bucket_owner: str | None = None
    tags: Mapping[str, str] | None = None
