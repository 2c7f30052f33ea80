"""The calls of a batch, made one by one while the ones before are on their way."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator

from stepstore import _calls
from stepstore._calls import Call, StoreChoices
from stepstore._inputs import Arguments
from stepstore._step import Step
from stepstore._values import Receipt, StepData
from stepstore.exceptions import StorageManagerError


class Deadline:
    """The time of a whole batch."""

    def __init__(self, seconds: float) -> None:
        self._at = math.inf if math.isinf(seconds) else time.monotonic() + seconds

    def left(self) -> float:
        """Seconds, never below 0."""
        return math.inf if math.isinf(self._at) else max(0.0, self._at - time.monotonic())


def storing(steps: Iterable[StepData], choices: StoreChoices) -> Iterator[Call[Receipt] | StorageManagerError]:
    """A call per step, or what is wrong with it."""
    deadline = Deadline(choices.seconds)
    for step in steps:
        yield storing_one(step, choices, deadline)


def storing_one(step: StepData, choices: StoreChoices, deadline: Deadline) -> Call[Receipt] | StorageManagerError:
    """The call for one step of a batch."""
    try:
        return _calls.store(step, choices, deadline.left())
    except StorageManagerError as error:
        return error


def retrieving(names: Iterable[tuple[str, str]], legacy: bool, timeout: object) -> Iterator[Call[Step]]:
    """A call per name. A name that is no text is an error of the whole batch."""
    given = Arguments("retrieve_steps")
    deadline = Deadline(given.seconds(timeout))
    checked = [given.step(session, step) for session, step in names]
    for session, step in checked:
        yield _calls.retrieve(session, step, None, legacy, deadline.left())
