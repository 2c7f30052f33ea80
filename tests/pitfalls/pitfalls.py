#!/usr/bin/env python3
"""Which test shows which pitfall of S3: writes docs/pitfalls.md from pitfalls.toml and the `[G14]` tags in the tests.

    pitfalls.py           checks list, tags and page; exit status 1 when one of them is wrong
    pitfalls.py --write   writes the page first

A tag stands in the comment above a test or inside it; in the comment at the head of a file it means all of its tests.
Wrong are: a pitfall without a test, a tag without a pitfall or a test, and a tag of what cannot happen here.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
LIST = "tests/pitfalls/pitfalls.toml"
PAGE = "docs/pitfalls.md"
OWN = "tests/pitfalls/"  # its tests hold tags as examples
ALL = "all of its tests"

TAG = re.compile(r"\[G(\d+)\]")
# What somebody meant to be a tag: several in one pair of brackets, a blank, a small letter.
NEARLY = re.compile(r"\[[gG] ?\d[\d\sgG,;/-]*\]")
CPP_TEST = re.compile(
    r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\(\s*(\w+),\s*(\w+)", re.M
)
CPP_END = re.compile(r"^\}", re.M)
PYTHON_TEST = re.compile(r"^(?:async )?def (test_\w+)", re.M)
PYTHON_END = re.compile(r"^(?=[^\s#)\]}])", re.M)

HEAD = """# Pitfalls of S3, and the tests that show them

Written by `tests/pitfalls/pitfalls.py --write` from its list and from the tests; do not edit. Each line is something
that S3 clients get wrong with one server or another; the tests beside it name it and show what stepstore does.

{sum}

| | what a client has to get right | shown by |
|---|---|---|
"""


class Pitfall(NamedTuple):
    number: int
    words: str
    elsewhere: str = ""
    later: str = ""


class Test(NamedTuple):
    name: str
    begins: int
    ends: int


class Shown(NamedTuple):
    number: int
    file: str
    test: str


def read_list(text: str) -> tuple[list[Pitfall], list[str]]:
    """The pitfalls, and what is wrong with the list."""
    known = {"number", "words", "elsewhere", "later"}
    pitfalls, wrong = [], []
    for place, entry in enumerate(tomllib.loads(text).get("pitfall", []), 1):
        odd = entry.keys() - known
        if odd or not {"number", "words"} <= entry.keys() or {"elsewhere", "later"} <= entry.keys():
            wrong.append(f"{LIST}: entry {place} needs number and words, and may have elsewhere or later: {entry}")
            continue
        pitfalls.append(Pitfall(**entry))
        if entry["number"] != place:
            wrong.append(f"{LIST}: entry {place} has the number {entry['number']}")
    return pitfalls, wrong


def tests_in(text: str, cpp: bool) -> list[Test]:
    begin, end = (CPP_TEST, CPP_END) if cpp else (PYTHON_TEST, PYTHON_END)
    tests = []
    for match in begin.finditer(text):
        # A test of one line ends with it.
        line = text.find("\n", match.end())
        over = line if line > 0 and text[match.end() : line].endswith("}") else -1
        if over < 0:
            closing = end.search(text, match.end())
            over = closing.start() if closing else len(text)
        tests.append(Test(".".join(match.groups()), match.start(), over))
    return tests


def head_of(text: str, cpp: bool) -> int:
    """Where the comment at the head of the file ends."""
    pattern = r"(?://.*\n)*" if cpp else r'(?:#.*\n|\s)*(?:""".*?""")?'
    match = re.match(pattern, text, re.S if not cpp else 0)
    return match.end() if match else 0


def shown_in(file: str, text: str) -> Iterator[Shown | str]:
    """What the tags of a file say; a text is what is wrong."""
    cpp = file.endswith(".cc")
    tests, head = tests_in(text, cpp), head_of(text, cpp)
    for match in NEARLY.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if not TAG.fullmatch(match[0]):
            yield f"{file}:{line}: write '{match[0]}' as one tag each, like [G14]"
            continue
        # Of a test that is over, the next one is meant.
        test = next((each for each in tests if match.start() < each.ends), None)
        if test is None:
            yield f"{file}:{line}: no test follows {match[0]}"
        else:
            yield Shown(int(match[0][2:-1]), file, ALL if match.start() < head else test.name)


def test_files(root: Path) -> Iterator[tuple[str, str]]:
    """Path from the root, with text, of every file that has tests."""
    for folder in ("src", "testing", "tests", "cli", "python"):
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            is_test = path.suffix == ".cc" or (path.suffix == ".py" and path.name.startswith("test_"))
            if is_test and path.is_file() and not name.startswith(OWN):
                yield name, path.read_text(encoding="utf-8")


def faults(pitfalls: list[Pitfall], shown: list[Shown]) -> Iterator[str]:
    numbers = {each.number for each in shown}
    known = {each.number: each for each in pitfalls}
    for each in shown:
        if each.number not in known:
            yield f"{each.file}: {each.test} names G{each.number}, which {LIST} does not have"
        elif known[each.number].elsewhere:
            yield f"{each.file}: {each.test} names G{each.number}, which cannot happen here, {LIST} says"
    for pitfall in pitfalls:
        if not (pitfall.elsewhere or pitfall.later or pitfall.number in numbers):
            yield f"no test names G{pitfall.number}: {pitfall.words}"


def tests_by_file(shown: list[Shown]) -> str:
    files: dict[str, list[str]] = defaultdict(list)
    for each in shown:
        if each.test not in files[each.file]:
            files[each.file].append(each.test)
    return "; ".join(
        f"{file}: {', '.join(f'`{t}`' if t != ALL else t for t in tests)}" for file, tests in files.items()
    )


def row(pitfall: Pitfall, shown: list[Shown]) -> str:
    told = [tests_by_file(shown)] if shown else []
    if pitfall.elsewhere:
        told = [f"*Not here.* {pitfall.elsewhere}"]
    if pitfall.later:
        told.append(f"**open:** {pitfall.later}")
    return f"| G{pitfall.number} | {pitfall.words} | {'; '.join(told)} |\n"


def page(pitfalls: list[Pitfall], shown: list[Shown]) -> str:
    by_number: dict[int, list[Shown]] = defaultdict(list)
    for each in shown:
        by_number[each.number].append(each)
    here = [each for each in pitfalls if not each.elsewhere]
    still_open = [each for each in here if each.later]
    tests = {(each.file, each.test) for each in shown}
    total = (
        f"{len(pitfalls)} pitfalls: {len(pitfalls) - len(here)} cannot happen here, "
        f"{len(here) - len(still_open)} are shown, {len(still_open)} are open in part; {len(tests)} tests."
    )
    return HEAD.format(sum=total) + "".join(row(each, by_number[each.number]) for each in pitfalls)


def main(words: list[str], root: Path = ROOT) -> int:
    if words not in ([], ["--write"]):
        print(__doc__, file=sys.stderr)
        return 2
    pitfalls, wrong = read_list((root / LIST).read_text(encoding="utf-8"))
    shown: list[Shown] = []
    for file, text in test_files(root):
        for found in shown_in(file, text):
            if isinstance(found, str):
                wrong.append(found)
            else:
                shown.append(found)
    wrong += faults(pitfalls, shown)
    text = page(pitfalls, shown)
    written = root / PAGE
    if words == ["--write"]:
        written.write_text(text, encoding="utf-8")
    elif not written.is_file() or written.read_text(encoding="utf-8") != text:
        wrong.append(f"{PAGE} is not what list and tests say: run tests/pitfalls/pitfalls.py --write")
    print("\n".join([*wrong, f"{len(pitfalls)} pitfalls, {len(shown)} tags, {len(wrong)} of it wrong"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
