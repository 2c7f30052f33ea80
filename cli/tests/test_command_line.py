"""The command line itself: help, mistakes, common options, exit codes, and ids that look like something else."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from cli_support import make_session

COMMANDS = ["put", "get", "ls", "rm", "presign", "import", "export", "adopt", "check", "info"]


def test_version(stepstore):
    assert stepstore("--version").out.split()[0] == "stepstore"
    assert stepstore("info", "--json", "memory:").json()["stepstore"] == stepstore("--version").out.split()[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(stepstore, command):
    text = stepstore(command, "--help").out
    assert f"Usage: stepstore {command}" in text
    assert f"  stepstore {command} " in text
    assert "Examples:" in text
    assert "--json" in text
    assert stepstore("help", command).out == text


def test_help_lists_the_commands(stepstore):
    text = stepstore("--help").out
    assert all(f"\n  {command} " in text for command in [*COMMANDS, "completion", "help"])
    assert stepstore("help").out == text


@pytest.mark.parametrize(
    ("args", "word"),
    [
        ((), "a command is missing"),
        (("frobnicate",), "there is no command frobnicate"),
        (("ls",), "STORE is required"),
        (("put", "s"), "SESSION is required"),
        (("get", "s", "a"), "STEP is required"),
        (("ls", "s", "a", "b"), "b was not expected"),
        (("ls", "s", "--nope"), "--nope was not expected"),
        (("ls", "s", "--limit", "many"), "--limit"),
        (("ls", "s", "--timeout", "0"), "--timeout"),
        (("ls", "s", "--timeout", "nan"), "--timeout"),
        (("import", "s"), "DIR"),
        (("help", "nobody"), "there is no command nobody"),
        (("completion", "cmd"), "no completion for cmd"),
    ],
)
def test_mistakes(stepstore, args, word):
    result = stepstore(*args, code=2)
    assert result.err.startswith("stepstore: ")
    assert word in result.err
    assert len(result.err.splitlines()) <= 2
    assert result.out == ""


def test_errors_as_json(stepstore, store):
    error = stepstore("get", "--json", store, "s", "1", code=3).error()
    assert error["code"] == "NotFound"
    assert error["exit"] == 3
    assert error["advice"]
    assert not error["retryable"]
    error = stepstore("ls", "--json", store, "--nope", code=2).error()
    assert error["code"] == "usage"
    assert "--nope" in error["message"]


def test_errors_as_text(stepstore, store):
    lines = stepstore("get", store, "s", "1", code=3).err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("stepstore: s/1: ")


ODD = ["put", "ls", "help", "++", "[a,b]", "[]", "{}", "-", ":x", "::", "a:b", "=", "--", "-x", "--json", "-1", "%%"]


@pytest.mark.parametrize("name", ODD)
def test_any_id_passes(stepstore, store, name):
    stepstore("put", "--action-json", "1", "--", store, name, name)
    assert stepstore("ls", store).lines == [name]
    assert stepstore("ls", store, "--", name).lines == [name]
    assert stepstore("get", store, "--component", "action", "--", name, name).out == "1"
    stepstore("rm", store, "--", name, name)
    assert stepstore("ls", store, "--", name).lines == []


def test_options_stand_anywhere(stepstore, store):
    stepstore("put", "--action-json", "1", store, "s", "1")
    stepstore("put", store, "--action-json=1", "s", "-q", "2")
    assert stepstore("--json", "ls", store).json() == {"session": "s"}
    assert stepstore("ls", store, "s", "--prefix", "1", "--json").json() == {"session": "s", "step": "1"}
    assert stepstore("ls", store, "--prefix=2", "s").lines == ["2"]
    assert "empty" in stepstore("ls", store, "", code=7).err  # an empty id is no missing one


def test_store_uris(stepstore, store):
    stepstore("put", f"file://{store}", "s", "1", "--action-json", "1")
    assert stepstore("ls", store).lines == stepstore("ls", f"file://{store}").lines == ["s"]
    assert stepstore("ls", os.path.relpath(store, stepstore.cwd)).lines == ["s"]
    stepstore("ls", f"file://{store}?nonsense=1", code=2)
    for refused, why in (
        ("s3:bucket", "names no bucket"),
        ("s3://key:hunter2@bucket", "credentials"),
        ("s3://bucket?secret=hunter2", "unknown parameter"),
        ("s3://bucket?endpoint=ftp://x", "neither http nor https"),
        ("s3://bucket?style=odd", "path or virtual"),
    ):
        told = stepstore("ls", refused, code=2).err
        assert why in told
        assert "hunter2" not in told


def test_log(stepstore, store):
    stepstore("put", store, "s", "1", "--action-json", "1")
    assert stepstore("ls", store).err == ""
    levels = {"-v": "info", "-vv": "debug"}
    for flag in levels:
        assert all(line.startswith("stepstore: ") for line in stepstore("ls", flag, store).err.splitlines())
    assert "STEPSTORE_LOG" in stepstore("ls", store, env={"STEPSTORE_LOG": "loud"}, code=2).err


def test_exit_codes_are_listed_and_distinct(stepstore):
    table = stepstore("help", "exit-codes", "--json").json()
    codes = [row["code"] for row in table]
    assert codes == sorted(set(codes))
    assert len({row["name"] for row in table}) == len(table)
    text = stepstore("help", "exit-codes").out
    assert all(f"{row['code']:>5}  {row['name']}" in text for row in table)


def test_timeout(stepstore, store, tmp_path):
    make_session(tmp_path / "s", 20)
    stepstore("import", "--timeout", "0.000001", store, tmp_path / "s", code=10)
    put = ("put", "--json", "--timeout", "0.000001", store, "s", "1", "--action-json", "1")
    assert stepstore(*put, code=10).error()["code"] == "Timeout"


def test_permission(stepstore):
    """As a user who may not write there. Root may everything, so it becomes somebody else."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o555)
        put = ("put", os.path.join(folder, "store"), "s", "1", "--action-json", "1")
        if os.geteuid() != 0:
            stepstore(*put, code=9)
            return
        with tempfile.TemporaryDirectory() as programs:
            os.chmod(programs, 0o755)
            stepstore.path = Path(shutil.copy(stepstore.path, programs))
            stepstore.cwd = Path("/")
            stepstore(*put, code=9, user=65534, group=65534, extra_groups=[])
