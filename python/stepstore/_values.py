"""What calls take and give."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from stepstore import _core
from stepstore.exceptions import StorageManagerError

if TYPE_CHECKING:
    from stepstore._inputs import Components, Html, JsonLike, Screenshot


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


@dataclass(frozen=True)
class StepData:
    """One step for `store_steps`. The fields are the arguments of `store_step_data`.

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
        version: Counts from 1.
        commit_id: ULID of the store call; "" for a legacy step.
        created_at: Aware `datetime` in UTC, by the recorder's clock.
        expires_at: Aware `datetime`, or None.
        path: Key of the step's folder in the store.
        legacy: True for a folder without a manifest, read with `legacy=True`.
        components: One `ComponentInfo` each.

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


_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def _decode_html(html: bytes) -> str:
    """As browsers do: a byte order mark, else what <meta charset> says near the top, else UTF-8. Never fails."""
    for mark, encoding in _MARKS:
        if html.startswith(mark):
            return html[len(mark) :].decode(encoding, "replace")
    declared = _CHARSET.search(html[:1024])
    if declared:
        try:
            name = codecs.lookup(declared[1].decode("ascii")).name
            # A page that can say so in ASCII is not in UTF-16 or UTF-32, whatever it says.
            if not name.startswith(("utf-16", "utf-32")):
                return html.decode(name, "replace")
        except (LookupError, ValueError):
            pass  # no encoding of text that Python knows
    return html.decode("utf-8", "replace")


class Step:
    """A step that was read: whole, and every byte verified. Unpacks into html, screenshot and action.

    What is absent is None. Bytes are handed over when they are asked for, text and JSON are decoded then.

    Example:
        >>> _ = store.store_step_data("s", "1", "<p>", b"picture", {"type": "click"}, {"url": "x"})
        >>> html, screenshot, action = store.retrieve_step_data("s", "1")
        >>> html, screenshot, action
        ('<p>', b'picture', {'type': 'click'})
    """

    def __init__(self, raw: _core.RawStep) -> None:
        self._raw = raw

    def __iter__(self) -> Iterator[Any]:
        return iter((self.html_content, self.screenshot_bytes, self.action_data))

    def __repr__(self) -> str:
        return f"<Step {self.session_id!r} {self.step_id!r} version {self.version}>"

    @cached_property
    def info(self) -> StepInfo:
        """The manifest's account of the step."""
        return StepInfo._from_core(self._raw.info())

    @cached_property
    def html_bytes(self) -> bytes | None:
        """The page as it was stored."""
        return self._raw.bytes("html")

    @cached_property
    def html_content(self) -> str | None:
        """The page as text: by its byte order mark, else its <meta charset>, else UTF-8; never fails."""
        return None if self.html_bytes is None else _decode_html(self.html_bytes)

    @cached_property
    def screenshot_bytes(self) -> bytes | None:
        """The picture as it was stored."""
        return self._raw.bytes("screenshot")

    @cached_property
    def action_data(self) -> Any:
        """The action, parsed from JSON."""
        text = self._raw.bytes("action")
        return None if text is None else json.loads(text)

    @cached_property
    def metadata(self) -> Any:
        """The metadata, parsed from JSON."""
        text = self._raw.bytes("metadata")
        return None if text is None else json.loads(text)

    @cached_property
    def components(self) -> Mapping[str, bytes]:
        """Every component's bytes by name, html, screenshot and action included."""
        return _Components(self._raw, [component.name for component in self.info.components])

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self.info.session_id

    @property
    def step_id(self) -> str:
        """The step's id."""
        return self.info.step_id

    @property
    def version(self) -> int:
        """The version that was read."""
        return self.info.version

    @property
    def created_at(self) -> datetime:
        """When it was stored, by the recorder's clock: an aware `datetime` in UTC."""
        return self.info.created_at

    @property
    def expires_at(self) -> datetime | None:
        """When it may be removed; None: never."""
        return self.info.expires_at


class _Components(Mapping[str, bytes]):
    def __init__(self, raw: _core.RawStep, names: list[str]) -> None:
        self._raw = raw
        self._names = names

    def __getitem__(self, name: str) -> bytes:
        if name not in self._names:
            raise KeyError(name)
        data = self._raw.bytes(name)
        assert data is not None, "the manifest names it"
        return data

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True)
class DeleteResult:
    """What was deleted.

    Attributes:
        steps: Steps that were there and are gone.
        objects: Objects removed; for a session with the manifests.

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
    """What `check()` saw. `healthy` is False when a live step is damaged.

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
    """What `adopt()` did, or with `dry_run` would do: pairs of session and step id, and what it left alone.

    Example:
        >>> store.adopt().adopted
        ()
    """

    adopted: tuple[tuple[str, str], ...]
    skipped: tuple[Finding, ...]


@dataclass(frozen=True)
class StorageInfo:
    """Where a store lies and what it promises.

    Attributes:
        backend: "local" or "memory".
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


# An item of a batch: its value, or why there is none.
ReceiptOrError = Receipt | StorageManagerError
StepOrError = Step | StorageManagerError
