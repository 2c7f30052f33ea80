"""The C++ and Python of README.md and the manual compile and run as they stand."""

import doctest
import os
import subprocess

import pytest
from docs_support import MANUAL, README, ROOT, Block, blocks

PREAMBLE = """#include <cstdio>
#include <string>
#include <vector>
#include "stepstore/stepstore.h"
"""


def as_unit(block: Block) -> str:
    """A block with main() stands alone; another is what a function does with an open manager."""
    name = block.page.relative_to(ROOT)
    code = f'#line {block.line} "{name}"\n{block.code}'
    if "int main(" in block.code:
        return code
    return (
        f"{PREAMBLE}using namespace stepstore;\n"
        f"void fragment_{block.line}([[maybe_unused]] StorageManager& store) {{\n{code}}}\n"
    )


@pytest.mark.parametrize(
    "block", blocks(README, "cpp") + blocks(MANUAL, "cpp"), ids=lambda b: f"{b.page.stem}_{b.line}"
)
def test_cpp_compiles(block, tmp_path):
    source = tmp_path / "block.cc"
    source.write_text(as_unit(block))
    options = [
        "-std=c++20",
        "-fsyntax-only",
        "-Wall",
        "-Wextra",
        "-Wno-unused-variable",
        "-Wno-unused-but-set-variable",
    ]
    done = subprocess.run(
        [os.environ.get("CXX", "g++"), *options, "-Werror", f"-I{ROOT / 'include'}", source],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_pages_have_cpp():
    assert len(blocks(README, "cpp")) == 1
    assert len(blocks(MANUAL, "cpp")) >= 10


def test_the_manuals_python_prints_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SM_LOCAL_BASE_PATH", raising=False)
    session = doctest.DocTestParser().get_doctest(MANUAL.read_text(), {}, MANUAL.name, str(MANUAL), 0)
    assert len(session.examples) >= 20
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(session, out=report.append, clear_globs=False)
    session.globs["store"].close()
    assert runner.failures == 0, "".join(report)
