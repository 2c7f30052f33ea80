"""The counting of tests: a failure, a crash or an empty suite is never counted as a success."""

import pathlib
import subprocess
import sys

COUNT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "count_tests.py"

PASSED = "<testcase name='a'/>"
FAILED = "<testcase name='b'><failure message='no'/></testcase>"
ERROR = "<testcase name='c'><error message='no'/></testcase>"
SKIPPED = "<testcase name='d'><skipped/></testcase>"


def suite(folder: pathlib.Path, name: str, status: int, *cases: str) -> str:
    file = folder / f"{name}.xml"
    file.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    return f"{name}={status}={file}"


def count(*suites: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, COUNT, *suites], capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.returncode, done.stdout.splitlines()[-1]


def test_suites_are_summed(tmp_path: pathlib.Path) -> None:
    first, second = suite(tmp_path, "a", 0, PASSED, PASSED), suite(tmp_path, "b", 0, PASSED)
    assert count(first, second, "check=0=") == (0, "4 passed, 0 failed")


def test_failures_errors_and_skipped_are_told_apart(tmp_path: pathlib.Path) -> None:
    assert count(suite(tmp_path, "a", 1, PASSED, FAILED, ERROR, SKIPPED)) == (1, "1 passed, 2 failed, 1 skipped")


def test_a_crash_that_names_no_test_is_a_failure(tmp_path: pathlib.Path) -> None:
    assert count(suite(tmp_path, "a", 139, PASSED)) == (1, "1 passed, 1 failed")


def test_a_suite_without_a_file_of_results_is_a_failure(tmp_path: pathlib.Path) -> None:
    assert count("check=0=", f"gone=0={tmp_path}/gone.xml") == (1, "1 passed, 1 failed")


def test_a_suite_without_tests_is_a_failure(tmp_path: pathlib.Path) -> None:
    assert count("check=0=", suite(tmp_path, "a", 0)) == (1, "1 passed, 1 failed")


def test_a_failed_check_is_a_failure() -> None:
    assert count("check=0=", "other=1=") == (1, "1 passed, 1 failed")


def test_nothing_at_all_is_no_success() -> None:
    assert count() == (1, "0 passed, 0 failed")
