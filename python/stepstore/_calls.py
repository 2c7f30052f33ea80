"""Every call that a manager can make: its arguments checked, what it asks of the library, what it makes of the answer.

The blocking manager waits for the answer, the one for asyncio awaits it; both say here what the call is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from stepstore import _core, _sizes
from stepstore._inputs import Arguments, Fields, JsonDefault, note_surrogates
from stepstore._step import Step
from stepstore._values import (
    AdoptReport,
    CheckReport,
    DeleteResult,
    DoctorReport,
    DoctorRow,
    Finding,
    PresignedUrl,
    Receipt,
    StepData,
    StepInfo,
)
from stepstore.exceptions import StorageManagerError

T = TypeVar("T")
Page = tuple[list[str], str]

PAGE_IDS = 1000


class Deadline:
    """The time of a call or a batch, which runs from here on."""

    __slots__ = ("_at",)

    def __init__(self, seconds: float) -> None:
        self._at = math.inf if math.isinf(seconds) else time.monotonic() + seconds

    def left(self) -> float:
        """Seconds, never below 0."""
        return math.inf if math.isinf(self._at) else max(0.0, self._at - time.monotonic())


class Waiting:
    """What may have to wait for its turn. Its time runs already."""

    __slots__ = ()
    given: Arguments  # for errors
    deadline: Deadline

    def too_late(self) -> StorageManagerError:
        """The error when its turn did not come in time."""
        message = "the time given for the call was over before its turn came"
        return self.given.refuse(message, "Give it more time, or begin fewer calls at once.", "Timeout")


@dataclass(slots=True)
class Call(Waiting, Generic[T]):
    """One call, not begun."""

    given: Arguments
    deadline: Deadline
    begin: Callable[[_core.Manager, float, _core.Ticket | None], Any]  # the float: seconds that are left
    finish: Callable[[Any], T]
    size: int | None = 0  # bytes that it holds; None: it reads a step

    def start(self, core: _core.Manager, ticket: _core.Ticket | None = None) -> Any:
        """Begins it; without a ticket, waits for it and gives the library's answer."""
        return self.begin(core, self.deadline.left(), ticket)

    def prepared(self) -> Call[T]:
        """Itself."""
        return self


@dataclass(slots=True)
class Later(Waiting, Generic[T]):
    """A call whose data is looked at when its turn has come.

    Else an event loop with a task for each of a thousand steps would look at all of them in one turn of its own.
    """

    given: Arguments
    deadline: Deadline
    prepared: Callable[[], Call[T]]
    size: int  # as far as it can be told without a look


@dataclass(slots=True)
class StoreChoices:
    """What is the same for all steps of a batch."""

    given: Arguments
    if_exists: int
    if_version: int | None
    keep_versions: int | None
    json_default: JsonDefault | None
    deadline: Deadline  # of all of them


def _receipt(raw: Any) -> Receipt:
    return Receipt(*raw)


def _named_parts(fields: Fields) -> Iterator[tuple[str, object]]:
    yield "html_content", fields[2]
    for name, part, _ in fields[6]:
        yield f"component {name!r}", part


def store_choices(  # noqa: PLR0917
    given: Arguments,
    if_exists: object,
    if_version: object,
    keep_versions: object,
    keep: object,
    json_default: JsonDefault | None,
    timeout: object,
) -> StoreChoices:
    """Checks them."""
    return StoreChoices(
        given,
        given.if_exists(if_exists),
        given.version(if_version, "if_version", 0),
        given.kept(keep_versions, keep),
        json_default,
        Deadline(given.seconds(timeout)),
    )


def store(step: StepData, choices: StoreChoices) -> Call[Receipt]:
    """Stores a step."""
    if not isinstance(step, StepData):
        raise TypeError(f"a step is {type(step).__name__}, not StepData")
    parts = (step.html_content, step.screenshot_bytes, step.action_data, step.metadata, step.components)
    given = Arguments(choices.given.operation)
    fields = given.fields((step.session_id, step.step_id), parts, choices.json_default)

    texts = [(name, part) for name, part in _named_parts(fields) if isinstance(part, _core.Text)]

    def finish(raw: Any) -> Receipt:
        for name, text in texts:
            if text.was_mended():
                note_surrogates(name)
        return _receipt(raw)

    def begin(core: _core.Manager, left: float, ticket: _core.Ticket | None) -> Any:
        return core.store(fields, choices.if_exists, choices.if_version, choices.keep_versions, left, ticket)

    return Call(given, choices.deadline, begin, finish, _sizes.of_store(fields))


def store_later(step: StepData, choices: StoreChoices) -> Later[Receipt]:
    """Stores a step, which is looked at later."""
    parts = (step.html_content, step.screenshot_bytes, step.action_data, step.metadata)
    return Later(choices.given, choices.deadline, lambda: store(step, choices), _sizes.of_parts(parts))


def retrieve(session_id: object, step_id: object, version: object, legacy: bool, timeout: object) -> Call[Step]:
    """Reads a step."""
    given = Arguments("retrieve_step_data")
    session, step = given.step(session_id, step_id)
    number, deadline = given.version(version, "version", 1), Deadline(given.seconds(timeout))

    def begin(core: _core.Manager, left: float, ticket: _core.Ticket | None) -> Any:
        return core.retrieve(session, step, number, legacy, None, left, ticket)

    return Call(given, deadline, begin, Step, None)


def retrieve_of(  # noqa: PLR0917
    given: Arguments, session: str, step: str, legacy: bool, together: _core.Together, deadline: Deadline
) -> Call[Step]:
    """Reads a step of a batch."""

    def begin(core: _core.Manager, left: float, ticket: _core.Ticket | None) -> Any:
        return core.retrieve(session, step, None, legacy, together, left, ticket)

    return Call(given, deadline, begin, Step, None)


def stat(session_id: object, step_id: object, version: object, legacy: bool, timeout: object) -> Call[StepInfo]:
    """Reads a manifest."""
    given = Arguments("stat_step")
    session, step = given.step(session_id, step_id)
    number, deadline = given.version(version, "version", 1), Deadline(given.seconds(timeout))
    return Call(
        given,
        deadline,
        lambda core, left, ticket: core.stat(session, step, number, legacy, left, ticket),
        StepInfo._from_core,
    )


def sessions(operation: str, prefix: object, after: object, limit: object, timeout: object) -> Call[Page]:
    """Lists sessions."""
    given = Arguments(operation)
    start, last = given.text(prefix, "prefix"), given.text(after, "after")
    most, deadline = given.limit(limit), Deadline(given.seconds(timeout))
    return Call(given, deadline, lambda core, left, ticket: core.sessions(start, last, most, left, ticket), tuple)


def steps(  # noqa: PLR0917
    session_id: object, prefix: object, after: object, limit: object, legacy: bool, timeout: object
) -> Call[Page]:
    """Lists the steps of a session."""
    given = Arguments("list_steps_for_session")
    session, start, last = given.session(session_id), given.text(prefix, "prefix"), given.text(after, "after")
    most, deadline = given.limit(limit), Deadline(given.seconds(timeout))
    return Call(
        given, deadline, lambda core, left, ticket: core.steps(session, start, last, most, legacy, left, ticket), tuple
    )


def iterate(  # noqa: PLR0917
    session_id: object, prefix: object, after: object, limit: object, legacy: bool, timeout: object
) -> Call[_core.RawCursor]:
    """Begins to read the steps of a session."""
    given = Arguments("iter_steps")
    session, start, last = given.session(session_id), given.text(prefix, "prefix"), given.text(after, "after")
    most, seconds = given.limit(limit), given.seconds(timeout)

    def begin(core: _core.Manager, left: float, ticket: _core.Ticket | None) -> Any:
        return core.iterate(session, start, last, most, legacy, seconds, left, ticket)

    return Call(given, Deadline(seconds), begin, lambda raw: raw)


def next_of(cursor: _core.RawCursor, session_id: str, timeout: object) -> Call[Step | None]:
    """Reads its next step."""
    given = Arguments("iter_steps")
    given.key = session_id
    return Call(
        given,
        Deadline(given.seconds(timeout)),
        lambda core, left, ticket: core.next(cursor, left, ticket),
        lambda raw: None if raw is None else Step(raw),
    )


def delete_step(session_id: object, step_id: object, timeout: object) -> Call[DeleteResult]:
    """Deletes a step."""
    given = Arguments("delete_step")
    session, step = given.step(session_id, step_id)
    deadline = Deadline(given.seconds(timeout))
    return Call(
        given,
        deadline,
        lambda core, left, ticket: core.delete_step(session, step, left, ticket),
        lambda raw: DeleteResult(*raw),
    )


def delete_session(session_id: object, timeout: object) -> Call[DeleteResult]:
    """Deletes a session."""
    given = Arguments("delete_session")
    session, deadline = given.session(session_id), Deadline(given.seconds(timeout))
    return Call(
        given,
        deadline,
        lambda core, left, ticket: core.delete_session(session, left, ticket),
        lambda raw: DeleteResult(*raw),
    )


def check(session_id: object, data: bool, timeout: object) -> Call[CheckReport]:
    """Looks for damage."""
    given = Arguments("check")
    session, deadline = given.maybe_session(session_id), Deadline(given.seconds(timeout))

    def finish(raw: dict[str, Any]) -> CheckReport:
        findings = tuple(Finding(*finding) for finding in raw.pop("findings"))
        return CheckReport(**raw, findings=findings)

    return Call(given, deadline, lambda core, left, ticket: core.check(session, data, left, ticket), finish)


def doctor(thorough: bool, timeout: object) -> Call[DoctorReport]:
    """Tries out what the store does."""
    given = Arguments("doctor")
    deadline = Deadline(given.seconds(timeout))

    def finish(raw: dict[str, Any]) -> DoctorReport:
        rows = tuple(DoctorRow(*row) for row in raw.pop("rows"))
        notes, left_behind = tuple(raw.pop("notes")), tuple(raw.pop("left_behind"))
        return DoctorReport(**raw, rows=rows, notes=notes, left_behind=left_behind)

    return Call(given, deadline, lambda core, left, ticket: core.doctor(thorough, left, ticket), finish)


def adopt(session_id: object, dry_run: bool, timeout: object) -> Call[AdoptReport]:
    """Writes manifests for legacy steps."""
    given = Arguments("adopt")
    session, deadline = given.maybe_session(session_id), Deadline(given.seconds(timeout))

    def finish(raw: tuple[list[tuple[str, str]], list[tuple[str, str, str]]]) -> AdoptReport:
        adopted, skipped = raw
        return AdoptReport(tuple(adopted), tuple(Finding(*finding) for finding in skipped))

    return Call(given, deadline, lambda core, left, ticket: core.adopt(session, dry_run, left, ticket), finish)


def presign(  # noqa: PLR0917
    session_id: object,
    step_id: object,
    component: object,
    method: object,
    expires: object,
    version: object,
    content_type: object,
    content_disposition: object,
    timeout: object,
) -> Call[PresignedUrl]:
    """Makes a link."""
    given = Arguments("presign")
    session, step = given.step(session_id, step_id)
    name = given.text(component, "component name")
    put, seconds = given.link_method(method), given.lifetime(expires)
    number = given.version(version, "version", 1)
    kind = "" if content_type is None else given.text(content_type, "content_type")
    shown = "" if content_disposition is None else given.text(content_disposition, "content_disposition")
    deadline = Deadline(given.seconds(timeout))

    def begin(core: _core.Manager, left: float, ticket: _core.Ticket | None) -> Any:
        return core.presign(session, step, name, put, seconds, number, kind, shown, left, ticket)

    return Call(given, deadline, begin, PresignedUrl._from_core)
