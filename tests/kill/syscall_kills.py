"""Kills one store, store again or delete before each of its system calls that others can see.

What is left of a killed delete is counted; after the same delete once more nothing of it is left.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from command import COMMAND, SECONDS_MAX, ViolationError, check, listed, must, same_folder, stepstore
from places import Place


class Workload(NamedTuple):
    name: str
    before: Callable[[str], None]
    command: Callable[[str], list[str]]
    allowed: set[str]  # the states that a killed run may leave
    wanted: str  # the state after a run to the end
    # Of the keys of the session, those that may be there after a run to the end; none: any.
    may_stay: Callable[[str], bool] | None = None


def is_step_root(key: str) -> bool:
    return key == "s/1/step.json"


def is_nothing(_: str) -> bool:
    return False


class Killed(NamedTuple):
    hit: bool  # the command was still running
    left: int  # what only a delete or the collector removes


class SyscallKills:
    def __init__(self, place: Place, scratch: Path) -> None:
        self._place, self._scratch = place, scratch
        self._old, self._new = scratch / "old", scratch / "new"
        for folder, value in ((self._old, "old"), (self._new, "new")):
            folder.mkdir()
            (folder / "observation.html").write_text(f"<p>{value}</p>")
            (folder / "screenshot.png").write_bytes(b"\x89PNG\r\n\x1a\n" + value.encode())
            (folder / "action.json").write_text(json.dumps({"value": value}))
            (folder / "metadata.json").write_text(json.dumps({"meta": value}))
        self._stores = 0

    def run(self) -> int:
        return sum(self._points(each, syscall) for each in self._workloads() for syscall in self._place.syscalls)

    def _workloads(self) -> list[Workload]:
        def put_old(store: str) -> None:
            must(*self._put(store, self._old))

        def put_new(store: str) -> list[str]:
            return self._put(store, self._new)

        def remove(store: str) -> list[str]:
            return ["rm", store, "s", "1"]

        def remove_session(store: str) -> list[str]:
            return ["rm", "-r", store, "s"]

        def nothing(_: str) -> None:
            pass

        # Into a new store, so that finding out what a bucket can do is cut short too.
        return [
            Workload("store", nothing, put_new, {"absent", "new"}, "new"),
            Workload("store again", put_old, put_new, {"old", "new"}, "new"),
            Workload("delete", put_old, remove, {"old", "absent"}, "absent", is_step_root),
            Workload("delete session", put_old, remove_session, {"old", "absent"}, "absent", is_nothing),
        ]

    def _put(self, store: str, folder: Path) -> list[str]:
        return [
            "put", store, "s", "1", "--html", str(folder / "observation.html"),
            "--screenshot", str(folder / "screenshot.png"), "--action", str(folder / "action.json"),
            "--metadata", str(folder / "metadata.json"),
        ]  # fmt: skip

    def _state(self, store: str) -> str:
        if "1" not in listed(store, "s"):
            return "absent"
        out = self._scratch / "got"
        shutil.rmtree(out, ignore_errors=True)
        done = stepstore("get", store, "s", "1", "--dir", out)
        if done.returncode != 0:
            raise ViolationError(f"a listed step cannot be read: {done.stderr}")
        for folder in (self._old, self._new):
            if same_folder(out, folder):
                return folder.name
        raise ViolationError("half a step is there")

    def _points(self, workload: Workload, syscall: str) -> int:
        """Kills before the first such call, then the second, until the command runs to its end."""
        left: list[int] = []
        while (killed := self._killed_at(workload, syscall, len(left) + 1)).hit:
            left.append(killed.left)
        print(
            f"{workload.name}: {len(left)} kills before {syscall}, "
            f"{sum(map(bool, left))} of them left what nobody names, {sum(left)} in all",
            flush=True,
        )
        return len(left)

    def _killed_at(self, workload: Workload, syscall: str, number: int) -> Killed:
        where = f"{workload.name}, killed before {syscall} number {number}"
        self._stores += 1
        name = f"at{self._stores}"
        store = self._place.store(name)
        workload.before(store)
        arguments = workload.command(store)
        try:
            killed = self._run_killed(arguments, syscall, number)
            state = self._state(store)
            if state not in (workload.allowed if killed else {workload.wanted}):
                raise ViolationError(f"the step is {state}")
            left = self._left(name, store, workload, state)
            must(*arguments)
            if self._state(store) != workload.wanted:
                raise ViolationError(f"a second run left it {self._state(store)}")
            check(store)
            if workload.may_stay and (rest := [key for key in self._keys(name) if not workload.may_stay(key)]):
                raise ViolationError(f"a second run left {rest}")
        except ViolationError as violation:
            raise ViolationError(f"{where}: {violation}") from violation
        return Killed(killed, left)

    def _keys(self, name: str) -> list[str]:
        return [key for key in self._place.keys(name) if key.startswith(("s/", "s~"))]

    def _left(self, name: str, store: str, workload: Workload, state: str) -> int:
        """How many are left that nobody names: of a store orphans and steps without a manifest, of a delete objects."""
        found = check(store)
        if workload.may_stay is None or state != "absent":
            return found["orphan"] + found["rootless"]
        return sum(not workload.may_stay(key) for key in self._keys(name))

    def _run_killed(self, arguments: list[str], syscall: str, number: int) -> bool:
        inject = f"inject={syscall}:signal=KILL:when={number}"
        done = subprocess.run(
            ["strace", "-f", "-qq", "-o", "/dev/null", "-e", inject, COMMAND, *arguments],
            text=True, capture_output=True, check=False, timeout=SECONDS_MAX,
        )  # fmt: skip
        killed = done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)
        if not killed and done.returncode != 0:
            raise ViolationError(f"it exited with {done.returncode}: {done.stderr}")
        return killed
