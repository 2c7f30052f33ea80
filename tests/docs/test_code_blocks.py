"""The C++ and Python of README.md, the manual and examples/cpp compile and run as they stand."""

import doctest
import os
import subprocess

import pytest
from docs_support import MANUAL, PYTHON_PAGE, README, ROOT, Block, blocks, command, environment

CXX = os.environ.get("CXX", "g++")
PREAMBLE = """#include <cstdio>
#include <fstream>
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
        [CXX, *options, "-Werror", f"-I{ROOT / 'include'}", source],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_pages_have_cpp():
    assert len(blocks(README, "cpp")) == 1
    assert len(blocks(MANUAL, "cpp")) >= 10


def build_and_run(source, tmp_path, *arguments) -> str:
    """Links it with the library that lies beside the command under test, and with what that stands on."""
    library = command().parents[1] / "libstepstore.a"
    program = tmp_path / "program"
    options = ["-std=c++20", "-Wall", "-Wextra", "-Werror", "-Wno-unused-variable", f"-I{ROOT / 'include'}", "-pthread"]
    beside = ["-lpugixml", "-lssl", "-lcrypto"]
    subprocess.run([CXX, *options, source, library, *beside, "-o", program], check=True, timeout=240)
    done = subprocess.run(
        [program, *arguments],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


@pytest.mark.parametrize(("page", "prints"), [(README, ""), (MANUAL, "<h1>Log in</h1>\n")], ids=["README", "manual"])
def test_cpp_programs_run(page, prints, tmp_path):
    (block,) = [block for block in blocks(page, "cpp") if "int main(" in block.code]
    source = tmp_path / "block.cc"
    source.write_text(as_unit(block))
    assert build_and_run(source, tmp_path) == prints
    assert list((tmp_path / "recordings/login-test").iterdir())


def test_the_cpp_example_runs(tmp_path):
    printed = build_and_run(ROOT / "examples/cpp/record.cc", tmp_path, tmp_path / "store")
    assert printed.splitlines()[0] == "stored version 1"
    assert printed.splitlines()[-1] == "step_003: <h1>Page 3</h1>, no screenshot"
    assert (tmp_path / "store/session_123/step_003/console.log").read_text() == "loaded in 12 ms\n"


@pytest.mark.parametrize(("page", "least"), [(MANUAL, 20), (PYTHON_PAGE, 8)], ids=["manual", "python"])
def test_a_pages_python_prints_what_it_says(page, least, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SM_LOCAL_BASE_PATH", raising=False)
    session = doctest.DocTestParser().get_doctest(page.read_text(), {}, page.name, str(page), 0)
    assert len(session.examples) >= least
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(session, out=report.append, clear_globs=False)
    session.globs["store"].close()
    assert runner.failures == 0, "".join(report)
