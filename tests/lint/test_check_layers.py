"""The layer check accepts the tree as it is, and each rule refuses what it is there to refuse."""

import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECK = ROOT / "tests" / "lint" / "check_layers.py"
FOLDERS = ("include", "src", "cli", "python", "testing", "tests", "bench", "examples")


@pytest.fixture
def tree(tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy of the project's sources, to be spoilt."""
    shutil.copy(ROOT / "CMakeLists.txt", tmp_path)
    for folder in FOLDERS:
        if (ROOT / folder).is_dir():
            shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def check(root: pathlib.Path) -> tuple[int, str]:
    done = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.returncode, done.stdout


def add_line(file: pathlib.Path, line: str) -> None:
    file.write_text(f"{file.read_text()}\n{line}\n")


def test_the_tree_as_it_is_passes(tree: pathlib.Path) -> None:
    assert check(tree)[0] == 0, check(tree)[1]


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        ("src/base/clock.cc", '#include "manager/roots.h"', "src/base may include stepstore"),
        ("src/model/text.cc", '#include "layout/keys.h"', "src/model may include base, stepstore"),
        ("src/store/memory_store.cc", '#include "manager/roots.h"', "src/store may include"),
        ("src/manager/reader.cc", '#include "store/memory_store.h"', "src/manager may include"),
        ("src/manager/reader.cc", '#include "open/uri.h"', "src/manager may include"),
        ("src/layout/keys.cc", '#include "testing/fakes.h"', "src/layout may include"),
        ("cli/main.cc", '#include "base/errors.h"', "cli may include stepstore"),
        ("cli/main.cc", '#include "layout/keys.h"', "cli may include stepstore"),
        ("include/stepstore/step.h", '#include "base/errors.h"', "include only public headers"),
        ("include/stepstore/step.h", "#include <nlohmann/json.hpp>", "name no other library"),
        ("include/stepstore/step.h", "#include <spdlog/spdlog.h>", "name no other library"),
        ("src/manager/reader.cc", 'const char* x = "step.json";', "only src/layout spells keys"),
        ("src/store/memory_store.cc", 'const char* x = "a/.stepstore/b";', "only src/layout spells keys"),
        ("src/store/local/core.cc", 'const char* x = "step.json";', "only src/layout spells keys"),
        ("src/manager/reader.cc", 'const char* x = "observation.html";', "only src/layout spells keys"),
        ("cli/main.cc", 'const char* x = "step.json";', "only src/layout spells keys"),
        ("src/manager/reader.cc", 'auto x = std::getenv("HOME");', "only src/open does"),
        ("src/base/log.cc", 'auto x = secure_getenv("HOME");', "only src/open does"),
    ],
)
def test_a_forbidden_line_is_refused(tree: pathlib.Path, file: str, line: str, said: str) -> None:
    add_line(tree / file, line)
    code, out = check(tree)
    assert code == 1
    assert file in out
    assert said in out
    assert out.endswith("1 violations\n")


def test_a_source_file_that_no_target_builds_is_refused(tree: pathlib.Path) -> None:
    (tree / "src/base/forgotten.cc").write_text("// nobody builds this\n")
    code, out = check(tree)
    assert code == 1
    assert "src/base/forgotten.cc: no target builds it" in out


def test_a_file_named_only_in_a_comment_of_cmake_is_refused(tree: pathlib.Path) -> None:
    (tree / "src/base/forgotten.cc").write_text("// nobody builds this\n")
    add_line(tree / "src/base/CMakeLists.txt", "# forgotten.cc")
    assert check(tree)[0] == 1


def test_a_header_that_nobody_includes_is_refused(tree: pathlib.Path) -> None:
    (tree / "src/base/forgotten.h").write_text("#pragma once\n")
    assert "src/base/forgotten.h: nobody includes it" in check(tree)[1]


def test_a_folder_that_is_not_in_the_table_is_refused(tree: pathlib.Path) -> None:
    (tree / "src/extra").mkdir()
    (tree / "src/extra/CMakeLists.txt").write_text("add_library(extra extra.cc)\n")
    (tree / "src/extra/extra.cc").write_text("#include <string>\n")
    assert "lies in no folder of the table" in check(tree)[1]


def test_an_empty_tree_is_no_success(tmp_path: pathlib.Path) -> None:
    assert check(tmp_path) == (1, "0 files read, 0 violations\n")
