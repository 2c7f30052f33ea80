"""A store that another tool has copied, from disk to S3 or back, is a valid store."""

import json
import shutil

import pytest
from boto3_support import ROOT, exported, files_of, recorded, stepstore

GOLDEN = ROOT / "tests" / "golden" / "format-1.0"


def healthy(store: object) -> None:
    report = json.loads(stepstore("check", "--data", "--json", store))
    assert report["healthy"]
    assert [each for each in report["findings"] if each["kind"] != "orphan"] == []


def sessions(store: object) -> list[str]:
    return [json.loads(line)["session"] for line in stepstore("ls", "--json", store).splitlines()]


@pytest.fixture
def stored_locally(recording, tmp_path):
    store = tmp_path / "store"
    stepstore("import", store, recording)
    return store


def test_a_copy_from_disk_to_s3(folder, recording, stored_locally, tmp_path):
    folder.upload(stored_locally)
    healthy(folder.uri)
    assert exported(folder.uri, recording.name, tmp_path / "out") == recorded(recording.parent)


def test_a_copy_from_s3_to_disk(folder, recording, tmp_path):
    stepstore("import", folder.uri, recording)
    copy = tmp_path / "copy"
    folder.download(copy)
    healthy(copy)
    assert exported(copy, recording.name, tmp_path / "out") == recorded(recording.parent)


def test_a_copy_is_worked_with_as_the_original(folder, recording, stored_locally, tmp_path):
    folder.upload(stored_locally)
    again = json.loads(stepstore("import", "--json", folder.uri, recording).splitlines()[-1])
    assert (again["stored"], again["unchanged"]) == (0, 30)
    page = tmp_path / "page"
    page.write_text("<p>another</p>")
    stepstore("put", folder.uri, recording.name, "step_0000", "--html", page)
    stepstore("rm", folder.uri, recording.name, "step_0001")
    back = tmp_path / "back"
    folder.download(back)
    for store in (folder.uri, back):
        healthy(store)
        assert (
            stepstore("get", store, recording.name, "step_0000", "--component", "html", "-o", "-") == page.read_text()
        )
        assert len(stepstore("ls", store, recording.name).split()) == 29


def test_a_copy_of_every_kind_of_object(folder, tmp_path):
    """Older versions, deleted steps, a session recorded again, odd names: the golden store has them all."""
    folder.upload(GOLDEN)
    healthy(folder.uri)
    back = tmp_path / "back"
    folder.download(back)
    assert {file: (back / file).read_bytes() for file in files_of(back)} == {
        file: (GOLDEN / file).read_bytes() for file in files_of(GOLDEN)
    }
    local = shutil.copytree(GOLDEN, tmp_path / "local")
    assert sessions(folder.uri) == sessions(local) != []
    for session in sessions(local):
        here, there = tmp_path / "here", tmp_path / "there"
        assert exported(folder.uri, session, there) == exported(local, session, here) != {}
    old = ("login", "0002", "--version", "1", "--component", "html", "-o", "-")
    assert stepstore("get", folder.uri, *old) == stepstore("get", local, *old) == "first"
