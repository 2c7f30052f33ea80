#!/usr/bin/env python3
"""Kills the command with SIGKILL, at random moments and before each of its system calls, and looks at what is left.

After every kill:
  - every step that is listed is whole, and has the bytes of the recording (or, stored again, of one of the two),
  - everything that was acknowledged is there,
  - `check --data` finds no damage,
  - running the same command again completes the work.

    tests/kill/kill.py random COUNT [SEED]    the importer and the remover, at COUNT random moments
    tests/kill/kill.py syscalls               store, store again and delete, before each write, fsync, rename, link,
                                              mkdir and unlink (needs strace)

STEPSTORE_BIN names the command (default: build/stepstore).
"""

from __future__ import annotations

import filecmp
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = os.environ.get("STEPSTORE_BIN", str(ROOT / "build" / "stepstore"))
SYSCALLS = ["write", "fsync", "renameat2", "linkat", "unlinkat", "mkdirat", "fallocate", "utimensat"]


class ViolationError(Exception):
    """A promise was broken."""


def stepstore(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *map(str, arguments)], text=True, capture_output=True, check=False)


def must(*arguments: object) -> str:
    done = stepstore(*arguments)
    if done.returncode != 0:
        raise ViolationError(f"{' '.join(map(str, arguments))} exited with {done.returncode}:\n{done.stderr}")
    return done.stdout


def listed(store: Path, session: str) -> set[str]:
    return set(must("ls", store, session).split())


def check(store: Path) -> None:
    must("check", store, "--data")


def same_folder(a: Path, b: Path) -> bool:
    names = sorted(p.name for p in a.iterdir())
    return names == sorted(p.name for p in b.iterdir()) and not filecmp.cmpfiles(a, b, names, shallow=False)[1:][0]


def exported(store: Path, session: str, scratch: Path) -> Path:
    out = scratch / "out"
    shutil.rmtree(out, ignore_errors=True)
    must("export", store, session, out)
    return out / session


# --- At random moments ---


def kill_after(seconds: float, *arguments: object) -> tuple[set[str], bool]:
    """Runs the command and kills it. The steps that it acknowledged, and whether it had finished by itself."""
    process = subprocess.Popen(
        [COMMAND, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    out, _ = process.communicate()
    acknowledged = {m[1] for m in re.finditer(r"^stored \S+ (\S+) \d+$", out, re.MULTILINE)}
    return acknowledged, process.returncode != -signal.SIGKILL


def random_kills(count: int, seed: int, scratch: Path) -> int:
    print(f"seed {seed}", flush=True)
    dice = random.Random(seed)
    recording = unpack_recording(scratch)
    steps = {p.name for p in recording.iterdir()}
    store = scratch / "store"
    began = time.monotonic()
    must("import", scratch / "timed", recording)
    whole = time.monotonic() - began
    landed = 0  # kills that found the process alive
    session, round_ = "", 0
    while landed < count:
        round_ += 1
        if not session:
            session = f"s{round_}"
        acknowledged, finished = kill_after(
            dice.uniform(0, 1.1 * whole),
            "import", "--print-acknowledged", "--no-progress", "--session", session, store, recording,
        )  # fmt: skip
        landed += not finished
        check(store)
        there = listed(store, session)
        if not acknowledged <= there:
            raise ViolationError(f"acknowledged and not there: {acknowledged - there}")
        if there:
            out = exported(store, session, scratch)
            for step in there:
                if not same_folder(out / step, recording / step):
                    raise ViolationError(f"{session}/{step} is not what was recorded")
        if dice.random() < 0.4:  # a run to the end completes it
            must("import", "--session", session, store, recording)
            if listed(store, session) != steps:
                raise ViolationError("a run to the end left steps out")
            if dice.random() < 0.5:
                _, finished = kill_after(dice.uniform(0, 0.1), "rm", "-r", store, session)
                landed += not finished
                check(store)
                must("rm", "-r", store, session)
                if listed(store, session):
                    raise ViolationError("a deleted session lists steps")
                # Nothing of it is left but its root (and directories, when a kill came before their removal).
                left = [p for p in store.glob(f"{session}*/**/*") if p.is_file()]
                if left:
                    raise ViolationError(f"a deleted session left {left}")
            session = ""
    print(f"{landed} kills in {round_} runs of the importer", flush=True)
    return landed


# --- Before each system call ---


def syscall_kills(scratch: Path) -> int:
    old, new = scratch / "old", scratch / "new"
    for folder, value in ((old, "old"), (new, "new")):
        folder.mkdir()
        (folder / "observation.html").write_text(f"<p>{value}</p>")
        (folder / "screenshot.png").write_bytes(b"\x89PNG\r\n\x1a\n" + value.encode())
        (folder / "action.json").write_text(json.dumps({"value": value}))
        (folder / "metadata.json").write_text(json.dumps({"meta": value}))

    def put(store: Path, folder: Path) -> list[str]:
        return [
            "put", str(store), "s", "1", "--html", str(folder / "observation.html"),
            "--screenshot", str(folder / "screenshot.png"), "--action", str(folder / "action.json"),
            "--metadata", str(folder / "metadata.json"),
        ]  # fmt: skip

    def state(store: Path) -> str:
        if "1" not in listed(store, "s"):
            return "absent"
        out = scratch / "got"
        shutil.rmtree(out, ignore_errors=True)
        done = stepstore("get", store, "s", "1", "--dir", out)
        if done.returncode != 0:
            raise ViolationError(f"a listed step cannot be read: {done.stderr}")
        for folder in (old, new):
            if same_folder(out, folder):
                return folder.name
        raise ViolationError("half a step is there")

    # name, what is done before, the command, the states that may be left, the state when it succeeded
    workloads = [
        ("store", lambda _: None, lambda s: put(s, new), {"absent", "new"}, "new"),
        ("store again", lambda s: must(*put(s, old)), lambda s: put(s, new), {"old", "new"}, "new"),
        ("delete", lambda s: must(*put(s, old)), lambda s: ["rm", str(s), "s", "1"], {"old", "absent"}, "absent"),
        (
            "delete session",
            lambda s: must(*put(s, old)),
            lambda s: ["rm", "-r", str(s), "s"],
            {"old", "absent"},
            "absent",
        ),
    ]
    points = 0
    for name, before, command, allowed, wanted in workloads:
        for syscall in SYSCALLS:
            hits = 0
            for number in range(1, 1000):
                store = scratch / "store"
                shutil.rmtree(store, ignore_errors=True)
                before(store)
                arguments = command(store)
                done = subprocess.run(
                    ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={syscall}:signal=KILL:when={number}",
                     COMMAND, *arguments],
                    text=True, capture_output=True, check=False,
                )  # fmt: skip
                killed = done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)
                if not killed and done.returncode != 0:
                    raise ViolationError(f"{name}: exited with {done.returncode}: {done.stderr}")
                where = f"{name}, killed before {syscall} number {number}"
                try:
                    left = state(store)
                except ViolationError as violation:
                    raise ViolationError(f"{where}: {violation}") from violation
                if left not in (allowed if killed else {wanted}):
                    raise ViolationError(f"{where}: the step is {left}")
                check(store)
                must(*arguments)
                if state(store) != wanted:
                    raise ViolationError(f"{where}: a second run left it {state(store)}")
                check(store)
                if not killed:
                    break
                hits += 1
            points += hits
            print(f"{name}: {hits} kills before {syscall}", flush=True)
    return points


def unpack_recording(scratch: Path) -> Path:
    archive = ROOT / "samples" / "pg-tour.tar.zst"
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", scratch], check=True)
    return scratch / "pg-tour"


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in ("random", "syscalls"):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="stepstore-kill-") as folder:
        try:
            if sys.argv[1] == "random":
                count = int(sys.argv[2]) if len(sys.argv) > 2 else 50
                seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(2**32)
                kills = random_kills(count, seed, Path(folder))
            else:
                kills = syscall_kills(Path(folder))
        except ViolationError as violation:
            print(f"VIOLATION: {violation}")
            print("kill: 0 passed, 1 failed")
            sys.exit(1)
    print(f"kill: {kills} passed, 0 failed")


if __name__ == "__main__":
    main()
