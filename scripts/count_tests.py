"""Adds up test suites and says how many passed.

Each argument is NAME=STATUS=JUNIT_FILE; without a file the suite is one check. The last line reads
`N passed, M failed`, with `, K skipped` when something was skipped. Exits with 1 when anything failed.

A suite whose program failed although its file names no failed test counts as one failure: a crash must
not pass for a success. So does a suite that ran nothing, and so does each skipped test that
allowed_skips.txt, beside this file, does not name with its reason. All skipped tests are printed.
"""

import fnmatch
import pathlib
import sys
from typing import NamedTuple
from xml.etree import ElementTree

ALLOWED = pathlib.Path(__file__).with_name("allowed_skips.txt")


class Skip(NamedTuple):
    test: str
    said: str  # all that it printed, with the reason somewhere in it


class Allowed(NamedTuple):
    test: str  # as a shell's pattern
    reason: str


class Count(NamedTuple):
    passed: int
    failed: int
    skipped: int

    def text(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def allowed_skips(file: pathlib.Path) -> list[Allowed]:
    lines = [line.strip() for line in file.read_text().splitlines()]
    return [Allowed(*map(str.strip, line.split(" | "))) for line in lines if line and not line.startswith("#")]


def reason_of(skip: Skip, allowed: list[Allowed]) -> str | None:
    """The reason that the list names; None when it names none."""
    # Neither pattern nor name may be taken for a set of characters: names of parameters stand in brackets.
    test = skip.test.replace("[", "(").replace("]", ")")
    for each in allowed:
        if fnmatch.fnmatchcase(test, each.test.replace("[", "(").replace("]", ")")) and each.reason in skip.said:
            return each.reason
    return None


def skip_of(case: ElementTree.Element) -> Skip | None:
    skipped = case.find("skipped")
    if skipped is None or has(case, "failure", "error"):
        return None
    group, name = case.get("classname", ""), case.get("name", "").partition("  # GetParam()")[0]
    # ctest says the same in both, and puts what the test printed aside.
    test = name if case.get("classname") == case.get("name") else f"{group}.{name}"
    said = [skipped.get("message", ""), skipped.text or "", case.findtext("system-out") or ""]
    return Skip(test, " ".join("\n".join(said).split()))


def count(status: int, junit: pathlib.Path | None) -> tuple[Count, list[Skip]]:
    if junit is None:
        return Count(int(status == 0), int(status != 0), 0), []
    try:
        cases = list(ElementTree.parse(junit).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return Count(0, 1, 0), []
    failed = sum(1 for case in cases if has(case, "failure", "error"))
    skips = [skip for case in cases if (skip := skip_of(case))]
    passed = len(cases) - failed - len(skips)
    if failed == 0 and (status != 0 or not cases):
        failed = 1
    return Count(passed, failed, len(skips)), skips


def has(case: ElementTree.Element, *tags: str) -> bool:
    return any(case.find(tag) is not None for tag in tags)


def judge(suite: str, skips: list[Skip], allowed: list[Allowed]) -> int:
    """Prints the skips of a suite. How many of them nobody has allowed."""
    bad = 0
    for skip in skips:
        reason = reason_of(skip, allowed)
        if reason is None:
            bad += 1
            print(f"NOT ALLOWED to be skipped, {suite}: {skip.test}: {skip.said[-300:]}")
        else:
            print(f"skipped, {suite}: {skip.test}: {reason}")
    return bad


def main(arguments: list[str]) -> int:
    total, lines = Count(0, 0, 0), []
    allowed = allowed_skips(ALLOWED)
    width = max((len(argument.rsplit("=", 2)[0]) for argument in arguments), default=0)
    for argument in arguments:
        name, status, file = argument.rsplit("=", 2)
        one, skips = count(int(status), pathlib.Path(file) if file else None)
        bad = judge(name, skips, allowed)
        one = Count(one.passed, one.failed + bad, one.skipped - bad)
        lines.append(f"{name:<{width}}  {one.text()}")
        total = Count(*(a + b for a, b in zip(total, one, strict=True)))
    print("\n".join([*lines, total.text()]))
    return 0 if total.failed == 0 and total.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
