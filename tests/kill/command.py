"""Runs the command and looks at what it stored."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = os.environ.get("STEPSTORE_BIN", str(ROOT / "build" / "stepstore"))
SECONDS_MAX = 120  # no call here takes so long unless it hangs


class ViolationError(Exception):
    """A promise was broken."""


def stepstore(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *map(str, arguments)], text=True, capture_output=True, check=False, timeout=SECONDS_MAX
    )


def must(*arguments: object) -> str:
    done = stepstore(*arguments)
    if done.returncode != 0:
        said = f"{done.stderr}{done.stdout}"
        raise ViolationError(f"{' '.join(map(str, arguments))} exited with {done.returncode}:\n{said}")
    return done.stdout


def listed(store: str, session: str) -> set[str]:
    return set(must("ls", store, session).split())


def check(store: str) -> Counter[str]:
    """How many findings of each kind there are; damage is none of them, since it fails.

    Besides, as "rootless", the folders with parts of a step and without its manifest: a writer that was killed leaves
    what an older recording without manifests looks like.
    """
    report = json.loads(must("check", store, "--data", "--json"))
    return Counter([finding["kind"] for finding in report["findings"]] + ["rootless"] * report["legacy_steps"])


def same_folder(a: Path, b: Path) -> bool:
    names = sorted(p.name for p in a.iterdir())
    return names == sorted(p.name for p in b.iterdir()) and not any(filecmp.cmpfiles(a, b, names, shallow=False)[1:])


def exported(store: str, session: str, scratch: Path) -> Path:
    out = scratch / "out"
    shutil.rmtree(out, ignore_errors=True)
    must("export", store, session, out)
    return out / session
