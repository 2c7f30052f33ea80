"""rm: deletes what was named and nothing else, asks before a whole session, and can be repeated."""

from cli_support import make_session


def fill(stepstore, store, tmp_path):
    make_session(tmp_path / "login", 4)
    stepstore("import", store, tmp_path / "login")


def test_steps(stepstore, store, tmp_path):
    fill(stepstore, store, tmp_path)
    result = stepstore("rm", store, "login", "0001", "0002", "nope")
    assert [line.split(" (")[0] for line in result.lines] == [
        "deleted login 0001", "deleted login 0002", "nothing to delete: login nope",
    ]  # fmt: skip
    assert stepstore("ls", store, "login").lines == ["0000", "0003"]
    deleted = stepstore("rm", "--json", store, "login", "0000", "0000").jsons()
    assert [d["steps"] for d in deleted] == [1, 0]
    assert deleted[0]["step"] == "0000"
    stepstore("get", store, "login", "0000", code=3)


def test_a_session_needs_recursive(stepstore, store, tmp_path):
    fill(stepstore, store, tmp_path)
    error = stepstore("rm", store, "login", code=2).err
    assert "--recursive" in error
    assert len(stepstore("ls", store, "login").lines) == 4
    assert stepstore("rm", "-r", store, "login").out.startswith("deleted login (4 steps, ")
    assert stepstore("ls", store, "login").lines == []
    assert stepstore("ls", store).lines == []
    assert stepstore("rm", "-r", store, "login").out == "nothing to delete: login\n"


def test_yes_answers_beforehand(stepstore, store, tmp_path):
    fill(stepstore, store, tmp_path)
    assert stepstore("rm", "--json", "--yes", store, "login").json()["steps"] == 4


def test_a_terminal_is_asked(stepstore, store, tmp_path):
    fill(stepstore, store, tmp_path)
    seen, _ = stepstore.on_terminal("rm", store, "login", keys=b"n\n")
    assert b"Delete session login with 4 steps? [y/N]" in seen
    assert b"nothing was deleted" in seen
    stepstore.on_terminal("rm", store, "login", keys=b"\n")
    assert len(stepstore("ls", store, "login").lines) == 4
    seen, _ = stepstore.on_terminal("rm", store, "login", keys=b"y\n")
    assert b"deleted login (4 steps" in seen
    assert stepstore("ls", store, "login").lines == []


def test_a_session_can_be_recorded_again_at_once(stepstore, store, tmp_path):
    fill(stepstore, store, tmp_path)
    stepstore("rm", "-rq", store, "login")
    stepstore("put", store, "login", "0001", "--action-json", "1")
    assert stepstore("ls", store, "login").lines == ["0001"]
