"""doctor says whether a store is fit, row by row, in words and in its exit code, and leaves the store as it was."""

import json

import pytest
from cli_support import make_session, tree

LOCKS = ".stepstore/locks/"  # empty files of a directory's own, at most 256, which stay
AREAS = ["store", "objects", "listing", "keys", "conditions", "publishing"]


def test_a_directory_is_fit_and_stays_as_it_was(stepstore, store, tmp_path):
    stepstore("import", store, make_session(tmp_path / "login"))
    before = without_locks(store)
    lines = stepstore("doctor", store).lines
    assert lines[0].endswith(str(store))
    assert [line for line in lines if line in AREAS] == AREAS
    rows = [line.split() for line in lines if line.startswith("  ")]
    assert len(rows) >= 20
    assert {row[0] for row in rows} == {"yes"}
    assert lines[-1] == "fit"
    assert without_locks(store) == before


def without_locks(store):
    return {name: data for name, data in tree(store).items() if not name.startswith(LOCKS)}


def test_memory(stepstore):
    lines = stepstore("doctor", "memory:").lines
    assert lines[-2:] == [
        "note: The objects are lost when the process ends.",
        "fit, with 1 weaker promise (see the notes)",
    ]


def test_json(stepstore, store):
    report = stepstore("doctor", "--json", store).json()
    assert list(report) == ["fit", "location", "server", "rows", "notes", "left_behind"]
    assert report["fit"] is True
    assert report["location"].endswith(str(store))
    assert (report["server"], report["left_behind"]) == ("", [])
    for row in report["rows"]:
        assert list(row) == ["area", "name", "tried", "verdict", "seen", "advice", "needed"]
        assert (row["verdict"], row["advice"]) == ("yes", "")
    assert {row["area"] for row in report["rows"]} == set(AREAS)


def test_thorough_asks_more(stepstore):
    usual, thorough = (
        {row["name"]: row["seen"] for row in stepstore("doctor", "--json", *more, "memory:").json()["rows"]}
        for more in ([], ["--thorough"])
    )
    assert usual.keys() == thorough.keys()
    assert usual["put-get"] == "as it should be, 6 cases of it"
    assert thorough["put-get"] == "as it should be, 9 cases of it"


def test_a_store_that_is_not_fit(stepstore, store):
    """A later release has written there."""
    marker = store / ".stepstore" / "format.json"
    marker.parent.mkdir(parents=True)
    marker.write_text('{"format":"1.0","reader_min":1,"writer_min":2}')
    result = stepstore("doctor", store, code=15)
    assert result.lines[-1] == "NOT FIT: format"
    assert "format: Use a newer stepstore." in result.lines
    assert any(line.startswith("  no       format") for line in result.lines)
    report = stepstore("doctor", "--json", store, code=15).json()
    assert report["fit"] is False
    assert marker.read_text() == '{"format":"1.0","reader_min":1,"writer_min":2}'


def test_without_time_nothing_is_claimed(stepstore):
    result = stepstore("doctor", "--timeout", "0.02", "memory:", code=10)
    assert not result.out or "not known to be fit; without an answer: " in result.lines[-1]


def test_a_store_that_nobody_can_reach(stepstore):
    uri = "s3://bucket?endpoint=http://127.0.0.1:9&region=us-east-1"
    env = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "canary"}
    result = stepstore("doctor", "--json", uri, env=env, code=10)
    assert result.out == ""
    assert result.error()["code"] == "Unavailable"
    assert "canary" not in result.err


def test_progress_and_colours_on_a_terminal(stepstore):
    seen, _ = stepstore.on_terminal("doctor", "memory:", streams=("stderr",))
    assert b"\rasking 1/" in seen.replace(b"\x1b[K", b"")
    assert b"put-get" in seen
    assert seen.endswith(b"\r\x1b[K")
    seen, _ = stepstore.on_terminal("doctor", "memory:", streams=("stderr",), columns=20)
    assert all(len(line) < 20 for line in seen.replace(b"\x1b[K", b"").split(b"\r"))
    seen, _ = stepstore.on_terminal("doctor", "memory:", streams=("stdout",))
    assert b"\x1b[32myes    \x1b[0m" in seen
    seen, _ = stepstore.on_terminal("doctor", "memory:", streams=("stdout",), env={"NO_COLOR": "1"})
    assert b"\x1b[" not in seen


@pytest.mark.parametrize("flag", ["--no-progress", "-q"])
def test_no_progress_when_it_is_not_wanted(stepstore, flag):
    seen, _ = stepstore.on_terminal("doctor", flag, "memory:", streams=("stderr",))
    assert seen == b""


def test_json_is_one_line_of_ascii(stepstore, tmp_path):
    result = stepstore("doctor", "--json", tmp_path / "Umlaut-ä")
    assert result.out.isascii()
    assert json.loads(result.out)["fit"]
