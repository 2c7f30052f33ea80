"""The calls of a batch, made one by one while the ones before are on their way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stepstore import _calls, _core
from stepstore._calls import Call, Deadline, StoreChoices
from stepstore._inputs import Arguments
from stepstore._step import Step
from stepstore._values import Receipt, StepData
from stepstore.exceptions import StorageManagerError


def storing(steps: Iterable[StepData], choices: StoreChoices) -> Iterator[Call[Receipt] | StorageManagerError]:
    """A call per step, or what is wrong with it."""
    for step in steps:
        yield storing_one(step, choices)


def storing_one(step: StepData, choices: StoreChoices) -> Call[Receipt] | StorageManagerError:
    """The call for one step of a batch."""
    try:
        return _calls.store(step, choices)
    except StorageManagerError as error:
        return error


def retrieving(names: Iterable[tuple[str, str]], legacy: bool, timeout: object) -> Iterator[Call[Step]]:
    """A call per name. A name that is no text is an error of the whole batch."""
    given = Arguments("retrieve_steps")
    deadline = Deadline(given.seconds(timeout))
    checked = [given.step(session, step) for session, step in names]
    return _reading("retrieve_steps", checked, legacy, deadline)


def streaming(names: Iterable[tuple[str, str]], legacy: bool, timeout: object) -> Iterator[Call[Step]]:
    """A call per name, made when its turn comes: each has the time for itself."""
    seconds = Arguments("stream_steps").seconds(timeout)
    return _reading("stream_steps", names, legacy, seconds)


def _reading(
    operation: str, names: Iterable[tuple[str, str]], legacy: bool, time: Deadline | float
) -> Iterator[Call[Step]]:
    together = _core.Together()
    for session_id, step_id in names:
        given = Arguments(operation)
        session, step = given.step(session_id, step_id)
        deadline = time if isinstance(time, Deadline) else Deadline(time)
        yield _calls.retrieve_of(given, session, step, legacy, together, deadline)
