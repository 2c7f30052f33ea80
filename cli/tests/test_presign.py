"""presign without a bucket: what it says where there are no links; tests/s3/test_cli_objects.py has those that work."""

import pytest
from cli_support import make_session

UNSUPPORTED = 14


def test_a_store_on_disk_has_no_links(stepstore, store, tmp_path):
    make_session(tmp_path / "login", 1)
    stepstore("import", store, tmp_path / "login")
    for arguments in (["login", "0000", "html"], ["login", "0000"], ["--put", "login", "new", "html"]):
        told = stepstore("presign", store, *arguments, code=UNSUPPORTED)
        assert "only a store in S3 makes links" in told.err
        assert told.out == ""
    error = stepstore("presign", "--json", store, "login", "0000", "html", code=UNSUPPORTED).error()
    assert (error["code"], error["retryable"]) == ("Unsupported", False)
    stepstore("presign", store, "login", "none", "html", code=3)
    stepstore("presign", store, "login", "0000", "har", code=3)


@pytest.mark.parametrize("wrong", ["8d", "0s", "1w", "", "-1h", "h", "1 h", "1.5h", "99999999999999999999d"])
def test_times_that_cannot_be(stepstore, store, wrong):
    told = stepstore("presign", store, "s", "1", f"--expires={wrong}", code=2)
    assert "--expires" in told.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--put", "s", "1"], "an upload needs a component"),
        (["--version", "x", "s", "1", "html"], "--version"),
        (["s"], "STEP"),
    ],
)
def test_command_lines_that_cannot_be(stepstore, store, arguments, message):
    assert message in stepstore("presign", store, *arguments, code=2).err


def test_settings_that_cannot_be_are_told_before_anything_is_sent(stepstore):
    for setting, message in (
        ("checksum=sha1", "checksum is 'sha1'"),
        ("sse=rot13", "sse is 'rot13'"),
        ("storage_class=GLACIER", "restored"),
        ("tags=aws:a=1", "a tag is not"),
        ("sse_c_key=AAAA", "unknown parameter 'sse_c_key'"),
    ):
        told = stepstore("ls", f"s3://bucket?endpoint=http://127.0.0.1:1&{setting}", code=2)
        assert message in told.err
        assert "AAAA" not in told.err
