"""The search for the run's secret finds it in every spelling, and does not pass when it could not have found it."""

import base64
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from canary import BLOCK, SHAPE, controls, core, found_in, new, planted, search_file

PROGRAM = Path(__file__).with_name("canary.py")
SECRET = SHAPE.format("1234567890abcdef12345678")
LOGGED = "s3: key 'a', try 1 of 8: GetObject to http://127.0.0.1:1: 403 AccessDenied"


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """The folder of a run that has used the secret and logged a failure."""
    folder = tmp_path / "trace"
    folder.mkdir()
    (folder / "canary.uses").write_text("S3Faults.One\ntests/x.py::test_two (call)\n")
    (folder / "cpp.log").write_text(f"== S3Faults.One\n{LOGGED}\n")
    return folder


def search(*words: object, secret: str = SECRET) -> tuple[int, str]:
    environment = {**os.environ, "STEPSTORE_TEST_CANARY": secret}
    done = subprocess.run(
        [sys.executable, PROGRAM, "search", *map(str, words)],
        env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_secrets_differ_and_change_in_every_spelling() -> None:
    assert new() != new()
    assert quote(SECRET, safe="") != SECRET
    assert set("+/=") <= set(SECRET)
    assert core(SECRET) == "1234567890abcdef12345678"


@pytest.mark.parametrize("before", [b"", b"a", b"ab", b"abc", b"abcd"])
@pytest.mark.parametrize("after", [b"", b"x", b"xyz:"])
def test_base64_is_seen_wherever_it_begins(before: bytes, after: bytes) -> None:
    whole = base64.b64encode(before + SECRET.encode() + after)
    assert any("base64" in name for name in found_in(whole, SECRET))


def test_each_planted_one_is_found() -> None:
    assert controls(SECRET) == []
    for name, text in planted(SECRET).items():
        assert name in found_in(b"before " + text + b" after", SECRET)


def test_a_file_is_read_to_its_end_and_across_blocks(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for begin in (0, BLOCK - 5, BLOCK, 3 * BLOCK - 20):
        file.write_bytes(b"." * begin + SECRET.encode())
        assert "as it is" in search_file(file, SECRET)
    file.write_bytes(b"." * BLOCK)
    assert search_file(file, SECRET) == []


def test_a_clean_run_passes_and_is_counted(trace: Path, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "suite.log").write_text("fine")
    code, told = search(trace, tmp_path / "logs")
    assert code == 0, told
    assert told.startswith("0 occurrences in 3 files")
    assert "1 logged failures among them; 2 tests and files have used the secret; 12 planted ones" in told


@pytest.mark.parametrize("name", planted(SECRET))
def test_a_leak_fails_and_is_told_without_the_secret(trace: Path, tmp_path: Path, name: str) -> None:
    log = tmp_path / "suite.log"
    log.write_bytes(b"signed with " + planted(SECRET)[name])
    code, told = search(trace, log)
    assert code == 1
    assert f"{log} holds the secret, {name}" in told
    assert found_in(told.encode(), SECRET) == []


def test_a_run_that_used_no_secret_or_logged_nothing_fails(trace: Path) -> None:
    (trace / "cpp.log").write_text("== S3Faults.One\n")
    assert search(trace)[0] == 1
    (trace / "cpp.log").write_text(LOGGED)
    assert search(trace)[0] == 0
    (trace / "canary.uses").write_text("(before the first test)\n")
    assert search(trace)[0] == 1
    assert search(trace, secret="")[0] == 2
