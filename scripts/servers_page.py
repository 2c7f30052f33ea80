#!/usr/bin/env python3
"""Runs `stepstore doctor` on S3 servers, in a plain bucket and in one that keeps versions, and writes docs/servers.md.

    servers_page.py [--install] [NAME...]   on these servers, or on all: keeps the answers in docs/servers.json and
                                            writes the page; --install gets servers that are missing first
    servers_page.py --check NAME...         the same on these, and writes nothing
    servers_page.py --page                  only the page, from what is kept

It fails when doctor and the table of traits (tests/servers/catalogue.py) say different things of a server, or when an
answer differs from an earlier measurement without a reason (scripts/servers_earlier.py). A server that cannot be had
keeps its column, which says why. STEPSTORE_BIN names the command; else it is build/stepstore.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from servers_tables import Answers, against_earlier, against_traits, page_of, verdict_on

ROOT = Path(__file__).resolve().parents[1]
SERVERS_PY = ROOT / "tests" / "servers" / "servers.py"
ANSWERS = ROOT / "docs" / "servers.json"
PAGE = ROOT / "docs" / "servers.md"

FIT, NO_ANSWER, UNFIT = 0, 10, 15  # exit codes of doctor
SECONDS = 900  # for one bucket


# --- Asking ---


def servers_py(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SERVERS_PY, *words], capture_output=True, text=True, check=False)


def kinds() -> dict[str, Any]:
    listed = json.loads(servers_py("list", "--json").stdout)
    return {each["name"]: each for each in listed["servers"]}


def plain_text(seen: str) -> str:
    """Without what differs from run to run."""
    seen = re.sub(r"\b[0-9A-HJKMNP-TV-Z]{26}\b", "ID", seen)
    seen = re.sub(r"https?://127\.0\.0\.1:\d+", "the server", seen)
    return re.sub(r"'[^' ]*/ID/[^' ]*'", "'...'", seen)


def ask(server: dict[str, Any], bucket: str) -> Answers:
    """What doctor says of one bucket. Raises SystemExit when it says nothing."""
    command = os.environ.get("STEPSTORE_BIN", str(ROOT / "build" / "stepstore"))
    uri = f"s3://{bucket}/team?endpoint={server['endpoint']}&region={server['region']}"
    done = subprocess.run(
        [command, "doctor", "--json", uri], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    if done.returncode not in (FIT, NO_ANSWER, UNFIT):
        sys.exit(f"doctor on {server['name']}, {bucket}, ended with status {done.returncode}: {done.stderr.strip()}")
    said: Answers = json.loads(done.stdout)
    rows = {
        row["name"]: {
            "area": row["area"],
            "tried": row["tried"],
            "verdict": row["verdict"],
            "seen": plain_text(row["seen"]),
            "needed": row["needed"],
        }
        for row in said["rows"]
    }
    return {"fit": said["fit"], "server": said["server"], "notes": said["notes"], "rows": rows}


def ask_those_told(file: Path) -> None:
    """Beside the server: servers.py tells where it is."""
    (server,) = json.loads(os.environ["STEPSTORE_TEST_SERVERS"])
    buckets = {"plain": server["bucket"], "versioned": server["versioned_bucket"]}
    answers = {name: ask(server, bucket) for name, bucket in buckets.items() if bucket}
    file.write_text(json.dumps(answers))


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]


def examine(name: str, version: str, install: bool) -> Answers:
    """Starts that server and asks it."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    about: Answers = {"version": version, "date": today}
    if install:
        servers_py("install", name)
    absent = servers_py("installed", name)
    if absent.returncode != 0:
        return about | {"missing": last_line(absent.stderr).removeprefix(f"servers.py: {name}: ")}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answers"
        done = servers_py("run", name, "--", sys.executable, __file__, "--beside", str(file))
        if done.returncode != 0:
            return about | {"missing": f"it could not be asked: {plain_text(last_line(done.stderr))}"}
        return about | {"buckets": json.loads(file.read_text())}


def replace(file: Path, text: str) -> None:
    other = file.with_suffix(file.suffix + ".new")
    other.write_text(text)
    other.replace(file)


def read_answers() -> dict[str, Answers]:
    kept: dict[str, Answers] = json.loads(ANSWERS.read_text()) if ANSWERS.exists() else {}
    return kept


def keep(new: dict[str, Answers], order: list[str]) -> None:
    """What could be asked is not replaced by that it could not be asked today."""
    kept = read_answers()
    for name, answers in new.items():
        if "missing" not in answers or "buckets" not in kept.get(name, {}):
            kept[name] = answers
    kept = {name: kept[name] for name in order if name in kept}
    replace(ANSWERS, json.dumps(kept, indent=1) + "\n")
    replace(PAGE, page_of(kept))


def run(names: list[str], install: bool, check: bool) -> int:
    known = kinds()
    wrong, asked, new = [], 0, {}
    for name in names or list(known):
        answers = examine(name, known[name]["version"], install)
        new[name] = answers
        if "missing" in answers:
            print(f"{name}: {answers['missing']}")
            wrong += [f"{name}: {answers['missing']}"] if check else []
            continue
        asked += 1
        print(f"{name}: {', '.join(f'{verdict_on(answers, bucket)} ({bucket})' for bucket in answers['buckets'])}")
        wrong += against_traits(name, answers, known[name]["traits"]) + against_earlier(name, answers)
    if not check:
        keep(new, list(known))
    for line in wrong:
        print(line)
    print(f"doctor: {asked} passed, {len(wrong)} failed")
    return 1 if wrong or asked == 0 else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--beside", metavar="FILE", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.beside:
        ask_those_told(given.beside)
        return 0
    if given.page:
        replace(PAGE, page_of(read_answers()))
        return 0
    return run(given.names, given.install, given.check)


if __name__ == "__main__":
    sys.exit(main())
