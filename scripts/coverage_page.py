#!/usr/bin/env python3
"""Writes the page of coverage: `coverage_page.py CPP.json PYTHON.json PAGE.md`, from gcovr's summary and coverage's
report, as ./dev coverage makes them."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

HEAD = """# Coverage

Written by `./dev coverage`, {date}, commit {commit}; do not edit. Lines and branches that the tests on disk, in memory,
over the project's own S3 server and of the command have run; `build/coverage/cpp.html` shows them file by file.
Branches that only an exception takes are left out in C++.

| folder | lines | of | | branches | of | |
|---|---:|---:|---:|---:|---:|---:|
"""


class Covered(NamedTuple):
    lines: int = 0
    lines_of: int = 0
    branches: int = 0
    branches_of: int = 0

    def plus(self, other: Covered) -> Covered:
        return Covered(*(a + b for a, b in zip(self, other, strict=True)))

    def row(self, name: str) -> str:
        lines, branches = share(self.lines, self.lines_of), share(self.branches, self.branches_of)
        return (
            f"| {name} | {self.lines} | {self.lines_of} | {lines} | {self.branches} | {self.branches_of} | {branches} |"
        )


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""


def cpp_files(report: dict[str, Any]) -> dict[str, Covered]:
    return {
        each["filename"]: Covered(
            each["line_covered"], each["line_total"], each["branch_covered"], each["branch_total"]
        )
        for each in report["files"]
    }


def python_files(report: dict[str, Any]) -> dict[str, Covered]:
    return {
        name: Covered(
            each["summary"]["covered_lines"],
            each["summary"]["num_statements"],
            each["summary"].get("covered_branches", 0),
            each["summary"].get("num_branches", 0),
        )
        for name, each in report["files"].items()
    }


def folder_of(file: str) -> str:
    parts = Path(file).parts
    # The package lies wherever pip has installed it.
    if "site-packages" in parts:
        return "python/" + parts[parts.index("site-packages") + 1]
    return "/".join(parts[: min(len(parts) - 1, 2)])


def table(files: dict[str, Covered]) -> list[str]:
    folders: dict[str, Covered] = defaultdict(Covered)
    for name, covered in files.items():
        folders[folder_of(name)] = folders[folder_of(name)].plus(covered)
    return [folders[name].row(f"`{name}/`") for name in sorted(folders)]


def total(files: dict[str, Covered]) -> Covered:
    whole = Covered()
    for each in files.values():
        whole = whole.plus(each)
    return whole


def page(cpp: dict[str, Covered], python: dict[str, Covered], head: str) -> str:
    rows = [*table(cpp), total(cpp).row("**all of C++**"), *table(python), total(python).row("**all of Python**")]
    return head + "\n".join(rows) + "\n"


def main() -> None:
    cpp, python, file = map(Path, sys.argv[1:])
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    head = HEAD.format(date=datetime.datetime.now(datetime.UTC).date(), commit=commit.stdout.strip())
    text = page(cpp_files(json.loads(cpp.read_text())), python_files(json.loads(python.read_text())), head)
    file.write_text(text)


if __name__ == "__main__":
    main()
