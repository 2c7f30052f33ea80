"""import: every file of a recording arrives, odd ones are named, and running it again stores nothing twice."""

import json
import os
import random
import signal
import socket
import subprocess

import pytest
from cli_support import make_session, make_step, png


def summary(result):
    assert result.jsons()[-1]["event"] == "summary"
    return result.jsons()[-1]


def events(result, kind):
    return [line for line in result.jsons() if line["event"] == kind]


def test_the_bundled_recording(stepstore, store, recording):
    first = summary(stepstore("import", "--json", store, recording))
    assert (first["sessions"], first["stored"], first["unchanged"], first["failed"], first["ignored"]) == (
        1,
        30,
        0,
        0,
        0,
    )
    assert first["bytes"] == sum(f.stat().st_size for f in recording.rglob("*") if f.is_file())
    again = summary(stepstore("import", "--json", store, recording))
    assert (again["stored"], again["unchanged"], again["bytes"]) == (0, 30, 0)
    assert {s["version"] for s in stepstore("ls", "-l", "--json", store, "pg-tour").jsons()} == {1}
    assert stepstore("check", "--data", "--json", store).json()["steps"] == 30


def test_a_folder_of_sessions(stepstore, store, tmp_path):
    make_session(tmp_path / "runs" / "one", 2)
    make_session(tmp_path / "runs" / "two", 1)
    (tmp_path / "runs" / "one" / "metadata.json").write_text("{}")  # of the session; no step
    (tmp_path / "runs" / "notes.txt").write_text("")
    result = stepstore("import", "--json", store, tmp_path / "runs")
    assert summary(result)["stored"] == 3
    assert summary(result)["sessions"] == 2
    left = {os.path.relpath(e["path"], tmp_path): e["reason"] for e in events(result, "ignored")}
    assert left == {
        "runs/notes.txt": "it lies beside the session folders",
        "runs/one/metadata.json": "it lies beside the step folders",
    }
    assert stepstore("ls", store).lines == ["one", "two"]


def test_text_output(stepstore, store, tmp_path):
    make_session(tmp_path / "login", 2)
    (tmp_path / "login" / "notes.txt").write_text("")
    result = stepstore("import", store, tmp_path / "login")
    assert result.out.startswith(
        "imported 1 session: 2 steps stored, 0 unchanged, 0 failed, 1 file or folder left alone; "
    )
    assert result.err == f"stepstore: left alone: {tmp_path}/login/notes.txt: it lies beside the step folders\n"
    quiet = stepstore("import", "-q", store, tmp_path / "login")
    assert quiet.out == quiet.err == ""


def test_session_overrides_the_name(stepstore, store, tmp_path):
    make_session(tmp_path / "login", 1)
    stepstore("import", store, tmp_path / "login", "--session", "a/b")
    assert stepstore("ls", store).lines == ["a/b"]
    stepstore("import", store, tmp_path / "login", tmp_path / "login", "--session", "x", code=2)
    os.chdir(tmp_path / "login")
    stepstore.cwd = tmp_path / "login"
    stepstore("import", store, ".")
    assert stepstore("ls", store).lines == ["a/b", "login"]


def test_other_files_become_components(stepstore, store, tmp_path):
    step = make_step(tmp_path / "s" / "0001", 1, **{"page.har": b"{}", "a b": b"1", "%2E%2Fx": b"2", "100%": b"3"})
    (step / "screenshot.jpg").write_bytes(b"\xff\xd8\xff second")
    (step / "empty.bin").write_bytes(b"")
    stepstore("import", store, tmp_path / "s")
    (info,) = stepstore("ls", "-l", "--json", store, "s").jsons()
    names = {c["name"] for c in info["components"]}
    assert names - {"html", "screenshot", "action"} == {"page.har", "a b", "./x", "100%", "screenshot.jpg", "empty.bin"}
    assert stepstore("get", store, "s", "0001", "--component", "screenshot").stdout == png(1)


@pytest.mark.parametrize(
    ("name", "data"), [("screenshot.jpg", b"\xff\xd8\xff\xe0rest"), ("screenshot.webp", b"RIFF\4\0\0\0WEBPVP8 ")]
)
def test_other_screenshots(stepstore, store, tmp_path, name, data):
    (tmp_path / "s" / "1").mkdir(parents=True)
    (tmp_path / "s" / "1" / name).write_bytes(data)
    stepstore("import", store, tmp_path / "s")
    (info,) = stepstore("ls", "-l", "--json", store, "s").jsons()
    assert [(c["name"], c["path"]) for c in info["components"]] == [("screenshot", name)]


def test_links_devices_and_nested_folders_are_reported(stepstore, store, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    step = make_step(tmp_path / "s" / "0001")
    (step / "link.html").symlink_to(secret)
    (step / "nested").mkdir()
    (step / "nested" / "file").write_text("")
    os.mkfifo(step / "pipe")
    with socket.socket(socket.AF_UNIX) as unix:
        os.chdir(step)
        unix.bind("sock")
    (tmp_path / "s" / "linked").symlink_to(step)
    (tmp_path / "s" / ".hidden").mkdir()
    (tmp_path / "s" / "nothing").mkdir()
    result = stepstore("import", "--json", store, tmp_path / "s")
    left = {os.path.relpath(e["path"], tmp_path / "s"): e["reason"] for e in events(result, "ignored")}
    assert left == {
        "0001/link.html": "a symbolic link",
        "0001/nested": "a folder inside a step",
        "0001/pipe": "a pipe",
        "0001/sock": "a socket",
        "linked": "a symbolic link",
        ".hidden": "a hidden folder",
        "nothing": "there are no files in it",
    }
    assert stepstore("ls", store, "s").lines == ["0001"]
    assert not any(b"secret" in f.read_bytes() for f in store.rglob("*") if f.is_file())


def test_broken_json_spoils_its_step_only(stepstore, store, tmp_path):
    session = make_session(tmp_path / "s", 3)
    (session / "0001" / "metadata.json").write_text('{"a":\n  nope}')
    result = stepstore("import", "--json", store, session, code=12)
    (failed,) = events(result, "failed")
    assert failed["path"] == str(session / "0001")
    assert failed["code"] == "InvalidArgument"
    assert f"{session}/0001/metadata.json: it is not valid JSON at line 2, column " in failed["message"]
    assert summary(result)["stored"] == 2
    assert summary(result)["failed"] == 1
    text = stepstore("import", store, session, code=12)
    assert text.err.startswith(f"stepstore: not stored: {session}/0001/metadata.json: it is not valid JSON at line 2")
    (session / "0001" / "metadata.json").write_text('{"a": 1}')
    assert summary(stepstore("import", "--json", store, session))["stored"] == 1


def test_all_failing_alike_gives_that_exit_code(stepstore, store, tmp_path):
    session = make_session(tmp_path / "s", 2)
    for step in session.iterdir():
        (step / "action.json").write_text("{")
    stepstore("import", store, session, code=7)


def test_encoded_folder_names_are_decoded_when_exact(stepstore, store, tmp_path):
    for name in ("a%2Fb", "%41", "100%", "a%2fb", "plain"):
        make_step(tmp_path / "s%20t" / name)
    stepstore("import", store, tmp_path / "s%20t")
    assert stepstore("ls", "--json", store).jsons() == [{"session": "s t"}]
    steps = {line["step"] for line in stepstore("ls", "--json", store, "s t").jsons()}
    assert steps == {"a/b", "%41", "100%", "a%2fb", "plain"}


def test_two_folders_for_one_id_are_told_apart(stepstore, store, tmp_path):
    make_step(tmp_path / "s" / "a b", 1)
    make_step(tmp_path / "s" / "a%20b", 2)
    result = stepstore("import", "--json", store, tmp_path / "s", code=12)
    (failed,) = events(result, "failed")
    assert failed["path"].endswith("/a b")
    assert "has the same id" in failed["message"]
    assert "step 2" in stepstore("get", store, "s", "a b", "--component", "html").out


def test_folders_that_hold_no_session(stepstore, store, tmp_path):
    (tmp_path / "empty" / "deep" / "er").mkdir(parents=True)
    make_step(tmp_path / "step")
    (tmp_path / "file").write_text("")
    assert "there are no steps in" in stepstore("import", store, tmp_path / "empty", code=3).err
    assert "is the folder of one step" in stepstore("import", store, tmp_path / "step", code=7).err
    assert "cannot open the folder" in stepstore("import", store, tmp_path / "file", code=3).err
    assert "cannot open the folder" in stepstore("import", store, tmp_path / "absent", code=3).err
    assert stepstore("ls", store).out == ""


def test_a_store_is_no_recording(stepstore, store, tmp_path):
    make_session(tmp_path / "s", 1)
    stepstore("import", store, tmp_path / "s")
    error = stepstore("import", tmp_path / "other", store, code=7).err
    assert "stepstore export --all" in error


def test_acknowledgements(stepstore, store, tmp_path):
    make_session(tmp_path / "s", 3)
    result = stepstore("import", "--print-acknowledged", store, tmp_path / "s")
    assert sorted(result.lines[:3]) == [f"stored s {n:04} 1" for n in range(3)]
    lines = stepstore("import", "--print-acknowledged", "--json", store, tmp_path / "s").jsons()
    assert [(e["event"], e["session"], e["version"]) for e in lines[:3]] == [("unchanged", "s", 1)] * 3
    assert {e["step"] for e in lines[:3]} == {"0000", "0001", "0002"}


def test_a_batch_after_the_other(stepstore, store, tmp_path):
    """More steps than one batch takes, with one job: the batches end where they should."""
    session = make_session(tmp_path / "s", 23)
    assert summary(stepstore("import", "--json", "--jobs", "1", store, session))["stored"] == 23
    stepstore("import", "--jobs", "0", store, session, code=2)


def test_killed_and_run_again(stepstore, tmp_path, recording):
    """kill -9 after a random number of acknowledgements: all of them are there, whole; a re-run completes."""
    seed = int(os.environ.get("STEPSTORE_SEED", random.randrange(2**32)))
    print(f"STEPSTORE_SEED={seed}")
    dice = random.Random(seed)
    for round_number in range(8):
        target = tmp_path / f"store-{round_number}"
        process = stepstore.start("import", "--print-acknowledged", "--jobs", "2", target, recording)
        acknowledged = []
        for _ in range(dice.randrange(0, 24)):
            acknowledged.append(process.stdout.readline().decode().split())
        process.send_signal(signal.SIGKILL)
        acknowledged += [line.decode().split() for line in process.communicate()[0].splitlines()]
        acknowledged = [line for line in acknowledged if line[:1] == ["stored"] and len(line) == 4]
        listed = stepstore("ls", target, "pg-tour").lines
        assert {line[2] for line in acknowledged} <= set(listed)
        report = stepstore("check", "--data", "--json", target).json()
        assert report["healthy"]
        assert report["steps"] == len(listed)
        last = summary(stepstore("import", "--json", target, recording))
        assert last["stored"] + last["unchanged"] == 30
        assert last["unchanged"] == len(listed)
        stepstore("export", target, "pg-tour", tmp_path / f"out-{round_number}")
        subprocess.run(["diff", "-r", recording, tmp_path / f"out-{round_number}" / "pg-tour"], check=True)


def test_events_are_json_whatever_the_names(stepstore, store, tmp_path):
    step = make_step(tmp_path / "s" / "x\x1b[31m")
    (step / "esc\x1b").symlink_to("nowhere")
    os.mkdir(os.fsencode(tmp_path / "s") + b"/bad\xff")
    with open(os.fsencode(tmp_path / "s") + b"/bad\xff/action.json", "w") as file:
        file.write("1")
    result = stepstore("import", "--json", "--print-acknowledged", store, tmp_path / "s", code=12)
    assert b"\x1b" not in result.stdout
    assert b"\xff" not in result.stdout
    assert events(result, "stored")[0]["step"] == "x\x1b[31m"
    assert events(result, "failed")[0]["path"].endswith("/bad\\xff")
    assert events(result, "ignored")[0]["path"].endswith("/esc\\x1b")
    assert all(json.loads(line) for line in result.lines)
