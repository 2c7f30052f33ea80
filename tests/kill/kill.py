#!/usr/bin/env python3
"""Kills the command with SIGKILL, at random moments and before each of its system calls, and looks at what is left.

After every kill:
  - every step that is listed is whole, and has the bytes of the recording (or, stored again, of one of the two),
  - everything that was acknowledged is there,
  - `check --data` finds no damage,
  - running the same command again completes the work; of what was deleted nothing is left then.
What a kill leaves that no reader sees is counted and printed.

    tests/kill/kill.py random COUNT [SEED]    up to four importers at a time, and the remover, at COUNT random moments
    tests/kill/kill.py syscalls               store, store again and delete, before each system call that others can
                                              see: what changes the disk, or what speaks to the server (needs strace)

The store is a temporary directory, or with --store a bucket (s3://bucket/prefix?..., keys from the environment), or
with --servers a bucket on each server that tests/servers/servers.py has started:

    tests/servers/servers.py run versitygw -- tests/kill/kill.py --servers random 100

STEPSTORE_BIN names the command (default: build/stepstore).
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
import time
from pathlib import Path

from command import ViolationError
from places import LocalPlace, Place, bucket_place, server_places
from random_kills import RandomKills
from syscall_kills import SyscallKills


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--store", metavar="URI", help="s3://bucket/prefix?...")
    where.add_argument("--servers", action="store_true", help="each server of STEPSTORE_TEST_SERVERS")
    kinds = parser.add_subparsers(dest="kind", required=True)
    by_dice = kinds.add_parser("random")
    by_dice.add_argument("count", type=int)
    by_dice.add_argument("seed", type=int, nargs="?", default=random.SystemRandom().randrange(2**32))
    kinds.add_parser("syscalls")
    return parser.parse_args()


def places(given: argparse.Namespace, scratch: Path) -> list[Place]:
    if given.servers:
        return [*server_places()]
    return [bucket_place(given.store) if given.store else LocalPlace(scratch)]


def kill_at(place: Place, given: argparse.Namespace, scratch: Path) -> int:
    if given.kind == "syscalls":
        return SyscallKills(place, scratch).run()
    kills = RandomKills(place, given.seed, scratch)
    try:
        kills.run(given.count)
    finally:
        print(", ".join(f"{number} {what}" for what, number in kills.did.items()), flush=True)
    return kills.did["kills"]


def main() -> None:
    given = arguments()
    passed, failed = 0, 0
    with tempfile.TemporaryDirectory(prefix="stepstore-kill-") as folder, contextlib.ExitStack() as cleanups:
        for number, place in enumerate(places(given, Path(folder) / "0")):
            scratch = Path(folder) / str(number)
            scratch.mkdir()
            seed = f", seed {given.seed}" if given.kind == "random" else ""
            print(f"{place.name}: {given.kind}{seed}", flush=True)
            if given.store:
                cleanups.callback(place.remove)
            began = time.monotonic()
            try:
                passed += kill_at(place, given, scratch)
            except ViolationError as violation:
                print(f"VIOLATION on {place.name}: {violation}", flush=True)
                failed += 1
            print(f"{place.name}: {time.monotonic() - began:.1f} s", flush=True)
    print(f"kill: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
