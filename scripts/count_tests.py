"""Adds up test suites and says how many passed.

Each argument is NAME=STATUS=JUNIT_FILE; without a file the suite is one check. The last line reads
`N passed, M failed`, with `, K skipped` when something was skipped. Exits with 1 when anything failed.

A suite whose program failed although its file names no failed test counts as one failure: a crash must
not pass for a success. So does a suite that ran nothing.
"""

import pathlib
import sys
from typing import NamedTuple
from xml.etree import ElementTree


class Count(NamedTuple):
    passed: int
    failed: int
    skipped: int

    def text(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def count(status: int, junit: pathlib.Path | None) -> Count:
    if junit is None:
        return Count(int(status == 0), int(status != 0), 0)
    try:
        cases = list(ElementTree.parse(junit).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return Count(0, 1, 0)
    failed = sum(1 for case in cases if has(case, "failure", "error"))
    skipped = sum(1 for case in cases if has(case, "skipped") and not has(case, "failure", "error"))
    passed = len(cases) - failed - skipped
    if failed == 0 and (status != 0 or not cases):
        failed = 1
    return Count(passed, failed, skipped)


def has(case: ElementTree.Element, *tags: str) -> bool:
    return any(case.find(tag) is not None for tag in tags)


def main(arguments: list[str]) -> int:
    total = Count(0, 0, 0)
    width = max((len(argument.rsplit("=", 2)[0]) for argument in arguments), default=0)
    for argument in arguments:
        name, status, file = argument.rsplit("=", 2)
        one = count(int(status), pathlib.Path(file) if file else None)
        print(f"{name:<{width}}  {one.text()}")
        total = Count(*(a + b for a, b in zip(total, one, strict=True)))
    print(total.text())
    return 0 if total.failed == 0 and total.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
