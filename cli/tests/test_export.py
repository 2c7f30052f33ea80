"""export: the tree that import takes, byte for byte, never outside its folder, never half a step."""

import os
import subprocess
import unicodedata

import pytest
from cli_support import make_session, make_step, tree

# Ids and component names that would leave a folder, clash, or disappear if they became paths as they are.
HOSTILE = [
    "..", ".", "../../etc", "/abs", "a/b", "a\\b", ".hidden", "-rf", "~root", "a~1", "%2F", "100%", "con", "a b",
    "\x1b[2J", "new\nline", "tab\t", "\x7f", "\u009b1m", "\u202e", "\u2028", "\ufeff", "é", "日本", "😀" * 12, "put",
    "[a,b]", "++", "$(id)", "`id`", "'", '"', "*", "step.json", "versions", "observation.html", "A", "a", " ",
]  # fmt: skip


def test_each_bundled_recording_comes_back(stepstore, store, tmp_path, each_recording):
    session = each_recording.name
    stepstore("import", store, each_recording)
    report = stepstore("check", "--data", "--json", store).json()
    assert (report["healthy"], report["steps"], report["findings"]) == (True, 30, [])
    result = stepstore("export", store, session, tmp_path / "out")
    assert result.out.startswith(f"exported 1 session to {tmp_path}/out: 30 steps written, 0 unchanged, 0 failed; ")
    # metadata.json too, though no more is promised of it than that it says the same.
    subprocess.run(["diff", "-r", each_recording, tmp_path / "out" / session], check=True)
    assert len(tree(tmp_path / "out" / session)) == 30 * 4
    again = stepstore("export", "--json", store, session, tmp_path / "out").json()
    assert (again["written"], again["unchanged"], again["bytes"]) == (0, 30, 0)


def test_all_sessions(stepstore, store, tmp_path):
    make_session(tmp_path / "runs" / "one", 2)
    make_session(tmp_path / "runs" / "two", 9)
    stepstore("import", store, tmp_path / "runs")
    stepstore("export", "--all", store, tmp_path / "out")
    assert tree(tmp_path / "out") == tree(tmp_path / "runs")
    stepstore("export", "--all", store, "one", tmp_path / "out", code=2)
    stepstore("export", store, tmp_path / "out", code=2)
    stepstore("export", store, "two", "one", tmp_path / "both")
    assert tree(tmp_path / "both") == tree(tmp_path / "runs")


def test_a_session_that_is_not_there(stepstore, store, tmp_path):
    make_session(tmp_path / "one", 1)
    stepstore("import", store, tmp_path / "one")
    assert "no such session" in stepstore("export", store, "two", tmp_path / "out", code=3).err
    stepstore("export", store, "two", "one", tmp_path / "out", code=12)
    assert os.listdir(tmp_path / "out") == ["one"]


def test_nothing_is_overwritten_unasked(stepstore, store, tmp_path):
    session = make_session(tmp_path / "s", 2)
    stepstore("import", store, session)
    out = tmp_path / "out"
    stepstore("export", store, "s", out)
    (out / "s" / "0001" / "notes.txt").write_text("mine")
    result = stepstore("export", store, "s", out, code=12)
    assert "0001 is there already and differs" in result.err
    assert "--force" in result.err
    assert (out / "s" / "0001" / "notes.txt").read_text() == "mine"
    stepstore("export", "--force", store, "s", out)
    assert tree(out / "s") == tree(session)


def test_a_link_in_the_way_is_not_followed(stepstore, store, tmp_path):
    stepstore("import", store, make_session(tmp_path / "s", 1))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "s").symlink_to(tmp_path / "elsewhere")
    stepstore("export", "--force", store, "s", tmp_path / "out", code=None)
    assert os.listdir(tmp_path / "elsewhere") == []


def test_leftovers_of_a_killed_export_are_swept(stepstore, store, tmp_path):
    stepstore("import", store, make_session(tmp_path / "s", 1))
    stale = tmp_path / "out" / "s" / ".stepstore-tmp-1"
    stale.mkdir(parents=True)
    (stale / "observation.html").write_text("half")
    stepstore("export", store, "s", tmp_path / "out")
    assert os.listdir(tmp_path / "out" / "s") == ["0000"]


@pytest.fixture
def hostile_store(stepstore, store, tmp_path):
    blob = tmp_path / "blob"
    blob.write_bytes(b"blob")
    for name in HOSTILE:
        parts = [f"--component={c}={blob}" for c in HOSTILE if "=" not in c] if name == ".." else []
        stepstore("put", store, "--html", blob, *parts, "--", name, name)
    return store


def test_hostile_names_stay_inside(stepstore, hostile_store, tmp_path):
    stepstore("export", "--all", hostile_store, tmp_path / "out" / "deep")
    assert os.listdir(tmp_path / "out") == ["deep"]
    sessions = os.listdir(tmp_path / "out" / "deep")
    assert len(sessions) == len(HOSTILE)
    for path in (tmp_path / "out").rglob("*"):
        assert not any(unicodedata.category(c) in ("Cc", "Cf") for c in path.name)
        assert path.name.isascii()
        assert not path.is_symlink()
    # What was exported is the recording again, name by name.
    again = tmp_path / "again"
    stepstore("import", again, tmp_path / "out" / "deep")
    assert {line["session"] for line in stepstore("ls", "--json", again).jsons()} == set(HOSTILE)
    steps = stepstore("ls", "-l", "--json", again, "..").jsons()
    assert [s["step"] for s in steps] == [".."]
    assert {c["name"] for c in steps[0]["components"]} == set(HOSTILE) | {"html"}
    stepstore("export", "--all", again, tmp_path / "out2")
    assert tree(tmp_path / "out2") == tree(tmp_path / "out" / "deep")


def test_folder_names_are_those_of_the_store(stepstore, hostile_store, tmp_path):
    """The command encodes names by itself; they agree with what the library calls its folders."""
    stepstore("export", "--all", hostile_store, tmp_path / "out")
    exported = {f"{s.name}/{t.name}" for s in (tmp_path / "out").iterdir() for t in s.iterdir()}
    stored = set()
    for name in HOSTILE:
        (info,) = stepstore("ls", "-l", "--json", "--", hostile_store, name).jsons()
        stored.add(info["path"])
        if name == "..":
            files = {c["path"] for c in info["components"]}
            folder = tmp_path / "out" / info["path"]
            assert files == set(os.listdir(folder))
    assert exported == stored


def test_a_step_of_several_versions(stepstore, store, tmp_path):
    """Stored again, a component's object has a name of its own; the exported file has the plain one."""
    step = make_step(tmp_path / "s" / "0001", 1, har=b"1")
    stepstore("import", store, tmp_path / "s")
    (step / "observation.html").write_text("new")
    (step / "har").write_text("2")
    (step / "screenshot.png").unlink()
    stepstore("import", store, tmp_path / "s")
    stepstore("export", store, "s", tmp_path / "out")
    assert tree(tmp_path / "out" / "s") == tree(tmp_path / "s")
