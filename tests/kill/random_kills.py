"""Kills importers and removers at random moments."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

from command import COMMAND, ROOT, ViolationError, check, exported, listed, must, same_folder
from places import Place


def unpack_recording(scratch: Path) -> Path:
    archive = ROOT / "samples" / "pg-tour.tar.zst"
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", scratch], check=True)
    return scratch / "pg-tour"


class Victim:
    """A running command that will be killed."""

    def __init__(self, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [COMMAND, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)

    def end(self) -> tuple[set[str], bool]:
        """The steps that it acknowledged, and whether the kill found it alive."""
        out, err = self._process.communicate()
        if self._process.returncode not in (0, -signal.SIGKILL):
            raise ViolationError(f"it exited with {self._process.returncode} before it was killed:\n{err}")
        acknowledged = {m[1] for m in re.finditer(r"^stored \S+ (\S+) \d+$", out, re.MULTILINE)}
        return acknowledged, self._process.returncode == -signal.SIGKILL


def kill_all(victims: list[Victim], moments: list[float]) -> tuple[set[str], int]:
    """Kills each at its moment. What they acknowledged, and how many were found alive."""
    began = time.monotonic()
    for moment, victim in sorted(zip(moments, victims, strict=True), key=lambda pair: pair[0]):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        victim.kill()
    ends = [victim.end() for victim in victims]
    return set().union(*(acknowledged for acknowledged, _ in ends)), sum(alive for _, alive in ends)


class RandomKills:
    """Rounds of up to four importers of the same session, whose invariants are looked at after each."""

    def __init__(self, place: Place, seed: int, scratch: Path) -> None:
        self._place, self._dice, self._scratch = place, random.Random(seed), scratch
        self._recording = unpack_recording(scratch)
        self._steps = {each.name for each in self._recording.iterdir()}
        self.did: Counter[str] = Counter()
        self._new_store()
        began = time.monotonic()
        must("import", place.store("timed"), self._recording)
        # How late the last kill of one importer may come. A round that found most of them at their end brings it
        # forward, since other work on the machine comes and goes.
        self._reach = 0.8 * (time.monotonic() - began)

    def _new_store(self) -> None:
        self.did["stores"] += 1
        self._name = f"store{self.did['stores']}"
        self._store = self._place.store(self._name)

    def run(self, count: int) -> None:
        session, missing = "", 1.0
        while self.did["kills"] < count:
            self.did["rounds"] += 1
            session = session or f"s{self.did['rounds']}"
            missing = self._kill_importers(session, missing)
            if missing == 0 or self._dice.random() < 0.4:
                self._complete(session)
                if self._dice.random() < 0.5:
                    self._kill_remover(session)
                session, missing = "", 1.0
                # Each check reads the whole store, so it must not grow for ever.
                if self._dice.random() < 0.3:
                    self._new_store()

    def _kill_importers(self, session: str, missing: float) -> float:
        """`missing`: the share of the session's steps that are not there yet; returns what it is afterwards.

        Importers pass over what is there, so the fewer are missing, the sooner they end: a kill that comes later than
        that is wasted.
        """
        number = self._dice.randint(1, 4)
        longest = self._reach * (1 + number) / 2 * max(missing, 0.15)
        moments = [self._dice.uniform(0, longest) for _ in range(number)]
        options = ["--print-acknowledged", "--no-progress", "--session", session]
        victims = [Victim("import", *options, self._store, self._recording) for _ in range(number)]
        acknowledged, alive = kill_all(victims, moments)
        self.did["importers"] += number
        self.did["kills"] += alive
        self._reach *= 0.8 if 2 * alive < number else 1.1
        self.did["acknowledged steps"] += len(acknowledged)
        found = check(self._store)
        self._at_most("orphans in a store", found["orphan"])
        self._at_most("steps without a manifest in a store", found["rootless"])
        there = listed(self._store, session)
        if not acknowledged <= there:
            raise ViolationError(f"acknowledged and not there: {acknowledged - there}")
        if there:
            self._compare(session, there)
        return 1 - len(there) / len(self._steps)

    def _at_most(self, what: str, number: int) -> None:
        self.did[f"{what}, at most"] = max(self.did[f"{what}, at most"], number)

    def _compare(self, session: str, steps: set[str]) -> None:
        out = exported(self._store, session, self._scratch)
        for step in steps:
            if not same_folder(out / step, self._recording / step):
                raise ViolationError(f"{session}/{step} is not what was recorded")
        self.did["steps compared"] += len(steps)

    def _complete(self, session: str) -> None:
        must("import", "--session", session, self._store, self._recording)
        if listed(self._store, session) != self._steps:
            raise ViolationError("a run to the end left steps out")
        self.did["runs to the end"] += 1

    def _kill_remover(self, session: str) -> None:
        _, alive = kill_all([Victim("rm", "-r", self._store, session)], [self._dice.uniform(0, 0.1)])
        self.did["kills"] += alive
        found = check(self._store)
        self.did["unfinished after killed deletions"] += found["unfinished"]
        self.did["objects left by killed deletions"] += len(self._left(session)) if found["unfinished"] else 0
        must("rm", "-r", self._store, session)
        if listed(self._store, session):
            raise ViolationError("a deleted session lists steps")
        # Nothing is left of it but its root (and empty directories, when a kill came before their removal).
        if left := self._left(session):
            raise ViolationError(f"a deleted session left {left}")
        self.did["deletions"] += 1

    def _left(self, session: str) -> list[str]:
        return [key for key in self._place.keys(self._name) if key.startswith((f"{session}/", f"{session}~"))]
