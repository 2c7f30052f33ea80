"""What the tests of the documents use: the pages and their code."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "docs" / "storage_manager.md"
PYTHON_PAGE = ROOT / "docs" / "python.md"
README = ROOT / "README.md"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    page: Path
    language: str
    line: int  # of its first line of code
    code: str


def blocks(page: Path, language: str) -> list[Block]:
    """The code blocks of a page in that language; "" is a block without one."""
    text = page.read_text()
    return [
        Block(page, language, text.count("\n", 0, match.start(2)) + 1, match[2])
        for match in FENCE.finditer(text)
        if match[1] == language
    ]


def words_in_code(page: Path) -> set[str]:
    """The words that stand in code blocks or between backticks: prose does not explain a name."""
    text = page.read_text()
    code = [match[2] for match in FENCE.finditer(text)]
    code += re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    return set(re.findall(r"\w+", "\n".join(code)))


def command() -> Path:
    """The command under test: $STEPSTORE_BIN, else what `./dev build` leaves."""
    path = Path(os.environ.get("STEPSTORE_BIN", ROOT / "build" / "stepstore")).resolve()
    if not os.access(path, os.X_OK):
        pytest.exit(f"there is no stepstore command at {path}: run ./dev build, or set STEPSTORE_BIN", 2)
    return path


def environment() -> dict[str, str]:
    """The environment without what would lead a store elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("STEPSTORE_LOG", "SM_"))}
