"""A step that was read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from stepstore import _core, _html
from stepstore._values import ComponentInfo, Receipt, StepInfo
from stepstore.exceptions import StorageManagerError


def held_by(step: Step) -> int:
    """The bytes of a step that was read."""
    return step._raw.size()


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
        """The page as text: by a UTF-16 mark, else as UTF-8, else by its <meta charset>. Never fails.

        A page that was stored as str is the same str.
        """
        text = self._raw.text("html")  # what is marked as UTF-16 is no UTF-8: 0xFF and 0xFE never occur in it
        if text is not None or self.html_bytes is None:
            return text
        return _html.decode(self.html_bytes)

    @cached_property
    def screenshot_bytes(self) -> bytes | None:
        """The picture as it was stored."""
        return self._raw.bytes("screenshot")

    @cached_property
    def action_data(self) -> Any:
        """The action, parsed from JSON.

        Raises:
            ValueError: The file of a legacy step is no JSON. What was stored by stepstore is.
        """
        return self._parsed("action")

    @cached_property
    def metadata(self) -> Any:
        """The metadata, parsed from JSON. Errors as of `action_data`."""
        return self._parsed("metadata")

    def _parsed(self, name: str) -> Any:
        text: str | bytes | None = self._raw.text(name)
        if text is None or text.startswith("\ufeff"):  # absent, or as others wrote it: json looks for the encoding
            text = self._raw.bytes(name)
        return None if text is None else json.loads(text)

    @cached_property
    def components(self) -> Mapping[str, bytes]:
        """Every component's bytes by name, html, screenshot and action included. `KeyError` when there is none."""
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
        """The version that was read: 1 for the first store of the step, one more for each later one."""
        return self.info.version

    @property
    def commit_id(self) -> str:
        """ULID of the store call; "" for a legacy step."""
        return self.info.commit_id

    @property
    def component_info(self) -> Mapping[str, ComponentInfo]:
        """What the manifest says of every component, by name."""
        return {component.name: component for component in self.info.components}

    @property
    def created_at(self) -> datetime:
        """When it was stored, by the recorder's clock: an aware `datetime` in UTC, to the millisecond."""
        return self.info.created_at

    @property
    def expires_at(self) -> datetime | None:
        """When it may be removed, an aware `datetime` in UTC; None: never."""
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


# An item of a batch: its value, or why there is none.
ReceiptOrError = Receipt | StorageManagerError
StepOrError = Step | StorageManagerError
