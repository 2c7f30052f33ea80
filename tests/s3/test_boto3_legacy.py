"""Steps as the original wrote them, by four boto3 calls without a manifest, are read and adopted."""

import json
import sys

import pytest
from boto3_support import run, stepstore

OBJECTS = {
    "observation.html": (b"<p>page</p>", "text/html"),
    "screenshot.png": (b"\x89PNG\r\n\x1a\npicture", "image/png"),
    "action.json": (b'{"type": "click"}', "application/json"),
    "metadata.json": (b'{"url": "https://example.com/"}', "application/json"),
}
READ = """
import json, sys
from stepstore import StorageManager
with StorageManager(sys.argv[1]) as store:
    steps = store.list_steps_for_session("old", legacy=True)
    step = store.retrieve_step_data("old", "1", legacy=True)
    print(json.dumps({"steps": steps, "legacy": step.info.legacy, "html": step.html_content,
                      "screenshot": step.screenshot_bytes.hex(), "action": step.action_data,
                      "components": sorted(step.components)}))
"""


@pytest.fixture
def legacy(folder):
    for name, (data, content_type) in OBJECTS.items():
        folder.put(f"old/1/{name}", data, content_type)
    return folder


def test_it_is_read_only_when_asked_for_and_a_day_old(legacy):
    assert stepstore("ls", legacy.uri, "old") == ""
    assert stepstore("ls", "--legacy", legacy.uri, "old") == ""
    assert stepstore("ls", legacy.uri, "old", later=True) == ""
    assert stepstore("ls", "--legacy", legacy.uri, "old", later=True) == "1\n"


def test_python_reads_it(legacy):
    found = json.loads(run(sys.executable, "-c", READ, legacy.uri, later=True))
    assert found["steps"] == ["1"]
    assert found["legacy"] is True
    assert found["html"] == "<p>page</p>"
    assert bytes.fromhex(found["screenshot"]) == OBJECTS["screenshot.png"][0]
    assert found["action"] == {"type": "click"}


def test_it_is_adopted_and_nothing_moves(legacy, tmp_path):
    before = {name: legacy.get(f"old/1/{name}") for name in OBJECTS}
    stepstore("adopt", legacy.uri, later=True)
    assert legacy.keys() == sorted(f"old/1/{name}" for name in OBJECTS), "without --apply nothing is written"
    stepstore("adopt", "--apply", legacy.uri, later=True)
    assert {name: legacy.get(f"old/1/{name}") for name in OBJECTS} == before
    added = set(legacy.keys()) - {f"old/1/{name}" for name in OBJECTS}
    assert "old/1/step.json" in added
    assert added <= {"old/1/step.json", ".stepstore/format.json"}
    # From now on it is a step as any other.
    assert stepstore("ls", legacy.uri, "old") == "1\n"
    stepstore("check", "--data", legacy.uri)
    stepstore("get", legacy.uri, "old", "1", "--dir", tmp_path / "out")
    assert {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()} == {
        name: data for name, (data, _) in OBJECTS.items()
    }


def test_a_folder_that_is_still_written_to_is_left_alone(legacy):
    stepstore("adopt", "--apply", legacy.uri)
    assert "old/1/step.json" not in legacy.tree()
