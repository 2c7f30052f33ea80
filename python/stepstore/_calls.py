"""Every call that a manager can make: its arguments checked, what it asks of the library, what it makes of the answer.

The blocking manager waits for the answer, the one for asyncio awaits it; both say here what the call is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from stepstore import _core
from stepstore._inputs import Arguments, Fields, JsonDefault
from stepstore._step import Step
from stepstore._values import AdoptReport, CheckReport, DeleteResult, Finding, Receipt, StepData, StepInfo

T = TypeVar("T")
Page = tuple[list[str], str]

PAGE_IDS = 1000


@dataclass(slots=True)
class Call(Generic[T]):
    """One call, not begun."""

    begin: Callable[[_core.Manager, _core.Ticket | None], Any]
    finish: Callable[[Any], T]
    size: int = 0  # bytes that it holds


@dataclass(slots=True)
class StoreChoices:
    """What is the same for all steps of a batch."""

    given: Arguments
    if_exists: int
    if_version: int | None
    keep_versions: int | None
    json_default: JsonDefault | None
    seconds: float


def _receipt(raw: Any) -> Receipt:
    return Receipt(*raw)


def _sizes(fields: Fields) -> int:
    """Files are read bit by bit, so they hold nothing."""
    parts = [*fields[2:4], *(component[1] for component in fields[6])]
    return sum(len(part) for part in parts if isinstance(part, bytes | bytearray | _core.Text)) + sum(
        part.nbytes for part in parts if isinstance(part, memoryview)
    )


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
        given.seconds(timeout),
    )


def store(step: StepData, choices: StoreChoices, seconds: float | None = None) -> Call[Receipt]:
    """Stores a step. `seconds`: what is left of a batch's time."""
    if not isinstance(step, StepData):
        raise TypeError(f"a step is {type(step).__name__}, not StepData")
    parts = (step.html_content, step.screenshot_bytes, step.action_data, step.metadata, step.components)
    fields = choices.given.fields((step.session_id, step.step_id), parts, choices.json_default)
    time = choices.seconds if seconds is None else seconds

    def begin(core: _core.Manager, ticket: _core.Ticket | None) -> Any:
        return core.store(fields, choices.if_exists, choices.if_version, choices.keep_versions, time, ticket)

    return Call(begin, _receipt, _sizes(fields))


def retrieve(session_id: object, step_id: object, version: object, legacy: bool, timeout: object) -> Call[Step]:
    """Reads a step."""
    given = Arguments("retrieve_step_data")
    session, step = given.step(session_id, step_id)
    number, seconds = given.version(version, "version", 1), given.seconds(timeout)
    return Call(lambda core, ticket: core.retrieve(session, step, number, legacy, seconds, ticket), Step)


def stat(session_id: object, step_id: object, version: object, legacy: bool, timeout: object) -> Call[StepInfo]:
    """Reads a manifest."""
    given = Arguments("stat_step")
    session, step = given.step(session_id, step_id)
    number, seconds = given.version(version, "version", 1), given.seconds(timeout)
    return Call(lambda core, ticket: core.stat(session, step, number, legacy, seconds, ticket), StepInfo._from_core)


def sessions(operation: str, prefix: object, after: object, limit: object, timeout: object) -> Call[Page]:
    """Lists sessions."""
    given = Arguments(operation)
    start, last = given.text(prefix, "prefix"), given.text(after, "after")
    most, seconds = given.limit(limit), given.seconds(timeout)
    return Call(lambda core, ticket: core.sessions(start, last, most, seconds, ticket), tuple)


def steps(  # noqa: PLR0917
    session_id: object, prefix: object, after: object, limit: object, legacy: bool, timeout: object
) -> Call[Page]:
    """Lists the steps of a session."""
    given = Arguments("list_steps_for_session")
    session, start, last = given.session(session_id), given.text(prefix, "prefix"), given.text(after, "after")
    most, seconds = given.limit(limit), given.seconds(timeout)
    return Call(lambda core, ticket: core.steps(session, start, last, most, legacy, seconds, ticket), tuple)


def iterate(  # noqa: PLR0917
    session_id: object, prefix: object, after: object, limit: object, legacy: bool, timeout: object
) -> Call[_core.RawCursor]:
    """Begins to read the steps of a session."""
    given = Arguments("iter_steps")
    session, start, last = given.session(session_id), given.text(prefix, "prefix"), given.text(after, "after")
    most, seconds = given.limit(limit), given.seconds(timeout)

    def begin(core: _core.Manager, ticket: _core.Ticket | None) -> Any:
        return core.iterate(session, start, last, most, legacy, seconds, ticket)

    return Call(begin, lambda raw: raw)


def next_of(cursor: _core.RawCursor) -> Call[Step | None]:
    """Reads its next step."""
    return Call(lambda core, ticket: core.next(cursor, ticket), lambda raw: None if raw is None else Step(raw))


def delete_step(session_id: object, step_id: object, timeout: object) -> Call[DeleteResult]:
    """Deletes a step."""
    given = Arguments("delete_step")
    session, step = given.step(session_id, step_id)
    seconds = given.seconds(timeout)
    return Call(lambda core, ticket: core.delete_step(session, step, seconds, ticket), lambda raw: DeleteResult(*raw))


def delete_session(session_id: object, timeout: object) -> Call[DeleteResult]:
    """Deletes a session."""
    given = Arguments("delete_session")
    session, seconds = given.session(session_id), given.seconds(timeout)
    return Call(lambda core, ticket: core.delete_session(session, seconds, ticket), lambda raw: DeleteResult(*raw))


def check(session_id: object, data: bool, timeout: object) -> Call[CheckReport]:
    """Looks for damage."""
    given = Arguments("check")
    session, seconds = given.maybe_session(session_id), given.seconds(timeout)

    def finish(raw: dict[str, Any]) -> CheckReport:
        findings = tuple(Finding(*finding) for finding in raw.pop("findings"))
        return CheckReport(**raw, findings=findings)

    return Call(lambda core, ticket: core.check(session, data, seconds, ticket), finish)


def adopt(session_id: object, dry_run: bool, timeout: object) -> Call[AdoptReport]:
    """Writes manifests for legacy steps."""
    given = Arguments("adopt")
    session, seconds = given.maybe_session(session_id), given.seconds(timeout)

    def finish(raw: tuple[list[tuple[str, str]], list[tuple[str, str, str]]]) -> AdoptReport:
        adopted, skipped = raw
        return AdoptReport(tuple(adopted), tuple(Finding(*finding) for finding in skipped))

    return Call(lambda core, ticket: core.adopt(session, dry_run, seconds, ticket), finish)
