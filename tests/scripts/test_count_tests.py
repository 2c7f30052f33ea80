"""The counting of tests: a failure, a crash, an empty suite or a silent skip is never counted as a success."""

import pathlib
import subprocess
import sys

COUNT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "count_tests.py"

PASSED = "<testcase name='a'/>"
FAILED = "<testcase name='b'><failure message='no'/></testcase>"
ERROR = "<testcase name='c'><error message='no'/></testcase>"
# Two that allowed_skips.txt names, as pytest and as ctest tell them.
SKIPPED = (
    "<testcase classname='tests.s3.test_cli_errors' name='test_wrong_secret[moto]'>"
    "<skipped type='pytest.skip' message='no-signatures'/></testcase>"
)
SKIPPED_BY_CTEST = (
    "<testcase classname='StepCursor.GoesOnInAForkedChild' name='StepCursor.GoesOnInAForkedChild'>"
    "<skipped message='SKIP_REGULAR_EXPRESSION_MATCHED'/><system-out>Skipped: the allocators of\n"
    "GCC 12's sanitizers keep</system-out></testcase>"
)
SKIPPED_UNASKED = "<testcase classname='x' name='d'><skipped message='no-signatures'/></testcase>"


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


def test_skips_that_are_allowed_are_named(tmp_path: pathlib.Path) -> None:
    argument = suite(tmp_path, "a", 0, PASSED, SKIPPED, SKIPPED_BY_CTEST)
    assert count(argument) == (0, "1 passed, 0 failed, 2 skipped")
    told = subprocess.run([sys.executable, COUNT, argument], capture_output=True, text=True, check=True).stdout
    assert "skipped, a: tests.s3.test_cli_errors.test_wrong_secret[moto]: no-signatures" in told
    assert "skipped, a: StepCursor.GoesOnInAForkedChild: the allocators of GCC 12's sanitizers" in told


def test_any_other_skip_is_a_failure(tmp_path: pathlib.Path) -> None:
    assert count(suite(tmp_path, "a", 0, PASSED, SKIPPED_UNASKED)) == (1, "1 passed, 1 failed")


def test_a_skip_for_another_reason_is_a_failure(tmp_path: pathlib.Path) -> None:
    other = SKIPPED.replace("no-signatures", "no network")
    assert count(suite(tmp_path, "a", 0, PASSED, other)) == (1, "1 passed, 1 failed")


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
