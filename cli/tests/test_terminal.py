"""Progress bars and colours: on a terminal only, and never when they are not wanted."""

import pytest
from cli_support import make_session


@pytest.fixture
def session(tmp_path):
    return make_session(tmp_path / "login", 40)


def test_progress_on_a_terminal(stepstore, store, session, tmp_path):
    seen, result = stepstore.on_terminal("import", store, session, streams=("stderr",))
    assert b"\rimporting [" in seen.replace(b"\x1b[K", b"")
    assert b"/40 steps" in seen
    assert seen.endswith(b"\r\x1b[K")  # and the line is taken away
    assert result.out.startswith("imported 1 session: 40 steps stored")
    seen, result = stepstore.on_terminal("export", store, "login", tmp_path / "out", streams=("stderr",))
    assert b"exporting [" in seen
    assert b"/40 steps" in seen
    assert result.out.startswith("exported 1 session")


@pytest.mark.parametrize(("columns", "bar"), [(200, 24), (60, 24), (46, 17), (37, 8), (36, 0), (20, 0)])
def test_the_bar_leaves_room_for_the_figures(stepstore, store, session, columns, bar):
    seen, _ = stepstore.on_terminal("import", store, session, streams=("stderr",), columns=columns)
    first = seen.replace(b"\x1b[K", b"").split(b"\r")[1]
    assert first.count(b".") == bar
    assert first.endswith(b"0/40 steps  0 B"[: columns - 1 - len("importing ")])


@pytest.mark.parametrize("flag", ["--no-progress", "-q"])
def test_no_progress_when_it_is_not_wanted(stepstore, store, session, flag):
    seen, _ = stepstore.on_terminal("import", flag, store, session, streams=("stderr",))
    assert seen == b""


def test_no_progress_in_a_pipe(stepstore, store, session, tmp_path):
    assert stepstore("import", store, session).stderr == b""
    assert stepstore("export", store, "login", tmp_path / "out").stderr == b""


def test_no_progress_on_a_terminal_that_cannot_move_its_cursor(stepstore, store, session):
    seen, _ = stepstore.on_terminal("import", store, session, streams=("stderr",), env={"TERM": "dumb"})
    assert seen == b""


def test_a_message_does_not_tear_the_progress_line(stepstore, store, session):
    (session / "notes.txt").write_text("")
    seen, _ = stepstore.on_terminal("import", store, session, streams=("stderr",), env={"NO_COLOR": "1"})
    message = seen[seen.index(b"stepstore: left alone") :]
    assert seen[: seen.index(message)].endswith(b"\x1b[K")


def test_colours(stepstore, store, session):
    stepstore("import", store, session)
    missing = ("get", store, "login", "nope")
    seen, _ = stepstore.on_terminal(*missing, code=3)
    assert b"\x1b[1;31mstepstore:\x1b[0m" in seen
    seen, _ = stepstore.on_terminal(*missing, code=3, env={"NO_COLOR": "1"})
    assert b"\x1b[" not in seen
    assert b"\x1b[" not in stepstore(*missing, code=3).stderr
    seen, _ = stepstore.on_terminal("check", store)
    assert b"\x1b[32mhealthy\x1b[0m" in seen
    assert stepstore("check", store).lines[-1] == "healthy"
    seen, _ = stepstore.on_terminal("ls", "-l", store, env={"NO_COLOR": "1"})
    assert b"\x1b[" not in seen
