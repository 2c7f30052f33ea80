#!/usr/bin/env python3
"""Writes the page about the last long trials: `trials_page.py TRIALS.tsv PAGE.md`; run_trials (trials.sh) leaves the
former."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

HEAD = """# Trials

Written by `./dev long`, which runs them again; do not edit. Commit {commit}, {cores} cores, Linux {kernel}.

What each of them does stands at the head of its program. Kills and races run against a directory and against real S3
servers; afterwards every step that was acknowledged has to be there, whole, and nothing else. `check` names what is
left to be tidied up: orphans are objects of writers that were killed or lost a race, which no reader sees.

| trial | command | result | time | its last words |
|---|---|---|---|---|
"""


def main() -> None:
    source, page = map(Path, sys.argv[1:])
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    text = HEAD.format(commit=commit.stdout.strip(), cores=os.cpu_count(), kernel=platform.release())
    for line in source.read_text().splitlines():
        name, command, status, milliseconds, words = line.split("\t")
        minutes, seconds = divmod(round(int(milliseconds) / 1000), 60)
        result = "passed" if status == "0" else "**failed**"
        text += f"| {name} | `{command.strip()}` | {result} | {minutes} min {seconds:02} s | {words.strip()} |\n"
    page.write_text(text)


if __name__ == "__main__":
    main()
