#!/usr/bin/env python3
"""Keeps what each long trial has shown, one line per trial in docs/trials.tsv, and writes docs/trials.md from them.

    trials_page.py record NAME COMMAND STATUS MILLISECONDS WORDS   the newest line of that trial, and the page
    trials_page.py page                                            only the page

Standard input names all trials, one a line, in the order of the page: run_trials (trials.sh) pipes them in. Several
may record at the same time.
"""

from __future__ import annotations

import datetime
import fcntl
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
LINES = Path("docs/trials.tsv")
PAGE = Path("docs/trials.md")

HEAD = """# Trials

Written by `./dev long`, which runs them again, all or some; do not edit. Each line tells the last run of its trial.

What each of them does stands at the head of its program. Kills and races run against a directory and against real S3
servers; afterwards every step that was acknowledged has to be there, whole, and nothing else. `check` names what is
left to be tidied up: orphans are objects of writers that were killed or lost a race, which no reader sees.

| trial | command | result | time | commit, date | its last words |
|---|---|---|---|---|---|
"""


class Line(NamedTuple):
    name: str
    command: str
    status: str
    milliseconds: str
    commit: str
    date: str
    machine: str
    words: str


def git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def commit() -> str:
    """What is tried; with a plus where files differ from it. The pages of figures do not count."""
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/*.md", ":!docs/*.tsv")
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


def read_lines(file: Path) -> dict[str, Line]:
    if not file.exists():
        return {}
    lines = [Line(*each.split("\t")) for each in file.read_text().splitlines() if not each.startswith("#")]
    return {line.name: line for line in lines}


def one_line(text: str) -> str:
    return " ".join(text.split())


def newest(name: str, command: str, status: str, milliseconds: str, words: str) -> Line:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    machine = f"{os.cpu_count()} cores, Linux {platform.release().split('-')[0]}"
    return Line(name, one_line(command), status, milliseconds, commit(), today, machine, one_line(words))


def replace(file: Path, text: str) -> None:
    """Whoever reads it sees the old text or the new one."""
    other = file.with_suffix(file.suffix + ".new")
    other.write_text(text)
    other.replace(file)


def row(name: str, line: Line | None) -> str:
    if line is None:
        return f"| {name} | | not run yet | | | |\n"
    minutes, seconds = divmod(round(int(line.milliseconds) / 1000), 60)
    result = "passed" if line.status == "0" else "**failed**"
    took, words = f"{minutes} min {seconds:02} s", line.words.replace("|", "\\|")
    return f"| {name} | `{line.command}` | {result} | {took} | {line.commit}, {line.date} | {words} |\n"


def page(names: list[str], lines: dict[str, Line]) -> str:
    text = HEAD + "".join(row(name, lines.get(name)) for name in names)
    if machines := sorted({lines[name].machine for name in names if name in lines}):
        text += f"\nRun on {'; '.join(machines)}. A commit with a plus had uncommitted changes.\n"
    return text


def main(words: list[str], names: list[str], folder: Path) -> None:
    if words[:1] not in (["record"], ["page"]) or len(words) != {"record": 6, "page": 1}[words[0]]:
        sys.exit(__doc__)
    lines_file, page_file = folder / LINES, folder / PAGE
    with (folder / "build" / "trials.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lines = read_lines(lines_file)
        if words[0] == "record":
            lines[words[1]] = newest(*words[1:])
            # A trial that no longer exists takes its line with it.
            kept = ["\t".join(lines[name]) for name in names if name in lines]
            replace(lines_file, "\n".join(["# " + "\t".join(Line._fields), *kept]) + "\n")
        replace(page_file, page(names, lines))


if __name__ == "__main__":
    main(sys.argv[1:], sys.stdin.read().splitlines(), ROOT)
